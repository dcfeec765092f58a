"""The engine's socket through a proxy that lets only what docs/security.md lists through, on a real engine."""

import asyncio
import contextlib
import os
import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import docker
import pytest
from aiohttp.test_utils import TestClient, TestServer
from fakes.programs import needed
from fakes.socketproxy import Recorder, haproxy, recording, shape
from fakes.stack import pick_port

from exporters.app import create_app
from homeostat import containers, settings
from homeostat.clock import SystemClock
from homeostat.containers import DockerEngine
from homeostat.errors import Permanent
from homeostat.rendering import ROOT

pytestmark = pytest.mark.docker

PAGE = (ROOT / "docs/security.md").read_text()
PYTHON = "python:3.13-slim"
DECADE_S = 10 * 365 * 86400.0
ROW = re.compile(r"^\| (\w+) \| (GET|POST) \| `([^`]+)` \|", re.MULTILINE)
CONFIG = re.search(r"```haproxy\n(.*?)```", PAGE, re.DOTALL)[1]
OPTIONAL = ("evidence", "exec", "limits", "prune")


def listed() -> dict[str, set[tuple[str, str]]]:
    """Feature -> what the page says that it asks for."""
    found: dict[str, set[tuple[str, str]]] = {}
    for feature, method, path in ROW.findall(PAGE):
        found.setdefault(feature, set()).add((method, path))
    return found


# --- The engine, a container, and what can be asked of them


@pytest.fixture(scope="module")
def engine_socket(engine: str) -> Path:
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if not host.startswith("unix://"):
        pytest.skip(f"the engine is at {host}: these tests need its socket")
    return Path(host.removeprefix("unix://"))


@pytest.fixture(scope="module")
def client(engine: str) -> Iterator[docker.DockerClient]:
    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture
def container(client: docker.DockerClient) -> Iterator[docker.models.containers.Container]:
    name = f"proxied-{uuid.uuid4().hex[:8]}"
    command = ["sh", "-c", "echo hello; exec sleep 3600"]
    container = client.containers.create(PYTHON, command, name=name, stop_signal="SIGKILL")
    try:
        container.start()
        container.reload()
        yield container
    finally:
        container.remove(force=True)


@dataclass(frozen=True)
class Asked:
    """What a method of the engine's client is for, and a call of it that changes nothing that others need."""

    feature: str
    call: Callable[[DockerEngine, docker.models.containers.Container], Awaitable[object]]


async def first_event(engine: DockerEngine, container: docker.models.containers.Container) -> str:
    async with contextlib.aclosing(engine.events(0)) as events:
        async for event in events:
            if event.container_id == container.id:
                return event.action
    pytest.fail("the stream of events ended")


async def unpause(engine: DockerEngine, container: docker.models.containers.Container) -> None:
    await asyncio.to_thread(container.pause)
    await engine.unpause(container.id)


METHODS: Mapping[str, Asked] = {
    "version": Asked("measure", lambda engine, it: engine.version()),
    "system_time": Asked("measure", lambda engine, it: engine.system_time()),
    "list": Asked("measure", lambda engine, it: engine.list(f"plain/{it.name}")),
    "rows": Asked("measure", lambda engine, it: engine.rows()),
    "inspect": Asked("measure", lambda engine, it: engine.inspect(it.id)),
    "stats": Asked("measure", lambda engine, it: engine.stats(it.id, 5.0)),
    "events": Asked("measure", first_event),
    "restart": Asked("repair", lambda engine, it: engine.restart(it.id, 1.0, 20.0)),
    "unpause": Asked("repair", unpause),
    "details": Asked("evidence", lambda engine, it: engine.details(it.id, 5.0)),
    "image_digests": Asked("evidence", lambda engine, it: engine.image_digests(it.image.id, 5.0)),
    "top": Asked("evidence", lambda engine, it: engine.top(it.id, 5.0)),
    "logs": Asked("evidence", lambda engine, it: engine.logs(it.id, 10, 1000, 5.0)),
    "exec": Asked("exec", lambda engine, it: engine.exec(it.id, ("true",), 10.0, {})),
    "has_own_pids": Asked("exec", lambda engine, it: engine.has_own_pids(it.id)),
    "host": Asked("limits", lambda engine, it: engine.host()),
    "update": Asked("limits", lambda engine, it: engine.update(it.id, None, None, 500_000_000)),
    "prune_images": Asked("prune", lambda engine, it: engine.prune_images(DECADE_S, 20.0)),
}


