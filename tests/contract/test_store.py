"""What the Store promises, held against both that there are: SQLite, and Redis on a real server."""

import asyncio
import itertools
import math
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from fakes.ledgers import (
    NOW,
    A,
    B,
    C,
    Ledger,
    LedgerRedis,
    RedisLedger,
    SqliteLedger,
    alert,
    all_links,
    chain_problems,
    ended,
    kinds,
    opened,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from responder import chain
from responder.ledger import (
    Alert,
    EntryKind,
    Episode,
    Final,
    Hold,
    LostLease,
    Measure,
    NoEpisode,
    StepRecord,
    Store,
    StoreError,
)

#: Leases of tests that do not wait for their end.
LONG_S = 60.0


@pytest.fixture(scope="session")
def redis_server(database_programs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerRedis]:
    server = LedgerRedis(database_programs, tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "redis"])
def make_ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Ledger]:
    """Each call makes another, empty one."""
    if request.param == "sqlite":
        return lambda: SqliteLedger(tmp_path / uuid.uuid4().hex / "responder.sqlite3")
    url = request.getfixturevalue("redis_server").url
    return lambda: RedisLedger(url, uuid.uuid4().hex)


@pytest.fixture
def ledger(make_ledger: Callable[[], Ledger]) -> Ledger:
    return make_ledger()


@pytest.fixture
async def store(ledger: Ledger) -> AsyncIterator[Store]:
    store = await ledger.open()
    yield store
    await store.close()


# --- Deliveries


async def test_an_alert_opens_an_episode(store: Store):
    accepted = await store.accept([alert()], NOW)

    [episode] = accepted.opened
    assert (episode.workload, episode.remedy, episode.alert) == ("shop/web", "down", "WorkloadDown")
    assert (episode.starts_at, episode.opened_at) == (NOW - 10, NOW)
    assert (episode.final, episode.closed_at, episode.resolved_at, episode.delivered_at) == (None,) * 4
    assert await store.episode(episode.id) == episode
    assert await kinds(store, episode) == ["opened"]


async def test_an_empty_delivery_changes_nothing(store: Store):
    accepted = await store.accept([], NOW)

    assert (accepted.opened, accepted.resolved, accepted.repeated) == ((), (), 0)
    assert await all_links(store) == []


async def test_the_same_delivery_twice_opens_one_episode(store: Store):
    await store.accept([alert()], NOW)

    again = await store.accept([alert()], NOW + 1)

    assert (again.opened, again.repeated) == ((), 1)
    assert len(await store.episodes(10)) == 1


async def test_the_same_alert_twice_in_one_delivery_opens_one_episode(store: Store):
    accepted = await store.accept([alert(), alert()], NOW)

    assert (len(accepted.opened), accepted.repeated) == (1, 1)


async def test_firing_and_ended_in_one_delivery_are_taken_in_order(store: Store):
    accepted = await store.accept([alert(), ended(), alert()], NOW)

    assert (len(accepted.opened), len(accepted.resolved), accepted.repeated) == (1, 1, 1)
    [episode] = await store.open_episodes()
    assert episode.resolved_at is None
    assert await kinds(store, episode) == ["opened", "resolved"]


async def test_a_start_moved_by_an_ha_peer_opens_no_second_episode(store: Store):
    await store.accept([alert(NOW - 10)], NOW)

    assert not (await store.accept([alert(NOW + 5)], NOW + 6)).opened


async def test_many_at_once_open_one_episode(store: Store):
    accepted = await asyncio.gather(*(store.accept([alert()], NOW + n) for n in range(20)))

    assert sum(len(one.opened) for one in accepted) == 1
    assert sum(one.repeated for one in accepted) == 19


async def test_different_alerts_open_an_episode_each(store: Store):
    accepted = await store.accept([alert(), alert(fingerprint=B)], NOW)

    assert [one.id for one in accepted.opened] == [1, 2]


async def test_resolved_closes_nothing_by_itself(store: Store):
    episode = await opened(store)

    accepted = await store.accept([ended()], NOW + 5)

    [after] = await store.open_episodes()
    assert accepted.resolved == (after,)
    assert after == replace(episode, resolved_at=NOW + 5)


async def test_resolved_of_what_was_never_seen_changes_nothing(store: Store):
    accepted = await store.accept([ended()], NOW)

    assert (accepted.opened, accepted.resolved, accepted.repeated) == ((), (), 1)
    assert await store.episodes(10) == []


