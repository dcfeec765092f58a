"""The thread that owns the database: each job all or nothing, many of them one commit, the urgent first."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from responder.sqlitestore.scribe import Scribe

SCHEMA = """
CREATE TABLE notes (text TEXT NOT NULL UNIQUE);
CREATE TABLE parents (id INTEGER PRIMARY KEY);
CREATE TABLE children (parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED);
CREATE TRIGGER full BEFORE INSERT ON notes WHEN NEW.text = 'full' BEGIN SELECT RAISE(ROLLBACK, 'disk full'); END;
"""


class Gate:
    """A job that waits to be told to end."""

    def __init__(self) -> None:
        self._is_open, self._is_reached = threading.Event(), threading.Event()

    def open(self) -> None:
        self._is_open.set()

    async def reached(self) -> None:
        assert await asyncio.to_thread(self._is_reached.wait, 10)

    def wait(self, _db: sqlite3.Connection) -> None:
        self._is_reached.set()
        assert self._is_open.wait(10)


class Desk:
    """A scribe, its database seen from outside, and a way to keep it busy."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.statements: list[str] = []
        self._gates: list[asyncio.Task[None]] = []
        self.scribe = Scribe(self._connect)

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA foreign_keys = ON")
        db.executescript(SCHEMA)
        db.set_trace_callback(self.statements.append)
        return db

    def notes(self) -> list[str]:
        """As another connection sees them: what is committed."""
        db = sqlite3.connect(self._path)
        found = [row[0] for row in db.execute("SELECT text FROM notes ORDER BY rowid")]
        db.close()
        return found

    def commits(self) -> int:
        return self.statements.count("COMMIT")

    async def busy(self) -> Callable[[], None]:
        """Until what is returned is called, everything else waits."""
        gate = self.gate()
        await gate.reached()
        return gate.open

    def gate(self) -> "Gate":
        gate = Gate()
        self._gates.append(asyncio.create_task(self.scribe.do(gate.wait)))
        return gate

    def note(self, text: str, *, is_urgent: bool = False) -> "asyncio.Task[str]":
        def work(db: sqlite3.Connection) -> str:
            db.execute("INSERT INTO notes VALUES (?)", (text,))
            return text

        return asyncio.create_task(self.scribe.do(work, is_urgent=is_urgent))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    desk = Desk(tmp_path / "notes.sqlite3")
    yield desk
    await desk.scribe.close()


async def test_whoever_asked_gets_the_result(desk: Desk):
    assert await desk.scribe.do(lambda db: db.execute("SELECT 42").fetchone()[0]) == 42


async def test_when_it_is_done_it_is_committed(desk: Desk):
    for n in range(20):
        await desk.note(f"{n}")
        assert desk.notes()[-1] == f"{n}"


async def test_an_error_comes_back_to_whoever_asked_and_nothing_was_done(desk: Desk):
    def work(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO notes VALUES ('half')")
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await desk.scribe.do(work)

    assert desk.notes() == []
    await desk.note("after")
    assert desk.notes() == ["after"]


async def test_jobs_are_done_in_the_order_of_arrival(desk: Desk):
    go_on = await desk.busy()
    tasks = [desk.note(f"{n}") for n in range(50)]
    await asyncio.sleep(0)
    go_on()
    await asyncio.gather(*tasks)

    assert desk.notes() == [f"{n}" for n in range(50)]


async def test_the_urgent_goes_first(desk: Desk):
    go_on = await desk.busy()
    tasks = [desk.note("a"), desk.note("b"), desk.note("urgent", is_urgent=True)]
    await asyncio.sleep(0)
    go_on()
    await asyncio.gather(*tasks)

    assert desk.notes() == ["urgent", "a", "b"]


async def test_what_waits_together_is_committed_together(desk: Desk):
    go_on = await desk.busy()
    before = desk.commits()
    tasks = [desk.note(f"{n}") for n in range(50)]
    await asyncio.sleep(0)
    go_on()
    await asyncio.gather(*tasks)

    assert desk.commits() - before == 2  # of what kept it busy, and of all others


async def test_an_urgent_one_does_not_wait_for_all_that_came_before(desk: Desk):
    go_on = await desk.busy()
    gate = desk.gate()  # the first of those that are committed together next
    others = [desk.note(f"{n}") for n in range(300)]
    await asyncio.sleep(0)
    go_on()
    await gate.reached()
    urgent = desk.note("urgent", is_urgent=True)
    await asyncio.sleep(0)
    gate.open()
    await asyncio.gather(urgent, *others)

    assert desk.notes().index("urgent") == 63


async def test_one_that_fails_takes_no_other_with_it(desk: Desk):
    await desk.note("twice")
    go_on = await desk.busy()
    tasks = [desk.note("a"), desk.note("twice"), desk.note("b")]
    await asyncio.sleep(0)
    go_on()

    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(result) for result in results] == [str, sqlite3.IntegrityError, str]
    assert desk.notes() == ["twice", "a", "b"]


