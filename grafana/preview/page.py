"""Where all lies on the picture of a dashboard, in pixels; the frame and the words that every panel has."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from grafana.lib import Color, Heading, Panel, places
from grafana.lib.dashboard import GRID_WIDTH, Place

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH_PX = 1680
ROW_PX = 38
HEAD_PX = 64
_CELL_PX = WIDTH_PX / GRID_WIDTH
_GAP_PX = 5
_DPI = 100
#: A letter of the small font is about so wide.
SMALL_PX = 6.1
SMALL = 8.0

PAPER, FRAME, INK, FAINT, PALE = "#f4f5f5", "#d8dadd", "#24292e", "#6b7178", "#aab0b7"
COLORS = {
    Color.GREEN: "#56a64b",
    Color.ORANGE: "#e8871e",
    Color.RED: "#d0293b",
    Color.BLUE: "#3274d9",
    Color.PURPLE: "#8f3bb8",
    Color.GREY: "#464c54",
}
#: Of lines, in the order of Grafana's classic palette.
PALETTE = (
    "#5a9e4b", "#d9a300", "#3fa7bd", "#e07b2e", "#d0433c", "#1f78c1", "#ba43a9", "#705da0", "#3f6833", "#967302",
    "#2f575e", "#99440a", "#58140c", "#052b51", "#511749", "#3f2b5b",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Box:
    """Pixels from the upper left corner."""

    x: float
    y: float
    width: float
    height: float

    def inner(self, left: float, top: float, right: float, bottom: float) -> "Box":
        return Box(self.x + left, self.y + top, self.width - left - right, self.height - top - bottom)


class Page:
    """A figure that is drawn on in pixels."""

    def __init__(self, parts: Sequence[Panel | Heading]) -> None:
        rows = max(place.y + part.height for part, place in zip(parts, places(parts), strict=True))
        self.height_px = HEAD_PX + rows * ROW_PX + 2 * _GAP_PX
        self.figure = Figure(figsize=(WIDTH_PX / _DPI, self.height_px / _DPI), dpi=_DPI, facecolor=PAPER)

    def box(self, part: Panel | Heading, place: Place) -> Box:
        whole = Box(place.x * _CELL_PX, HEAD_PX + place.y * ROW_PX, part.width * _CELL_PX, part.height * ROW_PX)
        return whole.inner(_GAP_PX, _GAP_PX, _GAP_PX, _GAP_PX)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: float = 9.0,
        color: str = INK,
        weight: str = "normal",
        align: str = "left",
    ) -> None:
        """``y``: of the upper edge. ``$`` is no formula here."""
        self.figure.text(
            x / WIDTH_PX,
            1 - y / self.height_px,
            words,
            fontsize=size,
            color=color,
            fontweight=weight,
            ha=align,
            va="top",
            parse_math=False,
        )

    def axes(self, box: Box) -> "Axes":
        return self.figure.add_axes(
            (
                box.x / WIDTH_PX,
                1 - (box.y + box.height) / self.height_px,
                box.width / WIDTH_PX,
                box.height / self.height_px,
            )
        )

    def patch(self, box: Box, color: str, edge: str | None = None) -> None:
        self.figure.patches.append(
            FancyBboxPatch(
                (box.x / WIDTH_PX, 1 - (box.y + box.height) / self.height_px),
                box.width / WIDTH_PX,
                box.height / self.height_px,
                boxstyle="square,pad=0",
                facecolor=color,
                edgecolor=edge or color,
                linewidth=0.8,
                transform=self.figure.transFigure,
                figure=self.figure,
                zorder=-1,
            )
        )

    def frame(self, panel: Panel, box: Box) -> Box:
        """Draws what every panel has. Where its view is to be drawn."""
        self.patch(box, "white", FRAME)
        self.text(box.x + 8, box.y + 7, panel.title, size=10, weight="bold")
        lines = textwrap.wrap(
            panel.description.replace("`", ""), max(20, int((box.width - 16) / SMALL_PX)), max_lines=2, placeholder=" …"
        )
        if box.width < WIDTH_PX / 5:  # only the number has room
            return box.inner(8, 26, 8, 6)
        self.text(box.x + 8, box.y + 25, "\n".join(lines), size=SMALL, color=FAINT)
        return box.inner(8, 30 + 13 * len(lines), 8, 6)


def shortened(words: str, width_px: float) -> str:
    """With its end left out where there is no room for it in the small font."""
    room = max(3, int(width_px / SMALL_PX))
    return words if len(words) <= room else f"{words[: room - 1]}…"
