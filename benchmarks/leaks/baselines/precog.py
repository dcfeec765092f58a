"""PrecogMF: Precog with maximum filtration, the best published detector of one metric.

Jindal et al., arXiv 2101.09799 and 2106.08938, with the defaults of their code
(github.com/ansjin/memory_leak_detection, precog_change.py): 5-minute medians smoothed over an hour, cut at change
points; from each cut until now a line, which is a trend with R2 above 0.8 over 6 h or more; a leak when it meets the
limit within 7 days, is as steep and as long as any trend that training found harmless, and usage is above 40 % and
above all maxima of training (or 95 %).

It has to be trained, on data of their own before the test. Ours: the first 24 h of a series are that (of 6 to 48 h
those with the best precision on the development families), and nothing is said in them; what follows is tested as a
whole, as by the authors. Their seasonality check is off by default and left out. Evaluated every 5 minutes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.leaks.baselines.change_points import Cuts, cuts_of
from benchmarks.leaks.baselines.lbr import CRITICAL, R2, SHORTEST, steps_left
from benchmarks.leaks.baselines.lines import PrefixLine
from benchmarks.leaks.baselines.resample import STEP_S, STEPS_PER_HOUR, Resampled
from benchmarks.leaks.contenders import QUIET, Opinion

_TRAINING = 24 * STEPS_PER_HOUR
_LEAST_USAGE = 40.0
_ALWAYS_HIGH = 95.0
_MAXIMA = 10


@dataclass(frozen=True, slots=True)
class Trend:
    """``length`` and ``left`` (until the limit) in points of 5 minutes, ``slope`` in percent per point."""

    length: int
    slope: float
    r2: float
    left: float

    def exceeds(self, other: "Trend") -> bool:
        return self.slope >= other.slope and self.length >= other.length


def trend(line: PrefixLine, start: int, end: int) -> Trend | None:
    """Of ``values[start:end]``, when a line fits."""
    if end - start <= SHORTEST:
        return None
    fit = line.fit(start, end)
    if fit.r2 <= R2:
        return None
    return Trend(end - start - 1, fit.slope, fit.r2, steps_left(fit, line.values[end - 1]))


@dataclass(frozen=True, slots=True)
class Normal:
    """What training found: ``trends`` that would have met the limit and ended by themselves, and the highest usage."""

    trends: tuple[Trend, ...]
    ceiling: float

    def is_exceeded_by(self, found: Trend) -> bool:
        """By the steepest slope and the longest time of all, or by both of one of them."""
        slope = max((each.slope for each in self.trends), default=0.0)
        length = max((each.length for each in self.trends), default=SHORTEST)
        return (found.slope >= slope and found.length >= length) or any(found.exceeds(each) for each in self.trends)


def train(values: Sequence[float]) -> Normal:
    line = PrefixLine.of(values)
    cuts = [*cuts_of(values), len(values)]
    best = (_steepest(line, start, cuts[index:]) for index, start in enumerate(cuts[:-1], 1))
    ended = tuple(each for each, end in filter(None, best) if each.left <= CRITICAL and end < len(values))
    highest = sorted(values)[-_MAXIMA:]
    return Normal(ended, median(highest))


def _steepest(line: PrefixLine, start: int, ends: Sequence[int]) -> tuple[Trend, int] | None:
    """The best trend from a cut to a later one: each next has to fit better and be steeper than the last."""
    best: tuple[Trend, int] | None = None
    for end in ends:
        found = trend(line, start, end)
        if found is None or found.slope <= 0:
            continue
        if best is None or (found.r2 >= best[0].r2 and found.exceeds(best[0])):
            best = found, end
    return best


@dataclass(slots=True)
class PrecogMF:
    _resampled: Resampled = field(default_factory=Resampled)
    _training: list[float] = field(default_factory=list)
    _normal: Normal | None = None
    _line: PrefixLine = field(default_factory=PrefixLine)
    _cuts: Cuts = field(default_factory=Cuts)

    def look(self, at: float, value: float, limit: float) -> Opinion | None:
        percent = value / limit * 100
        new = self._resampled.add(at, percent)
        for each in new:
            self._take(each)
        if not new:
            return None
        return self._predict(at, percent)

    def _take(self, value: float) -> None:
        if self._normal is None:
            self._training.append(value)
            if len(self._training) >= _TRAINING:
                self._normal = train(self._training)
            return
        self._line.append(value)
        self._cuts.add(self._line.values)

    def _predict(self, at: float, percent: float) -> Opinion:
        if self._normal is None or percent < _LEAST_USAGE or not self._line.values:
            return QUIET
        count, found = len(self._line.values), None
        # From the last cut backwards: of those that are worse than normal, the longest counts.
        for start in reversed(self._cuts.starts):
            seen = trend(self._line, start, count)
            if seen and seen.left <= CRITICAL and self._normal.is_exceeded_by(seen):
                found = seen
        if found is None or not self._is_high(self._normal.ceiling):
            return QUIET
        return Opinion(is_leak=True, exhaustion=at + max(found.left, 0.0) * STEP_S)

    def _is_high(self, ceiling: float) -> bool:
        """The filter: the highest values since the last cut, all of them."""
        highest = sorted(self._line.values[self._cuts.starts[-1] :])[-_MAXIMA:]
        return highest[0] >= min(ceiling, _ALWAYS_HIGH)
