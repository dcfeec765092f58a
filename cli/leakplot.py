"""Floor, slope and forecast of one series, in plain characters: they can be told apart in logs and without colours."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median

from rich.console import Console
from rich.text import Text

from cli.leakwords import Unit, moment, quantity
from exporters.leaks.assessment import Assessment

_HEIGHT = 16
_WIDEST = 110
#: Two times stand side by side below it.
_NARROWEST = 60
#: Forecasts longer than this many times what was measured would leave no room for that.
_LOOK_AHEAD = 2.0
#: A limit further above than this many times what is drawn would make it a flat line.
_LOOK_UP = 4.0
#: Drawn in this order, the last on top. Peaks exhaust the limit before the floor meets it.
_LAYERS = {
    "limit": ("=", "red"),
    "forecast": (".", "yellow"),
    "slope": ("*", "cyan"),
    "floor": ("o", "green"),
    "exhausted": ("X", "bold red"),
}

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Frame:
    """What is seen: times and values at its edges, and its size in characters."""

    begin: float
    end: float
    low: float
    high: float
    width: int

    def cell(self, point: Point) -> tuple[int, int] | None:
        """Row from above and column; None outside of it."""
        at, value = point
        if not (self.begin <= at <= self.end and self.low <= value <= self.high):
            return None
        column = (at - self.begin) / (self.end - self.begin) * (self.width - 1)
        row = (self.high - value) / (self.high - self.low) * (_HEIGHT - 1)
        return round(row), round(column)

    def times(self) -> Iterator[float]:
        """One for each column."""
        for column in range(self.width):
            yield self.begin + (self.end - self.begin) * column / (self.width - 1)


@dataclass(frozen=True, slots=True)
class _Line:
    """The slope as a line through a point; drawn from ``onset`` on."""

    at: float
    value: float
    slope: float
    onset: float

    def height(self, at: float) -> float:
        return self.value + self.slope * (at - self.at)


def show(history: Sequence[Point], said: Assessment, unit: Unit, to: Console) -> None:
    """``history``: (epoch seconds, floor), oldest first."""
    for line in draw(history, said, unit, to.width):
        to.print(line, no_wrap=True, overflow="crop", crop=True)


def draw(history: Sequence[Point], said: Assessment, unit: Unit, width: int) -> list[Text]:
    """Lines of at most ``width`` characters; a sentence when there are not two times to draw."""
    width = max(_NARROWEST, min(width, _WIDEST))
    floors = sorted(point for point in history if math.isfinite(point[0]) and math.isfinite(point[1]))
    if not floors or floors[0][0] == floors[-1][0]:
        return [Text("too few measurements to draw")]
    line = _line(floors, said)
    begin, end = floors[0][0], _end(floors, said, line)
    floors = _lowest(floors, (end - begin) / width)
    low, high = _edges(floors, said.limit, line, end)
    labels = {0: quantity(high, unit), _HEIGHT // 2: quantity((low + high) / 2, unit), _HEIGHT - 1: quantity(low, unit)}
    margin = max(map(len, labels.values()))
    frame = _Frame(begin, end, low, high, width - margin - 3)
    layers = _layers(floors, said, line, frame)
    rows = _rows(layers, frame.width)
    picture = [Text(f"{labels.get(number, ''):>{margin}} |").append_text(row) for number, row in enumerate(rows)]
    return [*picture, *_below(frame, margin), _legend(layers, said.limit, unit)]


def _lowest(floors: Sequence[Point], width_s: float) -> list[Point]:
    """The lowest of each span: what is remembered is finer in parts, and what is finer is noisier."""
    spans = groupby(floors, lambda point: (point[0] - floors[0][0]) // width_s)
    return [min(span, key=lambda point: point[1]) for _, span in spans]


def _line(floors: Sequence[Point], said: Assessment) -> _Line | None:
    """As near to the floors since its onset as it gets. None when nothing grows."""
    if said.slope == 0.0:
        return None
    first = floors[0][0]
    onset = first if said.onset is None else said.onset
    since = [point for point in floors if point[0] >= onset] or floors[-1:]
    return _Line(first, median(floor - said.slope * (at - first) for at, floor in since), said.slope, onset)


def _end(floors: Sequence[Point], said: Assessment, line: _Line | None) -> float:
    begin, last = floors[0][0], floors[-1][0]
    if line is None:
        return last
    furthest = last + _LOOK_AHEAD * (last - begin)
    return furthest if said.exhaustion is None else min(furthest, max(last, said.exhaustion))


def _edges(floors: Sequence[Point], limit: float | None, line: _Line | None, end: float) -> tuple[float, float]:
    values = [floor for _, floor in floors]
    if line is not None and math.isfinite(forecast := line.height(end)):
        values.append(forecast)
    low, high = max(0.0, min(values)), max(values)
    if limit is not None and limit - low <= _LOOK_UP * (high - low):
        high = max(high, limit)
    return (low, high) if low < high else (low, low + max(1.0, abs(low)))


def _layers(
    floors: Sequence[Point], said: Assessment, line: _Line | None, frame: _Frame
) -> dict[str, set[tuple[int, int]]]:
    """Cells of each, in the order of _LAYERS."""
    times = list(frame.times())
    fitted = [] if line is None else [(at, line.height(at)) for at in times if at >= line.onset]
    last = floors[-1][0]
    points = {
        "limit": [] if said.limit is None else [(at, said.limit) for at in times],
        "exhausted": [] if said.limit is None or said.exhaustion is None else [(said.exhaustion, said.limit)],
        "forecast": [point for point in fitted if point[0] > last],
        "slope": [point for point in fitted if point[0] <= last],
        "floor": floors,
    }
    cells = {name: {cell for point in points[name] if (cell := frame.cell(point)) is not None} for name in _LAYERS}
    return {name: found for name, found in cells.items() if found}


def _rows(layers: dict[str, set[tuple[int, int]]], width: int) -> Iterator[Text]:
    marks = {cell: _LAYERS[name] for name, cells in layers.items() for cell in cells}
    for row in range(_HEIGHT):
        runs = groupby(marks.get((row, column), (" ", "")) for column in range(width))
        yield Text.assemble(*((mark * len(list(run)), style) for (mark, style), run in runs))


def _below(frame: _Frame, margin: int) -> list[Text]:
    """The axis of time, in UTC."""
    begin, end = moment(frame.begin), f"{moment(frame.end)} UTC"
    gap = " " * max(1, frame.width - len(begin) - len(end))
    return [Text(f"{'':>{margin}} +{'-' * frame.width}"), Text(f"{'':>{margin}}  {begin}{gap}{end}")]


def _legend(layers: dict[str, set[tuple[int, int]]], limit: float | None, unit: Unit) -> Text:
    parts: list[str | tuple[str, str]] = []
    for name in layers:
        mark, style = _LAYERS[name]
        value = f" {quantity(limit, unit)}" if name == "limit" and limit is not None else ""
        parts += [(mark, style), f" {name}{value}  "]
    if limit is not None and "limit" not in layers:
        parts.append(f"limit {quantity(limit, unit)}: above the picture")
    return Text.assemble(*parts)
