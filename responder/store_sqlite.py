"""The Store on one host: SQLite in WAL mode, synchronous=FULL, so what was answered survives a power cut."""

import json
import math
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from responder import chain
from responder.leases import LocalLeases
from responder.ledger import (
    Accepted,
    Alert,
    Counts,
    Entry,
    EntryKind,
    Episode,
    Final,
    Hold,
    Lease,
    Link,
    Measure,
    NoEpisode,
    StepRecord,
    StoreError,
    new_episode,
)
from responder.sqlitestore import schema
from responder.sqlitestore.scribe import Scribe

T = TypeVar("T")

_EPISODE = (
    "id, fingerprint, labels, annotations, starts_at, opened_at, resolved_at, final, reason, finished_at, "
    "closed_at, delivered_at"
)
_LINK = "id, at, episode_id, workload, kind, data, digest"


class SqliteStore:
    """One process has the file to itself until it ends; so its leases need not be on disk."""

    def __init__(self, path: Path) -> None:
        """Open or create the database. Raises StoreError when that is impossible."""
        self._leases = LocalLeases()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._scribe = Scribe(lambda: _open(path))
        except (sqlite3.Error, OSError) as err:
            raise StoreError(f"cannot open the ledger {path}: {err}") from err

    @property
    def is_shared(self) -> bool:
        return False

    async def accept(self, alerts: Sequence[Alert], now: float) -> Accepted:
        """Write a whole delivery in one transaction, before what recoveries have to write."""
        return await self._do(lambda db: _accept(db, alerts, now), is_urgent=True)

    async def append(
        self, episode: Episode, kind: EntryKind, data: Mapping[str, object], now: float, lease: Lease | None = None
    ) -> Entry:
        def work(db: sqlite3.Connection) -> Entry:
            self._leases.check(lease)
            entry = _append(db, episode.id, episode.workload, kind, data, now)
            _note_measure(db, entry)
            return entry

        return await self._do(work)

    async def finish(
        self, episode: Episode, final: Final, reason: str, now: float, lease: Lease | None = None
    ) -> Episode:
        """Give the recovery its one final state. An escalated episode stays open until its trouble ends."""

        def work(db: sqlite3.Connection) -> Episode:
            self._leases.check(lease)
            closed_at = None if final is Final.ESCALATED else now
            changed = db.execute(
                "UPDATE episodes SET final = ?, reason = ?, finished_at = ?, closed_at = coalesce(closed_at, ?) "
                "WHERE id = ? AND final IS NULL",
                (final.value, reason, now, closed_at, episode.id),
            )
            if changed.rowcount:
                _append(
                    db, episode.id, episode.workload, EntryKind.FINAL, {"final": final.value, "reason": reason}, now
                )
            return _get(db, episode.id)

        return await self._do(work)

    async def close_episode(self, episode: Episode, reason: str, now: float, lease: Lease | None = None) -> Episode:
        """The trouble of an escalated episode has ended."""

        def work(db: sqlite3.Connection) -> Episode:
            self._leases.check(lease)
            changed = db.execute(
                "UPDATE episodes SET closed_at = ? WHERE id = ? AND closed_at IS NULL", (now, episode.id)
            )
            if changed.rowcount:
                _append(db, episode.id, episode.workload, EntryKind.CLOSED, {"reason": reason}, now)
            return _get(db, episode.id)

        return await self._do(work)

    async def delivered(self, episodes: Sequence[Episode], now: float) -> None:
        """People were told, by Alertmanager's word. Said once of each."""

        def work(db: sqlite3.Connection) -> None:
            for episode in episodes:
                changed = db.execute(
                    "UPDATE episodes SET delivered_at = ? WHERE id = ? AND delivered_at IS NULL", (now, episode.id)
                )
                if changed.rowcount:
                    _append(db, episode.id, episode.workload, EntryKind.DELIVERED, {}, now)

        await self._do(work)

    async def acquire(self, workload: str, owner: str, ttl_s: float, now: float) -> Lease | None:
        return self._leases.acquire(workload, owner, ttl_s, now)

    async def renew(self, lease: Lease, ttl_s: float, now: float) -> Lease:
        return self._leases.renew(lease, ttl_s, now)

    async def release(self, lease: Lease) -> None:
        self._leases.release(lease)

    async def episode(self, episode_id: int) -> Episode:
        return await self._do(lambda db: _get(db, episode_id))

    async def episodes(self, limit: int) -> list[Episode]:
        """The newest first."""
        return await self._do(lambda db: _select(db, "ORDER BY id DESC LIMIT ?", limit))

    async def unfinished(self, workload: str, limit: int = 100) -> list[Episode]:
        """Those of a workload that have no final state yet, oldest first."""
        tail = "WHERE closed_at IS NULL AND workload = ? AND final IS NULL ORDER BY id LIMIT ?"
        return await self._do(lambda db: _select(db, tail, workload, limit))

    async def unfinished_workloads(self) -> list[str]:
        """Workloads with such episodes."""
        return await self._column("SELECT DISTINCT workload FROM episodes WHERE closed_at IS NULL AND final IS NULL")

    async def escalated(self, after_id: int, limit: int) -> list[Episode]:
        """Escalated ones whose trouble lasts, oldest first, from after ``after_id`` on."""
        tail = "WHERE closed_at IS NULL AND final = 'escalated' AND id > ? ORDER BY id LIMIT ?"
        return await self._do(lambda db: _select(db, tail, after_id, limit))

    async def open_episodes(self, limit: int = 1000) -> list[Episode]:
        """Those whose trouble lasts, newest first."""
        return await self._do(lambda db: _select(db, "WHERE closed_at IS NULL ORDER BY id DESC LIMIT ?", limit))

    async def open_workloads(self) -> list[str]:
        """Workloads whose trouble lasts."""
        return await self._column("SELECT DISTINCT workload FROM episodes WHERE closed_at IS NULL")

    async def last_ends(self, fingerprints: Sequence[str]) -> dict[str, float]:
        """When the newest episode of each ended, of those that have one; infinity while it lasts."""

        def work(db: sqlite3.Connection) -> dict[str, float]:
            query = "SELECT closed_at FROM episodes WHERE fingerprint = ? ORDER BY id DESC LIMIT 1"
            newest = {each: db.execute(query, (each,)).fetchone() for each in fingerprints}
            return {each: math.inf if row[0] is None else row[0] for each, row in newest.items() if row}

        return await self._do(work)

    async def opened_since(self, since: float) -> dict[str, float]:
        """When each workload's newest episode was opened, of those opened after ``since``."""

        def work(db: sqlite3.Connection) -> dict[str, float]:
            query = "SELECT workload, max(opened_at) FROM episodes WHERE opened_at > ? GROUP BY workload"
            return dict(db.execute(query, (since,)).fetchall())

        return await self._do(work)

    async def counts(self) -> Counts:
        def work(db: sqlite3.Connection) -> Counts:
            # Two questions, each for an index of its own: one for both would read every open episode.
            every = "SELECT count(*) FROM episodes WHERE closed_at IS NULL"
            untold = f"{every} AND final = 'escalated' AND delivered_at IS NULL"
            return Counts(*(db.execute(query).fetchone()[0] for query in (every, untold)))

        return await self._do(work)

    async def entries(self, episode_id: int) -> list[Entry]:
        """Oldest first."""

        def work(db: sqlite3.Connection) -> list[Entry]:
            rows = db.execute(
                "SELECT id, at, episode_id, workload, kind, data FROM entries WHERE episode_id = ? ORDER BY id",
                (episode_id,),
            )
            return [Entry(r[0], r[1], r[2], r[3], EntryKind(r[4]), json.loads(r[5])) for r in rows]

        return await self._do(work)

    async def steps(self, since: float) -> list[StepRecord]:
        """Steps of all workloads that were started from ``since`` on, oldest first."""

        def work(db: sqlite3.Connection) -> list[StepRecord]:
            # "+id": else SQLite walks the whole ledger in the order of id rather than the index of started lines.
            rows = db.execute(
                "SELECT at, episode_id, workload, json_extract(data, '$.action'), json_extract(data, '$.tier') "
                "FROM entries WHERE kind = 'started' AND at >= ? ORDER BY +id",
                (since,),
            )
            return [StepRecord(*row) for row in rows]

        return await self._do(work)

    async def measures(self) -> list[Measure]:
        """What has to be put back, the first due first."""

        def work(db: sqlite3.Connection) -> list[Measure]:
            rows = db.execute("SELECT token, episode_id, workload, due_at FROM measures ORDER BY due_at")
            return [Measure(*row) for row in rows]

        return await self._do(work)

    async def links(self, after_id: int, limit: int) -> list[Link]:
        """Lines as they are stored, from after ``after_id`` on; the newest one for ``after_id`` -1."""

        def work(db: sqlite3.Connection) -> list[Link]:
            order = "ORDER BY id DESC" if after_id < 0 else "ORDER BY id"
            # `order` is one of two constants.
            query = f"SELECT {_LINK} FROM entries WHERE id > ? {order} LIMIT ?"  # noqa: S608 - see above
            return [Link(*row) for row in db.execute(query, (after_id, 1 if after_id < 0 else limit))]

        return await self._do(work)

    async def put_hold(self, hold: Hold) -> None:
        def work(db: sqlite3.Connection) -> None:
            values = (hold.pattern, hold.reason, hold.by, hold.at, hold.until)
            db.execute("INSERT OR REPLACE INTO holds (pattern, reason, by, at, until) VALUES (?, ?, ?, ?, ?)", values)

        await self._do(work)

    async def drop_hold(self, pattern: str) -> bool:
        """Whether there was one."""
        return await self._do(lambda db: db.execute("DELETE FROM holds WHERE pattern = ?", (pattern,)).rowcount > 0)

    async def holds(self) -> list[Hold]:
        """All, also those that have ended."""
        return await self._do(
            lambda db: [Hold(*row) for row in db.execute("SELECT pattern, reason, by, at, until FROM holds")]
        )

    async def close(self) -> None:
        await self._scribe.close()

    async def _column(self, query: str) -> list[str]:
        return await self._do(lambda db: [row[0] for row in db.execute(query)])

    async def _do(self, work: Callable[[sqlite3.Connection], T], *, is_urgent: bool = False) -> T:
        try:
            return await self._scribe.do(work, is_urgent=is_urgent)
        except (sqlite3.Error, OSError, UnicodeError) as err:
            raise StoreError(f"the ledger cannot be written: {err}") from err


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=True, timeout=1.0)
    try:
        path.chmod(0o600)
        # Until we end: a second responder on the same ledger would take our step under way for an interrupted one.
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        schema.prepare(db)
    except BaseException:
        db.close()
        raise
    return db