def test_every_method_of_the_client_is_known_here():
    """Who adds one says here what it is for, and in docs/security.md what it asks of the engine."""
    methods = {name for name in vars(containers.Engine) if not name.startswith("_")} - {"close"}

    assert methods == METHODS.keys()


@asynccontextmanager
async def connected(host: str) -> AsyncIterator[DockerEngine]:
    engine = DockerEngine(host)
    try:
        yield engine
    finally:
        await engine.close()


# --- The list


@pytest.fixture
async def recorder(engine_socket: Path) -> AsyncIterator[Recorder]:
    async with recording(engine_socket) as recorder:
        yield recorder


@pytest.mark.parametrize("feature", sorted({asked.feature for asked in METHODS.values()}))
async def test_the_page_lists_what_goes_over_the_wire_and_no_more(recorder: Recorder, container, feature: str):
    async with connected(recorder.host) as engine:
        for asked in METHODS.values():
            if asked.feature == feature:
                await asked.call(engine, container)

    known = set() if feature == "measure" else listed()["measure"]
    assert set(recorder.asked) - known == listed()[feature]


def test_the_page_has_no_other_features():
    assert listed().keys() == {asked.feature for asked in METHODS.values()}


async def test_the_exporter_asks_for_nothing_but_to_measure(recorder: Recorder, container, tmp_path: Path):
    page = await scrape(recorder.host, tmp_path, container)

    assert f'container="{container.name}"' in page
    assert set(recorder.asked) <= listed()["measure"]
    assert ("GET", "/vN/events") in recorder.asked


async def scrape(host: str, folder: Path, container) -> str:
    """The real exporter's page, once it knows the container."""
    (folder / "homeostat.yml").write_text(f"docker: {{enabled: true, host: '{host}'}}\n")
    app = create_app(settings.load(folder / "homeostat.yml", {}), SystemClock())
    async with TestClient(TestServer(app)) as client:
        async with asyncio.timeout(15):
            while True:
                async with client.get("/metrics") as response:
                    page = await response.text()
                if f'container="{container.name}"' in page:
                    return page
                await asyncio.sleep(0.1)


# --- HAProxy with the page's own file


@pytest.fixture(scope="module")
def haproxy_program(engine: str) -> str:
    return needed("haproxy")


@dataclass
class Proxy:
    """``host``: for the responder; ``reading``: for the exporter."""

    host: str
    reading: str

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", int(self.host.rpartition(":")[2])


@pytest.fixture
def proxied(haproxy_program: str, engine_socket: Path, tmp_path: Path) -> Callable[..., object]:
    """HAProxy as the page has it, at other addresses, with optional features."""

    @asynccontextmanager
    async def start(*features: str) -> AsyncIterator[Proxy]:
        ports = {2375: pick_port(), 2376: pick_port()}
        config = CONFIG.replace("unix@/var/run/docker.sock", f"unix@{engine_socket}")
        for port, free in ports.items():
            assert f"bind 127.0.0.1:{port}" in config
            config = config.replace(f"bind 127.0.0.1:{port}", f"bind 127.0.0.1:{free}")
        async with haproxy(haproxy_program, config, tmp_path, {name.upper(): "1" for name in features}):
            await until_open(ports.values())
            yield Proxy(*(f"tcp://127.0.0.1:{free}" for free in ports.values()))

    return start


async def until_open(ports) -> None:
    async with asyncio.timeout(5):
        for port in ports:
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.02)


async def test_measuring_and_repairing_pass_without_any_option(proxied, container):
    before = container.attrs["State"]["StartedAt"]
    async with proxied() as proxy, connected(proxy.host) as engine:
        for asked in METHODS.values():
            if asked.feature in ("measure", "repair"):
                await asked.call(engine, container)
        found = await engine.inspect(container.id)

    container.reload()
    assert container.attrs["State"]["StartedAt"] != before
    assert found.name == container.name


