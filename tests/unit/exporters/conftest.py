"""A clock that moves when told, an engine that forgets to tell, and containers in a few words."""

import asyncio
import dataclasses
import heapq
import itertools

import pytest

from homeostat import settings
from homeostat.containers import Container, ContainerEvent, ContainerRow
from homeostat.errors import NotFound, Unreachable

START = 1_800_000_000.0


class FakeClock:
    """Virtual time: sleepers wake in order as the time is moved."""

    def __init__(self):
        self.elapsed = 0.0
        self._sleepers = []
        self._number = itertools.count()

    def now(self):
        return START + self.elapsed

    def monotonic(self):
        return self.elapsed

    async def sleep(self, seconds):
        waiter = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.elapsed + seconds, next(self._number), waiter))
        await waiter

    async def settle(self):
        """Let everything run that can run now, also threads that answer at once."""
        for _ in range(5):
            for _ in range(20):
                await asyncio.sleep(0)
            await asyncio.sleep(0.001)

    async def advance(self, seconds):
        end = self.elapsed + seconds
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            self.elapsed, _, waiter = heapq.heappop(self._sleepers)
            if not waiter.done():
                waiter.set_result(None)
                await self.settle()
        self.elapsed = end
        await self.settle()


class FakeEngine:
    """Homeostat's own Engine protocol. ``is_deaf`` drops events; ``history`` is told anew to every new listener;
    ``failures``: what to raise for whom; ``hangs``: whom it does not answer for.
    """

    def __init__(self):
        self.containers = {}
        self.history = []
        self.is_deaf = False
        self.is_down = False
        self.is_hung = False
        self.listeners = []
        self.listened_since = []
        self.inspects = []
        self.failures = {}
        self.hangs = set()
        self.lists = 0
        self.stats_of = {}
        self.measured = []
        self.measuring = self.most_measuring = 0
        self.closed = False

    def put(self, container):
        self.containers[container.id] = container
        return container

    def change(self, container, **values):
        return self.put(dataclasses.replace(self.containers[container.id], **values))

    def remove(self, container):
        del self.containers[container.id]

    def tell(self, container, action, at, signal=""):
        event = ContainerEvent(container.id, action, signal, at)
        self.history.append(event)
        if not self.is_deaf:
            for listener in self.listeners:
                listener.put_nowait(event)

    def break_streams(self):
        for listener in self.listeners:
            listener.put_nowait(None)

    async def _answer(self):
        if self.is_hung:
            await asyncio.Event().wait()
        if self.is_down:
            raise Unreachable("no Docker Engine answers: refused")

    async def list(self, workload_id=None):
        self.lists += 1
        await self._answer()
        return [c for c in self.containers.values() if not c.is_oneoff]

    async def rows(self):
        self.lists += 1
        await self._answer()
        return tuple(
            ContainerRow(c.id, frozenset({c.name}), c.status, c.health if c.is_running else None, c.is_oneoff)
            for c in self.containers.values()
        )

    async def inspect(self, container_id):
        self.inspects.append(container_id)
        await self._answer()
        if container_id in self.hangs:
            await asyncio.Event().wait()
        if container_id in self.failures:
            raise self.failures[container_id]
        if container_id not in self.containers:
            raise NotFound("no such container")
        return self.containers[container_id]

    async def stats(self, container_id, timeout_s):
        self.measured.append(container_id)
        self.measuring += 1
        self.most_measuring = max(self.most_measuring, self.measuring)
        try:
            await asyncio.sleep(0)
            async with asyncio.timeout(timeout_s):
                await self._answer()
        except TimeoutError:
            raise Unreachable("the Docker Engine did not answer") from None
        finally:
            self.measuring -= 1
        if container_id not in self.stats_of:
            raise NotFound("no such container")
        return self.stats_of[container_id]

    async def system_time(self):
        await self._answer()
        return START

    async def events(self, since):
        self.listened_since.append(since)
        await self._answer()
        listener = asyncio.Queue()
        for event in self.history[-256:]:
            if event.at >= since:
                listener.put_nowait(event)
        self.listeners.append(listener)
        try:
            while (event := await listener.get()) is not None:
                yield event
        finally:
            self.listeners.remove(listener)

    async def close(self):
        self.closed = True


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def docker():
    return FakeEngine()


@pytest.fixture
def make():
    """A function that makes containers, running unless told otherwise."""

    def make(name="shop-web-1", **values):
        project, _, rest = name.partition("-")
        compose = {"com.docker.compose.project": project, "com.docker.compose.service": rest.rpartition("-")[0]}
        given = {
            "id": name.encode().hex().ljust(64, "0")[:64],
            "name": name,
            "image": "shop:1",
            "labels": compose | values.pop("labels", {}),
            "status": "running",
            "health": "none",
            "exit_code": 0,
            "oom_killed": False,
            "restart_count": 0,
            "restart_policy": "no",
            "pid": 4711,
            "started_at": START - 100.0,
            "finished_at": None,
            "memory_limit": 0,
            "addresses": ("172.18.0.2",),
            "start_period_s": 0.0,
        }
        return Container(**given | values)

    return make


@pytest.fixture
def told(tmp_path):
    """A function that loads settings from text."""

    def told(text="{}"):
        path = tmp_path / "homeostat.yml"
        path.write_text(text)
        return settings.load(path, {})

    return told
