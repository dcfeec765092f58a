"""One recovery from alert to final state in virtual time, also when the responder dies at any moment of it."""

import math
from collections.abc import AsyncIterator, Mapping
from itertools import pairwise
from pathlib import Path
from unittest.mock import Mock

import pytest
from fakes.clock import FakeClock
from fakes.world import World, WorldAction, WorldAlertmanager, WorldGuardian, WorldPrometheus
from prometheus_client import CollectorRegistry

from homeostat import settings as settings_module
from homeostat.alertmanager_api import AlertState
from homeostat.errors import Permanent
from homeostat.probes import ProbeContext
from homeostat.settings import Settings
from responder.actions import ACTIONS
from responder.actions.base import Tools
from responder.escalate import transcript
from responder.leases import Leased
from responder.ledger import Entry, EntryKind, Episode, Final, Store, StoreError
from responder.metrics import Metrics
from responder.onlooker import Onlooker
from responder.recovery import Deferred, Recovery
from responder.services import Services
from responder.store_sqlite import SqliteStore
from responder.targets import Resolver

LADDER = {
    "steps": [
        {"action": "hook", "hook": "gc", "verify": {"within": "6s", "hold": "4s"}},
        {"action": "restart", "verify": {"within": "15s", "hold": "4s"}},
    ]
}


def make_settings(**changes: object) -> Settings:
    workload = {"enable": True, "hooks": {"gc": "http://127.0.0.1:1/gc"}, "start_grace": "0s", **changes}
    data = {
        "processes": {"api": {"command": ["api"]}},
        "workloads": {"local/api": workload},
        "ladders": {"test": LADDER},
    }
    return settings_module.build(data, {}, "test", base=Path("/nowhere"), environ={})


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(FakeClock())
    for name in ("hook", "restart"):
        monkeypatch.setitem(ACTIONS, name, WorldAction(world, name))
    return world


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(tmp_path / "responder.sqlite3")
    yield store
    await store.close()


def make_services(world: World, store: Store, settings: Settings) -> Services:
    guardian = WorldGuardian(world)
    return Services(
        store=store,
        tools=Tools(None, guardian, Mock(), world.clock, lambda: settings),
        resolver=Resolver(None, guardian),
        alertmanager=WorldAlertmanager(world),
        prometheus=WorldPrometheus(world),
        probes=ProbeContext(Mock(), world.clock),
        metrics=Metrics(CollectorRegistry()),
        brake=world.brake,
        clock=world.clock,
    )


async def capture(_target: object) -> Mapping[str, object]:
    return {"seen": "the last words"}


def make_recovery(world: World, store: Store, settings: Settings | None = None) -> Recovery:
    settings = settings or make_settings()
    lease = store._leases.acquire("local/api", "test", math.inf, 0.0)
    under = Leased(store, lease, world.clock)
    return Recovery(make_services(world, store, settings), settings, under, capture)


def make_onlooker(world: World, store: Store) -> Onlooker:
    return Onlooker(make_services(world, store, make_settings()), make_settings())


async def open_episode(world: World, store: Store) -> Episode:
    return (await store.accept([world.alert], world.clock.now())).opened[0]


async def drive(world: World, store: Store, settings: Settings | None = None, *, until_s: float = 7200.0) -> Episode:
    """As the intake does: again and again until there is a final state, or until ``until_s`` are over."""
    end = world.clock.now() + until_s
    [episode] = await store.open_episodes()
    while world.clock.now() < end:
        result = await make_recovery(world, store, settings).advance(episode)
        if not isinstance(result, Deferred):
            return result
        world.clock.advance(result.delay_s)
    return await store.episode(episode.id)


async def lines(store: Store, episode: Episode) -> list[str]:
    return transcript(await store.entries(episode.id))


# --- Up the ladder


async def test_the_first_rung_that_helps_is_the_last_one_taken(world: World, store: SqliteStore):
    world.cures = frozenset({"hook"})
    await open_episode(world, store)

    done = await drive(world, store)

    assert (done.final, world.taken) == (Final.VERIFIED, ["hook"])