async def test_resolved_twice_is_written_once(store: Store):
    episode = await opened(store)
    await store.accept([ended()], NOW + 5)

    again = await store.accept([ended()], NOW + 6)

    assert (again.resolved, again.repeated) == ((), 1)
    assert await kinds(store, episode) == ["opened", "resolved"]


async def test_firing_again_takes_the_resolved_back(store: Store):
    await opened(store)
    await store.accept([ended()], NOW + 5)

    accepted = await store.accept([alert(NOW + 6)], NOW + 6)

    assert accepted.opened == ()
    assert (await store.open_episodes())[0].resolved_at is None


async def test_a_firing_from_before_the_end_is_late_and_ignored(store: Store):
    await store.finish(await opened(store), Final.VERIFIED, "good", NOW + 20)

    accepted = await store.accept([alert(NOW - 10), alert(NOW + 20)], NOW + 30)

    assert (accepted.opened, accepted.repeated) == ((), 2)
    assert await store.open_episodes() == []


async def test_a_firing_from_after_the_end_is_a_new_episode(store: Store):
    first = await opened(store)
    await store.finish(first, Final.VERIFIED, "good", NOW + 20)

    accepted = await store.accept([alert(NOW + 21)], NOW + 30)

    assert [one.id for one in accepted.opened] == [first.id + 1]
    assert (await store.episode(first.id)).final is Final.VERIFIED


async def test_an_escalated_episode_stays_open_and_takes_no_second_beside_it(store: Store):
    await store.finish(await opened(store), Final.ESCALATED, "cap", NOW + 20)

    accepted = await store.accept([alert(NOW + 25)], NOW + 30)

    assert accepted.opened == ()
    assert len(await store.open_episodes()) == 1


async def test_ten_thousand_alerts_are_one_delivery(store: Store):
    alerts = [alert(fingerprint=f"{n:016x}", workload=f"shop/w{n % 2500}") for n in range(10_000)]

    accepted = await store.accept(alerts, NOW)

    assert [one.id for one in accepted.opened] == list(range(1, 10_001))
    assert (await store.counts()).open == 10_000
    assert len(await store.open_workloads()) == 2500
    assert (await store.accept(alerts, NOW + 1)).repeated == 10_000
    assert await chain_problems(store) == []


# --- Any text


@pytest.mark.parametrize(
    "text",
    ["'; DROP TABLE entries; --", '"} or up{', "a\x00b", "\U0001d54f", "line\nline", "x" * 100_000, "", " ", "*"],
)
async def test_any_text_comes_back_as_it_was(store: Store, text: str):
    await store.accept([alert(workload=text, container=text)], NOW)

    [episode] = await store.unfinished(text)
    [entry] = await store.entries(episode.id)
    assert (episode.workload, episode.container, entry.workload) == (text, text, text)
    assert await store.open_workloads() == await store.unfinished_workloads() == [text]
    assert await store.opened_since(0) == {text: NOW}
    assert await chain_problems(store) == []


async def test_half_a_character_comes_back_from_a_label_as_it_was(store: Store):
    await store.accept([alert(container="\ud800")], NOW)

    [episode] = await store.open_episodes()
    assert episode.container == "\ud800"
    assert await chain_problems(store) == []


async def test_a_delivery_is_written_whole_or_not_at_all(store: Store):
    unwritable = alert(fingerprint=B, workload="\ud800")  # half a character: no name of a workload

    with pytest.raises(StoreError):
        await store.accept([alert(), unwritable, alert(fingerprint=C)], NOW)

    assert await store.episodes(10) == []
    assert await all_links(store) == []
    assert len((await store.accept([alert()], NOW)).opened) == 1


async def test_data_of_an_entry_comes_back_as_it_was(store: Store):
    episode = await opened(store)
    data = {"text": "a\x00\ud800\n", "n": 2**53, "ratio": 0.1, "none": None, "list": [1, {"deep": [True, ""]}], "": {}}

    written = await store.append(episode, EntryKind.EVIDENCE, data, NOW + 0.1)

    assert (await store.entries(episode.id))[-1] == written
    assert (written.at, written.episode_id, written.workload, written.data) == (NOW + 0.1, 1, "shop/web", data)


