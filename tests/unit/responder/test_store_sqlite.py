"""The ledger on one host: one open episode per alert, written before it is answered, never rewritten."""

import asyncio
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from responder.ledger import Alert, EntryKind, Episode, Final, StoreError
from responder.store_sqlite import SqliteStore

NOW = 1_000_000.0
LABELS = {"alertname": "WorkloadDown", "workload": "shop/web", "remedy": "down"}


def alert(starts_at: float = NOW - 10, *, fingerprint: str = "a" * 16, is_firing: bool = True, **labels: str) -> Alert:
    return Alert(fingerprint, {**LABELS, **labels}, {"summary": "It is down."}, starts_at, is_firing)


def ended(**options: str) -> Alert:
    return alert(is_firing=False, **options)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(tmp_path / "state" / "responder.sqlite3")
    yield store
    await store.close()


async def opened(store: SqliteStore) -> Episode:
    return (await store.accept([alert()], NOW)).opened[0]


async def kinds(store: SqliteStore, episode: Episode) -> list[str]:
    return [entry.kind.value for entry in await store.entries(episode.id)]


# --- Deliveries


async def test_an_alert_opens_an_episode(store: SqliteStore):
    accepted = await store.accept([alert()], NOW)

    [episode] = accepted.opened
    assert (episode.workload, episode.remedy, episode.alert) == ("shop/web", "down", "WorkloadDown")
    assert (episode.final, episode.closed_at, episode.resolved_at) == (None, None, None)
    assert await kinds(store, episode) == ["opened"]


async def test_the_same_delivery_twice_opens_one_episode(store: SqliteStore):
    await store.accept([alert()], NOW)

    again = await store.accept([alert()], NOW + 1)

    assert (again.opened, again.repeated) == ((), 1)
    assert len(await store.episodes(10)) == 1


async def test_the_same_alert_twice_in_one_delivery_opens_one_episode(store: SqliteStore):
    accepted = await store.accept([alert(), alert()], NOW)

    assert (len(accepted.opened), accepted.repeated) == (1, 1)


async def test_a_start_moved_by_an_ha_peer_opens_no_second_episode(store: SqliteStore):
    await store.accept([alert(NOW - 10)], NOW)

    assert not (await store.accept([alert(NOW + 5)], NOW + 6)).opened


async def test_many_at_once_open_one_episode(store: SqliteStore):
    accepted = await asyncio.gather(*(store.accept([alert()], NOW + n) for n in range(20)))

    assert sum(len(one.opened) for one in accepted) == 1


async def test_different_alerts_open_an_episode_each(store: SqliteStore):
    accepted = await store.accept([alert(), alert(fingerprint="b" * 16)], NOW)

    assert len(accepted.opened) == 2


async def test_resolved_closes_nothing_by_itself(store: SqliteStore):
    episode = await opened(store)

    accepted = await store.accept([ended()], NOW + 5)

    assert [one.id for one in accepted.resolved] == [episode.id]
    [after] = await store.open_episodes()
    assert (after.resolved_at, after.final, after.closed_at) == (NOW + 5, None, None)


async def test_resolved_of_what_was_never_seen_changes_nothing(store: SqliteStore):
    accepted = await store.accept([ended()], NOW)

    assert (accepted.opened, accepted.resolved, accepted.repeated) == ((), (), 1)
    assert await store.episodes(10) == []


async def test_resolved_twice_is_written_once(store: SqliteStore):
    episode = await opened(store)
    await store.accept([ended()], NOW + 5)

    again = await store.accept([ended()], NOW + 6)

    assert (again.resolved, again.repeated) == ((), 1)
    assert await kinds(store, episode) == ["opened", "resolved"]


async def test_firing_again_takes_the_resolved_back(store: SqliteStore):
    await opened(store)
    await store.accept([ended()], NOW + 5)

    accepted = await store.accept([alert(NOW + 6)], NOW + 6)

    assert accepted.opened == ()
    assert (await store.open_episodes())[0].resolved_at is None


async def test_a_firing_from_before_the_end_is_late_and_ignored(store: SqliteStore):
    await store.finish(await opened(store), Final.VERIFIED, "good", NOW + 20)

    accepted = await store.accept([alert(NOW - 10), alert(NOW + 20)], NOW + 30)

    assert (accepted.opened, accepted.repeated) == ((), 2)
    assert await store.open_episodes() == []


