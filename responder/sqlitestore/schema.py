"""The tables of the SQLite ledger, and how an older file becomes a newer one."""

import sqlite3
from collections.abc import Iterator

from responder import chain
from responder.ledger import Link

VERSION = 2

_TABLES = """
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
CREATE TABLE entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    episode_id INTEGER NOT NULL REFERENCES episodes (id),
    workload TEXT NOT NULL,
    kind TEXT NOT NULL,
    data TEXT NOT NULL,
    digest TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX by_episode ON entries (episode_id, id);
"""

#: What version 2 added. The digests of older lines are worked out when the file is first opened by it.
_SINCE_2 = """
DROP INDEX IF EXISTS by_open;
DROP INDEX IF EXISTS by_workload;
CREATE INDEX by_unfinished ON episodes (workload, id) WHERE closed_at IS NULL AND final IS NULL;
CREATE INDEX by_escalated ON episodes (id) WHERE closed_at IS NULL AND final = 'escalated';
CREATE INDEX by_opening ON episodes (opened_at);
CREATE INDEX by_start ON entries (at) WHERE kind = 'started';
CREATE TABLE measures (
    token INTEGER PRIMARY KEY REFERENCES entries (id),
    episode_id INTEGER NOT NULL REFERENCES episodes (id),
    workload TEXT NOT NULL,
    due_at REAL NOT NULL
) STRICT;
CREATE TABLE holds (
    pattern TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    by TEXT NOT NULL,
    at REAL NOT NULL,
    until REAL
) STRICT;
"""

_APPEND_ONLY = """
CREATE TRIGGER entries_keep BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER entries_stay BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
"""
_MUTABLE = """
DROP TRIGGER IF EXISTS entries_keep;
DROP TRIGGER IF EXISTS entries_stay;
"""
_PAGE = 1000


def prepare(db: sqlite3.Connection) -> None:
    """Make or bring up to date. Raises sqlite3.DatabaseError for a file of a later homeostat."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version == VERSION:
        return
    if version == 0:
        db.executescript(f"BEGIN;{_TABLES}{_SINCE_2}{_APPEND_ONLY}PRAGMA user_version = {VERSION};COMMIT;")
        return
    if version > VERSION:
        raise sqlite3.DatabaseError(f"made by another homeostat (schema {version}, this one knows {VERSION})")
    # executescript() would commit first: one by one, so that all of it is one transaction.
    db.execute("BEGIN IMMEDIATE")
    try:
        db.execute("ALTER TABLE entries ADD COLUMN digest TEXT NOT NULL DEFAULT ''")
        for statement in _statements(_SINCE_2 + _MUTABLE):
            db.execute(statement)
        _vouch(db)
        for statement in _statements(_APPEND_ONLY):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def _statements(script: str) -> Iterator[str]:
    """Each ends a line."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _vouch(db: sqlite3.Connection) -> None:
    before, last_id = chain.START, 0
    while rows := db.execute(
        "SELECT id, at, episode_id, workload, kind, data FROM entries WHERE id > ? ORDER BY id LIMIT ?",
        (last_id, _PAGE),
    ).fetchall():
        for row in rows:
            before = chain.digest(before, Link(row[0], row[1], row[2], row[3], row[4], row[5], ""))
            db.execute("UPDATE entries SET digest = ? WHERE id = ?", (before, row[0]))
        last_id = rows[-1][0]
