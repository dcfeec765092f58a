"""Effects that last are asked for while they do, and put back when their time is over, whoever died meanwhile."""

from collections.abc import AsyncIterator, Mapping
from itertools import pairwise
from pathlib import Path
from unittest.mock import Mock

import pytest
from fakes.clock import FakeClock
from fakes.world import World, WorldAlertmanager, WorldGuardian, WorldMeasure, WorldPrometheus, no_files
from prometheus_client import CollectorRegistry

from homeostat import settings as settings_module
from homeostat.errors import Temporary
from homeostat.probes import ProbeContext
from homeostat.settings import Settings
from homeostat.steps import DegradeStep, as_data
from responder.actions import ACTIONS
from responder.actions.base import Tools
from responder.ledger import EntryKind, Episode, Final
from responder.measures import Measures
from responder.metrics import Metrics
from responder.quiet import Quiet
from responder.services import Services
from responder.store_sqlite import SqliteStore
from responder.targets import Resolver

STEP = DegradeStep(action="degrade", hook="less", lease=60.0, lasts=600.0)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(FakeClock(), is_sick=False)
    monkeypatch.setitem(ACTIONS, "degrade", WorldMeasure(world, "degrade"))
    return world


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(tmp_path / "responder.sqlite3")
    yield store
    await store.close()


@pytest.fixture
def settings() -> Settings:
    data = {"processes": {"api": {"command": ["api"]}}, "workloads": {"local/api": {"enable": True}}}
    return settings_module.build(data, {}, "test", base=Path("/nowhere"), environ={})


async def capture(_target: object) -> Mapping[str, object]:
    return {}


def make(world: World, store: SqliteStore, settings: Settings) -> Measures:
    services = Services(
        store=store,
        tools=Tools(None, WorldGuardian(world), Mock(), world.clock, lambda: settings),
        resolver=Resolver(None, WorldGuardian(world), no_files),
        alertmanager=WorldAlertmanager(world),
        prometheus=WorldPrometheus(world),
        probes=ProbeContext(Mock(), world.clock),
        metrics=Metrics(CollectorRegistry()),
        brake=world.brake,
        quiet=Quiet(),
        clock=world.clock,
    )
    return Measures(services, lambda: settings, capture, "test")


@pytest.fixture
def measures(world: World, store: SqliteStore, settings: Settings) -> Measures:
    return make(world, store, settings)


async def degraded(world: World, store: SqliteStore, final: Final | None = Final.VERIFIED) -> Episode:
    """An episode whose step has helped."""
    now = world.clock.now()
    [episode] = (await store.accept([world.alert], now)).opened
    data = {"rung": 0, "action": "degrade", "tier": "medium", "step": as_data(STEP), "memo": {"before": 1}}
    started = await store.append(episode, EntryKind.STARTED, data, now)
    finished = {"token": started.id, "status": "applied", "due_at": now + 600.0}
    await store.append(episode, EntryKind.FINISHED, finished, now)
    return await store.finish(episode, final, "good", now) if final else episode


async def test_an_effect_is_asked_for_again_in_time_until_it_is_over(world, store, measures):
    await degraded(world, store)
    end = world.clock.now() + 600.0
    asked = []
    while world.clock.now() < end:
        before = len(world.taken)
        await measures.once()
        asked += [world.clock.now()] * (len(world.taken) - before)
        world.clock.advance(5.0)

    assert max(b - a for a, b in pairwise(asked)) <= STEP.lease / 2
    assert set(world.taken) == {"renew degrade"}


async def test_it_is_put_back_once_when_its_time_is_over_and_looked_at(world, store, measures):
    episode = await degraded(world, store)
    world.clock.advance(600.0)

    await measures.once()
    world.clock.advance(1000.0)
    await measures.once()

    assert world.taken == ["undo degrade"]
    assert await store.measures() == []
    kinds = [entry.kind for entry in await store.entries(episode.id)]
    assert kinds[-2:] == [EntryKind.UNDONE, EntryKind.JUDGED]


async def test_a_responder_that_was_dead_meanwhile_puts_it_back(world, store, settings):
    await degraded(world, store)
    world.clock.advance(100_000.0)

    await make(world, store, settings).once()

    assert world.taken == ["undo degrade"]


async def test_while_its_recovery_runs_that_decides(world, store, measures):
    await degraded(world, store, final=None)
    world.clock.advance(601.0)

    await measures.once()

    assert world.taken == []


async def test_what_cannot_be_put_back_now_is_tried_again_but_not_at_once(world, store, measures):
    await degraded(world, store)
    world.clock.advance(600.0)
    world.failing = {"undo degrade": Temporary("in use")}
    for _ in range(12):
        await measures.once()
        world.clock.advance(5.0)
    assert world.taken == ["undo degrade"]
    assert len(await store.measures()) == 1
    world.failing = {}
    await measures.once()

    assert world.taken == ["undo degrade"] * 2
    assert await store.measures() == []


async def test_an_effect_that_somebody_else_works_on_is_left_alone(world, store, measures):
    await degraded(world, store)
    world.clock.advance(600.0)
    lease = await store.acquire("local/api", "a worker", 1e9, world.clock.monotonic())
    await measures.once()
    assert world.taken == []
    await store.release(lease)
    world.clock.advance(60.0)

    await measures.once()

    assert world.taken == ["undo degrade"]
