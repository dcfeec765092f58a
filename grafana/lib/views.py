"""How a panel shows its queries. Adding a kind: a class here, a line in ``View``, a case in ``render``."""

from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """Grafana's own names of units."""

    NONE = "none"
    COUNT = "short"
    SECONDS = "s"
    BYTES = "bytes"
    RATIO = "percentunit"  # of 0 to 1


class Color(StrEnum):
    """Grafana's own names of colors."""

    GREEN = "green"
    ORANGE = "orange"
    RED = "red"
    BLUE = "blue"
    GREY = "text"


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
    """Lines; bars for what happens now and then."""

    queries: tuple[Query, ...]
    has_bars: bool = False


@dataclass(frozen=True, slots=True)
class Stat:
    """One number, as it is now. ``empty`` is shown for no data; ``red_from`` None: never red."""

    query: Query
    empty: str
    red_from: float | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """``expr`` yields at most one sample per row."""

    header: str
    expr: str
    unit: Unit
    states: tuple[State, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """One row per value of ``row_label``, which all columns have and nothing else; as it is now.

    ``row_link``: where a click on the row's name leads; ``${__value.raw}`` stands for the name.
    """

    row_label: str
    row_header: str
    row_link: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class StateTimeline:
    """One bar per series, colored by what its numbers mean."""

    queries: tuple[Query, ...]
    states: tuple[State, ...]


View = TimeSeries | Stat | Table | StateTimeline
