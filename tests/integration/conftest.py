"""What several files of integration tests share."""

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import aiohttp
import docker
import pytest
from fakes.exporter import RULE, FakeExporter
from fakes.sickness import LADDER, CuringGuardian, Scene
from fakes.stack import Server, Site, eventually

from homeostat.containers import DockerEngine

NUMBERS = itertools.count()


@pytest.fixture
async def make_site(tmp_path: Path) -> AsyncIterator[Callable[..., Site]]:
    """Makes an installation of its own from sections of homeostat.yml."""
    async with aiohttp.ClientSession() as session:
        yield lambda **data: Site(tmp_path / "site", session, data)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, servers: dict[str, Path]) -> Iterator[tuple[Site, Server]]:
    """One Prometheus for all tests: it takes five seconds to find its targets."""
    site = Site(tmp_path_factory.mktemp("recovery") / "site", None)
    prometheus = site.prometheus(servers["prometheus"], [RULE])
    prometheus.launch()
    yield site, prometheus
    prometheus.kill()


@pytest.fixture
async def scene(watched: tuple[Site, Server], servers: dict[str, Path]) -> AsyncIterator[Scene]:
    site, prometheus = watched
    name = f"api-{next(NUMBERS)}"
    base = f"http://{site.settings.exporter.listen}"
    workload = {
        "enable": True,
        "start_grace": "0s",
        "probes": [{"http": f"{base}/health"}],
        "hooks": {"reset-connections": f"{base}/hook"},
    }
    site.write(
        state_dir=f"state-{name}",
        processes={name: {"command": ["api"]}},
        workloads={f"local/{name}": workload},
        ladders={"unresponsive": LADDER},
    )
    exporter = FakeExporter(name)
    guardian = CuringGuardian(name, exporter)
    await exporter.start(site.settings.exporter.listen)
    await guardian.start(site.control_socket)
    try:
        async with aiohttp.ClientSession() as site.session, site.alertmanager(servers["alertmanager"]):
            await prometheus.wait_ready()
            scene = Scene(name, site, exporter, guardian)
            await eventually(scene.is_measured)
            yield scene
    finally:
        await guardian.stop()
        await exporter.stop()


@pytest.fixture
async def engine_client(engine: str) -> AsyncIterator[DockerEngine]:
    """The real engine, as homeostat asks it."""
    client = DockerEngine()
    yield client
    await client.close()


@pytest.fixture
def sdk(engine: str) -> Iterator[docker.DockerClient]:
    """The real engine, as tests set their scenes."""
    client = docker.from_env(timeout=20)
    yield client
    client.close()
