"""A container that leaks, on a real engine, with time that runs a hundred times as fast for those who look at it."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from exporters.cgroups import Cgroups
from exporters.host.source import system_reader
from exporters.leakinputs import Bound, Containers, HostLimits
from exporters.leakseries import Row
from exporters.leakstate import NAME, StateFile
from exporters.leakwatch import LeakWatch
from exporters.meter import Meter
from exporters.together import Together
from exporters.watch import Watcher
from homeostat import platforms
from homeostat.clock import SystemClock
from homeostat.containers import DockerEngine
from homeostat.errors import Temporary

pytestmark = pytest.mark.docker

MIB = 2**20
SPEED = 100
LIMITS: dict[str, Any] = {
    "mem_limit": 256 * MIB,
    "memswap_limit": 256 * MIB,
    "pids_limit": 60,
    "ulimits": [{"Name": "nofile", "Soft": 200, "Hard": 200}],
}
#: Nothing for as long as it takes to know it, then the whole limit in 25 s. 30 open files and two threads.
LEAK = """
import threading, time
files = [open("/dev/null") for _ in range(30)]
threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
time.sleep(9)
leaked = []
while True:
    leaked.append(b"x" * 1_000_000)
    time.sleep(0.1)
"""


class FastClock:
    """homeostat.clock.Clock, from now on ``SPEED`` times as fast."""

    def __init__(self) -> None:
        self._now, self._monotonic = time.time(), time.monotonic()

    def now(self) -> float:
        return self._now + SPEED * (time.time() - self._now)

    def monotonic(self) -> float:
        return SPEED * (time.monotonic() - self._monotonic)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / SPEED)


@pytest.fixture
def container(sdk: docker.DockerClient) -> Iterator[Any]:
    started = sdk.containers.run(
        "python:3.13-slim", ["python", "-c", LEAK], name=f"hs-leak-{uuid.uuid4().hex[:8]}", detach=True, **LIMITS
    )
    yield started
    started.remove(force=True)


@pytest.fixture
async def watcher(engine_client: DockerEngine, container: Any) -> AsyncIterator[Watcher]:
    watcher = Watcher(engine_client, SystemClock(), required=True)
    task = asyncio.create_task(watcher.run())
    async with asyncio.timeout(10):
        while container.name not in {each.name for each in watcher.containers}:
            await asyncio.sleep(0.05)
    yield watcher
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@contextlib.asynccontextmanager
async def running(watcher: Watcher, folder: Path, clock: FastClock) -> AsyncIterator[LeakWatch]:
    """As the exporter puts it together."""
    cgroups = Cgroups(SystemClock())
    host = HostLimits(system_reader(platforms.detect()), clock)
    containers = Containers(lambda: True, Together(watcher.look), Meter(cgroups, None), host, clock)
    watch = LeakWatch({"containers": containers.read}, StateFile(folder, clock), clock)
    task = asyncio.create_task(watch.run())
    try:
        yield watch
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        cgroups.close()


async def rows_when(
    watch: LeakWatch, container: Any, is_so: Callable[[dict[str, Row]], bool], within_s: float
) -> dict[str, Row]:
    """What is said of each of its resources, once it is so."""
    rows: dict[str, Row] = {}
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with contextlib.suppress(Temporary):  # a busy machine: at this speed half a second is old
            told = (row for row in watch.snapshot().rows if row.key.container == container.name)
            rows = {row.key.resource: row for row in told}
            if is_so(rows):
                return rows
        await asyncio.sleep(0.05)
    pytest.fail(f"never so: {rows}")


async def test_a_leak_is_found_and_outlasts_the_exporter(watcher: Watcher, container: Any, tmp_path: Path) -> None:
    clock = FastClock()
    async with running(watcher, tmp_path, clock) as watch:
        first = await rows_when(watch, container, lambda rows: len(rows) == 3, 10)
        found = await rows_when(watch, container, lambda rows: rows["memory"].is_growing, 28)
        (history,) = (await watch.history([found["memory"].key])).values()

    assert {name: (row.assessment.limit or row.value, row.bound) for name, row in first.items()} == {
        "memory": (256 * MIB, Bound.CGROUP),
        "fds": (200, Bound.RLIMIT),
        "threads": (60, Bound.CGROUP),
    }
    assert first["memory"].key.workload == f"container/{container.name}"
    assert MIB < first["memory"].value < 40 * MIB
    assert (first["fds"].value, first["threads"].value) == (33, 2)
    # By the clock that it has: 10 MB a second.
    assert found["memory"].assessment.slope == pytest.approx(10e6 / SPEED, rel=0.5)
    assert found["memory"].assessment.exhaustion == pytest.approx(clock.now(), rel=0, abs=60 * SPEED)
    assert not found["fds"].is_growing
    assert not found["threads"].is_growing
    assert len(history) > 10
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600

    async with running(watcher, tmp_path, clock) as watch:
        again = await rows_when(watch, container, lambda rows: len(rows) == 3, 5)

    assert again["memory"].is_growing
