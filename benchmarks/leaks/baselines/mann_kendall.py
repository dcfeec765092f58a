"""Mann-Kendall's test for a trend with Sen's slope, plain and with Hamed and Rao's correction.

Mann 1945, Kendall 1975, Sen 1968; for software aging since Garg et al. 1998 and Grottke et al. 2006. Hamed and Rao, "A
modified Mann-Kendall trend test for autocorrelated data", J. Hydrology 204, 1998: the variance times n/n*, from the
autocorrelation of the ranks of the detrended series, lags that are significant at 5 %; as in pyMannKendall 1.4.3.

The literature tests once, on a whole series. Ours, as it leaves them open: a window of 24 h of 15-minute means, of
which half must be there (of 10 to 96 means, what served precision and recall best on the development families); a test
with each new mean, two-sided p < .001, upward; and an alarm only when Sen's slope meets the limit within three days of
the last mean.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import sqrt

from benchmarks.leaks.baselines import kendall
from benchmarks.leaks.contenders import QUIET, Opinion

_MEAN_S = 900.0
_WINDOW_S = 86400.0
_LEAST = 48
_HORIZON_S = 3 * 86400.0
#: Two-sided p < .001 and p < .05.
_Z = 3.2905
_Z_LAG = 1.96

#: What n/n* is, of times, values and Sen's slope.
Correction = Callable[[Sequence[float], Sequence[float], float], float]


def hamed_rao(times: Sequence[float], values: Sequence[float], slope: float) -> float:
    """n/n*: by how much autocorrelation makes the variance of S greater, or smaller; 0 or less: too little is known."""
    detrended = [value - slope * time for time, value in zip(times, values, strict=True)]
    count = len(detrended)
    bound = _Z_LAG / sqrt(count)
    total = sum(
        (count - lag) * (count - lag - 1) * (count - lag - 2) * rho
        for lag, rho in enumerate(kendall.autocorrelation(kendall.ranks(detrended)), 1)
        if abs(rho) > bound
    )
    return 1 + 2 / (count * (count - 1) * (count - 2)) * total


@dataclass(slots=True)
class MannKendall:
    """``correction``: None for the plain test."""

    correction: Correction | None = None
    _means: deque[tuple[float, float]] = field(default_factory=deque)
    _bucket: float | None = None
    _sum: float = 0.0
    _count: int = 0

    def look(self, at: float, value: float, limit: float) -> Opinion | None:
        bucket = at // _MEAN_S
        opinion = None
        if self._bucket is not None and bucket != self._bucket:
            self._means.append((self._bucket * _MEAN_S, self._sum / self._count))
            while self._means[0][0] <= self._means[-1][0] - _WINDOW_S:
                self._means.popleft()
            self._sum, self._count = 0.0, 0
            opinion = self._test(at, limit)
        self._bucket = bucket
        self._sum += value
        self._count += 1
        return opinion

    def _test(self, at: float, limit: float) -> Opinion:
        """Cheapest first."""
        if len(self._means) < _LEAST:
            return QUIET
        first = self._means[0][0]
        times = [time - first for time, _ in self._means]
        values = [value for _, value in self._means]
        needed = (limit - values[-1]) / _HORIZON_S
        s, var = kendall.score(values), kendall.variance(values)
        if s <= 0 or (self.correction is None and kendall.z_score(s, var) < _Z):
            return QUIET
        if needed > 0 and not kendall.half_grow_by(needed, times, values):
            return QUIET
        slope = kendall.sen_slope(times, values)
        if slope <= 0:
            return QUIET
        if self.correction and kendall.z_score(s, var * self.correction(times, values, slope)) < _Z:
            return QUIET
        return Opinion(is_leak=True, exhaustion=at + max((limit - values[-1]) / slope, 0.0))