async def test_a_megabyte_of_evidence_is_kept(store: Store):
    episode = await opened(store)

    await store.append(episode, EntryKind.EVIDENCE, {"logs": "y" * 1_000_000}, NOW)

    assert (await store.entries(episode.id))[-1].data == {"logs": "y" * 1_000_000}


# --- One final state


@pytest.mark.parametrize("final", [Final.VERIFIED, Final.ROLLED_BACK, Final.SELF_RESOLVED])
async def test_an_end_that_is_no_escalation_closes_the_episode(store: Store, final: Final):
    done = await store.finish(await opened(store), final, "why", NOW + 9)

    assert (done.final, done.reason, done.finished_at, done.closed_at) == (final, "why", NOW + 9, NOW + 9)
    assert await store.episode(done.id) == done
    assert (await store.entries(done.id))[-1].data == {"final": final.value, "reason": "why"}
    assert (await store.open_episodes(), await store.open_workloads()) == ([], [])
    assert (await store.unfinished("shop/web"), await store.unfinished_workloads()) == ([], [])


async def test_the_first_final_state_stands(store: Store):
    episode = await opened(store)
    await store.finish(episode, Final.VERIFIED, "good", NOW + 9)

    again = await store.finish(episode, Final.ESCALATED, "bad", NOW + 10)

    assert (again.final, again.reason, again.finished_at) == (Final.VERIFIED, "good", NOW + 9)
    assert (await kinds(store, episode)).count("final") == 1
    assert await store.escalated(0, 10) == []


async def test_two_ends_at_once_leave_one(store: Store):
    episode = await opened(store)

    ends = await asyncio.gather(*(store.finish(episode, final, final.value, NOW + 9) for final in Final))

    assert len({end.final for end in ends}) == 1
    assert (await kinds(store, episode)).count("final") == 1


async def test_an_escalated_episode_is_closed_once(store: Store):
    episode = await store.finish(await opened(store), Final.ESCALATED, "cap", NOW + 9)
    closed = await store.close_episode(episode, "its alert has ended", NOW + 20)

    again = await store.close_episode(episode, "again", NOW + 30)

    assert closed.closed_at == again.closed_at == NOW + 20
    assert await kinds(store, episode) == ["opened", "final", "closed"]


async def test_an_escalation_of_what_is_closed_already_does_not_open_it_again(store: Store):
    episode = await opened(store)
    await store.close_episode(episode, "gone", NOW + 20)

    after = await store.finish(episode, Final.ESCALATED, "late", NOW + 30)

    assert (after.final, after.closed_at) == (Final.ESCALATED, NOW + 20)
    assert await store.open_episodes() == await store.escalated(0, 10) == []


async def test_people_are_told_once(store: Store):
    first = await store.finish(await opened(store), Final.ESCALATED, "cap", NOW + 9)
    second = await store.finish(await opened(store, B, "shop/db"), Final.ESCALATED, "cap", NOW + 9)

    await store.delivered([first, second, first], NOW + 10)
    await store.delivered([second], NOW + 20)

    assert [(await store.episode(one.id)).delivered_at for one in (first, second)] == [NOW + 10, NOW + 10]
    assert await kinds(store, second) == ["opened", "final", "delivered"]
    assert [one.id for one in await store.escalated(0, 10)] == [1, 2]  # it lasts, though people know


async def test_telling_of_nothing_writes_nothing(store: Store):
    await store.delivered([], NOW)

    assert await all_links(store) == []


@pytest.mark.parametrize("missing", [0, 7, -1])
async def test_what_is_about_no_episode_is_refused_and_leaves_nothing(store: Store, missing: int):
    nobody = replace(await opened(store), id=missing)

    with pytest.raises(StoreError):
        await store.append(nobody, EntryKind.WAITING, {}, NOW)
    for call in (
        store.finish(nobody, Final.VERIFIED, "good", NOW),
        store.close_episode(nobody, "over", NOW),
        store.episode(missing),
    ):
        with pytest.raises(NoEpisode):
            await call

    assert await store.entries(missing) == []
    assert [link.kind for link in await all_links(store)] == ["opened"]


# --- What is asked


async def test_episodes_are_listed_newest_first(store: Store):
    for fingerprint in (A, B, C):
        await opened(store, fingerprint)

    assert [one.id for one in await store.episodes(2)] == [3, 2]
    assert [one.id for one in await store.episodes(100)] == [3, 2, 1]
    assert await store.episodes(0) == []


