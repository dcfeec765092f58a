"""A daemon thread that is kept: for blocking calls that come again and again, and of which one may hang for good.

Each call in a new thread (threads.py) costs 250 us more; a thread of the loop's executor that hangs is one less for all
others, and keeps the process from ending.
"""

import asyncio
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")

_Job = tuple[Callable[[], T], "Future[T]"]


class Worker(Generic[T]):
    """Does one call after the other. Its thread starts with the first and ends with this object, once it can."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job[T] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        # Not the object itself: the thread would keep it alive.
        weakref.finalize(self, self._jobs.put, None)

    def run(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """``work``'s outcome. Who gives up waiting leaves ``work`` running."""
        if self._thread is None:
            self._thread = threading.Thread(target=_work, args=(self._jobs,), name="homeostat-worker", daemon=True)
            self._thread.start()
        outcome: Future[T] = Future()
        outcome.set_running_or_notify_cancel()  # a caller that gives up cannot take the thread back
        self._jobs.put((work, outcome))
        return asyncio.wrap_future(outcome)


def _work(jobs: "SimpleQueue[_Job[T] | None]") -> None:
    while (job := jobs.get()) is not None:
        work, outcome = job
        try:
            outcome.set_result(work())
        except BaseException as err:  # noqa: BLE001 - handed over, whatever it is
            outcome.set_exception(err)
        del job, work, outcome  # what they hold is not kept until the next call
