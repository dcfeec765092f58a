"""Views over time: lines, areas, bars, and timelines of states."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

from grafana.lib import Color, StateTimeline, TimeSeries, Unit
from grafana.preview.answers import Answer, Answers, Point
from grafana.preview.page import COLORS, FAINT, FRAME, INK, PALE, PALETTE, SMALL, SMALL_PX, Box, Page, shortened
from grafana.preview.words import legend, number, size_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_AXIS_PX = 62
_TIMES_PX = 20
_LEGEND_ROW_PX = 15
#: Names that are told beside a chart; Grafana's own legend can be scrolled.
_MOST_NAMES = 8
_MOST_BARS = 14
_TICKS = 6
_VALUES = 5
_DAY_S = 86400


@dataclass(frozen=True, slots=True)
class Named:
    name: str
    points: Sequence[Point]
    step_s: int


def named(answers: Sequence[Answer]) -> list[Named]:
    """All series by the names that the legend gives them."""
    return [
        Named(legend(answer.query.legend, series.labels), series.points, answer.step_s)
        for answer in answers
        for series in sorted(answer.series, key=lambda series: sorted(series.labels.items()))
    ]


def runs(one: Named) -> Iterator[Sequence[Point]]:
    """Parts without a gap: a line over time that was not measured would be a claim."""
    start = 0
    for index, (before, after) in enumerate(itertools.pairwise(one.points), start=1):
        if after[0] - before[0] > 1.5 * one.step_s:
            yield one.points[start:index]
            start = index
    yield one.points[start:]


def draw_series(page: Page, box: Box, view: TimeSeries, unit: Unit, answers: Sequence[Answer], all_: Answers) -> None:
    found = named(answers)
    legend_rows = min(len(found), _MOST_NAMES + 1)
    chart = box.inner(_AXIS_PX, 2, 20, _TIMES_PX + _LEGEND_ROW_PX * ((legend_rows + 1) // 2) + 4)
    axes = _axes(page, chart, all_)
    floor: dict[float, float] = {}
    for index, one in enumerate(found):
        color = _color(view, one.name, index)
        if view.has_bars or view.is_stacked:
            _stack(axes, one, color, floor, has_bars=view.has_bars)
        else:
            for run in runs(one):
                axes.plot(*_columns(run), color=color, linewidth=1.3, marker="." if len(run) == 1 else None)
    for value, color in view.thresholds.steps if view.thresholds else ():
        axes.axhline(value, color=COLORS[color], linestyle="--", linewidth=0.9, alpha=0.8)
    _values(axes, unit)
    _say_if_empty(axes, found)
    _legend(page, box, found, view, unit, box.y + box.height - _LEGEND_ROW_PX * ((legend_rows + 1) // 2))


def draw_timeline(page: Page, box: Box, view: StateTimeline, answers: Sequence[Answer], all_: Answers) -> None:
    found = named(answers)
    shown = found[:_MOST_BARS]
    names_px = min(0.34 * box.width, 12 + SMALL_PX * max((len(one.name) for one in shown), default=8))
    chart = box.inner(names_px, 2, 20, _TIMES_PX + _LEGEND_ROW_PX)
    axes = _axes(page, chart, all_)
    colors = {state.number: COLORS[state.color] for state in view.states if state.color is not Color.GREY}
    for row, one in enumerate(shown):
        for at, value in one.points:
            start = max(at - one.step_s, all_.window.start)
            axes.barh(row, at - start, left=start, height=0.72, color=colors.get(int(value), PALE), linewidth=0)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.set_yticks(range(len(shown)), [shortened(one.name, names_px) for one in shown], fontsize=SMALL)
    _say_if_empty(axes, found)
    if len(found) > len(shown):
        page.text(box.x, box.y + box.height - 14, f"and {len(found) - len(shown)} more", size=SMALL, color=FAINT)
    seen = {int(value) for one in found for _, value in one.points}
    x = box.x + names_px
    for state in view.states:
        if state.number in seen:
            page.text(x, box.y + box.height - 14, f"■ {state.text}", size=SMALL, color=COLORS[state.color])
            x += 30 + 6.2 * len(state.text)


def _axes(page: Page, box: Box, all_: Answers) -> "Axes":
    """With the time below, and what happened drawn over it."""
    start, end = all_.window.start, all_.window.end
    axes = page.axes(box)
    axes.set_xlim(start, end)
    axes.tick_params(labelsize=SMALL, length=0, pad=5, colors=INK)
    axes.grid(visible=True, color=FRAME, linewidth=0.5)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)
    form = "%H:%M" if end - start <= _DAY_S else "%m-%d %H:%M"
    ticks = [start + (end - start) * index / _TICKS for index in range(_TICKS + 1)]
    axes.set_xticks(ticks, [datetime.fromtimestamp(at, UTC).strftime(form) for at in ticks])
    for annotation, answer in all_.events:
        for series in answer.series:
            for at, _ in series.points:
                axes.axvspan(at - answer.step_s, at, color=COLORS[annotation.color], alpha=0.07, linewidth=0)
    return axes


def _columns(points: Sequence[Point]) -> tuple[list[float], list[float]]:
    return [at for at, _ in points], [value for _, value in points]


def _values(axes: "Axes", unit: Unit) -> None:
    """The axis from 0, with round numbers of the unit in which they are written."""
    reached = float(axes.dataLim.y1)
    top = 1.06 * reached if math.isfinite(reached) and reached > 0 else size_of(1, unit)
    size = size_of(top, unit)
    ticks = [tick * size for tick in MaxNLocator(_VALUES).tick_values(0, top / size) if tick * size <= top]
    axes.set_ylim(0, top)
    axes.set_yticks(ticks, [number(tick, unit) for tick in ticks])


def _stack(axes: "Axes", one: Named, color: str, floor: dict[float, float], *, has_bars: bool) -> None:
    """``floor``: how high it is at each time already; grows."""
    times = [at for at, _ in one.points]
    below = [floor.get(at, 0.0) for at in times]
    above = [low + value for low, (_, value) in zip(below, one.points, strict=True)]
    if has_bars:
        heights = [value for _, value in one.points]
        axes.bar(times, heights, bottom=below, width=one.step_s * 0.9, color=color, alpha=0.75, linewidth=0)
    else:
        axes.fill_between(times, below, above, color=color, alpha=0.6, linewidth=0.4)
    floor.update(zip(times, above, strict=True))


def _say_if_empty(axes: "Axes", found: Sequence[Named]) -> None:
    if not found:
        axes.set_yticks([])
        axes.text(0.5, 0.5, "No data", transform=axes.transAxes, ha="center", va="center", color=FAINT, fontsize=11)


def _color(view: TimeSeries, name: str, index: int) -> str:
    given = dict(view.colors).get(name)
    return COLORS[given] if given is not None else PALETTE[index % len(PALETTE)]


def _legend(page: Page, box: Box, found: Sequence[Named], view: TimeSeries, unit: Unit, top: float) -> None:
    """Two names in a row, each with its last value."""
    half = box.width / 2
    for index, one in enumerate(found[:_MOST_NAMES]):
        x, y = box.x + (index % 2) * half, top + _LEGEND_ROW_PX * (index // 2)
        last = number(one.points[-1][1], unit)
        page.text(x, y, "━", size=SMALL, color=_color(view, one.name, index), weight="bold")
        page.text(x + 16, y, shortened(one.name, half - 110), size=SMALL)
        page.text(x + half - 12, y, last, size=SMALL, color=FAINT, align="right")
    if len(found) > _MOST_NAMES:
        y = top + _LEGEND_ROW_PX * (_MOST_NAMES // 2)
        page.text(box.x, y, f"and {len(found) - _MOST_NAMES} more", size=SMALL, color=FAINT)
