"""The ledger on one host, as far as it is about files: crashes, full disks, older ones. The rest is the contract's."""

import asyncio
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from fakes.ledgers import LABELS, NOW, A, B, alert, all_links, chain_problems, kinds, opened

from responder.ledger import EntryKind, Final, StepRecord, StoreError
from responder.sqlitestore import schema
from responder.store_sqlite import SqliteStore

#: As homeostat made its files before lines were chained.
VERSION_1 = """
CREATE TABLE episodes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    fingerprint TEXT NOT NULL,
    workload TEXT NOT NULL,
    labels TEXT NOT NULL,
    annotations TEXT NOT NULL,
    starts_at REAL NOT NULL,
    opened_at REAL NOT NULL,
    resolved_at REAL,
    final TEXT,
    reason TEXT NOT NULL DEFAULT '',
    finished_at REAL,
    closed_at REAL,
    delivered_at REAL
) STRICT;
-- At most one open episode per fingerprint: the database itself refuses a second.
CREATE UNIQUE INDEX one_open ON episodes (fingerprint) WHERE closed_at IS NULL;
CREATE INDEX by_fingerprint ON episodes (fingerprint, id);
CREATE INDEX by_open ON episodes (workload) WHERE closed_at IS NULL;
CREATE TABLE entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    episode_id INTEGER NOT NULL REFERENCES episodes (id),
    workload TEXT NOT NULL,
    kind TEXT NOT NULL,
    data TEXT NOT NULL
) STRICT;
CREATE INDEX by_episode ON entries (episode_id, id);
CREATE INDEX by_workload ON entries (workload, kind, at);
CREATE TRIGGER entries_keep BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER entries_stay BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
PRAGMA user_version = 1;
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "responder.sqlite3"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(path)
    yield store
    await store.close()


# --- The file


@pytest.mark.parametrize("statement", ["UPDATE entries SET at = 0", "DELETE FROM entries"])
async def test_the_record_can_only_grow(path: Path, statement: str):
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


async def test_what_somebody_changed_in_the_file_is_seen(path: Path):
    store = SqliteStore(path)
    await store.finish(await opened(store), Final.VERIFIED, "good", NOW)
    await store.close()
    db = sqlite3.connect(path)
    db.execute("DROP TRIGGER entries_keep")
    db.execute("UPDATE entries SET data = '{}' WHERE id = 1")
    db.execute("UPDATE episodes SET final = 'escalated'")
    db.commit()
    db.close()

    again = SqliteStore(path)
    found = await chain_problems(again)

    assert [problem.partition(":")[0] for problem in found] == ["line 1 (opened of recovery 1)", "recovery 1"]
    await again.close()


async def test_the_database_itself_refuses_a_second_open_episode(path: Path):
    store = SqliteStore(path)
    await opened(store)
    await store.close()
    db = sqlite3.connect(path)

    with pytest.raises(sqlite3.IntegrityError, match="fingerprint"):
        db.execute(
            "INSERT INTO episodes (fingerprint, workload, labels, annotations, starts_at, opened_at) "
            "SELECT fingerprint, workload, labels, annotations, starts_at, opened_at FROM episodes"
        )

    db.close()


async def test_each_commit_waits_for_the_disk(store: SqliteStore):
    def settings(db: sqlite3.Connection) -> list[object]:
        return [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")]

    assert await store._scribe.do(settings) == ["wal", 2, 1]


async def test_what_was_accepted_survives_sigkill(path: Path):
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


async def test_nobody_else_can_read_it(store: SqliteStore, path: Path):
    await opened(store)

    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


async def test_a_delivery_goes_before_what_recoveries_write(store: SqliteStore):
    """While the disk is slow, Alertmanager is answered first."""
    episode = await opened(store)
    may_go = threading.Event()
    slow = asyncio.create_task(store._scribe.do(lambda _db: may_go.wait(10)))
    await asyncio.sleep(0.05)
    writing = [asyncio.create_task(store.append(episode, EntryKind.WAITING, {"n": n}, NOW)) for n in range(10)]
    accepting = asyncio.create_task(store.accept([alert(fingerprint=B)], NOW))
    await asyncio.sleep(0)
    may_go.set()
    await asyncio.gather(slow, accepting, *writing)

    assert [link.kind for link in await all_links(store)] == ["opened", "opened", *["waiting"] * 10]


# --- Trouble with the disk


async def test_two_responders_cannot_share_a_ledger(store: SqliteStore, path: Path):
    await opened(store)

    with pytest.raises(StoreError, match=r"responder\.sqlite3"):
        SqliteStore(path)

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
        await store.accept([alert(fingerprint=B, text="y" * 100_000)], NOW)
    assert [episode.id for episode in await store.open_episodes()] == [first.id]

    (small_disk / "filler").unlink()
    accepted = await store.accept([alert(fingerprint=B, text="y" * 100_000)], NOW + 5)
    assert len(accepted.opened) == 1
    assert await chain_problems(store) == []
    await store.close()


async def test_a_ledger_at_its_size_limit_refuses_and_goes_on_reading(store: SqliteStore):
    first = await opened(store)
    await store._scribe.do(lambda db: db.execute("PRAGMA max_page_count = 1").fetchone())

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


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match="file"):
        SqliteStore(tmp_path / "file" / "responder.sqlite3")


# --- Files of other versions


def test_a_ledger_of_a_later_version_is_left_alone(tmp_path: Path):
    path = tmp_path / "responder.sqlite3"
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()

    with pytest.raises(StoreError, match="schema 99"):
        SqliteStore(path)


@pytest.fixture
def old_file(path: Path) -> Path:
    """Version 1, with an episode that was verified, one that was escalated, and one that goes on with 2,500 lines."""
    path.parent.mkdir()
    db = sqlite3.connect(path)
    db.executescript(VERSION_1)
    episode = "INSERT INTO episodes VALUES (?, ?, 'shop/web', ?, '{}', 1.0, ?, NULL, ?, ?, ?, ?, NULL)"
    labels = json.dumps(LABELS)
    db.execute(episode, (1, A, labels, 10.0, "verified", "good", 20.0, 20.0))
    db.execute(episode, (2, A, labels, 30.0, "escalated", "cap", 40.5, None))
    db.execute(episode, (3, B, labels, 50.0, None, "", None, None))
    for values in [
        (10.0, 1, "opened", '{"starts_at": 1.0}'),
        (11.0, 1, "started", '{"rung": 0, "action": "restart", "tier": "hard"}'),
        (20.0, 1, "final", '{"final": "verified", "reason": "good"}'),
        (30.0, 2, "opened", '{"starts_at": 1.0}'),
        (40.5, 2, "final", '{"final": "escalated", "reason": "cap"}'),
        (50.0, 3, "opened", '{"starts_at": 1.0}'),
        *((51.0 + n, 3, "waiting", f'{{"reason": "cap", "n": {n}}}') for n in range(2494)),
    ]:
        db.execute("INSERT INTO entries (at, episode_id, workload, kind, data) VALUES (?, ?, 'shop/web', ?, ?)", values)
    db.commit()
    db.close()
    return path


def lines_of(path: Path) -> list[tuple[object, ...]]:
    db = sqlite3.connect(path)
    found = db.execute("SELECT id, at, episode_id, workload, kind, data FROM entries ORDER BY id").fetchall()
    db.close()
    return found


async def test_an_older_file_is_taken_over_with_all_that_it_says(old_file: Path):
    before = lines_of(old_file)

    store = SqliteStore(old_file)

    assert [(one.id, one.final, one.closed_at) for one in await store.episodes(10)] == [
        (3, None, None),
        (2, Final.ESCALATED, None),
        (1, Final.VERIFIED, 20.0),
    ]
    assert [one.id for one in await store.unfinished("shop/web")] == [3]
    assert [one.id for one in await store.escalated(0, 10)] == [2]
    assert await store.steps(0) == [StepRecord(11.0, 1, "shop/web", "restart", "hard")]
    assert await store.opened_since(0) == {"shop/web": 50.0}
    assert await store.measures() == await store.holds() == []
    await store.close()
    assert lines_of(old_file) == before


async def test_lines_of_an_older_file_are_chained_and_new_ones_go_on_from_them(old_file: Path):
    store = SqliteStore(old_file)

    assert len(await all_links(store)) == 2500
    assert await chain_problems(store) == []
    assert (await store.append(await store.episode(3), EntryKind.WAITING, {}, NOW)).id == 2501
    assert [one.id for one in (await store.accept([alert(fingerprint="c" * 16)], NOW)).opened] == [4]
    assert await chain_problems(store) == []
    await store.close()


async def test_an_older_file_is_made_over_once(old_file: Path):
    store = SqliteStore(old_file)
    head = await store.links(-1, 1)
    await store.close()

    again = SqliteStore(old_file)

    assert await again.links(-1, 1) == head
    await again.close()


async def test_an_older_file_becomes_what_a_new_one_is(old_file: Path, tmp_path: Path):
    new_file = tmp_path / "new.sqlite3"
    for path in (old_file, new_file):
        await SqliteStore(path).close()

    assert shape(old_file) == shape(new_file)


def shape(path: Path) -> dict[str, object]:
    """Tables with their columns; indexes and triggers as they were made."""
    db = sqlite3.connect(path)
    found: dict[str, object] = {"version": db.execute("PRAGMA user_version").fetchone()[0]}
    for kind, name, sql in db.execute("SELECT type, name, sql FROM sqlite_schema").fetchall():
        found[name] = db.execute(f"PRAGMA table_info({name})").fetchall() if kind == "table" else sql
    db.close()
    return found


@pytest.mark.parametrize("statement", ["UPDATE entries SET at = 0", "DELETE FROM entries"])
async def test_the_record_of_an_older_file_can_only_grow_too(old_file: Path, statement: str):
    await SqliteStore(old_file).close()
    db = sqlite3.connect(old_file)

    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        db.execute(statement)

    db.close()


async def test_what_fails_on_the_way_leaves_the_older_file_as_it_was(old_file: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(_db: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("disk full")

    before = (shape(old_file), lines_of(old_file))
    with monkeypatch.context() as patched:
        patched.setattr(schema, "_vouch", fail)
        with pytest.raises(StoreError, match="disk full"):
            SqliteStore(old_file)

    assert (shape(old_file), lines_of(old_file)) == before
    store = SqliteStore(old_file)
    assert await chain_problems(store) == []
    await store.close()
