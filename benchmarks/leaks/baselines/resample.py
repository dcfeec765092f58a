"""How LBR and Precog see a series: in percent of the limit, medians of 5 minutes, gaps drawn straight, then the running
median of an hour.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median

STEP_S = 300.0
STEPS_PER_HOUR = 12
#: Longer gaps are drawn as 6 h. Ours: a clock that jumps by a year must not be an hour's work; the authors' data had
#: none.
_LONGEST_GAP = 72


@dataclass(slots=True)
class Resampled:
    """Gives each smoothed value once its 5 minutes are over."""

    _bucket: int | None = None
    _values: list[float] = field(default_factory=list)
    _closed: tuple[int, float] | None = None
    _hour: deque[float] = field(default_factory=lambda: deque(maxlen=STEPS_PER_HOUR))

    def add(self, at: float, percent: float) -> list[float]:
        """What is complete with this sample: nothing, one value, or several when there was a gap before it."""
        bucket = int(at // STEP_S)
        done = list(self._close(self._bucket)) if self._bucket is not None and bucket != self._bucket else []
        self._bucket = bucket
        self._values.append(percent)
        return done

    def _close(self, bucket: int) -> Iterator[float]:
        value = median(self._values)
        self._values.clear()
        for each in (*self._between(bucket, value), value):
            self._hour.append(each)
            yield median(self._hour)
        self._closed = (bucket, value)

    def _between(self, bucket: int, value: float) -> list[float]:
        if self._closed is None:
            return []
        before, last = self._closed
        missing = min(bucket - before - 1, _LONGEST_GAP)
        return [last + (value - last) * step / (missing + 1) for step in range(1, missing + 1)]
