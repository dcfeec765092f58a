"""One recovery from alert to final state in virtual time, also when the responder dies at any moment of it."""

import contextlib
import math
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from unittest.mock import Mock

import pytest
from fakes.clock import FakeClock
from fakes.world import (
    World,
    WorldAction,
    WorldAlertmanager,
    WorldGuardian,
    WorldMeasure,
    WorldPrometheus,
    WorldTeller,
    no_files,
)
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
from responder.ledger import Entry, EntryKind, Episode, Final, Hold, LostLease, Store, StoreError
from responder.metrics import Metrics
from responder.onlooker import Onlooker
from responder.quiet import Quiet
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


def with_ladder(*steps: dict[str, object], **responder: object) -> Settings:
    data = {
        "responder": responder,
        "processes": {"api": {"command": ["api"]}},
        "workloads": {
            "local/api": {"enable": True, "hooks": {"gc": "http://127.0.0.1:1/gc"}, "start_grace": "0s"},
        },
        "ladders": {"test": {"steps": list(steps)}},
    }
    return settings_module.build(data, {}, "test", base=Path("/nowhere"), environ={})


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(FakeClock())
    for name in ("hook", "restart"):
        monkeypatch.setitem(ACTIONS, name, WorldAction(world, name))
    monkeypatch.setitem(ACTIONS, "limits", WorldMeasure(world, "limits"))
    monkeypatch.setitem(ACTIONS, "evidence", WorldTeller(world, "evidence", {"api": {"gc": ["12 Order"]}}))
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
        resolver=Resolver(None, guardian, no_files),
        alertmanager=WorldAlertmanager(world),
        prometheus=WorldPrometheus(world),
        probes=ProbeContext(Mock(), world.clock),
        metrics=Metrics(CollectorRegistry()),
        brake=world.brake,
        quiet=Quiet(),
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


async def test_alerts_that_ended_together_are_looked_at_once(world: World, store: SqliteStore):
    alerts = [replace(world.alert, fingerprint=f"{n}" * 16) for n in range(5)]
    await store.accept(alerts, world.clock.now())
    world.is_sick = False
    await store.accept([replace(alert, is_firing=False) for alert in alerts], world.clock.now())
    world.clock.advance(60.0)
    recovery = make_recovery(world, store)
    before = world.clock.now()

    done = [await recovery.advance(episode) for episode in await store.open_episodes()]

    assert {each.final for each in done} == {Final.SELF_RESOLVED}
    assert world.clock.now() - before < 15.0
    looks = [entry for each in done for entry in await store.entries(each.id) if entry.kind is EntryKind.JUDGED]
    assert len(looks) == 1


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


# --- Steps that can be put back

LIMITS = {"action": "limits", "memory": 1.5, "lasts": "10m"}
RESTART = {"action": "restart"}


async def test_what_did_not_help_is_put_back_before_the_next_rung(world: World, store: SqliteStore):
    world.cures = frozenset({"restart"})
    episode = await open_episode(world, store)

    done = await drive(world, store, with_ladder(LIMITS, RESTART))

    assert world.taken == ["limits", "undo limits", "restart"]
    assert done.final is Final.VERIFIED
    assert "step limits: undone: put back" in await lines(store, episode)
    assert await store.measures() == []


async def test_putting_back_may_be_what_helps_and_is_verified_too(world: World, store: SqliteStore):
    world.cures = frozenset({"undo limits"})
    await open_episode(world, store)

    done = await drive(world, store, with_ladder(LIMITS, RESTART))

    assert world.taken == ["limits", "undo limits"]
    assert done.final is Final.ROLLED_BACK
    assert done.reason.startswith("limits was put back: good for")


async def test_what_helps_is_kept_in_sight_until_its_time_is_over(world: World, store: SqliteStore):
    world.cures = frozenset({"limits"})
    episode = await open_episode(world, store)

    done = await drive(world, store, with_ladder(LIMITS, RESTART))

    assert done.final is Final.VERIFIED
    [measure] = await store.measures()
    assert measure.episode_id == episode.id
    assert measure.due_at == pytest.approx(episode.opened_at + 600, abs=1)


