"""A table's rows, as Grafana's transformations ``merge`` and ``organize`` make them of the answers."""

from collections.abc import Sequence

from grafana.lib import Color, Column, Table
from grafana.preview.answers import Answer, Series
from grafana.preview.words import number

#: Text and its color.
Cell = tuple[str, Color]
EMPTY: Cell = ("", Color.GREY)


def headers(table: Table) -> list[str]:
    return [*(key.header for key in table.keys), *(column.header for column in table.columns)]


def rows(table: Table, answers: Sequence[Answer], now: float) -> list[list[Cell]]:
    """One per combination of keys, sorted by the first as it is shown."""
    names = [key.label for key in table.keys]
    found: dict[tuple[str, ...], list[Cell]] = {}
    for index, (column, answer) in enumerate(zip(table.columns, answers, strict=True)):
        for series in answer.series:
            key = tuple(series.labels.get(name, "") for name in names)
            cells = found.setdefault(key, [EMPTY] * len(table.columns))
            cells[index] = _cell(column, series, now)
    return [[*((name, Color.GREY) for name in key), *cells] for key, cells in sorted(found.items())]


def _cell(column: Column, series: Series, now: float) -> Cell:
    if column.label:
        return series.labels.get(column.label, ""), Color.GREY
    value = series.points[-1][1]
    for state in column.states:
        if state.number == value:
            return state.text, state.color
    color = column.thresholds.color(value) if column.thresholds else Color.GREY
    return number(value, column.unit, now), color