async def test_open_ones_are_listed_newest_first(store: Store):
    for fingerprint in (A, B, C):
        await opened(store, fingerprint)
    await store.finish(await store.episode(2), Final.VERIFIED, "good", NOW + 9)

    assert [one.id for one in await store.open_episodes()] == [3, 1]
    assert [one.id for one in await store.open_episodes(1)] == [3]


async def test_unfinished_ones_of_a_workload_are_listed_oldest_first(store: Store):
    for fingerprint, workload in [
        ("1" * 16, "shop/web"),
        ("2" * 16, "shop/db"),
        ("3" * 16, "shop/web"),
        (A, "shop/web"),
    ]:
        await opened(store, fingerprint, workload)
    await store.finish(await store.episode(3), Final.ESCALATED, "cap", NOW + 9)

    assert [one.id for one in await store.unfinished("shop/web")] == [1, 4]
    assert [one.id for one in await store.unfinished("shop/web", 1)] == [1]
    assert await store.unfinished("shop/we") == []
    assert sorted(await store.unfinished_workloads()) == ["shop/db", "shop/web"]


async def test_a_workload_is_listed_until_its_last_episode_is_done(store: Store):
    first, second = await opened(store, A), await opened(store, B)

    await store.finish(first, Final.VERIFIED, "good", NOW + 9)
    assert await store.unfinished_workloads() == await store.open_workloads() == ["shop/web"]

    second = await store.finish(second, Final.ESCALATED, "cap", NOW + 9)
    assert (await store.unfinished_workloads(), await store.open_workloads()) == ([], ["shop/web"])

    await store.close_episode(second, "over", NOW + 20)
    assert await store.open_workloads() == []


async def test_escalated_ones_are_paged_oldest_first(store: Store):
    for n in range(5):
        episode = await opened(store, f"{n}" * 16)
        if n != 2:
            await store.finish(episode, Final.ESCALATED, "cap", NOW + 9)

    assert [one.id for one in await store.escalated(0, 2)] == [1, 2]
    assert [one.id for one in await store.escalated(2, 2)] == [4, 5]
    assert await store.escalated(5, 2) == []


async def test_counts_are_of_troubles_that_last(store: Store):
    for n in range(5):
        await opened(store, f"{n}" * 16)
    ends = [Final.VERIFIED, Final.ESCALATED, Final.ESCALATED, Final.ESCALATED]
    done = [await store.finish(await store.episode(n), final, "why", NOW + 9) for n, final in enumerate(ends, start=1)]
    await store.delivered([done[1]], NOW + 10)
    await store.close_episode(done[2], "over", NOW + 10)

    counts = await store.counts()

    assert (counts.open, counts.undelivered) == (3, 1)


async def test_ends_are_those_of_the_newest_episodes(store: Store):
    await opened(store, A)
    await store.finish(await opened(store, B), Final.VERIFIED, "good", NOW + 20)

    assert await store.last_ends([A, B, C]) == {A: math.inf, B: NOW + 20}
    assert await store.last_ends([]) == {}

    await store.accept([alert(NOW + 30, fingerprint=B)], NOW + 31)

    assert await store.last_ends([B]) == {B: math.inf}


async def test_what_was_opened_lately_is_told_by_workload(store: Store):
    for n, (workload, at) in enumerate([("shop/web", 5.5), ("shop/db", 7.25), ("shop/web", 9.125), ("shop/old", 1.0)]):
        await store.accept([alert(0.5, fingerprint=f"{n}" * 16, workload=workload)], at)

    assert await store.opened_since(1.0) == {"shop/web": 9.125, "shop/db": 7.25}
    assert await store.opened_since(7.25) == {"shop/web": 9.125}

    await store.accept([alert(0.5, fingerprint=A, workload="shop/web")], 2.0)  # the clock was set back

    assert await store.opened_since(7.25) == {"shop/web": 9.125}