async def test_events_arrive_as_they_happen(proxied, container):
    async with proxied() as proxy, connected(proxy.host) as engine, asyncio.timeout(15):
        events = engine.events(await engine.system_time())
        pausing = asyncio.create_task(pause_in_a_moment(container))
        mine = (event.action async for event in events if event.container_id == container.id)
        seen = [await anext(mine)]
        while seen[-1] != "pause":  # its start may have been in the same second
            seen.append(await anext(mine))
        await pausing
        await events.aclose()

    assert set(seen) <= {"create", "start", "pause"}


async def pause_in_a_moment(container) -> None:
    await asyncio.sleep(0.3)
    await asyncio.to_thread(container.pause)


async def test_the_exporter_does_by_the_address_that_only_reads(proxied, container, tmp_path: Path):
    async with proxied() as proxy:
        page = await scrape(proxy.reading, tmp_path, container)

    assert 'homeostat_scrape_collector_success{collector="containers"} 1' in page


async def test_where_only_reading_passes_nothing_is_restarted(proxied, container):
    async with proxied(*OPTIONAL) as proxy, connected(proxy.reading) as engine:
        for name, asked in METHODS.items():
            if asked.feature == "measure":
                await asked.call(engine, container)
            elif name in ("restart", "exec", "update", "prune_images"):
                with pytest.raises(Permanent, match="lets only reading through here"):
                    await asked.call(engine, container)


@pytest.mark.parametrize("feature", OPTIONAL)
async def test_an_option_lets_its_feature_through_and_no_other(proxied, container, feature: str):
    beyond = {path for _, path in listed()[feature]}
    async with proxied(feature) as proxy, connected(proxy.host) as engine:
        for asked in METHODS.values():
            if asked.feature == feature:
                await asked.call(engine, container)
        for method, path in requests(container.id):
            if shape(path) not in beyond:
                assert await status(proxy, method, path) == 403, (method, path)


async def test_without_its_option_a_feature_is_refused_in_words(proxied, container):
    async with proxied() as proxy, connected(proxy.host) as engine:
        for name in ("logs", "top", "image_digests", "exec", "update", "prune_images"):
            with pytest.raises(Permanent, match="the socket proxy does not let this through"):
                await METHODS[name].call(engine, container)


def requests(container_id: str) -> list[tuple[str, str]]:
    """What must never pass, and what passes only with an option."""
    it = f"/v1.45/containers/{container_id}"
    return [
        ("POST", "/v1.45/containers/create?name=proxied-forbidden"),
        ("POST", "/containers/create?name=proxied-forbidden"),
        *(("POST", f"{it}/{word}") for word in ("start", "stop", "kill", "pause", "rename?name=x", "attach", "wait")),
        *(("POST", f"{it}/{word}") for word in ("exec", "update", "resize", "copy", "checkpoints")),
        *(("GET", f"{it}/{word}") for word in ("archive?path=/etc", "export", "changes", "attach/ws", "logs", "top")),
        ("PUT", f"{it}/archive?path=/"),
        ("HEAD", f"{it}/archive?path=/"),
        ("DELETE", f"{it}?force=true"),
        ("POST", "/v1.45/containers/prune"),
        ("POST", "/v1.45/build"),
        ("POST", "/v1.45/commit?container=x"),
        ("POST", "/v1.45/images/create?fromImage=x"),
        ("POST", "/v1.45/images/load"),
        ("POST", "/v1.45/images/prune"),
        ("DELETE", "/v1.45/images/x"),
        ("GET", "/v1.45/images/json"),
        ("GET", "/v1.45/images/x/get"),
        ("GET", "/v1.45/volumes"),
        ("POST", "/v1.45/volumes/create"),
        ("GET", "/v1.45/networks"),
        ("POST", "/v1.45/networks/create"),
        ("GET", "/v1.45/secrets"),
        ("GET", "/v1.45/swarm"),
        ("POST", "/v1.45/swarm/init"),
        ("GET", "/v1.45/plugins"),
        ("POST", "/v1.45/plugins/pull"),
        ("POST", "/v1.45/auth"),
        ("POST", "/session"),
        ("POST", "/grpc"),
        ("GET", "/v1.45/system/df"),
        ("GET", "/_ping"),
        ("GET", "/"),
        # The right words in the wrong place, or in disguise.
        ("POST", "/v1.45/containers/json"),
        ("DELETE", f"{it}/json"),
        ("PUT", f"{it}/restart"),
        ("GET", f"{it}/restart"),
        ("POST", f"{it}/restart/"),
        ("POST", f"{it}/%72estart"),
        ("POST", f"{it}/restart/../kill"),
        ("POST", f"{it}/kill/../restart"),
        ("POST", f"{it}/kill?x=/restart"),
        ("POST", f"{it}/kill%3f/restart"),
        ("POST", "/v1.45/containers/../containers/create"),
        ("POST", "/v1.45/containers/../restart"),
        ("POST", f"/v1.45/containers/{container_id}//restart"),
        ("POST", f"//v1.45/containers/{container_id}/restart"),
        ("POST", f"/x/v1.45/containers/{container_id}/restart"),
        ("POST", f"/v1.45/CONTAINERS/{container_id}/restart"),
        ("GET", "/v1.45/containers/json/../../images/json"),
        ("GET", "/version/../v1.45/images/json"),
        ("TRACE", "/version"),
    ]


