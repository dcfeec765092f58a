"""Linear Backward Regression, the first algorithm of the authors of Precog.

Jindal et al., "Memory Leak Detection Algorithms in the Cloud-based Infrastructure", arXiv 2106.08938: a line through a
window that ends now; when it fits (R2) and meets the limit within the critical time, that is a leak; else the window
grows backwards, until all data are in it. R2 0.8, windows from 6 h and 7 days as in the authors' Precog, windows grow
by 50 points as in their LBR (github.com/ansjin/memory_leak_detection).

Left out: a seasonal decomposition at periods picked from a Fourier transform, which their code does before the fit; the
algorithm has no such step. Evaluated every 5 minutes.
"""

from dataclasses import dataclass, field

from benchmarks.leaks.baselines.lines import Fit, PrefixLine
from benchmarks.leaks.baselines.resample import STEP_S, STEPS_PER_HOUR, Resampled
from benchmarks.leaks.contenders import QUIET, Opinion

R2 = 0.8
SHORTEST = 6 * STEPS_PER_HOUR
CRITICAL = 7 * 24 * STEPS_PER_HOUR
_GROWS_BY = 50


def steps_left(fit: Fit, now: float) -> float:
    """Until 100 %; infinite when it does not grow."""
    return (100.0 - now) / fit.slope if fit.slope > 0 else float("inf")


@dataclass(slots=True)
class LinearBackwardRegression:
    _resampled: Resampled = field(default_factory=Resampled)
    _line: PrefixLine = field(default_factory=PrefixLine)

    def look(self, at: float, value: float, limit: float) -> Opinion | None:
        new = self._resampled.add(at, value / limit * 100)
        for each in new:
            self._line.append(each)
        return self._search(at) if new else None

    def _search(self, at: float) -> Opinion:
        count, now = len(self._line.values), self._line.values[-1]
        for window in range(SHORTEST, count + 1, _GROWS_BY):
            fit = self._line.fit(count - window, count)
            left = steps_left(fit, now)
            if fit.r2 >= R2 and left <= CRITICAL:
                return Opinion(is_leak=True, exhaustion=at + max(left, 0.0) * STEP_S)
        return QUIET