async def test_a_rung_that_does_not_help_is_followed_by_the_next(world: World, store: SqliteStore):
    world.cures = frozenset({"restart"})
    await open_episode(world, store)

    done = await drive(world, store)

    assert (done.final, world.taken) == (Final.VERIFIED, ["hook", "restart"])
    assert "verification: not_recovered: rule WorkloadDown: still true, value 1" in await lines(store, done)


async def test_a_soft_rung_that_failed_is_not_waited_for(world: World, store: SqliteStore):
    world.cures = frozenset({"restart"})
    world.failing = {"hook": Permanent("the hook answered 500")}
    await open_episode(world, store)
    before = world.clock.now()

    done = await drive(world, store)

    assert (done.final, world.taken) == (Final.VERIFIED, ["hook", "restart"])
    assert world.clock.now() - before < 6.0


async def test_a_hard_rung_that_failed_is_judged_by_evidence(world: World, store: SqliteStore):
    world.cures = frozenset({"restart"})
    world.failing = {"restart": Permanent("the guardian answered too late")}
    await open_episode(world, store)

    done = await drive(world, store)

    assert (done.final, world.taken) == (Final.VERIFIED, ["hook", "restart"])


async def test_nothing_helps_and_people_are_called_with_the_whole_story(world: World, store: SqliteStore):
    await open_episode(world, store)

    done = await drive(world, store)

    assert (done.final, world.taken) == (Final.ESCALATED, ["hook", "restart"])
    assert done.closed_at is None
    assert [line.split(":")[0] for line in await lines(store, done)] == [
        "took step hook",
        "step hook",
        "verification",
        "took step restart",
        "step restart",
        "verification",
    ]


async def test_a_step_that_does_not_fit_is_skipped_without_a_wait(world: World, store: SqliteStore):
    world.skipping = frozenset({"hook"})
    world.cures = frozenset({"restart"})
    await open_episode(world, store)

    done = await drive(world, store)

    assert (done.final, world.taken) == (Final.VERIFIED, ["restart"])


async def test_a_relapse_in_the_hold_is_not_verified(world: World, store: SqliteStore):
    world.cures = frozenset({"hook"})
    await open_episode(world, store)
    sleep = world.clock.sleep

    async def sleep_and_relapse(seconds: float) -> None:
        await sleep(seconds)
        if world.taken == ["hook"] and not world.is_sick and world.clock.now() - world.well_since > 3.0:
            world.is_sick = True

    world.clock.sleep = sleep_and_relapse

    done = await drive(world, store)

    assert (done.final, world.taken) == (Final.ESCALATED, ["hook", "restart"])


# --- Refusals and waits

NEVER = [
    pytest.param({"enable": False}, "not_enabled", id="not opted in"),
    pytest.param({"hold": True}, "hold", id="hands off"),
]


@pytest.mark.parametrize(("changes", "reason"), NEVER)
async def test_what_the_owner_did_not_allow_goes_to_people(
    world: World, store: SqliteStore, changes: Mapping[str, object], reason: str
):
    await open_episode(world, store)

    done = await drive(world, store, make_settings(**changes))

    assert (done.final, world.taken) == (Final.ESCALATED, [])
    assert reason in done.reason
    assert reason in "\n".join(await lines(store, done))


async def test_while_silenced_nothing_is_done_and_nobody_is_called(world: World, store: SqliteStore):
    world.alert_state = AlertState.SUPPRESSED
    world.cures = frozenset({"hook"})
    await open_episode(world, store)

    during = await drive(world, store, until_s=1200.0)
    assert (during.final, world.taken) == (None, [])
    assert len(await store.entries(during.id)) < 5  # the wait is written once, not every five seconds

    world.alert_state = AlertState.ACTIVE
    assert (await drive(world, store)).final is Final.VERIFIED


