"""What Alertmanager does with the responder's webhook: deliver, and deliver again what was not taken."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import aiohttp

from benchmarks.responder.site import TOKEN

_HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json", "User-Agent": "Alertmanager"}
_TIMEOUT = aiohttp.ClientTimeout(total=60)
#: Alertmanager starts with half a second; sooner here, so that a responder that comes back is under load at once.
_RETRY_S = 0.1


@dataclass(frozen=True, slots=True)
class Delivery:
    """Seconds after the first one was due: when this one was due, and sent; and how long after it was due it was
    acknowledged.
    """

    due_s: float
    sent_s: float
    took_s: float


@dataclass(slots=True)
class Sender:
    """``refused``: answers other than 2xx; ``broken``: connections that gave no answer. All of them are sent again."""

    url: str
    session: aiohttp.ClientSession
    refused: int = 0
    broken: int = 0

    async def deliver(self, body: bytes) -> None:
        """Until it is acknowledged."""
        while not await self._is_acknowledged(body):  # noqa: ASYNC110 - another process has no event to give
            await asyncio.sleep(_RETRY_S)

    async def _is_acknowledged(self, body: bytes) -> bool:
        try:
            async with self.session.post(self.url, data=body, headers=_HEADERS, timeout=_TIMEOUT) as response:
                await response.read()
                if response.status < 300:
                    return True
                self.refused += 1
        except (aiohttp.ClientError, OSError, TimeoutError):
            self.broken += 1
        return False


@dataclass(slots=True)
class OpenLoop:
    """Sends when it is time, whatever became of those before: a slow receiver is not spared, nor its lateness hidden.

    Latency counts from when a delivery was due, not from when this process came to send it.
    """

    sender: Sender
    per_second: float
    deliveries: list[Delivery] = field(default_factory=list)

    async def run(self, bodies: Sequence[bytes]) -> None:
        """Returns when all are acknowledged."""
        start = time.perf_counter() + 0.1
        async with asyncio.TaskGroup() as group:
            for number, body in enumerate(bodies):
                due = number / self.per_second
                await asyncio.sleep(max(0.0, start + due - time.perf_counter()))
                group.create_task(self._one(start, due, body))

    async def _one(self, start: float, due: float, body: bytes) -> None:
        sent = time.perf_counter() - start
        await self.sender.deliver(body)
        self.deliveries.append(Delivery(due, sent, time.perf_counter() - start - due))