async def test_steps_are_those_that_were_started_lately_of_all_workloads(store: Store):
    mine, other = await opened(store, A), await opened(store, B, "shop/db")
    for episode, kind, action, tier, at in [
        (mine, EntryKind.STARTED, "restart", "hard", NOW - 50),
        (mine, EntryKind.STARTED, "restart", "hard", NOW - 5),
        (mine, EntryKind.STARTED, "hook", "soft", NOW - 4.5),
        (mine, EntryKind.FINISHED, "hook", "soft", NOW - 3),
        (other, EntryKind.STARTED, "recreate", "hard", NOW - 4.75),
    ]:
        await store.append(episode, kind, {"action": action, "tier": tier, "token": 1}, at)

    assert await store.steps(NOW - 5) == [
        StepRecord(NOW - 5, 1, "shop/web", "restart", "hard"),
        StepRecord(NOW - 4.5, 1, "shop/web", "hook", "soft"),
        StepRecord(NOW - 4.75, 2, "shop/db", "recreate", "hard"),
    ]
    assert len(await store.steps(0)) == 4


async def test_a_lasting_effect_is_in_sight_until_it_is_put_back(store: Store):
    episode = await opened(store)
    tokens = [(await store.append(episode, EntryKind.STARTED, {"action": "degrade"}, NOW)).id for _ in range(3)]
    for token, due_at in zip(tokens, (NOW + 300, NOW + 100.5, NOW + 200), strict=True):
        await store.append(episode, EntryKind.FINISHED, {"token": token, "due_at": due_at}, NOW + 1)

    await store.append(episode, EntryKind.UNDONE, {"token": tokens[2]}, NOW + 2)

    assert await store.measures() == [
        Measure(tokens[1], episode.id, "shop/web", NOW + 100.5),
        Measure(tokens[0], episode.id, "shop/web", NOW + 300),
    ]


async def test_a_step_without_a_lasting_effect_has_nothing_to_put_back(store: Store):
    episode = await opened(store)

    await store.append(episode, EntryKind.FINISHED, {"token": 1}, NOW)

    assert await store.measures() == []


async def test_holds_last_until_they_are_dropped(store: Store):
    first = Hold("shop/web", "moving disks", "ann", NOW, NOW + 60)
    newer = Hold("shop/web", "still moving", "bob", NOW + 1.5, None)
    other = Hold("*", "\x00 \U0001d54f", "", NOW + 2, NOW + 3)
    for hold in (first, other, newer):
        await store.put_hold(hold)

    assert {hold.pattern: hold for hold in await store.holds()} == {"shop/web": newer, "*": other}
    assert [await store.drop_hold("shop/web"), await store.drop_hold("shop/web")] == [True, False]
    assert await store.holds() == [other]
    assert await all_links(store) == []


# --- The record


async def test_line_numbers_grow_without_gaps_across_episodes(store: Store):
    episodes = (await store.accept([alert(), alert(fingerprint=B)], NOW)).opened
    written = [await store.append(episode, EntryKind.WAITING, {"n": n}, NOW) for n in range(3) for episode in episodes]

    assert [entry.id for entry in written] == list(range(3, 9))
    assert [entry.id for entry in await store.entries(1)] == [1, 3, 5, 7]
    assert [link.id for link in await all_links(store)] == list(range(1, 9))


async def test_links_are_paged_and_the_newest_is_asked_for_by_minus_one(store: Store):
    episode = await opened(store)
    for n in range(4):
        await store.append(episode, EntryKind.WAITING, {"n": n}, NOW + n)

    assert [link.id for link in await store.links(0, 2)] == [1, 2]
    assert [link.id for link in await store.links(2, 100)] == [3, 4, 5]
    assert await store.links(5, 100) == []
    assert [link.id for link in await store.links(-1, 100)] == [5]


async def test_before_the_first_line_there_is_no_newest(store: Store):
    assert await store.links(-1, 1) == []


async def test_a_line_is_vouched_for_by_its_digest(store: Store):
    episode = await opened(store)
    await store.append(episode, EntryKind.WAITING, {"b": "\xe4", "a": 1}, NOW + 0.25)

    before, link = await store.links(0, 2)

    assert before.digest == chain.digest(chain.START, before)
    assert link.digest == chain.digest(before.digest, link)
    assert (link.at, link.episode_id, link.workload, link.kind) == (NOW + 0.25, 1, "shop/web", "waiting")
    assert link.text == '{"a":1,"b":"\\u00e4"}'


async def test_twenty_at_once_leave_one_chain(store: Store):
    episodes = (await store.accept([alert(fingerprint=f"{n:016x}") for n in range(4)], NOW)).opened

    async def append(n: int) -> list[int]:
        return [(await store.append(episodes[n % 4], EntryKind.WAITING, {"n": n}, NOW + i)).id for i in range(5)]

    written = await asyncio.gather(*(append(n) for n in range(20)))

    assert sorted(itertools.chain(*written)) == list(range(5, 105))
    assert all(ids == sorted(ids) for ids in written)
    assert await chain_problems(store) == []


