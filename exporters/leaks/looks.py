"""Looks for the growth of a leak in the windows of one scale, of all lengths that it remembers. Pure."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from exporters.leaks.growth import Growth, Window, judge, judge_days
from exporters.leaks.load import Load
from exporters.leaks.parameters import DAYS, FINE_WINDOWS, PARAMETERS, WIDTHS_S, WINDOWS
from exporters.leaks.past import Past, floor_at
from exporters.leaks.scales import Scale, Scales
from exporters.leaks.shape import blocks, given_back

_DAY_S = 86400.0
#: The scale that remembers two days.
_DAILY = 2
#: Points of the coarsest scale in a day.
_OF_A_DAY = 12
#: Growth below this share of what is left to the limit is too little for any trust.
_LEAST_SHARE = 0.12


@dataclass(slots=True)
class Life:
    """One life of a container or process. ``started``, and ``known`` from the first sample on: by a clock that never
    goes back; ``told``: the start as the engine says it. ``value``: the last. ``gives_back``: the most that earlier
    lives gave back by themselves; ``again``: units per second by which the last one grew when it leaked, or 0.
    ``load``: how busy it is.
    """

    started: float = 0.0
    known: float = 0.0
    told: float | None = None
    value: float = 0.0
    limit: float | None = None
    gives_back: float = 0.0
    again: float = 0.0
    load: Load = field(default_factory=Load)


def at_scale(index: int, scales: Scales, life: Life, limit: float) -> list[Growth]:
    """What grows at this scale, refused or not; of most series nothing."""
    scale = scales.all[index]
    floors = list(scale.floors)
    headroom = _headroom(scale, life.value, limit)
    back = max(life.gives_back, *(given_back(coarser.floors) for coarser in scales.all[index:]))
    return [
        judge(window, _past(scales, index, window, life, back), headroom, limit, PARAMETERS)
        for window in _windows(floors, scale, FINE_WINDOWS if index == 0 else WINDOWS, headroom)
    ]


def since_yesterday(scales: Scales, life: Life, limit: float) -> list[Growth]:
    """What grows more than it did a day before, at the same time: growth that began lately, without the time of day."""
    scale = scales.all[_DAILY]
    day = int(_DAY_S) // scale.width_s
    floors = list(scale.floors)
    if len(floors) < 2 * day or math.inf in floors:
        return []
    # Coming back to where it was the day before is no growth.
    changes = [max(0.0, later - earlier) for earlier, later in zip(floors, floors[day:], strict=False)]
    headroom = limit - sorted(scales.peaks)[-2]
    older = [floor for floor in scales.all[-1].floors[:-_OF_A_DAY] if floor != math.inf]
    above = max(floors[-day:]) - max(older, default=-math.inf)
    found: list[Growth] = []
    for window in _windows(changes, scale, WINDOWS, headroom):
        if above < PARAMETERS.above_past * (window.blocks[-1] - window.blocks[0]):
            continue  # as high as on other days of the week
        known_s = window.end - life.known
        past = Past(window.length_s, 0.0, known_s, known_s, None, given_back(changes), peaks=scales.peaks)
        found.append(judge(window, past, headroom, limit, PARAMETERS))
    return found


def over_days(index: int, scales: Scales, life: Life, limit: float) -> list[Growth]:
    """The same over whole days: each time of day is compared with itself."""
    scale = scales.all[index]
    floors, day = list(scale.floors), int(_DAY_S) // scale.width_s
    found: list[Growth] = []
    for days in DAYS if index > _DAILY else (2,):
        points = days * day
        if points > len(floors) or math.inf in floors[-points:]:
            break
        window = Window(floors[-points:], (), scale.end, scale.width_s, scale.width_s)
        past = _past(scales, index, window, life, life.gives_back)
        growth = judge_days(window, day, past, limit, PARAMETERS)
        if growth is not None:
            found.append(growth)
    return found


def best(growths: Sequence[Growth]) -> Growth | None:
    """The one with the most to be said for it, of those that may be a leak's."""
    return max((growth for growth in growths if growth.is_likely(PARAMETERS)), key=promise, default=None)


def promise(growth: Growth) -> float:
    """How near it is to being trusted; of those that are, the clearest: part of a window without growth blurs it."""
    surplus = growth.trust / max(growth.need, 1e-9)
    return surplus if surplus < 1 else 1 - math.log10(max(growth.p_value, 1e-300))


def _windows(
    floors: Sequence[float], scale: Scale, sizes: Sequence[tuple[int, int]], headroom: float
) -> Iterator[Window]:
    """Those that end now, of these (blocks, points in a block), shortest first: measured well enough, and not flat."""
    for count, size in sizes:
        points = floors[-count * size :]
        if len(points) < count * size:
            return
        if not _is_flat(points, headroom) and (parts := blocks(points, size)) is not None:
            yield Window(points, parts, scale.end, float(scale.width_s), float(scale.width_s * size))


def _is_flat(floors: Sequence[float], headroom: float) -> bool:
    first, last = floors[0], floors[-1]
    return math.inf in (first, last) or last - first < _LEAST_SHARE * headroom


def _headroom(scale: Scale, value: float, limit: float) -> float:
    """From where the peaks are now to the limit."""
    floor = scale.floors[-1] if scale.floors and scale.floors[-1] != math.inf else value
    return limit - floor - scale.swing


def _past(scales: Scales, index: int, window: Window, life: Life, back: float) -> Past:
    begins = window.end - window.length_s
    seen_s = max(0.0, min(window.length_s, begins - life.known))
    first = min(window.floors[:2])
    level = floor_at(scales, index, begins - seen_s)
    yesterday = floor_at(scales, index, window.end - _DAY_S) if window.end - life.known >= _DAY_S else None
    return Past(
        seen_s=seen_s if level is not None else 0.0,
        rise=first - level if level is not None else 0.0,
        age_s=window.end - life.started,
        known_s=window.end - life.known,
        day_rise=None if yesterday is None else min(window.floors[-2:]) - yesterday,
        gives_back=back,
        again=life.again,
        load=life.load.ratio,
        peaks=scales.peaks,
    )


@dataclass(frozen=True, slots=True)
class Look:
    """``scale``: whose closed bucket gives it something new to see."""

    scale: int
    find: Callable[[Scales, Life, float], list[Growth]]


#: All looks at a series, the cheapest first.
LOOKS: tuple[Look, ...] = (
    *(Look(index, partial(at_scale, index)) for index in range(len(WIDTHS_S))),
    Look(_DAILY, since_yesterday),
    Look(_DAILY, partial(over_days, _DAILY)),
    Look(len(WIDTHS_S) - 1, partial(over_days, len(WIDTHS_S) - 1)),
)
