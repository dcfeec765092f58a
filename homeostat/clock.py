"""Time, as an argument. The only module that reads a clock or sleeps."""

import asyncio
import time
from datetime import MAXYEAR, UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Wall time for records, monotonic time for durations."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def rfc3339(epoch_s: float) -> str:
    """``2026-11-23T10:00:00.123Z``, the form of Alertmanager and Prometheus."""
    stamp = datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="milliseconds")
    return stamp.replace("+00:00", "Z")


def parse_rfc3339(text: str) -> float | None:
    """Epoch seconds; None for Go's zero time, which Alertmanager sends as "no end yet".

    Raises ValueError when ``text`` is not an RFC 3339 time.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    if moment.year == MAXYEAR:  # what cannot be written again in UTC must not be taken in
        raise ValueError(f"{text!r} is past every calendar")
    return None if moment.year <= 1 else moment.timestamp()
