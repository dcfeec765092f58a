"""Waiting for whichever comes first."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def first(*waits: Coroutine[Any, Any, T]) -> T:
    """The result of the wait that ends first, the leftmost if several do; the others are cancelled.

    A wait may thus be cancelled after it ended: it must not take what it waits for away.
    """
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(wait) for wait in waits]
        done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
    return next(task for task in tasks if task in done).result()
