"""The action ``degrade`` against an application that keeps the contract of docs/hooks.md, and some that do not."""

import asyncio
import contextlib
import dataclasses
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from fakes.clock import FakeClock
from fakes.containers import container

from homeostat import settings as settings_module
from homeostat.directory import describe
from homeostat.errors import NotFound, Permanent, Unreachable
from homeostat.guardian_client import GuardianClient
from homeostat.steps import DegradeStep
from responder.actions.base import Applied, Skipped, Tools
from responder.actions.degrade import Degrade
from responder.targets import Target

STEP = DegradeStep(action="degrade", hook="degrade", lease=60.0, timeout=0.5)


class Application:
    """``heard``: (method, address asked, body). ``status``: of its answers; ``asleep``: it gives none."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.port = 0
        self.heard: list[tuple[str, str, object]] = []
        self.status = {"POST": 200, "DELETE": 200}
        self.asleep = False

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Application"]:
        app = web.Application()
        app.add_routes([web.route("*", "/hooks/degrade", self._answer)])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        try:
            for address in self.addresses:
                site = web.TCPSite(runner, address, self.port)
                await site.start()
                self.port = self.port or site._server.sockets[0].getsockname()[1]
            yield self
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        if self.asleep:
            await asyncio.Event().wait()
        body = await request.json() if request.can_read_body else None
        self.heard.append((request.method, request.host.partition(":")[0], body))
        return web.Response(status=self.status[request.method])


class Engine:
    """homeostat.containers.Engine, as far as the action asks."""

    def __init__(self, *containers):
        self.containers = {each.id: each for each in containers}

    async def inspect(self, container_id):
        if container_id not in self.containers:
            raise NotFound("No such container")
        return self.containers[container_id]


class Scene:
    """Two containers of one workload, each with the hook at its own address."""

    def __init__(self, application: Application, session: aiohttp.ClientSession) -> None:
        label = {"homeostat__hook__degrade": f":{application.port}/hooks/degrade"}
        self.application = application
        self.one, self.two = (
            container(name=f"web-{n}", addresses=(f"127.0.0.{n}",), homeostat__enable="true", **label) for n in (1, 2)
        )
        self.engine = Engine(self.one, self.two)
        self.settings = settings_module.defaults(Path("/nowhere"), {})
        self.tools = Tools(self.engine, GuardianClient(Path("/nowhere")), session, FakeClock(), lambda: self.settings)

    def target(self, *containers) -> Target:
        meant = containers or (self.one, self.two)
        return Target(describe("shop/web", meant, self.settings), meant, "")

    async def memo(self, *containers) -> dict:
        """As the ledger gives it back."""
        return json.loads(json.dumps(await Degrade().prepare(STEP, self.target(*containers), self.tools)))

    def heard(self) -> list[tuple[str, str, object]]:
        """Since the last call, in the order of addresses."""
        found, self.application.heard = sorted(self.application.heard), []
        return found


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with Application("127.0.0.1", "127.0.0.2").running() as application, aiohttp.ClientSession() as session:
        yield Scene(application, session)


ASKED = [("POST", f"127.0.0.{n}", {"lease_seconds": 60.0}) for n in (1, 2)]
ENDED = [("DELETE", f"127.0.0.{n}", None) for n in (1, 2)]


async def test_every_container_is_asked_renewed_and_told_to_go_back(scene: Scene):
    memo = await scene.memo()
    prepared = scene.heard()
    done = await Degrade().apply(STEP, scene.target(), scene.tools)
    asked = scene.heard()
    await Degrade().renew(STEP, memo, scene.tools)
    renewed = scene.heard()
    undone = await Degrade().undo(STEP, memo, scene.tools)
    ended = scene.heard()

    assert prepared == []
    assert done == Applied("hook degrade: 2 asked to do less, for 60 s at a time")
    assert asked == renewed == ASKED
    assert undone == "hook degrade: 2 told to go back"
    assert ended == ENDED


async def test_only_the_container_that_the_alert_names(scene: Scene):
    memo = await scene.memo(scene.two)
    await Degrade().apply(STEP, scene.target(scene.two), scene.tools)
    await Degrade().undo(STEP, memo, scene.tools)

    assert scene.heard() == [ENDED[1], ASKED[1]]


async def test_the_ledger_gets_no_address_which_may_be_anothers_by_then(scene: Scene):
    """Nor a secret that stands in a URL."""
    url = f"http://127.0.0.1:{scene.application.port}/hooks/degrade?token=secret"
    data = {"workloads": {"shop/web": {"enable": True, "hooks": {"degrade": url}}}}
    scene.settings = settings_module.build(data, {}, "test", base=Path("/nowhere"), environ={})
    memo = await scene.memo()

    assert memo == {"workload": "shop/web", "hook": "degrade", "containers": [scene.one.id, scene.two.id]}
    await Degrade().undo(STEP, memo, scene.tools)
    assert scene.heard() == [ENDED[0]]  # one place for all containers


async def test_a_container_that_moved_is_asked_where_it_is_now_and_one_that_is_gone_is_not(scene: Scene):
    memo = await scene.memo()
    scene.engine.containers = {scene.one.id: dataclasses.replace(scene.one, addresses=("127.0.0.2",))}

    await Degrade().renew(STEP, memo, scene.tools)
    moved = scene.heard()
    scene.engine.containers = {}
    await Degrade().renew(STEP, memo, scene.tools)
    undone = await Degrade().undo(STEP, memo, scene.tools)

    assert moved == [ASKED[1]]
    assert undone == "hook degrade: 0 told to go back"
    assert scene.heard() == []


@pytest.mark.parametrize("status", [404, 410])
async def test_a_degradation_that_has_ended_already_is_ended(scene: Scene, status: int):
    memo = await scene.memo()
    scene.application.status["DELETE"] = status

    for _ in range(2):
        assert await Degrade().undo(STEP, memo, scene.tools) == "hook degrade: 2 told to go back"


@pytest.mark.parametrize("status", [405, 501])
async def test_a_hook_without_delete_is_left_to_its_lease(scene: Scene, status: int):
    memo = await scene.memo()
    scene.application.status["DELETE"] = status

    undone = await Degrade().undo(STEP, memo, scene.tools)

    assert undone == "hook degrade takes no DELETE: it goes back by itself within 60 s"


async def test_a_hook_that_its_owner_took_away_is_left_to_its_lease(scene: Scene):
    memo = await scene.memo()
    data = {"workloads": {"shop/web": {"enable": True}}}
    scene.settings = settings_module.build(data, {}, "test", base=Path("/nowhere"), environ={})

    undone = await Degrade().undo(STEP, memo, scene.tools)

    assert undone == "shop/web has no hook degrade any more: it goes back by itself within 60 s"
    with pytest.raises(NotFound):
        await Degrade().renew(STEP, memo, scene.tools)
    assert scene.heard() == []


@pytest.mark.parametrize("status", [302, 400, 404, 503])
async def test_a_hook_that_refuses_has_failed(scene: Scene, status: int):
    memo = await scene.memo()
    scene.application.status["POST"] = status

    with pytest.raises(Permanent, match=f"hook degrade answered {status} to POST"):
        await Degrade().apply(STEP, scene.target(), scene.tools)
    with pytest.raises(Permanent):
        await Degrade().renew(STEP, memo, scene.tools)


async def test_one_that_is_deaf_does_not_keep_the_other_from_hearing(scene: Scene):
    gone = dataclasses.replace(scene.two, addresses=("127.0.0.3",))

    with pytest.raises(Unreachable, match="hook degrade does not answer"):
        await Degrade().apply(STEP, scene.target(scene.one, gone), scene.tools)
    assert scene.heard() == [ASKED[0]]


async def test_a_hook_that_dawdles_has_failed_within_the_steps_time(scene: Scene):
    memo = await scene.memo()
    scene.application.asleep = True

    with pytest.raises(Unreachable, match=r"hook degrade did not answer within 0\.5 s"):
        await Degrade().undo(STEP, memo, scene.tools)


async def test_a_workload_without_the_hook_or_without_an_address_is_skipped(scene: Scene):
    other = dataclasses.replace(STEP, hook="rest")
    nowhere = dataclasses.replace(scene.one, addresses=())
    without = [
        await Degrade().prepare(other, scene.target(), scene.tools),
        await Degrade().apply(other, scene.target(), scene.tools),
    ]
    homeless = [
        await Degrade().prepare(STEP, scene.target(nowhere), scene.tools),
        await Degrade().apply(STEP, scene.target(nowhere), scene.tools),
    ]

    assert without == [Skipped("the workload has no hook rest")] * 2
    assert homeless == [Skipped("hook degrade: its container has no address now")] * 2
    assert scene.heard() == []


async def test_a_process_is_asked_at_its_own_url(scene: Scene):
    url = f"http://127.0.0.1:{scene.application.port}/hooks/degrade"
    data = {
        "processes": {"api": {"command": ["api"]}},
        "workloads": {"local/api": {"enable": True, "hooks": {"degrade": url}}},
    }
    scene.settings = settings_module.build(data, {}, "test", base=Path("/nowhere"), environ={})
    target = Target(describe("local/api", (), scene.settings), (), "api")
    memo = await Degrade().prepare(STEP, target, scene.tools)
    assert not isinstance(memo, Skipped)
    await Degrade().apply(STEP, target, scene.tools)
    await Degrade().undo(STEP, memo, scene.tools)

    assert scene.heard() == [ENDED[0], ASKED[0]]


async def test_a_memo_of_nobody_is_told(scene: Scene):
    with pytest.raises(Permanent, match="memo cannot be read"):
        await Degrade().undo(STEP, {"workload": 7}, scene.tools)
