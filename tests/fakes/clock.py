"""Virtual time: a sleep is over at once and moves the clock."""

import asyncio


class FakeClock:
    """homeostat.clock.Clock. Wall and monotonic time move together; ``slept`` lists every sleep."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self._now = now
        self.slept: list[float] = []

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._now += seconds
        await asyncio.sleep(0)
