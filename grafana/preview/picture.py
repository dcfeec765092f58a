"""One dashboard as one picture."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import assert_never

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from grafana.lib import Dashboard, Heading, Panel, Stat, StateTimeline, Table, TimeSeries, places
from grafana.preview.answers import Answer, Answers
from grafana.preview.charts import draw_series, draw_timeline
from grafana.preview.filling import ALL
from grafana.preview.page import COLORS, FAINT, FRAME, INK, SMALL, SMALL_PX, WIDTH_PX, Box, Page, shortened
from grafana.preview.rows import Cell, headers, rows
from grafana.preview.words import number

_LINE_PX = 20


def draw(dashboard: Dashboard, answers: Answers, target: Path) -> None:
    """Write the PNG."""
    figure = compose(dashboard, answers)
    FigureCanvasAgg(figure)
    figure.savefig(target, format="png")


def compose(dashboard: Dashboard, answers: Answers) -> Figure:
    page = Page(dashboard.parts)
    _head(page, dashboard, answers)
    answered = iter(answers.panels)
    for part, place in zip(dashboard.parts, places(dashboard.parts), strict=True):
        box = page.box(part, place)
        if isinstance(part, Heading):
            page.text(box.x + 2, box.y + 6, f"▾ {part.title}", size=11, weight="bold")
        else:
            _panel(page, part, box, next(answered), answers)
    return page.figure


def _head(page: Page, dashboard: Dashboard, answers: Answers) -> None:
    page.text(12, 10, dashboard.title, size=15, weight="bold")
    page.text(12, 38, dashboard.description, size=9, color=FAINT)
    window = answers.window
    begin, end = (datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M") for at in (window.start, window.end))
    page.text(WIDTH_PX - 12, 12, f"{begin} to {end} UTC", size=9, color=INK, align="right")
    chosen = [
        f"{variable.title}: {'all' if window.chosen[variable.name] == ALL else window.chosen[variable.name]}"
        for variable in dashboard.variables
    ]
    events = [f"shaded: {annotation.name.lower()}" for annotation, answer in answers.events if answer.series]
    page.text(WIDTH_PX - 12, 38, "     ".join([*chosen, *events]), size=9, color=FAINT, align="right")


def _panel(page: Page, panel: Panel, box: Box, answers: Sequence[Answer], all_: Answers) -> None:
    inside = page.frame(panel, box)
    match panel.view:
        case Stat() as view:
            _stat(page, panel, view, inside, answers[0], all_.window.end)
        case Table() as view:
            _table(page, inside, headers(view), rows(view, answers, all_.window.end))
        case TimeSeries() as view:
            draw_series(page, inside, view, panel.unit, answers, all_)
        case StateTimeline() as view:
            draw_timeline(page, inside, view, answers, all_)
        case _ as other:
            assert_never(other)


def _stat(page: Page, panel: Panel, view: Stat, box: Box, answer: Answer, now: float) -> None:
    value = answer.series[0].points[-1][1] if answer.series else None
    words = view.empty if value is None else number(value, panel.unit, now)
    color = FAINT if value is None else COLORS[view.thresholds.color(value)]
    size = 26 if len(words) < 10 else 18  # noqa: PLR2004 - letters
    page.text(box.x + box.width / 2, box.y + box.height * 0.3, words, size=size, color=color, align="center")


def _table(page: Page, box: Box, header: Sequence[str], body: Sequence[Sequence[Cell]]) -> None:
    room = max(1, int(box.height / _LINE_PX) - 1)
    letters = [max([len(name), *(len(row[index][0]) for row in body[:room])]) + 3 for index, name in enumerate(header)]
    scale = box.width / sum(letters)
    x = box.x
    for index, (name, wide) in enumerate(zip(header, letters, strict=True)):
        page.text(x, box.y, shortened(name, wide * scale), size=SMALL + 0.5, weight="bold")
        for line, row in enumerate(body[:room], start=1):
            words, color = row[index]
            y = box.y + line * _LINE_PX
            if index == 0:
                page.patch(Box(box.x, y - 4, box.width, 0.6), FRAME)
            page.text(x, y, shortened(words, wide * scale), size=SMALL + 0.5, color=COLORS[color])
        x += wide * scale
    if not body:
        page.text(box.x + box.width / 2, box.y + box.height / 2, "No data", size=11, color=FAINT, align="center")
    elif len(body) > room:
        page.text(
            box.x + box.width - SMALL_PX, box.y, f"{room} of {len(body)} rows", size=SMALL, color=FAINT, align="right"
        )