async def test_a_maintenance_longer_than_the_patience_does_not_use_it_up(world: World, store: SqliteStore):
    world.alert_state = AlertState.SUPPRESSED
    await open_episode(world, store)
    await drive(world, store, until_s=1200.0)
    world.alert_state = AlertState.ACTIVE
    world.alertmanager_down = True

    soon_after = await drive(world, store, until_s=60.0)
    assert soon_after.final is None

    much_later = await drive(world, store, until_s=1200.0)
    assert (much_later.final, world.taken) == (Final.ESCALATED, [])


async def test_an_alertmanager_that_cannot_be_read_means_no_action_and_then_people(world: World, store: SqliteStore):
    world.alertmanager_down = True
    await open_episode(world, store)
    before = world.clock.now()

    done = await drive(world, store)

    assert (done.final, world.taken) == (Final.ESCALATED, [])
    assert world.clock.now() - before == pytest.approx(900.0, abs=60.0)


async def test_an_alert_that_ended_is_looked_at_before_it_is_called_over(world: World, store: SqliteStore):
    await open_episode(world, store)
    world.is_sick = False
    world.clock.advance(60.0)

    done = await drive(world, store)

    assert (done.final, world.taken) == (Final.SELF_RESOLVED, [])


async def test_an_alert_that_vanished_while_the_trouble_lasts_is_not_over(world: World, store: SqliteStore):
    world.forgotten = True  # Alertmanager was restarted, say
    await open_episode(world, store)

    during = await drive(world, store, until_s=600.0)
    assert (during.final, world.taken) == (None, [])

    done = await drive(world, store)
    assert done.final is Final.ESCALATED


async def test_the_patience_with_an_ended_alert_starts_when_it_ended(world: World, store: SqliteStore):
    world.alert_state = AlertState.SUPPRESSED
    await open_episode(world, store)
    await drive(world, store, until_s=1200.0)
    world.alert_state, world.forgotten = AlertState.ACTIVE, True

    soon_after = await drive(world, store, until_s=120.0)
    assert soon_after.final is None

    world.is_sick = False
    assert (await drive(world, store)).final is Final.SELF_RESOLVED


async def test_without_data_a_step_is_not_believed_and_people_are_called(world: World, store: SqliteStore):
    world.cures = frozenset({"hook"})
    world.blinds = True
    await open_episode(world, store)

    done = await drive(world, store)

    assert (done.final, world.taken) == (Final.ESCALATED, ["hook"])
    assert "cannot tell" in done.reason


async def test_while_the_rule_cannot_be_read_nothing_is_done_and_people_are_called(world: World, store: SqliteStore):
    world.prometheus_down = True
    await open_episode(world, store)

    done = await drive(world, store)

    assert (done.final, world.taken) == (Final.ESCALATED, [])
    assert "rule_unreadable" in done.reason


async def test_an_alert_whose_rule_is_no_longer_true_is_not_acted_on(world: World, store: SqliteStore):
    world.recover()  # Alertmanager still holds the alert for a while
    await open_episode(world, store)

    done = await drive(world, store)

    assert (done.final, world.taken) == (Final.SELF_RESOLVED, [])


async def test_a_process_that_the_guardian_no_longer_knows_is_not_verified(world: World, store: SqliteStore):
    world.cures = frozenset({"hook", "restart"})
    world.process_known = False
    await open_episode(world, store)

    done = await drive(world, store)

    assert done.final is Final.ESCALATED


# --- The responder dies


class Crash(BaseException):
    """SIGKILL, as far as the code under test can tell."""


class CrashingStore:
    """The store of a life that ends at write number ``at``, just ``before`` it or just after."""

    def __init__(self, store: Store, at: int, *, before: bool) -> None:
        self._store = store
        self._left = at
        self._before = before

    def __getattr__(self, name: str):
        method = getattr(self._store, name)
        if name not in ("append", "finish"):
            return method

        async def write(*arguments: object) -> object:
            self._left -= 1
            if self._left == 0 and self._before:
                raise Crash
            result = await method(*arguments)
            if self._left == 0:
                raise Crash
            return result

        return write


