"""One thread that owns the database: SQLite's own model, and the event loop never waits for a disk.

What waits together is committed together: a disk takes as long for a hundred lines as for one.
"""

import asyncio
import collections
import contextlib
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

_Work = Callable[[sqlite3.Connection], Any]
_Job = tuple[_Work, "Future[Any]"]

#: Jobs of one commit. Whoever comes next waits for as many.
_MOST = 64


class Scribe:
    """Runs work on a connection that ``connect`` makes, each all or nothing, in the order of arrival; what is urgent
    goes first. A future is done once its work is on disk.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        """Raises what ``connect`` raises."""
        self._urgent: collections.deque[_Job] = collections.deque()
        self._others: collections.deque[_Job] = collections.deque()
        self._has_jobs = threading.Condition()
        self._is_closed = False
        connected: Future[None] = Future()
        # A daemon: what is under way when the interpreter ends without close() is as after a crash: all or nothing.
        self._thread = threading.Thread(target=self._run, args=(connect, connected), name="ledger", daemon=True)
        self._thread.start()
        connected.result()

    async def do(self, work: Callable[[sqlite3.Connection], T], *, is_urgent: bool = False) -> T:
        """``work``'s result. Raises what it raised (then none of it was done), and sqlite3.Error."""
        job: Future[T] = Future()
        job.set_running_or_notify_cancel()  # who gives up waiting leaves the work being done
        with self._has_jobs:
            if self._is_closed:
                raise sqlite3.ProgrammingError("the ledger is closed")
            (self._urgent if is_urgent else self._others).append((work, job))
            self._has_jobs.notify()
        return await asyncio.wrap_future(job)

    async def close(self) -> None:
        """Finish what waits, then close the connection."""
        with self._has_jobs:
            self._is_closed = True
            self._has_jobs.notify()
        await asyncio.to_thread(self._thread.join)

    def _run(self, connect: Callable[[], sqlite3.Connection], connected: "Future[None]") -> None:
        try:
            db = connect()
        except BaseException as err:  # noqa: BLE001 - handed over, whatever it is
            connected.set_exception(err)
            return
        connected.set_result(None)
        with contextlib.closing(db):
            while jobs := self._next():
                _settle(db, jobs)

    def _next(self) -> list[_Job]:
        """The next jobs to commit together; none once closed and done."""
        with self._has_jobs:
            while not (self._urgent or self._others or self._is_closed):
                self._has_jobs.wait()
            jobs: list[_Job] = []
            for queue in (self._urgent, self._others):
                while queue and len(jobs) < _MOST:
                    jobs.append(queue.popleft())
            return jobs


def _settle(db: sqlite3.Connection, jobs: list[_Job]) -> None:
    """Do them together; where that fails as a whole, one by one, so that each learns its own fate."""
    try:
        outcomes = _together(db, [work for work, _ in jobs])
    except sqlite3.Error:
        outcomes = [_alone(db, work) for work, _ in jobs]
    for (_, future), (result, error) in zip(jobs, outcomes, strict=True):
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)


_Outcome = tuple[Any, BaseException | None]


def _together(db: sqlite3.Connection, works: list[_Work]) -> list[_Outcome]:
    db.execute("BEGIN IMMEDIATE")
    try:
        outcomes = [_saved(db, work) for work in works]
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return outcomes


def _saved(db: sqlite3.Connection, work: _Work) -> _Outcome:
    """One of several. Raises sqlite3.Error when the transaction of all of them is lost."""
    db.execute("SAVEPOINT job")
    try:
        result = work(db)
    except BaseException as err:
        if isinstance(err, sqlite3.Error) or not db.in_transaction:  # a full disk rolls everything back
            raise sqlite3.OperationalError(str(err)) from err
        db.execute("ROLLBACK TO job")
        db.execute("RELEASE job")
        return None, err
    db.execute("RELEASE job")
    return result, None


def _alone(db: sqlite3.Connection, work: _Work) -> _Outcome:
    try:
        db.execute("BEGIN IMMEDIATE")
        try:
            result = work(db)
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
    except BaseException as err:  # noqa: BLE001 - handed over, whatever it is
        return None, err
    return result, None
