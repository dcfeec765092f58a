"""Floors and peaks of a series at several time scales: all that a detector remembers of it.

The floor of a bucket is the smallest value in it. A heap that is collected within a bucket shows what is left after the
collection there, which is what a leak makes grow.
"""

import math
from array import array
from dataclasses import dataclass, field

from exporters.leaks.parameters import PEAKS, POINTS, SWING_OF, WIDTHS_S


def _numbers() -> "array[float]":
    return array("f")


@dataclass(slots=True)
class Scale:
    """``floors``: of closed buckets, oldest first; a bucket without a sample has the floor infinity. ``swing``: how far
    peaks are usually above floors. ``bucket``: number of the open one (time // ``width_s``), -1 for none.
    """

    width_s: int
    floors: "array[float]" = field(default_factory=_numbers)
    swing: float = 0.0
    bucket: int = -1
    low: float = math.inf
    high: float = -math.inf

    def put(self, bucket: int, low: float, high: float) -> bool:
        """Into its bucket; whether that closed another one."""
        if bucket == self.bucket:
            self.low, self.high = min(low, self.low), max(high, self.high)
            return False
        was_open = self.bucket >= 0
        if was_open:
            self._close(min(bucket - self.bucket - 1, POINTS))
        self.bucket, self.low, self.high = bucket, low, high
        return was_open

    def _close(self, missing: int) -> None:
        share = 1 / min(SWING_OF, len(self.floors) + 1)
        self.swing += share * (self.high - self.low - self.swing)
        _keep(self.floors, self.low, POINTS)
        for _ in range(missing):
            _keep(self.floors, math.inf, POINTS)

    def clear(self) -> None:
        """Nothing of before counts any more."""
        del self.floors[:]
        self.swing, self.bucket, self.low, self.high = 0.0, -1, math.inf, -math.inf

    @property
    def end(self) -> float:
        """When the newest closed bucket ended."""
        return float(self.bucket * self.width_s)


class Scales:
    """All scales of one series, and the peaks of the coarsest; times are those of a clock that never goes back."""

    __slots__ = ("all", "peaks")

    def __init__(self) -> None:
        self.all = tuple(Scale(width_s) for width_s in WIDTHS_S)
        self.peaks = _numbers()

    def put(self, at: float, value: float) -> int:
        """How many scales have closed a bucket: the first so many, as each is fed with what the one before closed."""
        bucket, low, high = int(at // WIDTHS_S[0]), value, value
        for index, scale in enumerate(self.all):
            closed, closed_low, closed_high = scale.bucket, scale.low, scale.high
            if not scale.put(bucket, low, high):
                return index
            if index + 1 < len(WIDTHS_S):
                bucket = closed * scale.width_s // WIDTHS_S[index + 1]
            low, high = closed_low, closed_high
        _keep(self.peaks, high, PEAKS)
        return len(self.all)

    def clear(self) -> None:
        """Nothing of before counts any more."""
        for scale in self.all:
            scale.clear()
        del self.peaks[:]


def _keep(numbers: "array[float]", new: float, most: int) -> None:
    """Append, and forget the oldest. In place: an array that grows takes more than it needs."""
    if len(numbers) < most:
        numbers.append(new)
    else:
        numbers[:-1] = numbers[1:]
        numbers[-1] = new
