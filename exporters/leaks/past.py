"""What a series did before a window. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from exporters.leaks.scales import Scales


@dataclass(frozen=True, slots=True)
class Past:
    """``seen_s``: how long before the window is looked at: as long as the window, or since the first sample. ``rise``:
    in that time. ``age_s``: of the container at the window's end; ``known_s``: since the first sample then.
    ``day_rise``: of the last 24 h, None when that is not known. ``gives_back``: the most that the series has given back
    by itself. ``again``: units per second by which it grew before its last restart, or 0. ``load``: how busy it is,
    against what is usual.
    """

    seen_s: float
    rise: float
    age_s: float
    known_s: float
    day_rise: float | None
    gives_back: float
    again: float = 0.0
    load: float = 1.0
    peaks: Sequence[float] = ()


def floor_at(scales: Scales, index: int, at: float) -> float | None:
    """The floor around this time, of the finest scale from ``index`` on that remembers it; None when none does."""
    for scale in scales.all[index:]:
        back = math.ceil((scale.end - at) / scale.width_s)
        if 0 < back <= len(scale.floors):
            near = [floor for floor in scale.floors[len(scale.floors) - back :][:2] if floor != math.inf]
            if near:
                return min(near)
    return None
