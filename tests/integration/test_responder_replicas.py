"""Two responders that share a Redis: one works, the other takes over when it dies or stands still; nothing twice."""

import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from fakes.databases import Redis
from fakes.sickness import Scene
from fakes.stack import Server, eventually, never, pick_port

pytestmark = pytest.mark.servers

#: Long enough to stop a responder in the middle of it.
LADDER = {
    "steps": [
        {"action": "hook", "hook": "reset-connections", "verify": {"within": "6s", "hold": "1s"}},
        {"action": "restart", "timeout": "20s", "verify": {"within": "5s", "hold": "1s"}},
    ]
}


@pytest.fixture
def redis(database_programs: dict[str, Path], tmp_path: Path) -> Iterator[Redis]:
    server = Redis(database_programs, tmp_path, pick_port())
    server.start("--appendonly", "yes", "--appendfsync", "always")
    yield server
    server.stop()


@dataclass
class Replica:
    """One of two."""

    name: str
    url: str
    server: Server
    scene: Scene

    async def metric(self, series: str) -> float:
        assert self.scene.site.session is not None
        async with self.scene.site.session.get(f"{self.url}/metrics") as response:
            text = await response.text()
        return next(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(f"{series} "))

    async def get(self, path: str) -> object:
        assert self.scene.site.session is not None
        async with self.scene.site.session.get(f"{self.url}{path}") as response:
            return json.loads(await response.text())

    def send(self, number: int) -> None:
        assert self.server.process is not None
        self.server.process.send_signal(number)


@asynccontextmanager
async def replicas(scene: Scene, redis: Redis) -> AsyncIterator[tuple[Replica, Replica]]:
    """The first is the one that Alertmanager delivers to."""
    site = scene.site
    shared = {"store": {"redis": f"redis://{redis.address}"}, "cooldown": "0s"}
    site.write(responder={**site.data["responder"], **shared}, ladders={"unresponsive": LADDER})
    second = f"127.0.0.1:{pick_port()}"
    path = site.folder / "second.yml"
    path.write_text(yaml.safe_dump({**site.data, "responder": {**site.data["responder"], "listen": second}}))
    other = Server(
        [*site.responder_process().command[:-1], str(path)], site.folder / "second.log", f"http://{second}/-/ready"
    )
    async with site.responder_process() as first, other:
        try:
            yield Replica("first", site.url, first, scene), Replica("second", f"http://{second}", other, scene)
        finally:
            for server in (first, other):
                if server.process is not None:
                    server.process.send_signal(signal.SIGCONT)


async def at_work(pair: tuple[Replica, Replica]) -> tuple[Replica, Replica]:
    """Who has called the hook, and who has not; as soon as it has been called."""

    async def found() -> tuple[Replica, Replica] | None:
        for one, other in (pair, pair[::-1]):
            if await one.metric('homeostat_steps_total{action="hook",status="applied"}') == 1:
                return one, other
        return None

    found_pair = await eventually(found, within_s=20, every_s=0.02)
    assert isinstance(found_pair, tuple)
    return found_pair


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL], ids=["stopped", "killed"])
async def test_another_takes_over_and_who_wakes_late_does_nothing(scene: Scene, redis: Redis, number):
    async with replicas(scene, redis) as pair:
        scene.exporter.is_sick = True
        worker, other = await at_work(pair)
        worker.send(number)

        async def final() -> object:
            [recovery] = await other.get("/api/v1/recoveries")
            return recovery["final"]

        assert await eventually(final, within_s=60) == "verified"
        if number == signal.SIGSTOP:
            worker.send(signal.SIGCONT)

        async def is_touched_again() -> bool:
            return (scene.exporter.hook_calls, scene.guardian.calls) != (1, [scene.name])

        await never(is_touched_again, 5.0)
        [recovery] = await other.get("/api/v1/recoveries")
        kinds = [entry["kind"] for entry in recovery["entries"]]
        assert kinds.count("final") == 1
        assert [entry["action"] for entry in recovery["entries"] if entry["kind"] == "started"] == ["hook", "restart"]
        assert (await other.get("/api/v1/ledger/verify"))["problems"] == []


async def test_both_hear_of_it_and_one_repairs(scene: Scene, redis: Redis):
    scene.exporter.hook_cures = True
    async with replicas(scene, redis) as pair:
        scene.exporter.is_sick = True

        async def finals() -> list[object]:
            return [[recovery["final"] for recovery in await each.get("/api/v1/recoveries")] for each in pair]

        async def are_ended() -> bool:
            return await finals() == [["verified"], ["verified"]]

        await eventually(are_ended, within_s=30)

        assert (scene.exporter.hook_calls, scene.guardian.calls) == (1, [])


async def test_without_its_redis_nothing_is_acknowledged_and_nothing_done(scene: Scene, redis: Redis):
    async with replicas(scene, redis) as pair:
        redis.stop()
        scene.exporter.is_sick = True

        async def is_refused() -> bool:
            return await pair[0].metric('homeostat_webhook_requests_total{code="503"}') > 0

        await eventually(is_refused, within_s=20)
        assert (scene.exporter.hook_calls, scene.guardian.calls) == (0, [])
        scene.exporter.hook_cures = True
        redis.start("--appendonly", "yes", "--appendfsync", "always")

        async def final() -> object:
            return [recovery["final"] for recovery in await pair[1].get("/api/v1/recoveries")]

        async def is_ended() -> bool:
            return await final() == ["verified"]

        await eventually(is_ended, within_s=60)
        assert scene.exporter.hook_calls == 1
