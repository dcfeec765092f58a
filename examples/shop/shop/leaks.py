"""The state of the faults that last, and the task that makes leaks grow."""

import asyncio
import math
import os
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from mmap import MAP_ANONYMOUS, MAP_PRIVATE, mmap

from aiohttp import web

from shop.hooks import LOCAL_CACHE
from shop.stores import STORE_ERRORS, STORES, Stores

TICK_S = 0.1
MIB = 2**20
#: Threads are what is leaked, not memory.
STACK_BYTES = 64 * 2**10


@dataclass(slots=True)
class Leak:
    """Something that grows at ``per_s`` until ``left`` is used up."""

    per_s: float = 0.0
    left: float = math.inf
    owed: float = 0.0

    def take(self, seconds: float) -> int:
        """Whole units to leak for this span of time; fractions are carried over."""
        self.owed += self.per_s * seconds
        amount = int(min(self.owed, self.left))
        self.owed -= amount
        self.left -= amount
        return amount


@dataclass(slots=True)
class FaultState:
    """All of it is gone when the process is: every fault here is healed by a restart. ``is_in_cache``: whether memory
    leaks into the local cache, which a hook can clear; else into ``heap``, which nothing clears.
    """

    error_share: float = 0.0
    slow_s: float = 0.0
    memory_mb: Leak = field(default_factory=Leak)
    is_in_cache: bool = True
    heap: list[mmap] = field(default_factory=list)
    fds: Leak = field(default_factory=Leak)
    open_fds: list[int] = field(default_factory=list)
    threads: Leak = field(default_factory=Leak)
    #: What leaked threads wait for.
    end_threads: threading.Event = field(default_factory=threading.Event)
    connections: Leak = field(default_factory=Leak)


FAULT_STATE = web.AppKey("fault_state", FaultState)


async def leak_in_background(app: web.Application) -> AsyncIterator[None]:
    """A cleanup context."""
    state = app[FAULT_STATE]
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_leak(state, app[LOCAL_CACHE])),
            group.create_task(_leak_connections(state, app[STORES])),
        ]
        yield
        for task in tasks:
            task.cancel()


async def _leak(state: FaultState, cache: dict[int, mmap]) -> None:
    while True:
        for _ in range(state.memory_mb.take(TICK_S)):
            if state.is_in_cache:
                cache[len(cache)] = _touched_mib()
            else:
                state.heap.append(_touched_mib())
        for _ in range(state.fds.take(TICK_S)):
            _leak_fd(state.open_fds)
        for _ in range(state.threads.take(TICK_S)):
            _leak_thread(state.end_threads)
        await asyncio.sleep(TICK_S)


async def _leak_connections(state: FaultState, stores: Stores) -> None:
    """Beside the others: it waits where no connection is free."""
    while True:
        for _ in range(state.connections.take(TICK_S)):
            await leak_connection(stores)
        await asyncio.sleep(TICK_S)


async def leak_connection(stores: Stores) -> bool:
    """Whether there was one left to take."""
    try:
        stores.leaked.append(await stores.take_connection())
    except STORE_ERRORS:
        return False
    return True


def _touched_mib() -> mmap:
    """Not bytes: malloc would serve some of them from memory it kept, and keep what is freed."""
    block = mmap(-1, MIB, flags=MAP_PRIVATE | MAP_ANONYMOUS)
    block.write(b"\x01" * MIB)
    return block


def _leak_fd(held: list[int]) -> None:
    try:
        held.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        return  # at the limit: the fault is complete, and takes any descriptor that becomes free


def _leak_thread(end: threading.Event) -> None:
    """One that never ends. A daemon: the process can still end."""
    before = threading.stack_size(STACK_BYTES)
    try:
        threading.Thread(target=end.wait, daemon=True).start()
    except RuntimeError:
        return  # at the limit: the fault is complete
    finally:
        threading.stack_size(before)


def end_leaks(state: FaultState) -> None:
    """Stop growing and let go of what is held; not of the cache, nor of connections, which are the pool's."""
    state.memory_mb, state.fds, state.threads, state.connections = Leak(), Leak(), Leak(), Leak()
    state.heap.clear()
    state.end_threads.set()
    state.end_threads = threading.Event()
    while state.open_fds:
        os.close(state.open_fds.pop())
