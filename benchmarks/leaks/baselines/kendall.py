"""Mann-Kendall's and Sen's numbers without a look at each pair where that can be done without."""

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Sequence
from math import sqrt
from statistics import median


def score(values: Sequence[float]) -> int:
    """S: pairs of which the later is greater, less those of which it is smaller."""
    seen: list[float] = []
    total = 0
    for value in values:
        total += bisect_left(seen, value) - (len(seen) - bisect_right(seen, value))
        insort(seen, value)
    return total


def variance(values: Sequence[float]) -> float:
    """Of S when nothing grows, ties taken into account (Kendall 1975)."""
    count = len(values)
    ties = sum(size * (size - 1) * (2 * size + 5) for size in Counter(values).values() if size > 1)
    return (count * (count - 1) * (2 * count + 5) - ties) / 18


def z_score(s: float, var: float) -> float:
    """With continuity correction; 0 when nothing varies."""
    if s == 0 or var <= 0:
        return 0.0
    return (s - 1 if s > 0 else s + 1) / sqrt(var)


def half_grow_by(slope: float, times: Sequence[float], values: Sequence[float]) -> bool:
    """Whether Sen's slope is at least ``slope``: whether at least half of all pairs grow by that much per time."""
    rest = [value - slope * time for time, value in zip(times, values, strict=True)]
    seen: list[float] = []
    enough = 0
    for value in rest:
        enough += bisect_right(seen, value)
        insort(seen, value)
    return 4 * enough >= len(rest) * (len(rest) - 1)


def sen_slope(times: Sequence[float], values: Sequence[float]) -> float:
    """The median of the slopes of all pairs (Sen 1968)."""
    return median(
        (values[later] - values[earlier]) / (times[later] - times[earlier])
        for later in range(1, len(values))
        for earlier in range(later)
    )


def ranks(values: Sequence[float]) -> list[float]:
    """From 1; the mean rank for equal ones."""
    ordered = sorted(values)
    return [(bisect_left(ordered, value) + bisect_right(ordered, value) + 1) / 2 for value in values]


def autocorrelation(values: Sequence[float]) -> list[float]:
    """Of each lag from 1 on; none when nothing varies."""
    count = len(values)
    mean = sum(values) / count
    rest = [value - mean for value in values]
    power = sum(value * value for value in rest)
    if power == 0:
        return []
    return [sum(a * b for a, b in zip(rest, rest[lag:], strict=False)) / power for lag in range(1, count)]
