"""Least squares over a window, each step in constant time."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class SlidingLine:
    """Over the samples of the last ``window_s`` seconds; the oldest edge is open, as in a range selector of Prometheus
    3.
    """

    window_s: float
    _points: deque[tuple[float, float]] = field(default_factory=deque)
    _origin: tuple[float, float] = (0.0, 0.0)
    _sums: list[float] = field(default_factory=lambda: [0.0] * 4)
    _added: int = 0

    def add(self, at: float, value: float) -> None:
        self._points.append((at, value))
        while self._points[0][0] <= at - self.window_s:
            self._change(*self._points.popleft(), sign=-1.0)
        self._added += 1
        if self._added > len(self._points):
            # About the newest point, and exactly: sums that are only ever added to and taken from drift away.
            self._origin, self._sums, self._added = (at, value), [0.0] * 4, 0
            for point in self._points:
                self._change(*point, sign=1.0)
        else:
            self._change(at, value, sign=1.0)

    def _change(self, at: float, value: float, sign: float) -> None:
        x, y = at - self._origin[0], value - self._origin[1]
        sums = self._sums
        sums[0] += sign * x
        sums[1] += sign * y
        sums[2] += sign * x * x
        sums[3] += sign * x * y

    def fit(self) -> tuple[float, float] | None:
        """Slope per second, and the line's value at the newest sample. None for less than two samples."""
        count = len(self._points)
        if count < 2:
            return None
        x, y, xx, xy = self._sums
        spread = xx - x * x / count
        slope = (xy - x * y / count) / spread if spread > 0 else 0.0
        at = self._points[-1][0] - self._origin[0]
        return slope, self._origin[1] + y / count + slope * (at - x / count)


@dataclass(frozen=True, slots=True)
class Fit:
    """``slope`` per point; ``r2``: the share of the variance that the line explains, 0 for what does not vary."""

    slope: float
    r2: float


@dataclass(slots=True)
class PrefixLine:
    """Over any stretch of evenly spaced values, of which more come."""

    values: list[float] = field(default_factory=list)
    _y: list[float] = field(default_factory=lambda: [0.0])
    _xy: list[float] = field(default_factory=lambda: [0.0])
    _yy: list[float] = field(default_factory=lambda: [0.0])

    @classmethod
    def of(cls, values: Sequence[float]) -> "PrefixLine":
        line = cls()
        for value in values:
            line.append(value)
        return line

    def append(self, value: float) -> None:
        self._y.append(self._y[-1] + value)
        self._xy.append(self._xy[-1] + value * len(self.values))
        self._yy.append(self._yy[-1] + value * value)
        self.values.append(value)

    def fit(self, start: int, end: int) -> Fit:
        """Over ``values[start:end]``, of at least two."""
        count = end - start
        y = self._y[end] - self._y[start]
        xy = self._xy[end] - self._xy[start] - (start + (count - 1) / 2) * y
        xx = count * (count * count - 1) / 12
        yy = self._yy[end] - self._yy[start] - y * y / count
        # Below this there is nothing but rounding in the sums.
        if yy <= 1e-9 * self._yy[end]:
            return Fit(0.0, 0.0)
        return Fit(xy / xx, xy * xy / (xx * yy))
