"""The action ``evidence`` against applications that tell of themselves, and some that do not."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from fakes.capturing import FakeEngine
from fakes.containers import container

from homeostat import settings as settings_module
from homeostat.clock import SystemClock
from homeostat.errors import HomeostatError, Permanent, Unreachable
from homeostat.guardian_client import GuardianClient
from homeostat.steps import EvidenceStep
from homeostat.workloads import HookSpec, Kind, Workload
from responder.actions.base import Applied, Skipped, Tools
from responder.actions.evidence import Evidence
from responder.capture.fit import size
from responder.targets import Target

STEP = EvidenceStep(action="evidence", hook="heap", timeout=1.0)
NOWHERE = Path("/nowhere")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@contextlib.asynccontextmanager
async def application(handler: Handler, *addresses: str) -> AsyncIterator[int]:
    """The port of one that has the hook, at all these addresses."""
    app = web.Application()
    app.add_routes([web.post("/hooks/heap", handler)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    port = 0
    try:
        for address in addresses or ("127.0.0.1",):
            site = web.TCPSite(runner, address, port)
            await site.start()
            port = site._server.sockets[0].getsockname()[1]
        yield port
    finally:
        await runner.cleanup()


def says(text: str, status: int = 200) -> Handler:
    async def handler(_request: web.Request) -> web.Response:
        return web.Response(text=text, status=status)

    return handler


def web_of(port: int, *containers: object) -> Target:
    hooks = {"heap": HookSpec(f":{port}/hooks/heap")}
    return Target(Workload("shop/web", Kind.CONTAINER, hooks=hooks), containers, "")


def at(address: str, name: str = "web-1", **changes: object):
    return dataclasses.replace(container(name=name, addresses=(address,) if address else ()), **changes)


async def act(
    target: Target, engine: object = None, settings: object = None, step: EvidenceStep = STEP
) -> Applied | Skipped:
    settings = settings or settings_module.defaults(NOWHERE, {})
    async with aiohttp.ClientSession() as session, asyncio.timeout(step.timeout):
        tools = Tools(engine, GuardianClient(NOWHERE), session, SystemClock(), lambda: settings)
        return await Evidence().apply(step, target, tools)


async def test_what_is_told_is_kept_as_evidence():
    async with application(says("12 Order\n3 dict\n")) as port:
        done = await act(web_of(port, at("127.0.0.1")))

    assert done == Applied("hook heap: 1 of 1 answered", {"subjects": {"web-1": {"heap": ["12 Order", "3 dict"]}}})


async def test_secrets_of_the_container_are_taken_out():
    engine = FakeEngine(environment={"SHOP_API_KEY": "a1b2c3d4e5f6"})
    async with application(says("str 'a1b2c3d4e5f6'")) as port:
        done = await act(web_of(port, at("127.0.0.1")), engine)

    assert done.evidence == {"subjects": {"web-1": {"heap": ["str '[redacted]'"]}}}


@pytest.mark.parametrize("problem", [Unreachable("it sleeps"), Permanent("not allowed")])
async def test_an_engine_that_does_not_tell_of_the_environment_costs_nothing_else(problem: HomeostatError):
    engine = FakeEngine(problems={"details": problem})
    async with application(says("12 Order")) as port:
        done = await act(web_of(port, at("127.0.0.1")), engine)

    assert done.evidence == {"subjects": {"web-1": {"heap": ["12 Order"]}}}


async def test_a_supervised_process_is_asked_and_its_secrets_are_taken_out():
    data = {"processes": {"api": {"command": ["api"], "env": {"API_TOKEN": "a1b2c3d4e5f6"}}}}
    settings = settings_module.build(data, {}, "test", base=NOWHERE, environ={})
    async with application(says("str a1b2c3d4e5f6")) as port:
        hooks = {"heap": HookSpec(f"http://127.0.0.1:{port}/hooks/heap")}
        done = await act(Target(Workload("local/api", Kind.PROCESS, hooks=hooks), (), "api"), settings=settings)

    assert done.evidence == {"subjects": {"api": {"heap": ["str [redacted]"]}}}


async def test_each_container_is_asked_and_one_that_fails_costs_no_other():
    async def handler(request: web.Request) -> web.Response:
        is_first = request.host.startswith("127.0.0.1:")
        return web.Response(text="12 Order", status=200 if is_first else 500)

    async with application(handler, "127.0.0.1", "127.0.0.2") as port:
        done = await act(web_of(port, at("127.0.0.1"), at("127.0.0.2", "web-2"), at("", "web-3")))

    assert done == Applied(
        "hook heap: 1 of 2 answered",
        {"subjects": {"web-1": {"heap": ["12 Order"]}, "web-2": {"heap": {"not_there": "the hook answered 500"}}}},
    )


async def test_a_hook_at_one_place_is_asked_once_for_all_containers():
    asked: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(text="12 Order")

    async with application(handler) as port:
        hooks = {"heap": HookSpec(f"http://127.0.0.1:{port}/hooks/heap")}
        workload = Workload("shop/web", Kind.CONTAINER, hooks=hooks)
        await act(Target(workload, (at("127.0.0.1"), at("127.0.0.2", "web-2")), ""))

    assert len(asked) == 1


async def test_no_more_is_read_and_kept_than_there_is_room_for():
    sent = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while True:  # until nobody listens any more
            await response.write(b"7 Order of the shop\n" * 500)
            sent += 1

    async with application(handler) as port:
        done = await act(web_of(port, at("127.0.0.1")))

    lines = done.evidence["subjects"]["web-1"]["heap"]
    assert lines[0] == "7 Order of the shop"
    assert lines[-1].startswith("[cut: ")
    assert size(done.evidence) <= 33 * 1024
    assert sent < 2000


async def test_an_application_that_answers_nothing_in_time_is_a_failure():
    async def handler(_request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    step = dataclasses.replace(STEP, timeout=0.3)
    async with application(handler) as port:
        with pytest.raises(Unreachable, match="in time"):
            await act(web_of(port, at("127.0.0.1")), step=step)


async def test_an_answer_that_never_ends_is_a_failure_too():
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"7 Order\n")
        await asyncio.Event().wait()
        return response

    step = dataclasses.replace(STEP, timeout=0.3)
    async with application(handler) as port:
        with pytest.raises(Unreachable, match="in time"):
            await act(web_of(port, at("127.0.0.1")), step=step)


async def test_when_all_refuse_it_has_failed():
    async with application(says("no", status=404)) as port:
        with pytest.raises(Permanent, match="the hook answered 404"):
            await act(web_of(port, at("127.0.0.1")))


async def test_a_redirect_is_not_followed():
    async def handler(_request: web.Request) -> web.Response:
        raise web.HTTPFound("/elsewhere")

    async with application(handler) as port:
        with pytest.raises(Permanent, match="the hook answered 302"):
            await act(web_of(port, at("127.0.0.1")))


async def test_a_container_without_an_address_is_passed_over():
    assert await act(web_of(80, at(""))) == Skipped("hook heap: its container has no address now")