async def test_a_firing_from_after_the_end_is_a_new_episode(store: SqliteStore):
    first = await opened(store)
    await store.finish(first, Final.VERIFIED, "good", NOW + 20)

    accepted = await store.accept([alert(NOW + 21)], NOW + 30)

    assert [one.id for one in accepted.opened] == [first.id + 1]


async def test_an_escalated_episode_stays_open_and_takes_no_second_beside_it(store: SqliteStore):
    await store.finish(await opened(store), Final.ESCALATED, "cap", NOW + 20)

    accepted = await store.accept([alert(NOW + 25)], NOW + 30)

    assert accepted.opened == ()
    assert len(await store.open_episodes()) == 1


async def test_a_delivery_is_written_whole_or_not_at_all(store: SqliteStore):
    broken = alert(fingerprint="b" * 16, workload="\ud800")  # cannot be stored as UTF-8

    with pytest.raises((StoreError, UnicodeError)):
        await store.accept([alert(), broken], NOW)

    assert await store.episodes(10) == []


@pytest.mark.parametrize("text", ["'; DROP TABLE entries; --", '"} or up{', "a\x00b", "\U0001d54f", "x" * 100_000, ""])
async def test_any_text_comes_back_as_it_was(store: SqliteStore, text: str):
    await store.accept([alert(workload=text)], NOW)

    [episode] = await store.open_episodes()
    assert episode.workload == text
    assert (await store.entries(episode.id))[0].workload == text


# --- One final state


@pytest.mark.parametrize("final", [Final.VERIFIED, Final.ROLLED_BACK, Final.SELF_RESOLVED])
async def test_an_end_that_is_no_escalation_closes_the_episode(store: SqliteStore, final: Final):
    done = await store.finish(await opened(store), final, "why", NOW + 9)

    assert (done.final, done.reason, done.finished_at, done.closed_at) == (final, "why", NOW + 9, NOW + 9)


async def test_the_first_final_state_stands(store: SqliteStore):
    episode = await opened(store)
    await store.finish(episode, Final.VERIFIED, "good", NOW + 9)

    again = await store.finish(episode, Final.ESCALATED, "bad", NOW + 10)

    assert (again.final, again.reason, again.finished_at) == (Final.VERIFIED, "good", NOW + 9)
    assert (await kinds(store, episode)).count("final") == 1


async def test_two_ends_at_once_leave_one(store: SqliteStore):
    episode = await opened(store)

    ends = await asyncio.gather(*(store.finish(episode, final, final.value, NOW + 9) for final in Final))

    assert len({end.final for end in ends}) == 1
    assert (await kinds(store, episode)).count("final") == 1


async def test_an_escalated_episode_is_closed_once(store: SqliteStore):
    episode = await store.finish(await opened(store), Final.ESCALATED, "cap", NOW + 9)
    closed = await store.close_episode(episode, "its alert has ended", NOW + 20)

    again = await store.close_episode(episode, "again", NOW + 30)

    assert closed.closed_at == again.closed_at == NOW + 20
    assert await kinds(store, episode) == ["opened", "final", "closed"]


# --- The record


async def test_entry_ids_grow_across_episodes(store: SqliteStore):
    accepted = await store.accept([alert(), alert(fingerprint="b" * 16)], NOW)
    for n in range(3):
        for episode in accepted.opened:
            await store.append(episode, EntryKind.WAITING, {"n": n}, NOW)

    [first, second] = [[entry.id for entry in await store.entries(episode.id)] for episode in accepted.opened]
    assert first == sorted(first)
    assert second == sorted(second)
    assert len({*first, *second}) == 8


async def test_hard_steps_counts_started_hard_steps_of_this_workload_only(store: SqliteStore):
    [mine, other] = (await store.accept([alert(), alert(fingerprint="b" * 16, workload="shop/db")], NOW)).opened
    for episode, kind, tier, at in [
        (mine, EntryKind.STARTED, "hard", NOW - 50),
        (mine, EntryKind.STARTED, "hard", NOW - 5),
        (mine, EntryKind.STARTED, "soft", NOW - 4),
        (mine, EntryKind.FINISHED, "hard", NOW - 3),
        (other, EntryKind.STARTED, "hard", NOW - 2),
    ]:
        await store.append(episode, kind, {"tier": tier}, at)

    assert await store.hard_steps("shop/web", NOW - 60) == [NOW - 50, NOW - 5]
    assert await store.hard_steps("shop/web", NOW - 5) == [NOW - 5]
    assert await store.hard_steps("shop/%", NOW - 60) == []


