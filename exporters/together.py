"""One question asked once: collectors that need the same answer in the same scrape share it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Together(Generic[T]):
    """``await together()``: the answer of ``ask``, shared by all who wait at the same time.

    Who gives up (a scrape's deadline) leaves the others, and those who come later, waiting for that same answer: what
    hangs is asked once, not once more with each scrape. ``ask`` must therefore end by itself.
    """

    def __init__(self, ask: Callable[[], Awaitable[T]]) -> None:
        self._ask = ask
        self._asking: asyncio.Future[T] | None = None

    async def __call__(self) -> T:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.ensure_future(self._ask())
        return await asyncio.shield(self._asking)
