"""The Store on one host: SQLite in WAL mode, synchronous=FULL, so what was answered survives a power cut."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from responder.ledger import Accepted, Alert, Counts, Entry, EntryKind, Episode, Final, NoEpisode, StoreError

T = TypeVar("T")

_SCHEMA_VERSION = 1
_SCHEMA = """
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
"""
_EPISODE = (
    "id, fingerprint, labels, annotations, starts_at, opened_at, resolved_at, final, reason, finished_at, "
    "closed_at, delivered_at"
)


class SqliteStore:
    """One connection in one thread: SQLite's own model, and the loop never waits for a disk."""

    def __init__(self, path: Path) -> None:
        """Open or create the database. Raises StoreError when that is impossible."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._db = self._thread.submit(_open, path).result()
        except (sqlite3.Error, OSError) as err:
            raise StoreError(f"cannot open the ledger {path}: {err}") from err

    async def accept(self, alerts: Sequence[Alert], now: float) -> Accepted:
        """Write a whole delivery in one transaction."""
        return await self._transaction(lambda db: _accept(db, alerts, now))

    async def append(self, episode: Episode, kind: EntryKind, data: Mapping[str, object], now: float) -> Entry:
        return await self._transaction(lambda db: _append(db, episode.id, episode.workload, kind, data, now))

    async def finish(self, episode: Episode, final: Final, reason: str, now: float) -> Episode:
        """Give the recovery its one final state. An escalated episode stays open until its trouble ends."""

        def work(db: sqlite3.Connection) -> Episode:
            closed_at = None if final is Final.ESCALATED else now
            changed = db.execute(
                "UPDATE episodes SET final = ?, reason = ?, finished_at = ?, closed_at = ? "
                "WHERE id = ? AND final IS NULL",
                (final.value, reason, now, closed_at, episode.id),
            )
            if changed.rowcount:
                _append(
                    db, episode.id, episode.workload, EntryKind.FINAL, {"final": final.value, "reason": reason}, now
                )
            return _get(db, episode.id)

        return await self._transaction(work)

    async def close_episode(self, episode: Episode, reason: str, now: float) -> Episode:
        """The trouble of an escalated episode has ended."""

        def work(db: sqlite3.Connection) -> Episode:
            changed = db.execute(
                "UPDATE episodes SET closed_at = ? WHERE id = ? AND closed_at IS NULL", (now, episode.id)
            )
            if changed.rowcount:
                _append(db, episode.id, episode.workload, EntryKind.CLOSED, {"reason": reason}, now)
            return _get(db, episode.id)

        return await self._transaction(work)

    async def delivered(self, episode: Episode, now: float) -> None:
        """People were told, by Alertmanager's word."""

        def work(db: sqlite3.Connection) -> None:
            db.execute("UPDATE episodes SET delivered_at = ? WHERE id = ?", (now, episode.id))
            _append(db, episode.id, episode.workload, EntryKind.DELIVERED, {}, now)

        await self._transaction(work)

    async def episode(self, episode_id: int) -> Episode:
        return await self._transaction(lambda db: _get(db, episode_id))

    async def open_episodes(self) -> list[Episode]:
        """Oldest first."""
        return await self._transaction(lambda db: _select(db, "WHERE closed_at IS NULL ORDER BY id"))

    async def unfinished(self, workload: str) -> list[Episode]:
        """Those of a workload that have no final state yet, oldest first."""
        tail = "WHERE closed_at IS NULL AND workload = ? AND final IS NULL ORDER BY id"
        return await self._transaction(lambda db: _select(db, tail, workload))

    async def counts(self) -> Counts:
        def work(db: sqlite3.Connection) -> Counts:
            row = db.execute(
                "SELECT count(*), count(*) FILTER (WHERE final = ? AND delivered_at IS NULL) FROM episodes "
                "WHERE closed_at IS NULL",
                (Final.ESCALATED.value,),
            ).fetchone()
            return Counts(*row)

        return await self._transaction(work)

    async def episodes(self, limit: int) -> list[Episode]:
        """The newest first."""
        return await self._transaction(lambda db: _select(db, "ORDER BY id DESC LIMIT ?", limit))

    async def entries(self, episode_id: int) -> list[Entry]:
        """Oldest first."""

        def work(db: sqlite3.Connection) -> list[Entry]:
            rows = db.execute(
                "SELECT id, at, episode_id, workload, kind, data FROM entries WHERE episode_id = ? ORDER BY id",
                (episode_id,),
            )
            return [Entry(r[0], r[1], r[2], r[3], EntryKind(r[4]), json.loads(r[5])) for r in rows]

        return await self._transaction(work)

    async def hard_steps(self, workload: str, since: float) -> list[float]:
        """When hard steps were started on a workload, from ``since`` on."""

        def work(db: sqlite3.Connection) -> list[float]:
            rows = db.execute(
                "SELECT at FROM entries WHERE workload = ? AND kind = ? AND at >= ? "
                "AND json_extract(data, '$.tier') = 'hard'",
                (workload, EntryKind.STARTED.value, since),
            )
            return [row[0] for row in rows]

        return await self._transaction(work)

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._db.close)
        self._thread.shutdown(wait=False)

    async def _transaction(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def run() -> T:
            with self._db:  # commits, or rolls back on an exception
                self._db.execute("BEGIN IMMEDIATE")
                return work(self._db)

        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, run)
        except (sqlite3.Error, OSError) as err:
            raise StoreError(f"the ledger cannot be written: {err}") from err


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=True, timeout=1.0)
    try:
        path.chmod(0o600)
        _prepare(db)
    except BaseException:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection) -> None:
    # Until we end: a second responder on the same ledger would take our step under way for an interrupted one.
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA foreign_keys = ON")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        db.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version = {_SCHEMA_VERSION};COMMIT;")
    elif version != _SCHEMA_VERSION:
        raise sqlite3.DatabaseError(f"made by another homeostat (schema {version}, this one knows {_SCHEMA_VERSION})")


