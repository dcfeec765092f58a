"""What the floors of a window look like. Pure functions of short lists; times are numbered by block."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median


def blocks(floors: Sequence[float], size: int) -> list[float] | None:
    """The floor of each ``size`` points, of which ``floors`` has a multiple.

    Blocks without a sample take the next one's floor. None when that are more than a quarter, or the first.
    """
    found = [min(floors[start : start + size]) for start in range(0, len(floors), size)]
    missing = found.count(math.inf)
    if missing:
        if missing > len(found) // 4 or found[0] == math.inf or found[-1] == math.inf:
            return None
        for index in range(len(found) - 2, -1, -1):
            if found[index] == math.inf:
                found[index] = found[index + 1]
    return found


def kept(floors: Sequence[float]) -> list[float]:
    """Of each floor, what is never given back later: the largest rising line that none of the later ones is below."""
    found = list(floors)
    for index in range(len(found) - 2, -1, -1):
        found[index] = min(found[index], found[index + 1])
    return found


def given_back(floors: Sequence[float]) -> float:
    """The deepest fall, of any length. Points without a sample are infinity and do not count."""
    top, deepest = -math.inf, 0.0
    for floor in floors:
        if floor == math.inf:
            continue
        if floor > top:
            top = floor
        elif top - floor > deepest:
            deepest = top - floor
    return deepest


@dataclass(frozen=True, slots=True)
class Slope:
    """Units per block: the median of the slopes between any two (Theil 1950, Sen 1968), and its 90 % interval by ranks
    of Kendall's S (Sen 1968, section 4).
    """

    median: float
    low: float
    high: float


def slope(floors: Sequence[float]) -> Slope:
    """Of at least four blocks."""
    count = len(floors)
    pairs = sorted((floors[j] - floors[i]) / (j - i) for i in range(count) for j in range(i + 1, count))
    half = 1.645 * math.sqrt(count * (count - 1) * (2 * count + 5) / 18) / 2
    middle = len(pairs) / 2
    low, high = max(0, int(middle - half)), min(len(pairs) - 1, math.ceil(middle + half))
    return Slope(median(pairs), pairs[low], pairs[high])


def p_value(floors: Sequence[float]) -> float:
    """How likely a series without a trend rises so, one-sided.

    A least-squares line, its t-test on the effective number of points: residuals that follow each other say less (first
    order autocorrelation; Bretherton et al. 1999). From t to the normal distribution after Wallace 1959.
    """
    points = [(x, floor) for x, floor in enumerate(floors) if floor != math.inf]
    count = len(points)
    mean_x, mean_y = sum(x for x, _ in points) / count, sum(y for _, y in points) / count
    sum_xx = sum((x - mean_x) ** 2 for x, _ in points)
    rate = sum((x - mean_x) * y for x, y in points) / sum_xx
    if rate <= 0:
        return 1.0
    rests = [y - mean_y - rate * (x - mean_x) for x, y in points]
    squares = sum(rest * rest for rest in rests)
    if squares <= 1e-9 * rate * rate * sum_xx:
        return 0.0
    follow = min(0.99, max(0.0, sum(a * b for a, b in pairwise(rests)) / squares))
    freedom = max(2.0, count * (1 - follow) / (1 + follow) - 2)
    t_squared = rate * rate * sum_xx * freedom / squares
    z = (8 * freedom + 1) / (8 * freedom + 3) * math.sqrt(freedom * math.log1p(t_squared / freedom))
    return 0.5 * math.erfc(z / math.sqrt(2))


def without_daily(floors: Sequence[float], day: int, rate: float) -> list[float]:
    """``floors`` less what each time of day has of its own, all days taken together. ``rate``: units per point."""
    rests = [floor - rate * index for index, floor in enumerate(floors)]
    usual = [median(rests[phase::day]) for phase in range(day)]
    return [floor - usual[index % day] for index, floor in enumerate(floors)]
