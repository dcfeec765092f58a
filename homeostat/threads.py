"""Blocking calls that must not keep the process from ending: daemon threads, unlike the executors' threads,
which the interpreter joins at exit.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def run_in_thread(work: Callable[[], T], ended: Callable[[], object]) -> asyncio.Future[T]:
    """``work``'s outcome. ``ended`` is called in the loop when ``work`` is over, also when nobody waits any more."""
    loop = asyncio.get_running_loop()
    outcome: Future[T] = Future()
    outcome.set_running_or_notify_cancel()  # a caller that gives up cannot take the thread back

    def run() -> None:
        try:
            result = work()
        except BaseException as err:  # noqa: BLE001 - handed over, whatever it is
            outcome.set_exception(err)
        else:
            outcome.set_result(result)
        with contextlib.suppress(RuntimeError):  # the loop is gone at shutdown
            loop.call_soon_threadsafe(ended)

    threading.Thread(target=run, name="homeostat-call", daemon=True).start()
    return asyncio.wrap_future(outcome)