async def test_what_cannot_be_put_back_now_is_tried_again(world: World, store: SqliteStore):
    world.cures = frozenset({"restart"})
    world.failing = {"undo limits": Permanent("busy")}
    await open_episode(world, store)
    await drive(world, store, with_ladder(LIMITS, RESTART), until_s=60.0)
    assert world.taken.count("undo limits") > 3
    assert "restart" not in world.taken
    world.failing = {}

    done = await drive(world, store, with_ladder(LIMITS, RESTART))

    assert done.final is Final.VERIFIED
    assert world.taken[-2:] == ["undo limits", "restart"]


async def test_what_can_never_be_put_back_is_a_persons(world: World, store: SqliteStore):
    world.failing = {"undo limits": Permanent("the container is gone")}
    await open_episode(world, store)

    done = await drive(world, store, with_ladder(LIMITS, RESTART))

    assert done.final is Final.ESCALATED
    assert "is not put back: the container is gone" in done.reason
    assert "restart" not in world.taken
    assert await store.measures() == []


async def test_a_step_that_does_not_fit_is_passed_over_without_being_put_back(world: World, store: SqliteStore):
    world.skipping = frozenset({"limits"})
    world.cures = frozenset({"restart"})
    await open_episode(world, store)

    await drive(world, store, with_ladder(LIMITS, RESTART))

    assert world.taken == ["restart"]
    assert await store.measures() == []


@pytest.mark.parametrize("cure", ["none", "limits", "undo limits", "restart"])
@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("write", range(1, 14))
async def test_a_crash_at_any_write_puts_back_what_did_not_help(
    world: World, store: SqliteStore, write: int, after: bool, cure: str
):
    world.cures = frozenset({cure})
    await open_episode(world, store)
    settings = with_ladder(LIMITS, RESTART)
    with contextlib.suppress(Crash):
        await drive(world, CrashingStore(store, write, before=not after), settings)

    ended = [episode for episode in await store.episodes(1) if episode.final is not None]
    done = ended[0] if ended else await drive(world, store, settings)

    assert world.taken.count("limits") <= 1
    assert world.taken.count("restart") <= 1
    if "restart" in world.taken:
        assert "undo limits" in world.taken
    assert (await store.measures() != []) == ("limits" in world.taken and "undo limits" not in world.taken)
    assert done.final is not None


# --- What the ledger keeps of a hard step


async def test_what_was_seen_before_a_hard_step_is_kept(world: World, store: SqliteStore):
    episode = await open_episode(world, store)

    await drive(world, store)

    kinds = [entry.kind for entry in await store.entries(episode.id)]
    assert kinds.count(EntryKind.EVIDENCE) == 1
    assert kinds[kinds.index(EntryKind.EVIDENCE) + 1] is EntryKind.STARTED
    [seen] = [entry for entry in await store.entries(episode.id) if entry.kind is EntryKind.EVIDENCE]
    assert seen.data == {"rung": 1, "seen": "the last words"}


# --- Steps that only look

EVIDENCE = {"action": "evidence", "hook": "gc"}


async def test_what_the_application_tells_is_kept_and_not_judged(world: World, store: SqliteStore):
    world.cures = frozenset({"restart"})
    episode = await open_episode(world, store)

    done = await drive(world, store, with_ladder(EVIDENCE, RESTART))

    entries = await store.entries(episode.id)
    [heard] = [entry for entry in entries if entry.kind is EntryKind.EVIDENCE and entry.data["rung"] == 0]
    judged = [entry.data["action"] for entry in entries if entry.kind is EntryKind.JUDGED]
    assert (done.final, world.taken) == (Final.VERIFIED, ["evidence", "restart"])
    assert heard.data == {"rung": 0, "subjects": {"api": {"gc": ["12 Order"]}}}
    assert judged == ["restart"]


async def test_what_was_only_looked_at_claims_no_recovery(world: World, store: SqliteStore):
    """The trouble ends just when the application is asked: nothing was mended by that."""
    world.cures = frozenset({"evidence"})
    await open_episode(world, store)

    done = await drive(world, store, with_ladder(EVIDENCE, RESTART))

    assert (done.final, world.taken) == (Final.SELF_RESOLVED, ["evidence"])