def _accept(db: sqlite3.Connection, alerts: Sequence[Alert], now: float) -> Accepted:
    opened: list[Episode] = []
    resolved: list[Episode] = []
    repeated = 0
    last_of = "SELECT id, closed_at, resolved_at FROM episodes WHERE fingerprint = ? ORDER BY id DESC LIMIT 1"
    for alert in alerts:
        episode_id, closed_at, resolved_at = db.execute(last_of, (alert.fingerprint,)).fetchone() or (0, 0.0, None)
        is_open = bool(episode_id) and closed_at is None
        if alert.is_firing and not is_open and not _is_stale(alert, closed_at):
            opened.append(_insert(db, alert, now))
        elif not alert.is_firing and is_open and resolved_at is None:
            db.execute("UPDATE episodes SET resolved_at = ? WHERE id = ?", (now, episode_id))
            found = _get(db, episode_id)
            _append(db, found.id, found.workload, EntryKind.RESOLVED, {}, now)
            resolved.append(found)
        else:
            if alert.is_firing and is_open and resolved_at is not None:
                db.execute("UPDATE episodes SET resolved_at = NULL WHERE id = ?", (episode_id,))
            repeated += 1
    return Accepted(tuple(opened), tuple(resolved), repeated)


def _is_stale(alert: Alert, closed_at: float) -> bool:
    """A firing that began before the last episode ended is that episode's, late: from an HA peer or a re-delivery."""
    return bool(closed_at) and alert.starts_at <= closed_at