def check_story(entries: list[Entry]) -> None:
    """No rung twice; none while the one before it is not judged, failed or skipped; one end."""
    started = [entry for entry in entries if entry.kind is EntryKind.STARTED]
    assert len({entry.data["rung"] for entry in started}) == len(started)
    for earlier, later in pairwise(started):
        between = [entry for entry in entries if earlier.id < entry.id < later.id]
        judged = any(e.kind is EntryKind.JUDGED and e.data["verdict"] == "not_recovered" for e in between)
        no_effect = any(e.kind is EntryKind.FINISHED and e.data["status"] in ("failed", "skipped") for e in between)
        assert judged or no_effect, "a harder step was taken although nobody knew that the softer one had not helped"
    assert [entry.kind for entry in entries].count(EntryKind.FINAL) == 1


@pytest.mark.parametrize("cures", [set(), {"hook"}, {"restart"}], ids=["none", "hook", "restart"])
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, 10))
async def test_a_crash_at_any_write_repeats_nothing_and_jumps_over_nothing(
    world: World, store: SqliteStore, cures: set[str], before: bool, at: int
):
    world.cures = frozenset(cures)
    await open_episode(world, store)
    try:
        await drive(world, CrashingStore(store, at, before=before))
    except Crash:
        world.clock.advance(2.0)
    if (await store.episodes(1))[0].final is None:
        await drive(world, store)

    [done] = await store.episodes(10)
    check_story(await store.entries(done.id))
    assert len(set(world.taken)) == len(world.taken)
    assert done.final is (Final.ESCALATED if world.is_sick else Final.VERIFIED)
    if cures == {"hook"} and "hook" in world.taken:
        assert "restart" not in world.taken


@pytest.mark.parametrize("cured", [True, False])
async def test_a_crash_while_acting_is_judged_by_evidence_and_never_repeated(
    world: World, store: SqliteStore, monkeypatch: pytest.MonkeyPatch, cured: bool
):
    class Dies(WorldAction):
        async def apply(self, step: object, target: object, tools: object):
            if cured:
                self.world.cures = frozenset({"hook"})
            self.world.act("hook")
            raise Crash

    monkeypatch.setitem(ACTIONS, "hook", Dies(world, "hook"))
    await open_episode(world, store)
    with pytest.raises(Crash):
        await drive(world, store)
    world.clock.advance(2.0)

    done = await drive(world, store)

    assert world.taken == (["hook"] if cured else ["hook", "restart"])
    assert done.final is (Final.VERIFIED if cured else Final.ESCALATED)
    assert "interrupted" in "\n".join(await lines(store, done))


async def test_a_step_is_not_taken_when_its_start_cannot_be_written(world: World, store: SqliteStore):
    class Full(CrashingStore):
        def __getattr__(self, name: str):
            if name != "append":
                return super().__getattr__(name)

            async def append(*_arguments: object) -> object:
                raise StoreError("full")

            return append

    await open_episode(world, store)

    with pytest.raises(StoreError):
        await drive(world, Full(store, 0, before=True))

    assert world.taken == []


async def test_caps_count_across_episodes_and_restarts(world: World, store: SqliteStore):
    for _ in range(4):
        await open_episode(world, store)
        world.cures = frozenset({"restart"})
        world.is_sick = True
        await drive(world, store)
        world.clock.advance(30.0)

    ends = [episode.final for episode in reversed(await store.episodes(10))]
    assert ends == [Final.VERIFIED, Final.VERIFIED, Final.VERIFIED, Final.ESCALATED]
    assert world.taken.count("restart") == 3


# --- When an escalation is over


async def test_an_escalation_is_not_over_while_nothing_is_measured(world: World, store: SqliteStore):
    episode = await open_episode(world, store)
    world.prometheus_down = True

    assert not await make_onlooker(world, store).is_over(episode, 1e6)


async def test_an_escalation_is_over_when_its_rule_has_long_not_been_true(world: World, store: SqliteStore):
    episode = await open_episode(world, store)
    world.recover()
    world.process_known = False  # as if its owner had taken it out of the way

    assert not await make_onlooker(world, store).is_over(episode, 60.0)
    assert await make_onlooker(world, store).is_over(episode, 1000.0)
