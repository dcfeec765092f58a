"""The engine's client against an engine that we can make fail: a real server on a socket, speaking the real wire."""

import asyncio
import contextlib
import dataclasses
import gc
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from aiohttp import web

from homeostat.containers import ContainerEvent, DockerEngine
from homeostat.errors import NotFound, Permanent, Unreachable

INSPECT = json.loads((Path(__file__).parents[2] / "data" / "docker" / "inspect.json").read_text())
ID = INSPECT["Id"]


def inspected(**changes):
    """The recorded answer with other values, addressed like ``State__Status``."""
    raw = json.loads(json.dumps(INSPECT))
    for path, value in changes.items():
        *parents, key = path.split("__")
        target = raw
        for parent in parents:
            target = target[parent]
        target[key] = value
    return raw


class Daemon:
    """What a Docker Engine answers. ``hold`` keeps answers back; ``events`` are streamed, then the stream waits."""

    def __init__(self):
        self.containers = {ID: inspected()}
        self.events = []
        self.hold = asyncio.Event()
        self.hold.set()
        self.end_events = asyncio.Event()
        self.failure = None
        self.requests = []
        self.streams = 0

    def app(self):
        app = web.Application(middlewares=[self.middleware])
        app.add_routes(
            [
                web.get("/version", self.version),
                web.get("/v{v}/version", self.version),
                web.get("/v{v}/containers/json", self.list),
                web.get("/v{v}/containers/{id}/json", self.inspect),
                web.post("/v{v}/containers/{id}/restart", self.restart),
                web.get("/v{v}/events", self.stream),
            ]
        )
        return app

    @web.middleware
    async def middleware(self, request, handler):
        self.requests.append(request)
        await self.hold.wait()
        if self.failure and request.path != "/version":
            return web.json_response({"message": "because"}, status=self.failure)
        return await handler(request)

    async def version(self, _request):
        return web.json_response({"Version": "26.1.5", "ApiVersion": "1.45", "MinAPIVersion": "1.24"})

    async def list(self, _request):
        return web.json_response([{"Id": container_id} for container_id in self.containers])

    async def inspect(self, request):
        raw = self.containers.get(request.match_info["id"])
        return web.json_response(raw) if raw else web.json_response({"message": "No such container"}, status=404)

    async def restart(self, _request):
        return web.Response(status=204)

    async def stream(self, request):
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        self.streams += 1
        try:
            for event in self.events:
                await response.write(json.dumps(event).encode() + b"\n")
            await self.end_events.wait()
        finally:
            self.streams -= 1
        return response


@pytest.fixture
async def daemon(tmp_path):
    daemon = Daemon()
    runner = web.AppRunner(daemon.app(), shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.UnixSite(runner, str(tmp_path / "docker.sock")).start()
    daemon.url = f"unix://{tmp_path}/docker.sock"
    yield daemon
    daemon.hold.set()
    daemon.end_events.set()
    await runner.cleanup()


@pytest.fixture
async def client(daemon):
    client = DockerEngine(daemon.url)
    yield client
    await client.close()


async def eventually(condition, within_s=5.0):
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.01)


def event(action, at, **attributes):
    return {
        "Type": "container",
        "Action": action,
        "Actor": {"ID": ID, "Attributes": attributes},
        "timeNano": at * 10**9,
    }


async def test_inspect_tells_all_that_homeostat_needs(client):
    container = await client.inspect(ID)

    assert dataclasses.replace(container, labels={}) == dataclasses.replace(
        container,
        id=ID,
        name="shop-web-1",
        image="redis:8.0",
        labels={},
        status="running",
        health="starting",
        exit_code=0,
        oom_killed=False,
        restart_count=2,
        restart_policy="on-failure",
        pid=4711,
        started_at=1795434591.709184,
        finished_at=None,
        memory_limit=67108864,
        addresses=("172.17.0.2",),
        start_period_s=7.0,
        stop_signal="SIGQUIT",
    )
    assert container.workload_id == "shop/web"


@pytest.mark.parametrize("health", [None, {"Status": ""}, {}])
async def test_no_health_check_is_none(client, daemon, health):
    daemon.containers[ID] = inspected(State__Health=health)

    assert (await client.inspect(ID)).health == "none"


@pytest.mark.parametrize("status", ["running", "paused"])
async def test_a_container_in_anothers_network_is_reached_where_that_is(client, daemon, status):
    daemon.containers["sidecar"] = inspected(
        Id="sidecar",
        State__Status=status,
        HostConfig__NetworkMode=f"container:{ID}",
        NetworkSettings__Networks={},
    )

    assert (await client.inspect("sidecar")).addresses == ("172.17.0.2",)


async def test_a_network_whose_owner_is_gone_gives_no_address(client, daemon):
    daemon.containers[ID] = inspected(HostConfig__NetworkMode="container:gone", NetworkSettings__Networks={})

    assert (await client.inspect(ID)).addresses == ()


async def test_the_hosts_network_is_reached_at_loopback(client, daemon):
    daemon.containers[ID] = inspected(
        HostConfig__NetworkMode="host", NetworkSettings__Networks={"host": {"IPAddress": ""}}
    )

    assert (await client.inspect(ID)).addresses == ("127.0.0.1",)


@pytest.mark.parametrize("project", ['shop"} or 1', "shop/web", "", "a b"])
async def test_labels_that_cannot_be_an_id_make_no_workload(client, daemon, project):
    daemon.containers[ID] = inspected(
        Config__Labels={"com.docker.compose.project": project, "com.docker.compose.service": "web"}
    )

    assert (await client.inspect(ID)).workload_id == "container/shop-web-1"


