"""What the machine sets a limit to, for those who have no limit of their own."""

import asyncio
from dataclasses import dataclass

from exporters.host.sample import HostReader
from homeostat.clock import Clock

#: What is free of memory changes with everybody's use.
_FRESH_S = 60.0
#: Weight of a new reading of it: what others need for a few minutes does not move anybody's limit much.
_WEIGHT = 0.2


@dataclass(frozen=True, slots=True)
class Limits:
    """``memory_free``: bytes that can still be had without swapping (MemAvailable), smoothed; ``threads``: of all
    processes together. None: not told here.
    """

    memory_free: float | None = None
    threads: int | None = None

    def memory(self, used: float) -> float | None:
        """What one may use in all that uses so much now."""
        return None if self.memory_free is None else used + self.memory_free


class HostLimits:
    """Read once in a while, in a thread."""

    def __init__(self, reader: HostReader, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock
        self._read_at: float | None = None
        self._last = Limits()

    async def __call__(self) -> Limits:
        now = self._clock.monotonic()
        if self._read_at is None or now - self._read_at > _FRESH_S:
            numbers = (await asyncio.to_thread(self._reader.read)).numbers
            self._read_at = now
            self._last = Limits(_smoothed(self._last.memory_free, numbers.memory_available), numbers.threads_max)
        return self._last


def _smoothed(before: float | None, now: float | None) -> float | None:
    return now if before is None or now is None else before + _WEIGHT * (now - before)
