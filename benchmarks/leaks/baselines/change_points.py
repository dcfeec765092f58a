"""Where Precog cuts a series: at differences that are large by their modified z-score (Iglewicz and Hoaglin 1993)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from benchmarks.leaks.baselines.resample import STEPS_PER_HOUR

_Z = 3.5
#: The authors': a cut that is closer to the one before it is left out.
_APART = 6 * STEPS_PER_HOUR


@dataclass(slots=True)
class Measure:
    """Median and median absolute deviation of the differences seen."""

    middle: float
    deviation: float

    @classmethod
    def of(cls, differences: Sequence[float]) -> "Measure":
        middle = median(differences)
        return cls(middle, median([abs(each - middle) for each in differences]))

    def is_jump(self, difference: float) -> bool:
        # Without a deviation every other difference is infinitely many of them away.
        return abs(difference - self.middle) * 0.6745 > _Z * self.deviation


def separated(cuts: Iterable[int]) -> list[int]:
    """0 and the cuts, each 6 h or more after the one before."""
    kept = [0]
    for cut in cuts:
        if cut - kept[-1] >= _APART:
            kept.append(cut)
    return kept


def cuts_of(values: Sequence[float]) -> list[int]:
    """Where segments begin."""
    return _cut(values)[1]


def _cut(values: Sequence[float]) -> tuple[Measure, list[int]]:
    differences = [abs(after - before) for before, after in pairwise(values)]
    measure = Measure.of(differences)
    return measure, separated(index for index, each in enumerate(differences, 1) if measure.is_jump(each))


@dataclass(slots=True)
class Cuts:
    """``starts`` of the segments of a series of which more comes. Median and deviation are taken anew once an hour, not
    with each value: it is what makes a series of weeks affordable.
    """

    starts: list[int] = field(default_factory=lambda: [0])
    _measure: Measure | None = None
    _measured: int = 0

    def add(self, values: Sequence[float]) -> None:
        """To be called with all values after each new one."""
        newest = len(values) - 1
        if newest < 1:
            return
        if self._measure is None or newest - self._measured >= STEPS_PER_HOUR:
            self._measure, self.starts = _cut(values)
            self._measured = newest
        elif self._measure.is_jump(abs(values[newest] - values[newest - 1])) and newest - self.starts[-1] >= _APART:
            self.starts.append(newest)
