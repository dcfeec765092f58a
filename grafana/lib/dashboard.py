"""What a dashboard is made of, and where its panels lie."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grafana.lib.views import Unit, View

#: Grafana's grid.
GRID_WIDTH = 24


@dataclass(frozen=True, slots=True)
class Panel:
    """``description`` says what is seen and what to think of it. Sizes are in cells of Grafana's grid."""

    title: str
    description: str
    unit: Unit
    view: View
    width: int = GRID_WIDTH // 2
    height: int = 8


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice at the top of the dashboard, by what Prometheus has."""

    name: str
    title: str
    query: str


@dataclass(frozen=True, slots=True)
class Dashboard:
    """``uid`` is its address and its file's name. The data source is a variable of every dashboard, not named here."""

    uid: str
    title: str
    description: str
    tags: tuple[str, ...]
    panels: tuple[Panel, ...]
    variables: tuple[Variable, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """The upper left corner of a panel, in cells."""

    x: int
    y: int


def places(panels: Sequence[Panel]) -> Iterator[Place]:
    """Left to right; a panel that does not fit starts a new row below the highest of this one."""
    x = y = row_height = 0
    for panel in panels:
        if x + panel.width > GRID_WIDTH:
            x, y, row_height = 0, y + row_height, 0
        yield Place(x, y)
        x, row_height = x + panel.width, max(row_height, panel.height)