@pytest.mark.parametrize("statement", ["UPDATE entries SET at = 0", "DELETE FROM entries"])
async def test_the_record_can_only_grow(tmp_path: Path, statement: str):
    path = tmp_path / "responder.sqlite3"
    store = SqliteStore(path)
    episode = await opened(store)
    await store.close()
    db = sqlite3.connect(path)

    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        db.execute(statement)

    db.close()
    again = SqliteStore(path)
    assert [entry.at for entry in await again.entries(episode.id)] == [NOW]
    await again.close()


async def test_everything_is_there_after_a_restart(tmp_path: Path):
    path = tmp_path / "responder.sqlite3"
    store = SqliteStore(path)
    episode = await opened(store)
    await store.append(episode, EntryKind.STARTED, {"rung": 0, "tier": "hard"}, NOW + 1)
    before = (await store.open_episodes(), await store.entries(episode.id))
    await store.close()

    again = SqliteStore(path)

    assert (await again.open_episodes(), await again.entries(episode.id)) == before
    assert await again.hard_steps("shop/web", 0) == [NOW + 1]
    await again.close()


async def test_what_was_accepted_survives_sigkill(tmp_path: Path):
    path = tmp_path / "responder.sqlite3"
    script = f"""
import asyncio
from pathlib import Path
from responder.ledger import Alert
from responder.store_sqlite import SqliteStore

async def main():
    store = SqliteStore(Path({str(path)!r}))
    await store.accept([Alert("a" * 16, {{"workload": "shop/web"}}, {{}}, 1.0, True)], 2.0)
    print("accepted", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"accepted\n"
        process.send_signal(signal.SIGKILL)

    store = SqliteStore(path)
    assert [episode.workload for episode in await store.open_episodes()] == ["shop/web"]
    await store.close()


async def test_nobody_else_can_read_it(store: SqliteStore, tmp_path: Path):
    await opened(store)

    folder = tmp_path / "state"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


# --- Trouble with the disk


async def test_two_responders_cannot_share_a_ledger(store: SqliteStore, tmp_path: Path):
    await opened(store)

    with pytest.raises(StoreError, match=r"responder\.sqlite3"):
        SqliteStore(tmp_path / "state" / "responder.sqlite3")

    assert len(await store.open_episodes()) == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A filesystem of 512 KiB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small filesystem needs root")
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", folder], check=False).returncode:
        pytest.skip("this machine does not let us mount a filesystem")
    yield folder
    subprocess.run(["umount", folder], check=True)


async def test_on_a_full_disk_nothing_is_acknowledged_and_nothing_is_lost(small_disk: Path):
    store = SqliteStore(small_disk / "responder.sqlite3")
    first = await opened(store)
    (small_disk / "filler").write_bytes(b"x" * (os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize))

    with pytest.raises(StoreError, match=r"full|I/O"):
        await store.accept([alert(fingerprint="b" * 16, text="y" * 100_000)], NOW)
    assert [episode.id for episode in await store.open_episodes()] == [first.id]

    (small_disk / "filler").unlink()
    accepted = await store.accept([alert(fingerprint="b" * 16, text="y" * 100_000)], NOW + 5)
    assert len(accepted.opened) == 1
    await store.close()


async def test_a_ledger_at_its_size_limit_refuses_and_goes_on_reading(store: SqliteStore):
    first = await opened(store)
    await asyncio.get_running_loop().run_in_executor(
        store._thread, lambda: store._db.execute("PRAGMA max_page_count = 1")
    )

    with pytest.raises(StoreError, match="full"):
        await store.append(first, EntryKind.WAITING, {"x": "y" * 100_000}, NOW)

    assert await kinds(store, first) == ["opened"]


@pytest.mark.parametrize(
    "content", [b"not a database, but long enough to be looked at" * 100, b"SQLite format 3\0" * 300]
)
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes):
    path = tmp_path / "responder.sqlite3"
    path.write_bytes(content)

    with pytest.raises(StoreError, match=str(path)):
        SqliteStore(path)


def test_a_ledger_of_a_later_version_is_left_alone(tmp_path: Path):
    path = tmp_path / "responder.sqlite3"
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()

    with pytest.raises(StoreError, match="schema 99"):
        SqliteStore(path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match="file"):
        SqliteStore(tmp_path / "file" / "responder.sqlite3")