async def test_one_that_raises_its_own_error_takes_no_other_with_it(desk: Desk):
    def work(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO notes VALUES ('half')")
        raise ValueError("mine")

    go_on = await desk.busy()
    tasks = [desk.note("a"), asyncio.create_task(desk.scribe.do(work)), desk.note("b")]
    await asyncio.sleep(0)
    go_on()

    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(result) for result in results] == [str, ValueError, str]
    assert desk.notes() == ["a", "b"]


async def test_one_that_makes_the_commit_fail_takes_no_other_with_it(desk: Desk):
    go_on = await desk.busy()
    orphan = desk.scribe.do(lambda db: db.execute("INSERT INTO children VALUES (1)").rowcount)
    tasks = [desk.note("a"), asyncio.create_task(orphan), desk.note("b")]
    await asyncio.sleep(0)
    go_on()

    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(result) for result in results] == [str, sqlite3.IntegrityError, str]
    assert desk.notes() == ["a", "b"]


async def test_one_that_rolls_everything_back_takes_no_other_with_it(desk: Desk):
    """As SQLite itself does on a full disk."""
    go_on = await desk.busy()
    tasks = [desk.note("a"), desk.note("full"), desk.note("b")]
    await asyncio.sleep(0)
    go_on()

    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(result) for result in results] == [str, sqlite3.IntegrityError, str]
    assert desk.notes() == ["a", "b"]


async def test_who_gives_up_waiting_leaves_the_work_being_done(desk: Desk):
    go_on = await desk.busy()
    task = desk.note("given up")
    await asyncio.sleep(0)
    task.cancel()
    go_on()
    await desk.note("after")

    assert task.cancelled()
    assert desk.notes() == ["given up", "after"]


async def test_the_loop_goes_on_while_the_disk_is_slow(desk: Desk):
    go_on = await desk.busy()
    task = desk.note("slow")

    for _ in range(10):
        await asyncio.sleep(0.001)

    assert not task.done()
    go_on()
    assert await task == "slow"


async def test_closing_finishes_what_waits(tmp_path: Path):
    desk = Desk(tmp_path / "notes.sqlite3")
    go_on = await desk.busy()
    tasks = [desk.note(f"{n}") for n in range(100)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(desk.scribe.close())
    await asyncio.sleep(0)
    go_on()
    await closing
    await asyncio.gather(*tasks)

    assert len(desk.notes()) == 100


async def test_when_closed_it_takes_nothing_more(tmp_path: Path):
    desk = Desk(tmp_path / "notes.sqlite3")
    await desk.scribe.close()
    await desk.scribe.close()

    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        await desk.note("late")

    assert desk.notes() == []


async def test_its_thread_ends_with_it(tmp_path: Path):
    before = set(threading.enumerate())
    desk = Desk(tmp_path / "notes.sqlite3")
    threads = set(threading.enumerate()) - before

    await desk.scribe.close()

    assert threads
    assert not any(thread.is_alive() for thread in threads)


def test_a_database_that_cannot_be_opened_is_told_at_once():
    def connect() -> sqlite3.Connection:
        raise sqlite3.OperationalError("no such disk")

    before = set(threading.enumerate())
    with pytest.raises(sqlite3.OperationalError, match="no such disk"):
        Scribe(connect)

    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive()