async def test_everything_is_there_when_it_is_opened_again(ledger: Ledger):
    store = await ledger.open()
    episode = await opened(store)
    await store.append(episode, EntryKind.STARTED, {"action": "restart", "tier": "hard"}, NOW + 1)
    await store.append(episode, EntryKind.FINISHED, {"token": 2, "due_at": NOW + 9}, NOW + 2)
    await store.finish(await opened(store, B, "shop/db"), Final.ESCALATED, "cap", NOW + 3)
    await store.put_hold(Hold("*", "why", "ann", NOW, None))
    before = await everything(store)
    await store.close()

    again = await ledger.open()

    assert await everything(again) == before
    assert (await again.append(episode, EntryKind.WAITING, {}, NOW + 4)).id == 6
    assert [one.id for one in (await again.accept([alert(fingerprint=C)], NOW)).opened] == [3]
    assert await chain_problems(again) == []
    await again.close()


async def everything(store: Store) -> list[object]:
    return [
        await store.episodes(100),
        await store.open_episodes(),
        await store.unfinished("shop/web"),
        await store.escalated(0, 100),
        await store.counts(),
        await all_links(store),
        await store.entries(1),
        await store.steps(0),
        await store.measures(),
        await store.holds(),
        await store.opened_since(0),
        await store.last_ends([A, B, C]),
    ]


async def test_when_closed_it_says_so(ledger: Ledger):
    store = await ledger.open()
    await store.close()

    with pytest.raises(StoreError, match="closed"):
        await store.accept([alert()], NOW)
    with pytest.raises(StoreError, match="closed"):
        await store.counts()


async def test_closing_twice_is_closing(ledger: Ledger):
    store = await ledger.open()

    await store.close()
    await store.close()


# --- Leases


async def test_a_workload_is_leased_to_one(store: Store):
    now = asyncio.get_running_loop().time()
    lease = await store.acquire("shop/web", "one", LONG_S, now)

    assert lease is not None
    assert (lease.workload, lease.owner, lease.until) == ("shop/web", "one", now + LONG_S)
    assert await store.acquire("shop/web", "two", LONG_S, now) is None
    assert await store.acquire("shop/db", "two", LONG_S, now) is not None


async def test_a_lease_is_somebody_elses_once_it_has_ended(store: Store):
    now = asyncio.get_running_loop().time()
    first = await store.acquire("shop/web", "one", 0.05, now)
    await asyncio.sleep(0.1)

    second = await store.acquire("shop/web", "two", LONG_S, now + 0.1)

    assert first is not None
    assert second is not None
    assert second.token > first.token


async def test_tokens_grow_also_over_releases_and_for_one_owner(store: Store):
    leases = []
    for owner in ("one", "one", "two", "two", "one"):
        lease = await store.acquire("shop/web", owner, LONG_S, 0.0)
        assert lease is not None
        leases.append(lease)
        if len(leases) in (2, 4):
            await store.release(lease)

    tokens = [lease.token for lease in leases]
    assert tokens == sorted(set(tokens))


async def test_whoever_leases_again_has_lost_the_older_lease(store: Store):
    older = await store.acquire("shop/web", "one", LONG_S, 0.0)
    newer = await store.acquire("shop/web", "one", LONG_S, 0.0)

    assert older is not None
    assert newer is not None
    with pytest.raises(LostLease):
        await store.renew(older, LONG_S, 0.0)
    await store.release(older)  # and cannot give the newer one away
    assert await store.acquire("shop/web", "two", LONG_S, 0.0) is None


async def test_a_renewed_lease_lasts_from_then_on(store: Store):
    now = asyncio.get_running_loop().time()
    lease = await store.acquire("shop/web", "one", 0.15, now)
    assert lease is not None
    renewed = await store.renew(lease, LONG_S, now + 0.01)
    await asyncio.sleep(0.2)

    assert (renewed.token, renewed.until) == (lease.token, now + 0.01 + LONG_S)
    assert await store.acquire("shop/web", "two", LONG_S, now + 0.2) is None


