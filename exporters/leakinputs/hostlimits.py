"""What the machine sets a limit to, for those who have no limit of their own."""

import asyncio
from dataclasses import dataclass

from exporters.host.sample import HostReader
from homeostat.clock import Clock

#: They change when somebody changes the machine.
_FRESH_S = 600.0


@dataclass(frozen=True, slots=True)
class Limits:
    """``memory``: bytes; ``threads``: of all processes together. None: not told here."""

    memory: int | None = None
    threads: int | None = None


class HostLimits:
    """Read once in a while, in a thread."""

    def __init__(self, reader: HostReader, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock
        self._last: tuple[float, Limits] | None = None

    async def __call__(self) -> Limits:
        now = self._clock.monotonic()
        if self._last is None or now - self._last[0] > _FRESH_S:
            numbers = (await asyncio.to_thread(self._reader.read)).numbers
            self._last = (now, Limits(numbers.memory_total, numbers.threads_max))
        return self._last[1]
