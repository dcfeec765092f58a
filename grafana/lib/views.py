"""How a panel shows its queries. One more: a class, a line in ``View``, cases in ``render_panel`` and the preview."""

from dataclasses import dataclass

from grafana.lib.style import Color, Unit
from grafana.lib.thresholds import PLAIN, Thresholds


@dataclass(frozen=True, slots=True)
class Query:
    """``legend`` may hold Grafana's ``{{label}}``."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """What a number means to a reader."""

    number: int
    text: str
    color: Color


@dataclass(frozen=True, slots=True)
class TimeSeries:
    """Lines; bars for what happens now and then, areas on each other for parts of a whole.

    ``thresholds`` are drawn as dashed lines. ``colors``: of series by name, where a color says good or bad.
    """

    queries: tuple[Query, ...]
    has_bars: bool = False
    is_stacked: bool = False
    thresholds: Thresholds | None = None
    colors: tuple[tuple[str, Color], ...] = ()


@dataclass(frozen=True, slots=True)
class Stat:
    """One number, as it is now or of the time that is shown. ``empty`` is shown for no data."""

    query: Query
    empty: str
    thresholds: Thresholds = PLAIN


@dataclass(frozen=True, slots=True)
class Key:
    """A label that names a table's rows. ``link``: where a click leads; ``${__value.raw}`` stands for the name."""

    label: str
    header: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """``expr`` yields at most one sample per row.

    ``label``: what is shown is this label's value instead of the number.
    """

    header: str
    expr: str
    unit: Unit = Unit.NONE
    states: tuple[State, ...] = ()
    thresholds: Thresholds | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One row per combination of ``keys``, as it is now. Every column has these labels, and no others but its own."""

    keys: tuple[Key, ...]
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class StateTimeline:
    """One bar per series, colored by what its numbers mean."""

    queries: tuple[Query, ...]
    states: tuple[State, ...]


#: ``timeInterval`` of provisioning/datasources: the longest scrape interval.
SCRAPE_S = 15
MINUTE_S = 60
STATE_S = 5

View = TimeSeries | Stat | Table | StateTimeline


def queries(view: View) -> tuple[Query, ...]:
    """All that a panel asks, in its order."""
    match view:
        case Stat():
            return (view.query,)
        case Table():
            return tuple(Query(column.expr) for column in view.columns)
        case TimeSeries() | StateTimeline():
            return view.queries


def least_step_s(view: View) -> int:
    """Between two points of a panel, in seconds."""
    match view:
        case TimeSeries(has_bars=True):
            # $__rate_interval spans four scrapes or more: with shorter steps, one event would show as several bars.
            return MINUTE_S
        case StateTimeline():
            # What repairs rest on is scraped every 2 s, and is over in a few of them.
            return STATE_S
        case _:
            return SCRAPE_S