def _insert(db: sqlite3.Connection, alert: Alert, now: float) -> Episode:
    workload = alert.labels.get("workload", "")
    labels, annotations = dict(alert.labels), dict(alert.annotations)
    cursor = db.execute(
        "INSERT INTO episodes (fingerprint, workload, labels, annotations, starts_at, opened_at) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (alert.fingerprint, workload, json.dumps(labels), json.dumps(annotations), alert.starts_at, now),
    )
    episode_id = cursor.lastrowid or 0
    data = {"starts_at": alert.starts_at, "labels": chain.labels_digest(labels, annotations)}
    _append(db, episode_id, workload, EntryKind.OPENED, data, now)
    return new_episode(alert, episode_id, now)


def _append(
    db: sqlite3.Connection, episode_id: int, workload: str, kind: EntryKind, data: Mapping[str, object], now: float
) -> Entry:
    last = db.execute("SELECT id, digest FROM entries ORDER BY id DESC LIMIT 1").fetchone()
    last_id, before = last or (0, chain.START)
    line = Link(last_id + 1, float(now), episode_id, workload, kind.value, chain.text(data), "")
    values = (line.id, line.at, episode_id, workload, line.kind, line.text, chain.digest(before, line))
    db.execute(f"INSERT INTO entries ({_LINK}) VALUES (?, ?, ?, ?, ?, ?, ?)", values)  # noqa: S608 - a constant
    return Entry(line.id, line.at, episode_id, workload, kind, data)


def _note_measure(db: sqlite3.Connection, entry: Entry) -> None:
    """Effects that last are kept in sight until they are put back."""
    if entry.kind is EntryKind.FINISHED and "due_at" in entry.data:
        values = (entry.data["token"], entry.episode_id, entry.workload, entry.data["due_at"])
        db.execute("INSERT INTO measures (token, episode_id, workload, due_at) VALUES (?, ?, ?, ?)", values)
    elif entry.kind is EntryKind.UNDONE:
        db.execute("DELETE FROM measures WHERE token = ?", (entry.data["token"],))


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