async def test_errands_of_compose_run_are_not_listed(client, daemon):
    daemon.containers[ID]["Config"]["Labels"]["com.docker.compose.oneoff"] = "True"

    assert await client.list() == []


async def test_a_container_that_goes_between_list_and_inspect_is_left_out(client, daemon):
    daemon.containers["gone"] = None

    assert [container.id for container in await client.list()] == [ID]


async def test_a_dot_in_a_name_does_not_match_its_neighbours(client, daemon):
    daemon.containers = {
        "1": inspected(Id="1", Name="/a.b", Config__Labels={}),
        "2": inspected(Id="2", Name="/axb", Config__Labels={}),
    }

    assert [container.name for container in await client.list("container/a.b")] == ["a.b"]


@pytest.mark.parametrize(("status", "error"), [(404, NotFound), (403, Permanent), (409, Permanent), (500, Unreachable)])
async def test_a_failing_engine_raises_what_fits(client, daemon, status, error):
    daemon.failure = status

    with pytest.raises(error, match="because"):
        await client.restart(ID, None, 5.0)
    with pytest.raises(error, match="because"):
        await anext(client.events(0))


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_no_engine_is_unreachable(tmp_path):
    client = DockerEngine(f"unix://{tmp_path}/nothing.sock")

    with pytest.raises(Unreachable, match="no Docker Engine answers"):
        await client.version()
    with pytest.raises(Unreachable):
        await anext(client.events(0))
    # The SDK leaves a socket that could not connect to the collector.
    await asyncio.sleep(0.05)
    gc.collect()


@pytest.mark.parametrize(("grace_s", "query"), [(None, {}), (3.0, {"t": "3"})])
async def test_restart_keeps_the_containers_own_grace_unless_told(client, daemon, grace_s, query):
    await client.restart(ID, grace_s, 5.0)

    assert dict(daemon.requests[-1].query) == query


async def test_a_hung_engine_is_unreachable_after_the_timeout(client, daemon):
    daemon.hold.clear()
    start = time.monotonic()

    with pytest.raises(Unreachable, match=r"did not answer within 0\.2 s"):
        await client.restart(ID, None, 0.2)
    assert time.monotonic() - start < 1


async def test_a_hung_engine_holds_a_bounded_number_of_threads_and_works_again_afterwards(client, daemon):
    await client.version()
    daemon.hold.clear()
    before = threading.active_count()
    outcomes = await asyncio.gather(*(client.restart(ID, None, 0.2) for _ in range(50)), return_exceptions=True)

    assert all(isinstance(outcome, Unreachable) for outcome in outcomes)
    assert threading.active_count() - before <= 8
    daemon.hold.set()
    assert (await client.inspect(ID)).id == ID


async def test_events_come_as_they_happen(client, daemon):
    daemon.events = [event("kill", 7, signal="15"), event("health_status: healthy", 8)]
    async with contextlib.aclosing(client.events(1.9)) as events:
        first, second = await anext(events), await anext(events)

    assert first == ContainerEvent(ID, "kill", "15", 7.0)
    assert second == ContainerEvent(ID, "health_status: healthy", "", 8.0)
    assert daemon.requests[-1].query["since"] == "1"


async def test_a_stream_that_breaks_just_ends(client, daemon):
    daemon.events = [event("die", 7)]
    daemon.end_events.set()

    assert [each.action async for each in client.events(0)] == ["die"]


async def test_closing_the_stream_ends_its_thread_and_its_connection(client, daemon):
    daemon.events = [event("die", 7)]
    events = client.events(0)
    await anext(events)
    await events.aclose()

    await eventually(lambda: not any(t.name == "docker-events" for t in threading.enumerate()))
    await eventually(lambda: daemon.streams == 0)


async def test_giving_up_on_a_stream_that_says_nothing_ends_its_thread(client, daemon):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3), contextlib.aclosing(client.events(0)) as events:
            await anext(events)

    await eventually(lambda: not any(t.name == "docker-events" for t in threading.enumerate()))


async def test_a_stream_that_opens_after_its_reader_gave_up_is_closed(client, daemon):
    await client.version()
    daemon.hold.clear()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2), contextlib.aclosing(client.events(0)) as events:
            await anext(events)
    daemon.hold.set()

    await eventually(lambda: not any(t.name == "docker-events" for t in threading.enumerate()))
    await eventually(lambda: daemon.streams == 0)


async def test_a_reader_that_falls_behind_loses_the_oldest_and_no_memory(client, daemon):
    daemon.events = [event("die", at) for at in range(1, 1501)]
    daemon.end_events.set()
    events = client.events(0)
    await anext(events)
    await eventually(lambda: not any(t.name == "docker-events" for t in threading.enumerate()))
    rest = [each.at async for each in events]

    assert len(rest) < 1100
    assert rest[-1] == 1500.0


HANG = """
import asyncio, sys
from homeostat.containers import DockerEngine
from homeostat.errors import Unreachable

async def main():
    engine = DockerEngine(sys.argv[1])
    calls = [asyncio.ensure_future(engine.version()) for _ in range(20)]
    listening = asyncio.ensure_future(anext(engine.events(0)))
    await asyncio.sleep(0.3)
    listening.cancel()
    for call in calls:
        call.cancel()
    await asyncio.gather(listening, *calls, return_exceptions=True)
    await engine.close()

asyncio.run(main())
"""


async def test_a_hung_engine_does_not_keep_the_process_from_ending(daemon):
    daemon.hold.clear()
    start = time.monotonic()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", HANG, daemon.url, stderr=subprocess.PIPE)
    _, errors = await asyncio.wait_for(process.communicate(), 8)

    assert (process.returncode, errors) == (0, b"")
    assert time.monotonic() - start < 6