async def test_an_application_that_does_not_tell_costs_no_time(world: World, store: SqliteStore):
    world.failing = {"evidence": Permanent("the hook answered 500")}
    world.cures = frozenset({"restart"})
    await open_episode(world, store)
    before = world.clock.now()

    done = await drive(world, store, with_ladder(EVIDENCE, RESTART))

    assert (done.final, world.taken) == (Final.VERIFIED, ["evidence", "restart"])
    assert world.clock.now() - before < 10.0


@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("write", range(1, 8))
async def test_a_crash_at_any_write_asks_once_and_goes_on(world: World, store: SqliteStore, write: int, after: bool):
    world.cures = frozenset({"restart"})
    await open_episode(world, store)
    settings = with_ladder(EVIDENCE, RESTART)
    with contextlib.suppress(Crash):
        await drive(world, CrashingStore(store, write, before=not after), settings)

    ended = [episode for episode in await store.episodes(1) if episode.final is not None]
    done = ended[0] if ended else await drive(world, store, settings)

    started = [e.data["action"] for e in await store.entries(done.id) if e.kind is EntryKind.STARTED]
    assert started == ["evidence", "restart"]  # whatever became of the first, the second follows
    assert world.taken.count("evidence") <= 1
    assert (done.final is Final.VERIFIED) == ("restart" in world.taken)


# --- Waits


async def test_in_a_storm_nothing_is_asked_and_nothing_is_done(world: World, store: SqliteStore):
    episode = await open_episode(world, store)
    world.brake.opened([f"shop/w{n}" for n in range(6)], world.clock.now())
    world.alertmanager_down = world.prometheus_down = True

    await drive(world, store, until_s=100.0)

    entries = await store.entries(episode.id)
    assert [(e.kind, e.data.get("reason")) for e in entries[1:]] == [(EntryKind.WAITING, "storm")]
    assert world.taken == []


async def test_after_the_storm_what_is_left_is_repaired(world: World, store: SqliteStore):
    world.cures = frozenset({"hook"})
    await open_episode(world, store)
    world.brake.opened([f"shop/w{n}" for n in range(6)], world.clock.now())

    done = await drive(world, store)

    assert done.final is Final.VERIFIED
    assert world.taken == ["hook"]


async def test_what_a_workload_needs_comes_first(world: World, store: SqliteStore):
    world.cures = frozenset({"hook"})
    world.sick_needs = ("shop/db",)
    episode = await open_episode(world, store)
    await drive(world, store, until_s=600.0)
    assert world.taken == []
    assert [e.data["reason"] for e in await store.entries(episode.id) if e.kind is EntryKind.WAITING] == ["dependency"]
    world.sick_needs = ()

    assert (await drive(world, store)).final is Final.VERIFIED


async def test_a_dependency_that_stays_in_trouble_is_a_persons(world: World, store: SqliteStore):
    world.sick_needs = ("shop/db",)
    await open_episode(world, store)

    done = await drive(world, store)

    assert done.final is Final.ESCALATED
    assert "shop/db" in done.reason
    assert world.taken == []


async def test_an_operators_hold_keeps_hands_off_until_it_ends(world: World, store: SqliteStore):
    world.cures = frozenset({"hook"})
    await open_episode(world, store)
    await store.put_hold(Hold("local/*", "heap dump", "jane", world.clock.now(), world.clock.now() + 3600))
    await drive(world, store, until_s=3500.0)
    assert world.taken == []

    assert (await drive(world, store)).final is Final.VERIFIED


@pytest.mark.parametrize(("text", "held"), [("", True), ("local/api\n", True), ("# none\nshop/web\n", False)])
async def test_a_hold_file_keeps_hands_off_as_long_as_it_is_there(
    world: World, store: SqliteStore, tmp_path: Path, text: str, held: bool
):
    world.cures = frozenset({"hook"})
    file = tmp_path / "hold"
    file.write_text(text)
    settings = with_ladder({"action": "hook", "hook": "gc"}, hold_file=str(file))
    await open_episode(world, store)

    await drive(world, store, settings, until_s=120.0)
    assert (world.taken == []) == held
    file.unlink()
    if held:
        await drive(world, store, settings)

    assert world.taken == ["hook"]