def _accept(db: sqlite3.Connection, alerts: Sequence[Alert], now: float) -> Accepted:
    opened: list[Episode] = []
    resolved: list[Episode] = []
    repeated = 0
    for alert in alerts:
        last = next(iter(_select(db, "WHERE fingerprint = ? ORDER BY id DESC LIMIT 1", alert.fingerprint)), None)
        current = last if last and last.closed_at is None else None
        if alert.is_firing and current is None and not _is_stale(alert, last):
            opened.append(_insert(db, alert, now))
        elif not alert.is_firing and current is not None and current.resolved_at is None:
            db.execute("UPDATE episodes SET resolved_at = ? WHERE id = ?", (now, current.id))
            _append(db, current.id, current.workload, EntryKind.RESOLVED, {}, now)
            resolved.append(_get(db, current.id))
        elif alert.is_firing and current is not None and current.resolved_at is not None:
            db.execute("UPDATE episodes SET resolved_at = NULL WHERE id = ?", (current.id,))
            repeated += 1
        else:
            repeated += 1
    return Accepted(tuple(opened), tuple(resolved), repeated)


def _is_stale(alert: Alert, last: Episode | None) -> bool:
    """A firing that began before the last episode ended is that episode's, late: from an HA peer or a re-delivery."""
    return last is not None and last.closed_at is not None and alert.starts_at <= last.closed_at


def _insert(db: sqlite3.Connection, alert: Alert, now: float) -> Episode:
    workload = alert.labels.get("workload", "")
    labels, annotations = json.dumps(dict(alert.labels)), json.dumps(dict(alert.annotations))
    cursor = db.execute(
        "INSERT INTO episodes (fingerprint, workload, labels, annotations, starts_at, opened_at) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (alert.fingerprint, workload, labels, annotations, alert.starts_at, now),
    )
    episode_id = cursor.lastrowid or 0
    _append(db, episode_id, workload, EntryKind.OPENED, {"starts_at": alert.starts_at}, now)
    return _get(db, episode_id)


def _append(
    db: sqlite3.Connection, episode_id: int, workload: str, kind: EntryKind, data: Mapping[str, object], now: float
) -> Entry:
    cursor = db.execute(
        "INSERT INTO entries (at, episode_id, workload, kind, data) VALUES (?, ?, ?, ?, ?)",
        (now, episode_id, workload, kind.value, json.dumps(dict(data))),
    )
    return Entry(cursor.lastrowid or 0, now, episode_id, workload, kind, data)


def _get(db: sqlite3.Connection, episode_id: int) -> Episode:
    found = _select(db, "WHERE id = ?", episode_id)
    if not found:
        raise NoEpisode(f"no episode {episode_id}")
    return found[0]


def _select(db: sqlite3.Connection, tail: str, *values: object) -> list[Episode]:
    # `tail` is a constant of this file, never text from outside.
    rows = db.execute(f"SELECT {_EPISODE} FROM episodes {tail}", values)  # noqa: S608 - see above
    return [_episode(row) for row in rows]


def _episode(row: Sequence[object]) -> Episode:
    values = list(row)
    values[2], values[3] = json.loads(str(row[2])), json.loads(str(row[3]))
    values[7] = Final(str(row[7])) if row[7] else None
    return Episode(*values)  # type: ignore[arg-type]  # columns are STRICT and in the order of the fields
