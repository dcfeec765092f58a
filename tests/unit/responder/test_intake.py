"""One worker per workload: in order within a workload, side by side across them, and nothing forgotten."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fakes.clock import FakeClock
from prometheus_client import CollectorRegistry

from responder.intake import Duties, Intake
from responder.leases import Leased
from responder.ledger import Alert, Episode, Final, StoreError
from responder.metrics import Metrics
from responder.recovery import Deferred
from responder.store_sqlite import SqliteStore


class FlakyStore(SqliteStore):
    """``failures``: so many reads of open episodes fail first."""

    failures = 0

    async def unfinished_workloads(self) -> list[str]:
        if self.failures:
            self.failures -= 1
            raise StoreError("locked")
        return await super().unfinished_workloads()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[FlakyStore]:
    store = FlakyStore(tmp_path / "responder.sqlite3")
    yield store
    await store.close()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(CollectorRegistry())


async def open_episodes(store: SqliteStore, *workloads: str) -> None:
    alerts = [Alert(f"{n:016x}", {"workload": name}, {}, 1.0, is_firing=True) for n, name in enumerate(workloads)]
    await store.accept(alerts, 2.0)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


@asynccontextmanager
async def running(
    store: SqliteStore,
    metrics: Metrics,
    advance: Callable[[Episode], Awaitable[Episode | Deferred]],
    finished: list[int] | None = None,
    now: float = 2.0,
    *,
    storm: bool = False,
) -> AsyncIterator[Intake]:
    async def note(episode: Episode) -> None:
        if finished is not None:
            finished.append(episode.id)

    async def leased(episode: Episode, _under: Leased) -> Episode | Deferred:
        return await advance(episode)

    intake = Intake(store, Duties(leased, note, lambda: storm), metrics, FakeClock(now), "test")
    task = asyncio.create_task(intake.run())
    try:
        yield intake
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_starts_with_what_an_earlier_life_left(store: FlakyStore, metrics: Metrics):
    await open_episodes(store, "shop/web", "shop/db")
    finished: list[int] = []

    async def advance(episode: Episode) -> Episode:
        return await store.finish(episode, Final.VERIFIED, "good", 3.0)

    async with running(store, metrics, advance, finished):
        await until(lambda: len(finished) == 2)

    assert sorted(finished) == [1, 2]
    assert await store.open_episodes() == []


async def test_episodes_of_one_workload_never_run_at_the_same_time(store: FlakyStore, metrics: Metrics):
    await open_episodes(store, *["shop/web"] * 5)
    order: list[int] = []
    at_once = most_at_once = 0

    async def advance(episode: Episode) -> Episode:
        nonlocal at_once, most_at_once
        at_once += 1
        most_at_once = max(most_at_once, at_once)
        await asyncio.sleep(0.005)
        at_once -= 1
        order.append(episode.id)
        return await store.finish(episode, Final.VERIFIED, "good", 3.0)

    async with running(store, metrics, advance) as intake:
        for _ in range(20):
            intake.wake("shop/web")
            await asyncio.sleep(0)
        await until(lambda: len(order) == 5)

    assert order == [1, 2, 3, 4, 5]
    assert most_at_once == 1


async def test_one_stuck_workload_does_not_hold_up_another(store: FlakyStore, metrics: Metrics):
    await open_episodes(store, "shop/stuck", "shop/web")
    finished: list[int] = []

    async def advance(episode: Episode) -> Episode:
        if episode.workload == "shop/stuck":
            await asyncio.Event().wait()
        return await store.finish(episode, Final.VERIFIED, "good", 3.0)

    async with running(store, metrics, advance, finished):
        await until(lambda: finished == [2])


async def test_a_defect_in_one_recovery_is_tried_again_and_harms_no_other(store: FlakyStore, metrics: Metrics):
    await open_episodes(store, "shop/web", "shop/db")
    finished: list[int] = []
    calls: list[int] = []

    async def advance(episode: Episode) -> Episode:
        calls.append(episode.id)
        if episode.id == 1 and calls.count(1) < 3:
            raise ZeroDivisionError
        return await store.finish(episode, Final.VERIFIED, "good", 3.0)

    async with running(store, metrics, advance, finished):
        await until(lambda: len(finished) == 2)

    assert calls.count(1) == 3


async def test_a_defect_that_stays_is_escalated(store: FlakyStore, metrics: Metrics):
    await open_episodes(store, "shop/web")
    finished: list[int] = []

    async def advance(_episode: Episode) -> Episode:
        raise ZeroDivisionError("by nothing")

    async with running(store, metrics, advance, finished, now=880.0):
        await until(lambda: finished == [1])

    [episode] = await store.open_episodes()
    assert episode.final is Final.ESCALATED
    assert "ZeroDivisionError('by nothing')" in episode.reason


async def test_a_deferred_episode_is_looked_at_again_after_its_delay(store: FlakyStore, metrics: Metrics):
    await open_episodes(store, "shop/web")
    calls: list[int] = []

    async def advance(episode: Episode) -> Episode | Deferred:
        calls.append(episode.id)
        return Deferred(5.0) if len(calls) < 4 else await store.finish(episode, Final.VERIFIED, "good", 3.0)

    async with running(store, metrics, advance):
        await until(lambda: len(calls) == 4)


async def test_an_alert_that_comes_while_a_worker_ends_is_not_forgotten(store: FlakyStore, metrics: Metrics):
    finished: list[int] = []

    async def advance(episode: Episode) -> Episode:
        return await store.finish(episode, Final.VERIFIED, "good", 3.0)

    async with running(store, metrics, advance, finished) as intake:
        await asyncio.sleep(0.01)
        for n in range(50):
            alert = Alert(f"{n:016x}", {"workload": "shop/web"}, {}, 1.0, is_firing=True)
            await store.accept([alert], 2.0)
            intake.wake("shop/web")
            if n % 3:
                await asyncio.sleep(0.001 * (n % 4))
        await until(lambda: len(finished) == 50)


async def test_a_ledger_that_cannot_be_read_for_a_while_is_asked_again(store: FlakyStore, metrics: Metrics):
    finished: list[int] = []

    async def advance(episode: Episode) -> Episode:
        return await store.finish(episode, Final.VERIFIED, "good", 3.0)

    async with running(store, metrics, advance, finished) as intake:
        await asyncio.sleep(0.01)
        await open_episodes(store, "shop/web")
        store.failures = 3
        intake.wake("shop/web")
        await until(lambda: finished == [1])


async def test_ends_cleanly_while_the_ledger_cannot_be_read(store: FlakyStore, metrics: Metrics):
    async def advance(episode: Episode) -> Episode:
        raise AssertionError

    async with running(store, metrics, advance) as intake:
        await asyncio.sleep(0.01)
        store.failures = 1_000_000
        intake.wake("shop/web")
        await asyncio.sleep(0.01)
    store.failures = 0


async def test_recoveries_under_way_are_counted_and_the_series_goes_away(store: FlakyStore, metrics: Metrics):
    await open_episodes(store, "shop/web", "shop/web")
    go_on = asyncio.Event()

    async def advance(episode: Episode) -> Episode:
        await go_on.wait()
        return await store.finish(episode, Final.VERIFIED, "good", 3.0)

    def active() -> float | None:
        return metrics.registry.get_sample_value("homeostat_recovery_active", {"workload": "shop/web"})

    async with running(store, metrics, advance):
        await until(lambda: active() == 2)
        go_on.set()
        await until(lambda: active() is None)
