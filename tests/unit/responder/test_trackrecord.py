"""How well repairs work, from what the ledger says."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes.clock import FakeClock
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from responder.ledger import Alert, EntryKind, Episode, Final
from responder.metrics import Metrics
from responder.store_sqlite import SqliteStore
from responder.trackrecord import TrackRecord, wilson


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(tmp_path / "responder.sqlite3")
    yield store
    await store.close()


@pytest.fixture
def record(store: SqliteStore) -> TrackRecord:
    return TrackRecord(store, Metrics(CollectorRegistry()), FakeClock(10_000.0))


async def opened(store: SqliteStore, at: float, fingerprint: str = "a" * 16) -> Episode:
    alert = Alert(fingerprint, {"alertname": "WorkloadDown", "workload": "shop/web"}, {}, at, is_firing=True)
    [episode] = (await store.accept([alert], at)).opened
    return episode


async def took(store: SqliteStore, episode: Episode, action: str, verdict: str, status: str = "applied") -> None:
    at = episode.opened_at + 1
    started = await store.append(episode, EntryKind.STARTED, {"action": action, "rung": 0, "tier": "hard"}, at)
    await store.append(episode, EntryKind.FINISHED, {"token": started.id, "status": status, "action": action}, at)
    if verdict:
        await store.append(episode, EntryKind.JUDGED, {"action": action, "verdict": verdict}, at + 5)


async def test_a_step_counts_as_what_it_was_judged(store: SqliteStore, record: TrackRecord):
    episode = await opened(store, 100.0)
    await took(store, episode, "hook", "not_recovered")
    await took(store, episode, "restart", "verified")
    await store.finish(episode, Final.VERIFIED, "good", 112.0)
    await record.refresh()

    hook, restart = record.rows(0.0)

    assert (hook.action, hook.taken, hook.success_ratio, hook.seconds_median) == ("hook", 1, 0.0, None)
    assert (restart.action, restart.taken, restart.success_ratio) == ("restart", 1, 1.0)
    assert (restart.seconds_median, restart.seconds_p95, restart.recurrence_ratio) == (12.0, 12.0, 0.0)


async def test_what_only_looked_counts_for_nothing_when_the_trouble_ends_after_it(
    store: SqliteStore, record: TrackRecord
):
    episode = await opened(store, 100.0)
    await took(store, episode, "evidence", "")
    await store.append(episode, EntryKind.JUDGED, {"action": "none", "verdict": "verified"}, 110.0)
    await store.finish(episode, Final.SELF_RESOLVED, "the alert ended", 112.0)

    await record.refresh()

    assert record.rows(0.0) == []


@pytest.mark.parametrize(("verdict", "status"), [("inconclusive", "applied"), ("", "skipped"), ("", "failed")])
async def test_what_was_not_judged_counts_for_nothing(store: SqliteStore, record: TrackRecord, verdict, status):
    episode = await opened(store, 100.0)
    await took(store, episode, "hook", verdict, status)
    await store.finish(episode, Final.ESCALATED, "", 112.0)
    await record.refresh()

    assert record.rows(0.0) == []


@pytest.mark.parametrize(("again_after", "ratio"), [(30.0, 1.0), (3599.0, 1.0), (3601.0, 0.0)])
async def test_a_trouble_that_is_soon_back_was_not_mended(store: SqliteStore, record: TrackRecord, again_after, ratio):
    first = await opened(store, 100.0)
    await took(store, first, "restart", "verified")
    await store.finish(first, Final.VERIFIED, "good", 110.0)
    second = await opened(store, 110.0 + again_after)
    await store.finish(second, Final.SELF_RESOLVED, "", 120.0 + again_after)
    await record.refresh()

    assert record.rows(0.0)[0].recurrence_ratio == ratio


async def test_only_recent_steps_are_told(store: SqliteStore, record: TrackRecord):
    episode = await opened(store, 100.0)
    await took(store, episode, "restart", "verified")
    await store.finish(episode, Final.VERIFIED, "good", 110.0)
    await record.refresh()

    assert len(record.rows(100.0)) == 1
    assert record.rows(102.0) == []


@given(taken=st.integers(1, 500), share=st.floats(0, 1))
def test_the_interval_holds_the_share_and_narrows_with_more(taken: int, share: float):
    helped = round(taken * share)
    low, high = wilson(helped, taken)
    wider = wilson(helped, taken)
    narrower = wilson(helped * 4, taken * 4)

    assert 0 <= low <= helped / taken + 1e-9
    assert helped / taken - 1e-9 <= high <= 1
    assert narrower[1] - narrower[0] < wider[1] - wider[0] or taken == 0


def test_one_success_is_no_certainty():
    assert wilson(1, 1)[0] < 0.25
    assert wilson(0, 3)[1] > 0.5