async def test_a_released_lease_is_free_at_once(store: Store):
    lease = await store.acquire("shop/web", "one", LONG_S, 0.0)
    assert lease is not None

    await store.release(lease)

    assert await store.acquire("shop/web", "two", LONG_S, 0.0) is not None


async def test_only_one_of_many_gets_it(store: Store):
    found = await asyncio.gather(*(store.acquire("shop/web", f"owner {n}", LONG_S, 0.0) for n in range(20)))

    assert len([lease for lease in found if lease is not None]) == 1


@pytest.mark.parametrize("workload", ["", "a b", "a\x00b", "\U0001d54f", "shop/web:1"])
@pytest.mark.parametrize("owner", ["", "one two 3", "\x00"])
async def test_any_names_can_have_leases(store: Store, workload: str, owner: str):
    lease = await store.acquire(workload, owner, LONG_S, 0.0)

    assert lease is not None
    assert await store.acquire(workload, owner + "x", LONG_S, 0.0) is None
    assert (await store.renew(lease, LONG_S, 1.0)).token == lease.token


async def test_under_a_lease_everything_can_be_written(store: Store):
    episode = await opened(store)
    lease = await store.acquire("shop/web", "one", LONG_S, 0.0)
    assert lease is not None

    await store.append(episode, EntryKind.STARTED, {}, NOW, lease)
    await store.finish(episode, Final.ESCALATED, "cap", NOW, await store.renew(lease, LONG_S, 1.0))
    await store.close_episode(episode, "over", NOW, lease)

    assert await kinds(store, episode) == ["opened", "started", "final", "closed"]


async def test_under_an_old_lease_nothing_is_written(store: Store):
    episode = await opened(store)
    escalated = await store.finish(await opened(store, B), Final.ESCALATED, "cap", NOW)
    old = await store.acquire("shop/web", "one", 0.05, 0.0)
    await asyncio.sleep(0.1)
    new = await store.acquire("shop/web", "two", LONG_S, 0.1)
    assert old is not None
    assert new is not None
    before = await everything(store)

    for write in (
        store.append(episode, EntryKind.STARTED, {"action": "restart"}, NOW, old),
        store.append(episode, EntryKind.FINISHED, {"token": 1, "due_at": NOW}, NOW, old),
        store.finish(episode, Final.VERIFIED, "good", NOW, old),
        store.close_episode(escalated, "over", NOW, old),
    ):
        with pytest.raises(LostLease):
            await write

    assert await everything(store) == before
    assert (await store.append(episode, EntryKind.STARTED, {}, NOW, new)).id == before_lines(before) + 1
    assert await chain_problems(store) == []


def before_lines(before: list[object]) -> int:
    lines = before[5]
    assert isinstance(lines, list)
    return len(lines)


async def test_under_a_released_lease_nothing_is_written(store: Store):
    episode = await opened(store)
    lease = await store.acquire("shop/web", "one", LONG_S, 0.0)
    assert lease is not None
    await store.release(lease)

    with pytest.raises(LostLease):
        await store.append(episode, EntryKind.STARTED, {}, NOW, lease)

    assert await kinds(store, episode) == ["opened"]


async def test_without_a_lease_nothing_is_fenced(store: Store):
    episode = await opened(store)
    await store.acquire("shop/web", "one", LONG_S, 0.0)

    await store.append(episode, EntryKind.APPROVED, {"by": "ann"}, NOW)

    assert await kinds(store, episode) == ["opened", "approved"]


# --- Any sequence, held against a model


@dataclass
class Model:
    """What is promised, in the fewest words."""

    episodes: dict[int, Episode] = field(default_factory=dict)
    lines: list[tuple[int, str]] = field(default_factory=list)

    def last(self, fingerprint: str) -> Episode | None:
        return next((one for one in reversed(self.episodes.values()) if one.fingerprint == fingerprint), None)

    def accept(self, one: Alert, now: float) -> str:
        last = self.last(one.fingerprint)
        is_open = last is not None and last.closed_at is None
        if not is_open and one.is_firing and (last is None or one.starts_at > (last.closed_at or 0.0)):
            new = Episode(
                len(self.episodes) + 1, one.fingerprint, one.labels, one.annotations, one.starts_at, now,
                None, None, "", None, None, None,
            )  # fmt: skip
            self.put(new, "opened")
            return "opened"
        if last is not None and is_open and not one.is_firing and last.resolved_at is None:
            self.put(replace(last, resolved_at=now), "resolved")
            return "resolved"
        if last is not None and is_open and one.is_firing:
            self.put(replace(last, resolved_at=None), "")
        return "repeated"

    def put(self, episode: Episode, line: str) -> None:
        self.episodes[episode.id] = episode
        if line:
            self.lines.append((episode.id, line))