async def test_a_condition_decides_whether_its_rung_is_taken(world: World, store: SqliteStore):
    world.cures = frozenset({"restart"})
    world.conditions = {'busy{workload="local/api"}': 0.0}
    hook = {"action": "hook", "hook": "gc", "when": "busy{workload=$workload}"}
    await open_episode(world, store)

    await drive(world, store, with_ladder(hook, RESTART))

    assert world.taken == ["restart"]


async def test_what_a_step_must_make_true_besides_is_looked_at(world: World, store: SqliteStore):
    world.cures = frozenset({"hook"})
    world.conditions = {"queue == 0": None}
    hook = {"action": "hook", "hook": "gc", "verify": {"promql": "queue == 0"}}
    episode = await open_episode(world, store)

    await drive(world, store, with_ladder(hook))

    assert any("not_recovered: promql: not true" in line for line in await lines(store, episode))


# --- A person's word

CAREFUL = {"action": "restart", "approval": "10m"}


async def answer(world: World, store: SqliteStore, episode: Episode, kind: EntryKind) -> None:
    await store.append(episode, kind, {"rung": 0, "by": "jane", "reason": ""}, world.clock.now())


async def test_a_step_waits_for_a_yes_and_people_are_asked(world: World, store: SqliteStore):
    world.cures = frozenset({"restart"})
    episode = await open_episode(world, store)
    await drive(world, store, with_ladder(CAREFUL), until_s=300.0)
    assert world.taken == []
    asked = [alert for alert in world.posted if alert.labels["alertname"] == "HomeostatApprovalNeeded"]
    assert asked
    assert {alert.ends_at for alert in asked} == {episode.opened_at + 600.0}
    assert [e.kind for e in await store.entries(episode.id)].count(EntryKind.PENDING) == 1
    await answer(world, store, episode, EntryKind.APPROVED)

    done = await drive(world, store, with_ladder(CAREFUL))

    assert done.final is Final.VERIFIED
    assert world.taken == ["restart"]


async def test_a_yes_does_not_last_for_ever(world: World, store: SqliteStore):
    episode = await open_episode(world, store)
    await drive(world, store, with_ladder(CAREFUL), until_s=30.0)
    await answer(world, store, episode, EntryKind.APPROVED)
    world.alert_state = AlertState.SUPPRESSED
    await drive(world, store, with_ladder(CAREFUL), until_s=700.0)
    world.alert_state = AlertState.ACTIVE

    done = await drive(world, store, with_ladder(CAREFUL))

    assert (done.final, world.taken) == (Final.ESCALATED, [])
    assert done.reason.startswith("approval_expired")


async def test_a_no_calls_people(world: World, store: SqliteStore):
    episode = await open_episode(world, store)
    await drive(world, store, with_ladder(CAREFUL), until_s=30.0)
    await answer(world, store, episode, EntryKind.REJECTED)

    done = await drive(world, store, with_ladder(CAREFUL))

    assert (done.final, world.taken) == (Final.ESCALATED, [])
    assert done.reason.startswith("rejected")


async def test_nobodys_word_is_no_yes(world: World, store: SqliteStore):
    await open_episode(world, store)

    done = await drive(world, store, with_ladder(CAREFUL))

    assert (done.final, world.taken) == (Final.ESCALATED, [])
    assert done.reason.startswith("approval_expired")


# --- Leases


async def test_nothing_is_done_once_the_lease_may_be_over(world: World, store: SqliteStore):
    """As a process that was stopped between writing `started` and acting finds it when it goes on."""
    episode = await open_episode(world, store)
    settings = make_settings()
    lease = await store.acquire("local/api", "a", 15.0, world.clock.monotonic())
    recovery = Recovery(make_services(world, store, settings), settings, Leased(store, lease, world.clock), capture)
    world.clock.advance(14.5)

    with pytest.raises(LostLease):
        await recovery.advance(episode)

    assert world.taken == []


async def test_who_lost_the_lease_writes_nothing(world: World, store: SqliteStore):
    episode = await open_episode(world, store)
    settings = make_settings()
    lease = await store.acquire("local/api", "a", 15.0, 0.0)
    assert await store.acquire("local/api", "b", 15.0, 16.0) is not None
    recovery = Recovery(make_services(world, store, settings), settings, Leased(store, lease, world.clock), capture)

    with pytest.raises(LostLease):
        await recovery.advance(episode)

    assert world.taken == []
    assert len(await store.entries(episode.id)) == 1
