"""The exporter as it is started and scraped: without an engine, with one that hangs, with a guardian that is down."""

import asyncio
import contextlib
import gc
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import pytest
from aiohttp.test_utils import TestClient, TestServer
from blockbuster import blockbuster_ctx
from fakes.guardian import FakeGuardian
from prometheus_client.parser import text_string_to_metric_families

from exporters.app import create_app
from homeostat import names
from homeostat.clock import SystemClock
from homeostat.platforms import control_socket_path

# The SDK leaves a socket that could not connect to the garbage collector: see swept().
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


#: Collectors that measure something wherever the exporter runs.
ALWAYS = dict.fromkeys(("workloads", "probes", "health", "host", "clock", "databases", "leaks", "exporter"), 1)


@pytest.fixture(autouse=True)
def swept():
    """What this file leaves is swept up here, not in the next file's tests."""
    yield
    for thread in threading.enumerate():
        if thread.name.startswith(("homeostat-call", "docker-events")):
            thread.join(timeout=1)
    gc.collect()


@contextlib.asynccontextmanager
async def exporter(settings):
    async with TestClient(TestServer(create_app(settings, SystemClock()))) as client:
        yield client


async def successes(client, **headers):
    """Collector -> success of one scrape."""
    async with client.get("/metrics", headers=headers) as response:
        assert response.status == 200
        text = await response.text()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    return {sample.labels["collector"]: sample.value for sample in families[names.SCRAPE_SUCCESS].samples}