FINGERPRINTS = st.sampled_from([A, B, C])
ALERTS = st.builds(
    lambda fingerprint, starts_at, is_firing: alert(
        float(starts_at), fingerprint=fingerprint, is_firing=is_firing, workload=f"shop/{fingerprint[0]}"
    ),
    FINGERPRINTS,
    st.integers(0, 60),
    st.booleans(),
)
OPERATIONS = st.one_of(
    st.tuples(st.just("accept"), st.lists(ALERTS, max_size=4)),
    st.tuples(st.just("append"), FINGERPRINTS),
    st.tuples(st.just("finish"), FINGERPRINTS, st.sampled_from(Final)),
    st.tuples(st.just("close"), FINGERPRINTS),
    st.tuples(st.just("deliver"), FINGERPRINTS),
)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(operations=st.lists(OPERATIONS, max_size=30))
async def test_any_sequence_of_writes_leaves_what_a_model_says(make_ledger: Callable[[], Ledger], operations):
    store = await make_ledger().open()
    model = Model()

    for now, (name, *arguments) in enumerate(operations, start=1):
        await apply(store, model, name, arguments, float(now))

    await agree(store, model)
    await store.close()


async def apply(store: Store, model: Model, name: str, arguments: list, now: float) -> None:
    if name == "accept":
        said = [model.accept(one, now) for one in arguments[0]]
        accepted = await store.accept(arguments[0], now)
        counted = (len(accepted.opened), len(accepted.resolved), accepted.repeated)
        assert counted == tuple(said.count(word) for word in ("opened", "resolved", "repeated"))
        return
    episode = model.last(arguments[0])
    if episode is not None:
        await WRITES[name](store, model, episode, now, *arguments[1:])


async def append(store: Store, model: Model, episode: Episode, now: float) -> None:
    await store.append(episode, EntryKind.WAITING, {"at": now}, now)
    model.put(episode, "waiting")


async def finish(store: Store, model: Model, episode: Episode, now: float, final: Final) -> None:
    after = await store.finish(episode, final, f"at {now}", now)
    if episode.final is None:
        closed_at = episode.closed_at or (None if final is Final.ESCALATED else now)
        done = replace(episode, final=final, reason=f"at {now}", finished_at=now, closed_at=closed_at)
        model.put(done, "final")
    assert after == model.episodes[episode.id]


async def close(store: Store, model: Model, episode: Episode, now: float) -> None:
    after = await store.close_episode(episode, "over", now)
    if episode.closed_at is None:
        model.put(replace(episode, closed_at=now), "closed")
    assert after == model.episodes[episode.id]


async def deliver(store: Store, model: Model, episode: Episode, now: float) -> None:
    await store.delivered([episode], now)
    if episode.delivered_at is None:
        model.put(replace(episode, delivered_at=now), "delivered")


WRITES = {"append": append, "finish": finish, "close": close, "deliver": deliver}


async def agree(store: Store, model: Model) -> None:
    everyone = list(model.episodes.values())
    lasting = [one for one in everyone if one.closed_at is None]
    unfinished = [one for one in lasting if one.final is None]
    escalated = [one for one in lasting if one.final is Final.ESCALATED]
    assert await store.episodes(1000) == everyone[::-1]
    assert await store.open_episodes() == lasting[::-1]
    assert len({one.fingerprint for one in lasting}) == len(lasting)
    assert sorted(await store.open_workloads()) == sorted({one.workload for one in lasting})
    assert sorted(await store.unfinished_workloads()) == sorted({one.workload for one in unfinished})
    for workload in {one.workload for one in everyone}:
        assert await store.unfinished(workload) == [one for one in unfinished if one.workload == workload]
    assert await store.escalated(0, 1000) == escalated
    counts = await store.counts()
    assert (counts.open, counts.undelivered) == (len(lasting), sum(one.delivered_at is None for one in escalated))
    assert [(link.episode_id, link.kind) for link in await all_links(store)] == model.lines
    assert await chain_problems(store) == []
