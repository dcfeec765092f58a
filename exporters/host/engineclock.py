"""How far the Docker Engine's clock is from ours. On WSL2 and Docker Desktop it runs in a machine of its own, whose
clock stays behind when the computer sleeps: then TLS, tokens and timestamps go wrong in containers, and only there.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from homeostat.clock import Clock
from homeostat.errors import HomeostatError

#: The engine works for its answer: no more often.
_EVERY_S = 60.0
#: Two answers may be lost; then nothing is known any more.
_VALID_S = 180.0
_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Skew:
    """``offset_s``: positive when the engine is ahead. ``max_error_s``: half of the call, as in NTP (RFC 5905)."""

    offset_s: float
    max_error_s: float


class EngineClock:
    """``ask``: the engine's time, epoch seconds; raises HomeostatError when it does not answer."""

    def __init__(self, ask: Callable[[], Awaitable[float]], clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._told_at = 0.0
        self._last: Skew | None = None

    async def run(self) -> None:
        """Ask for ever."""
        while True:
            await self.refresh()
            await self._clock.sleep(_EVERY_S)

    async def refresh(self) -> None:
        """Ask once. No answer is no error: there may be no engine, and others tell when one is missed."""
        before = self._clock.now()
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                engine = await self._ask()
        except (HomeostatError, TimeoutError):
            return
        after = self._clock.now()
        self._last = Skew(engine - (before + after) / 2, (after - before) / 2)
        self._told_at = self._clock.monotonic()

    def skew(self) -> Skew | None:
        """As last told; None when that is too long ago."""
        return self._last if self._clock.monotonic() - self._told_at <= _VALID_S else None
