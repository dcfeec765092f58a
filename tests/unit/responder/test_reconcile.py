"""What notifications lost is mended, and people hear of an escalation until its trouble is over."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes.clock import FakeClock
from fakes.world import FINGERPRINT, LABELS, World, WorldAlertmanager
from prometheus_client import CollectorRegistry

from homeostat.alertmanager_api import AlertState
from responder.escalate import Escalation
from responder.ledger import Alert, Episode, Final
from responder.metrics import Metrics
from responder.reconcile import Reconciler
from responder.store_sqlite import SqliteStore


class Wakes:
    """As much of the intake as reconciliation sees."""

    def __init__(self) -> None:
        self.woken: list[str] = []

    def wake(self, workload: str) -> None:
        self.woken.append(workload)


@pytest.fixture
def world() -> World:
    return World(FakeClock())


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(tmp_path / "responder.sqlite3")
    yield store
    await store.close()


@pytest.fixture
def intake() -> Wakes:
    return Wakes()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(CollectorRegistry())


@pytest.fixture
def reconciler(world: World, store: SqliteStore, intake: Wakes, metrics: Metrics) -> Reconciler:
    async def is_over(_episode: Episode, _gone_s: float) -> bool:
        return not world.is_sick

    alertmanager = WorldAlertmanager(world)
    return Reconciler(
        store, Escalation(alertmanager), intake, metrics, world.clock, held=alertmanager.held_in_pages, is_over=is_over
    )


async def escalated(world: World, store: SqliteStore) -> Episode:
    [episode] = (await store.accept([world.alert], world.clock.now())).opened
    return await store.finish(episode, Final.ESCALATED, "cap: enough", world.clock.now())


# --- Lost deliveries


async def test_an_active_alert_that_never_arrived_is_taken_up(
    world: World, store: SqliteStore, intake: Wakes, reconciler: Reconciler
):
    await reconciler.once()

    [episode] = await store.open_episodes()
    assert (episode.fingerprint, dict(episode.labels)) == (FINGERPRINT, LABELS)
    assert intake.woken == ["local/api"]


async def test_a_known_alert_is_not_taken_up_again(world: World, store: SqliteStore, reconciler: Reconciler):
    await store.accept([world.alert], world.clock.now())

    for _ in range(5):
        await reconciler.once()

    assert len(await store.episodes(10)) == 1


@pytest.mark.parametrize("state", [AlertState.SUPPRESSED, AlertState.UNPROCESSED])
async def test_a_muted_alert_is_not_taken_up(
    world: World, store: SqliteStore, reconciler: Reconciler, state: AlertState
):
    world.alert_state = state

    await reconciler.once()

    assert await store.episodes(10) == []


async def test_an_alert_that_lingers_after_its_recovery_is_not_a_new_trouble(
    world: World, store: SqliteStore, reconciler: Reconciler
):
    [episode] = (await store.accept([world.alert], world.clock.now())).opened
    await store.finish(episode, Final.VERIFIED, "good", world.clock.now())

    world.clock.advance(59)
    await reconciler.once()
    assert len(await store.episodes(10)) == 1

    world.clock.advance(2)  # and Prometheus still tells of it
    await reconciler.once()
    assert len(await store.open_episodes()) == 1


async def test_an_alert_whose_end_alertmanager_was_not_told_is_not_a_new_trouble(
    world: World, store: SqliteStore, reconciler: Reconciler
):
    world.told_at = world.clock.now()
    [episode] = (await store.accept([world.alert], world.clock.now())).opened
    await store.finish(episode, Final.VERIFIED, "good", world.clock.now())

    for _ in range(20):
        world.clock.advance(15)
        await reconciler.once()
    assert len(await store.episodes(10)) == 1

    world.told_at = world.clock.now()
    await reconciler.once()
    assert len(await store.open_episodes()) == 1


# --- Escalations


async def test_an_escalation_is_posted_with_its_story_and_no_remedy(
    world: World, store: SqliteStore, reconciler: Reconciler
):
    episode = await escalated(world, store)

    await reconciler.deliver(episode)

    [alert] = world.posted
    assert alert.labels["alertname"] == "HomeostatEscalation"
    assert "remedy" not in alert.labels
    assert alert.labels["workload"] == "local/api"
    assert "cap: enough" in alert.annotations["description"]
    assert alert.starts_at < alert.ends_at
    assert (await store.episode(episode.id)).delivered_at == world.clock.now()


async def test_while_alertmanager_is_down_an_escalation_counts_as_undelivered_and_is_posted_later(
    world: World, store: SqliteStore, reconciler: Reconciler, metrics: Metrics
):
    world.alertmanager_down = True
    episode = await escalated(world, store)
    await reconciler.deliver(episode)
    await reconciler.once()
    assert metrics.registry.get_sample_value("homeostat_escalations_undelivered") == 1

    world.alertmanager_down = False
    await reconciler.once()

    assert len(world.posted) == 1
    assert metrics.registry.get_sample_value("homeostat_escalations_undelivered") == 0


async def test_an_open_escalation_is_posted_again_as_the_same_alert(
    world: World, store: SqliteStore, reconciler: Reconciler
):
    await escalated(world, store)

    for _ in range(3):
        world.clock.advance(30)
        await reconciler.once()

    assert len(world.posted) == 3
    assert len({(tuple(alert.labels.items()), alert.starts_at) for alert in world.posted}) == 1


async def test_an_escalation_ends_when_the_alert_is_gone_and_the_workload_is_well(
    world: World, store: SqliteStore, reconciler: Reconciler
):
    episode = await escalated(world, store)
    world.recover()
    world.clock.advance(60)

    await reconciler.once()

    assert (await store.episode(episode.id)).closed_at == world.clock.now()
    assert world.posted[-1].ends_at <= world.clock.now()


async def test_an_escalation_stays_while_alertmanager_only_forgot_the_alert(
    world: World, store: SqliteStore, reconciler: Reconciler
):
    episode = await escalated(world, store)
    world.forgotten = True

    for _ in range(10):
        world.clock.advance(30)
        await reconciler.once()

    assert (await store.episode(episode.id)).closed_at is None
    assert all(alert.ends_at > world.clock.now() for alert in world.posted)


async def test_an_alert_that_comes_back_starts_the_wait_for_its_end_over(
    world: World, store: SqliteStore, reconciler: Reconciler
):
    episode = await escalated(world, store)
    for forgotten in (True, False, True):
        world.forgotten = forgotten
        for _ in range(15):
            world.clock.advance(30)
            await reconciler.once()

    assert (await store.episode(episode.id)).closed_at is None


async def test_nothing_is_closed_while_alertmanager_cannot_be_read(
    world: World, store: SqliteStore, reconciler: Reconciler
):
    episode = await escalated(world, store)
    world.recover()
    world.alertmanager_down = True
    world.clock.advance(3600)

    await reconciler.once()

    assert (await store.episode(episode.id)).closed_at is None


async def test_a_recovery_under_way_is_left_to_its_worker(world: World, store: SqliteStore, reconciler: Reconciler):
    [episode] = (await store.accept([world.alert], world.clock.now())).opened
    world.recover()
    world.clock.advance(3600)

    await reconciler.once()

    after = await store.episode(episode.id)
    assert (after.final, after.closed_at, world.posted) == (None, None, [])


# --- The dead man


async def test_a_storm_of_alerts_is_taken_in_one_comparison(
    world: World, store: SqliteStore, reconciler: Reconciler, metrics: Metrics
):
    world.forgotten = True
    storm = [Alert(f"{n:016x}", {**LABELS, "workload": f"shop/w{n}"}, {}, 1.0, is_firing=True) for n in range(300)]
    for episode in (await store.accept(storm, world.clock.now())).opened:
        await store.finish(episode, Final.ESCALATED, "unknown_workload", world.clock.now())

    await reconciler.once()

    assert len(world.posted) == 300
    assert metrics.registry.get_sample_value("homeostat_episodes_open") == 300
