"""Real parts for the tests: servers, the container engine, free ports. Missing ones skip, and fail in CI."""

import asyncio
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

SERVER_NAMES = ("prometheus", "promtool", "alertmanager", "amtool")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-goldens", action="store_true", help="write expected messages anew instead of comparing")


@pytest.fixture(scope="session", autouse=True)
def main_loop() -> Iterator[None]:
    """pytest-asyncio asks for the main thread's loop; before Python 3.14 that makes one, which nobody closes."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


def missing(reason: str) -> None:
    """Skip with the reason on a developer's machine; fail where everything must be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def cached_programs() -> Path:
    """Where scripts/servers and scripts/test-services put what they get."""
    cache = os.environ.get("HOMEOSTAT_CACHE")
    return Path(cache or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "homeostat") / "bin"


def find_servers() -> dict[str, Path]:
    folders = [Path(p) for p in (os.environ.get("HOMEOSTAT_BIN"), cached_programs()) if p]
    found: dict[str, Path] = {}
    for name in SERVER_NAMES:
        candidates = [folder / name for folder in folders if (folder / name).exists()]
        on_path = shutil.which(name)
        if candidates or on_path:
            found[name] = candidates[0] if candidates else Path(str(on_path))
    return found


@pytest.fixture(scope="session")
def servers() -> dict[str, Path]:
    """Paths of prometheus, promtool, alertmanager and amtool."""
    found = find_servers()
    lacking = [name for name in SERVER_NAMES if name not in found]
    if lacking:
        missing(f"no {', '.join(lacking)}: run scripts/servers")
    return found


@pytest.fixture(scope="session")
def victoria_metrics() -> Path:
    """Path of the single-node server."""
    found = shutil.which("victoria-metrics", path=os.pathsep.join((str(cached_programs()), os.environ["PATH"])))
    if found is None:
        missing("no victoria-metrics: run scripts/test-services")
    return Path(str(found))


@pytest.fixture(scope="session")
def database_programs() -> dict[str, Path]:
    """Paths of redis-server, postgres and initdb."""
    path = os.pathsep.join((str(cached_programs()), os.environ["PATH"]))
    found = {name: shutil.which(name, path=path) for name in ("redis-server", "postgres", "initdb")}
    lacking = [name for name, program in found.items() if program is None]
    if lacking:
        missing(f"no {', '.join(lacking)}: run scripts/test-services")
    return {name: Path(str(program)) for name, program in found.items()}


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Path of a Chromium that can do without a screen."""
    found = shutil.which("chromium", path=os.pathsep.join((str(cached_programs()), os.environ["PATH"])))
    if found is None:
        missing("no chromium: run scripts/test-services")
    return Path(str(found))


@pytest.fixture(scope="session")
def engine() -> str:
    """The version of the Docker Engine that answers."""
    import docker

    try:
        client = docker.from_env(timeout=5)
        version = str(client.version()["Version"])
        client.close()
    except docker.errors.DockerException as err:
        missing(f"no Docker Engine answers ({err}): start one, or run scripts/engine up && scripts/engine images")
        raise AssertionError from err  # not reached
    return version


@pytest.fixture
def free_port():
    """A function that gives loopback ports nobody uses now."""

    def pick() -> int:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            return int(sock.getsockname()[1])

    return pick
