"""The rule that everybody writes: ``predict_linear(m[1h], 4 * 3600) >= limit`` with ``for: 15m``.

Prometheus' predict_linear (promql/functions.go): least squares over the samples of the range, evaluated ahead of now.
Pairs of range and horizon as in the mixins for disks (node-mixin: 6 h -> 4 h and 24 h) and twice beside them. Evaluated
each minute, as Prometheus does by default, on a sample a minute; ``for`` holds when the expression was true at every
evaluation of that time.

A young series has few samples in the range, and the rule believes them. Who has been woken by that adds ``and m offset
1h``: that is the second form, ``is_full``. It is in the table, too, so that the comparison is not with a rule's
beginnings.
"""

from dataclasses import dataclass, field

from benchmarks.leaks.baselines.lines import SlidingLine
from benchmarks.leaks.contenders import QUIET, Opinion

_FOR_S = 900.0


@dataclass(slots=True)
class PredictLinear:
    window_s: float
    horizon_s: float
    is_full: bool = False
    _first: float | None = None
    _line: SlidingLine = field(init=False)
    _since: float | None = None

    def __post_init__(self) -> None:
        self._line = SlidingLine(self.window_s)

    def look(self, at: float, value: float, limit: float) -> Opinion | None:
        self._line.add(at, value)
        fit = self._line.fit()
        if self._first is None:
            self._first = at
        is_young = self.is_full and at - self._first < self.window_s
        if fit is None or is_young or fit[1] + fit[0] * self.horizon_s < limit:
            self._since = None
            return QUIET
        if self._since is None:
            self._since = at
        if at - self._since < _FOR_S:
            return QUIET
        return Opinion(is_leak=True, exhaustion=_meets(at, *fit, limit))


def _meets(at: float, slope: float, now: float, limit: float) -> float:
    """When the line does; it may be above the limit already."""
    return at + max((limit - now) / slope, 0.0) if slope > 0 else at