@pytest.fixture
def silent_engine(tmp_path):
    """A socket that takes connections and never answers."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "silent.sock"))
        listener.listen(64)
        yield f"unix://{tmp_path}/silent.sock"


async def test_without_docker_no_container_is_watched(told):
    async with exporter(told("docker: {enabled: false}")) as client:
        assert await successes(client) == ALWAYS


async def test_an_engine_that_may_be_absent_makes_no_noise(told, tmp_path):
    async with exporter(told(f"docker: {{enabled: auto, host: 'unix://{tmp_path}/none.sock'}}")) as client:
        await asyncio.sleep(0.1)

        assert await successes(client) == ALWAYS


async def test_an_engine_that_must_be_there_and_is_not_is_a_failure(told, tmp_path):
    async with exporter(told(f"docker: {{enabled: true, host: 'unix://{tmp_path}/none.sock'}}")) as client:
        await asyncio.sleep(0.1)

        assert await successes(client) == ALWAYS | {"containers": 0, "container_resources": 0}


async def test_an_engine_that_hangs_does_not_delay_a_scrape(told, silent_engine):
    async with exporter(told(f"docker: {{enabled: true, host: '{silent_engine}'}}")) as client:
        await asyncio.sleep(0.2)
        start = time.monotonic()
        found = await successes(client)

        assert found == ALWAYS | {"containers": 0, "container_resources": 0}
        assert time.monotonic() - start < 0.5


async def test_configured_processes_without_their_guardian_are_a_failure(told):
    settings = told("docker: {enabled: false}\nprocesses: {api: {command: [sleep, '1']}}")
    async with exporter(settings) as client:
        assert (await successes(client))["processes"] == 0
        guardian = FakeGuardian("api")
        await guardian.start(control_socket_path(settings.state_dir))
        try:
            assert (await successes(client))["processes"] == 1
        finally:
            await guardian.stop()


async def test_a_guardian_that_nobody_configured_is_measured_too(told):
    settings = told("docker: {enabled: false}")
    guardian = FakeGuardian("api")
    await guardian.start(control_socket_path(settings.state_dir))
    try:
        async with exporter(settings) as client:
            assert (await successes(client))["processes"] == 1
    finally:
        await guardian.stop()


async def test_a_probe_that_hangs_does_not_delay_a_scrape(told):
    async def never(reader, writer):
        await reader.read()
        writer.close()

    server = await asyncio.start_server(never, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = told(
        "docker: {enabled: false}\n"
        f"workloads: {{shop/web: {{enable: true, probes: [{{http: 'http://127.0.0.1:{port}/', interval: 200ms}}]}}}}"
    )
    async with exporter(settings) as client:
        await asyncio.sleep(0.5)
        start = time.monotonic()
        assert (await successes(client))["probes"] == 1
        assert time.monotonic() - start < 0.5
    server.close()
    await asyncio.sleep(0.05)


async def test_leaks_are_looked_for_and_what_is_known_outlasts_the_exporter(told):
    settings = told("docker: {enabled: false}")
    guardian = FakeGuardian("api")
    await guardian.start(control_socket_path(settings.state_dir))
    try:
        async with exporter(settings) as client:
            async with asyncio.timeout(5):
                while not (found := await leaks(client)):
                    await asyncio.sleep(0.02)
            async with client.get("/leaks", params={"workload": "shop/none"}) as response:
                assert await response.json() == {"series": []}
    finally:
        await guardian.stop()

    assert {(row["workload"], row["verdict"]) for row in found} == {("local/api", "insufficient_data")}
    assert (settings.state_dir / "leaks.json").exists()


async def leaks(client):
    async with client.get("/leaks") as response:
        assert response.status == 200
        return (await response.json())["series"]


async def test_a_state_folder_that_cannot_be_written_to_keeps_nobody_from_measuring(told, tmp_path):
    (tmp_path / "occupied").write_text("")
    settings = told("docker: {enabled: false}\nstate_dir: occupied")
    async with exporter(settings) as client:
        assert await successes(client) == ALWAYS


async def test_the_pages_for_people(told):
    async with exporter(told("docker: {enabled: false}")) as client:
        async with client.get("/-/healthy") as response:
            assert (response.status, await response.text()) == (200, "ok\n")
        async with client.get("/") as response:
            page = await response.text()
            assert all(f'<a href="{path}">' in page for path in ("/metrics", "/discovery", "/leaks", "/-/healthy"))


async def test_nothing_blocks_the_loop(told):
    async with exporter(told("docker: {enabled: false}")) as client:
        with blockbuster_ctx():
            assert await successes(client)


async def test_nothing_is_left_when_it_ends(told, silent_engine):
    before = asyncio.all_tasks()
    async with exporter(told(f"docker: {{enabled: true, host: '{silent_engine}'}}")) as client:
        await successes(client)
    await asyncio.sleep(0.05)

    assert asyncio.all_tasks() == before


def start(path):
    command = [sys.executable, "-m", "exporters", "--settings", str(path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def wait_until_up(port):
    for _ in range(100):
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/-/healthy", timeout=1):
            return
        time.sleep(0.1)
    pytest.fail("the exporter did not start")


def test_wrong_settings_are_said_and_end_it_with_2(tmp_path):
    path = tmp_path / "homeostat.yml"
    path.write_text("exporter: {listne: '127.0.0.1:1'}\n")
    process = start(path)
    _, errors = process.communicate(timeout=20)

    assert process.returncode == 2
    assert b"homeostat.yml:1: exporter.listne: unknown key" in errors


def test_a_taken_port_is_said_and_ends_it_with_3(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        path = tmp_path / "homeostat.yml"
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        path.write_text(f"exporter: {{listen: '{address}'}}\ndocker: {{enabled: false}}\n")
        process = start(path)
        _, errors = process.communicate(timeout=20)

    assert process.returncode == 3
    assert f"cannot listen on {address}".encode() in errors


def test_sigterm_ends_it_quickly_even_when_the_engine_hangs(tmp_path, silent_engine, free_port):
    port = free_port()
    path = tmp_path / "homeostat.yml"
    path.write_text(f"exporter: {{listen: '127.0.0.1:{port}'}}\ndocker: {{enabled: true, host: '{silent_engine}'}}\n")
    process = start(path)
    wait_until_up(port)
    time.sleep(0.3)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)

    assert process.returncode == 0
    assert time.monotonic() - began < 2
