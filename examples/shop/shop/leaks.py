"""The state of the faults that last, and the task that makes leaks grow."""

import asyncio
import math
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from mmap import MAP_ANONYMOUS, MAP_PRIVATE, mmap

from aiohttp import web

from shop.hooks import LOCAL_CACHE

TICK_S = 0.1
MIB = 2**20


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
    """All of it is gone when the process is: every fault here is healed by a restart."""

    error_share: float = 0.0
    slow_s: float = 0.0
    memory_mb: Leak = field(default_factory=Leak)
    fds: Leak = field(default_factory=Leak)
    open_fds: list[int] = field(default_factory=list)


FAULT_STATE = web.AppKey("fault_state", FaultState)


async def leak_in_background(app: web.Application) -> AsyncIterator[None]:
    """A cleanup context."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_leak(app[FAULT_STATE], app[LOCAL_CACHE]))
        yield
        task.cancel()


async def _leak(state: FaultState, cache: dict[int, mmap]) -> None:
    while True:
        for _ in range(state.memory_mb.take(TICK_S)):
            cache[len(cache)] = _touched_mib()
        for _ in range(state.fds.take(TICK_S)):
            _leak_fd(state.open_fds)
        await asyncio.sleep(TICK_S)


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


def end_leaks(state: FaultState) -> None:
    """Stop growing and let descriptors go. Memory is the cache's."""
    state.memory_mb, state.fds = Leak(), Leak()
    while state.open_fds:
        os.close(state.open_fds.pop())
