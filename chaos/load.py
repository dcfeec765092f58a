"""A steady, bounded load from outside: what users of the shop saw, kept to be compared with what homeostat claims."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp

from homeostat.clock import Clock

_TIMEOUT_S = 2.0
#: Enough to see a gap of 0.2 s, little enough to disturb nothing.
_RATE_PER_S = 5.0


@dataclass(frozen=True, slots=True)
class Request:
    """One request: when it was due (epoch seconds) and how it ended; status 0 for no answer."""

    due_at: float
    status: int

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 400  # noqa: PLR2004 - HTTP


@dataclass(slots=True)
class Load:
    """Requests made so far, in the order of their ends."""

    requests: list[Request] = field(default_factory=list)

    def between(self, since: float, until: float) -> list[Request]:
        return [request for request in self.requests if since <= request.due_at <= until]


@contextlib.asynccontextmanager
async def steady(url: str, clock: Clock) -> AsyncIterator[Load]:
    """GET ``url`` at a fixed rate, by the clock and not by the answers (open loop), while the block runs."""
    load = Load()

    async def one(session: aiohttp.ClientSession) -> None:
        due_at, status = clock.now(), 0
        with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
            async with asyncio.timeout(_TIMEOUT_S), session.get(url) as response:
                status = response.status
        load.requests.append(Request(due_at, status))

    async def drive() -> None:
        connector = aiohttp.TCPConnector(force_close=True)
        async with aiohttp.ClientSession(connector=connector) as session, asyncio.TaskGroup() as group:
            while True:
                group.create_task(one(session))
                await clock.sleep(1 / _RATE_PER_S)

    driver = asyncio.create_task(drive())
    try:
        yield load
    finally:
        driver.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await driver
