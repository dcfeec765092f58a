"""What the responder tells people on its own account."""

from pathlib import Path

import pytest
from fakes.clock import FakeClock
from fakes.world import World, WorldAlertmanager
from prometheus_client import CollectorRegistry

from homeostat import settings as settings_module
from homeostat.sections import Storm
from responder.brake import Brake
from responder.escalate import Escalation
from responder.metrics import Metrics
from responder.watchposts import ClockWatch, DeadMan, StormWatch

STORM = Storm(workloads=3, window=120.0)


@pytest.fixture
def world() -> World:
    return World(FakeClock())


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(CollectorRegistry())


async def test_says_that_the_dead_man_is_missing_and_stops_when_he_is_back(world: World, metrics: Metrics):
    dead_man = DeadMan(WorldAlertmanager(world), metrics, world.clock)

    async def missing_after(seconds: float) -> bool:
        world.clock.advance(seconds)
        world.posted.clear()
        await dead_man.check(180.0)
        return [alert.labels["alertname"] for alert in world.posted] == ["HomeostatDeadManMissing"]

    assert not await missing_after(179.0)
    assert await missing_after(1.0)
    assert await missing_after(300.0)
    assert world.posted[0].ends_at > world.clock.now()
    dead_man.seen()
    assert not await missing_after(179.0)
    assert await missing_after(1.0)


# --- The brake


def test_some_workloads_in_trouble_are_no_storm():
    brake = Brake()
    brake.opened(["shop/a", "shop/b"], 100.0)

    assert brake.storm(STORM, 101.0) == 0


def test_one_workload_with_many_troubles_is_no_storm():
    brake = Brake()
    for second in range(100):
        brake.opened(["shop/a"], 100.0 + second)

    assert brake.storm(STORM, 200.0) == 0


def test_many_workloads_at_once_are_a_storm_until_no_more_come():
    brake = Brake()
    brake.opened(["shop/a", "shop/b"], 100.0)
    brake.opened(["shop/c"], 219.0)

    assert brake.storm(STORM, 219.5) == 3
    assert brake.storm(STORM, 220.0) == 0
    brake.opened(["shop/d", "shop/e"], 221.0)
    assert brake.storm(STORM, 221.0) == 3


async def test_a_storm_is_told_at_once_and_as_long_as_it_lasts(world: World, metrics: Metrics):
    settings = settings_module.build(
        {"responder": {"storm": {"workloads": 3, "window": "2m"}}}, {}, "test", base=Path("/nowhere"), environ={}
    )
    watch = StormWatch(world.brake, Escalation(WorldAlertmanager(world)), lambda: settings, metrics, world.clock)
    await watch.check()
    assert world.posted == []
    world.brake.opened(["a/a", "a/b", "a/c"], world.clock.now())

    await watch.check()

    [told] = world.posted
    assert told.labels["alertname"] == "HomeostatStorm"
    assert watch.is_storm()
    await watch.check()
    assert len(world.posted) == 1
    world.clock.advance(31.0)
    await watch.check()
    assert [alert.starts_at for alert in world.posted] == [told.starts_at] * 2
    assert world.posted[1].ends_at > world.clock.now()
    world.clock.advance(120.0)
    await watch.check()
    assert len(world.posted) == 2
    assert not watch.is_storm()


# --- The clock


class TwoClocks(FakeClock):
    """The wall clock can be set."""

    set_by = 0.0

    def now(self) -> float:
        return super().now() + self.set_by


@pytest.mark.parametrize(("by_s", "jumps"), [(0.0, 0), (0.3, 0), (3600.0, 1), (-60.0, 1)])
def test_a_wall_clock_that_was_set_is_told_once(metrics: Metrics, by_s: float, jumps: int):
    clock = TwoClocks()
    watch = ClockWatch(metrics, clock)
    clock.set_by = by_s
    for _ in range(3):
        clock.advance(5.0)
        watch.check()

    assert metrics.registry.get_sample_value("homeostat_clock_jumps_total") == jumps
