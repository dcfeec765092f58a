"""What a dashboard is made of, and where its parts lie."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grafana.lib.links import Link
from grafana.lib.style import Color, Unit
from grafana.lib.views import View

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
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Heading:
    """A line of text over the panels that follow; a click hides them."""

    title: str
    width: int = GRID_WIDTH
    height: int = 1


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice at the top of the dashboard, by what Prometheus has. ``has_many``: several or all may be chosen."""

    name: str
    title: str
    query: str
    has_many: bool = False


@dataclass(frozen=True, slots=True)
class Annotation:
    """What happened, drawn over all panels: where ``expr`` has samples, or what others told Grafana under ``tag``.

    ``title`` and ``text`` may hold ``{{label}}``. One of ``expr`` and ``tag`` is set.
    """

    name: str
    color: Color
    expr: str = ""
    title: str = ""
    text: str = ""
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """``uid`` is its address and its file's name. The data source is a variable of every dashboard, not named here."""

    uid: str
    title: str
    description: str
    parts: tuple[Panel | Heading, ...]
    variables: tuple[Variable, ...] = ()
    annotations: tuple[Annotation, ...] = ()

    @property
    def panels(self) -> tuple[Panel, ...]:
        return tuple(part for part in self.parts if isinstance(part, Panel))


@dataclass(frozen=True, slots=True)
class Place:
    """The upper left corner of a part, in cells."""

    x: int
    y: int


def places(parts: Sequence[Panel | Heading]) -> Iterator[Place]:
    """Left to right; a part that does not fit starts a new row below the highest of this one."""
    x = y = row_height = 0
    for part in parts:
        if x + part.width > GRID_WIDTH:
            x, y, row_height = 0, y + row_height, 0
        yield Place(x, y)
        x, row_height = x + part.width, max(row_height, part.height)