async def status(proxy: Proxy, method: str, path: str) -> int:
    """Of a request sent as it is written here: no client tidies the path up."""
    reader, writer = await asyncio.open_connection(*proxy.address)
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
    try:
        async with asyncio.timeout(5):
            return int((await reader.readline()).split()[1])
    finally:
        writer.close()


async def test_everything_else_is_refused(proxied, container, client: docker.DockerClient):
    container.reload()
    before = container.attrs["State"]["StartedAt"], container.attrs["State"]["Status"]
    async with proxied() as proxy:
        answers = {request: await status(proxy, *request) for request in requests(container.id)}

    assert {request: got for request, got in answers.items() if got != 403} == {}
    container.reload()
    assert (container.attrs["State"]["StartedAt"], container.attrs["State"]["Status"]) == before
    assert not [each for each in client.containers.list(all=True) if each.name == "proxied-forbidden"]


async def test_creating_a_container_in_earnest_is_refused(proxied, client: docker.DockerClient):
    """With a body that the engine would take."""
    name = f"proxied-{uuid.uuid4().hex[:8]}"
    body = {"Image": PYTHON, "Cmd": ["true"], "HostConfig": {"Privileged": True, "Binds": ["/:/host"]}}
    async with proxied(*OPTIONAL) as proxy, aiohttp.ClientSession() as session:
        url = f"{proxy.host.replace('tcp', 'http')}/v1.45/containers/create?name={name}"
        async with session.post(url, json=body) as response:
            assert (response.status, await response.json()) == (
                403,
                {"message": "the socket proxy does not let this through"},
            )

    assert not [each for each in client.containers.list(all=True) if each.name == name]


async def test_a_second_request_behind_one_that_passes_is_looked_at_too(proxied, container):
    """Pipelined, and smuggled in a body whose length is said twice."""
    kill = f"POST /v1.45/containers/{container.id}/kill HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
    good = "GET /version HTTP/1.1\r\nHost: x\r\n\r\n"
    twice = (
        f"POST /v1.45/containers/{container.id}/unpause HTTP/1.1\r\nHost: x\r\n"
        f"Content-Length: {len(kill)}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    )
    async with proxied() as proxy:
        for head in (good, twice):
            reader, writer = await asyncio.open_connection(*proxy.address)
            writer.write((head + kill).encode())
            await asyncio.sleep(0.5)
            writer.close()
            assert b" 403 " in await reader.read() or head is twice

    container.reload()
    assert container.attrs["State"]["Status"] == "running"


async def test_by_a_socket_with_a_mode_it_works_as_well(
    haproxy_program: str, engine_socket: Path, tmp_path: Path, container
):
    config = CONFIG.replace("unix@/var/run/docker.sock", f"unix@{engine_socket}")
    config = config.replace("bind 127.0.0.1:2375", f"bind unix@{tmp_path}/docker.sock mode 600")
    config = re.sub(r"^ *bind 127.*\n", "", config, flags=re.MULTILINE)
    async with haproxy(haproxy_program, config, tmp_path, {}):
        async with asyncio.timeout(5):
            while not (tmp_path / "docker.sock").exists():
                await asyncio.sleep(0.02)
        async with connected(f"unix://{tmp_path}/docker.sock") as engine:
            assert (await engine.inspect(container.id)).name == container.name
        assert (tmp_path / "docker.sock").stat().st_mode & 0o777 == 0o600
