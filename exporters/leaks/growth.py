"""Whether what was seen in one window of a series is the growth of a leak. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from exporters.leaks import reasons, shape
from exporters.leaks.parameters import Parameters
from exporters.leaks.past import Past

_DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class Window:
    """``floors``: one each ``point_s`` seconds, until ``end``; ``blocks``: those of equal parts of it, ``block_s``
    long.
    """

    floors: Sequence[float]
    blocks: Sequence[float]
    end: float
    point_s: float
    block_s: float

    @property
    def length_s(self) -> float:
        return len(self.floors) * self.point_s


@dataclass(frozen=True, slots=True)
class Growth:
    """``length_s``: of the window, which ``begins`` at. ``trust``: the growth is believed to go on for so many times
    that; ``need``: for how many it has to, to meet the limit. ``slope``: units per second. ``refused``: why it is not a
    leak's, or empty. ``signs``: what speaks for it. ``given_back``: with a floor below this, half of it is.
    """

    length_s: float
    begins: float
    need: float
    trust: float
    slope: shape.Slope
    p_value: float
    refused: str
    signs: tuple[str, ...]
    given_back: float

    def is_likely(self, p: Parameters) -> bool:
        """Whether people may want to look at it."""
        return not self.refused and self.need <= p.trust_suspect * self.trust and self.p_value <= p.p_limit


def judge(window: Window, past: Past, headroom: float, limit: float, p: Parameters) -> Growth:
    """``headroom``: from the peaks of now to the limit."""
    found, kept, signs = shape.slope(window.blocks), shape.kept(window.blocks), [reasons.STEADY_GROWTH]
    middle = len(kept) // 2
    halves = (kept[middle] - kept[0]) / middle, (kept[-1] - kept[middle]) / (len(kept) - 1 - middle)
    middle_slope, high = found.median, found.high
    if halves[1] > p.acceleration * max(halves[0], 0.0) and halves[1] > middle_slope:
        signs.append(reasons.ACCELERATES)
        middle_slope, high = halves[1], max(high, halves[1])
    if _seen_s(window, signs) < _DAY_S:
        middle_slope = min(middle_slope, _by_day(middle_slope, kept[-1] - kept[0], window, past, p))
    if window.length_s >= _DAY_S:
        headroom = min(headroom, day_headroom(past.peaks, middle_slope / window.block_s, limit))
    slope = shape.Slope(middle_slope / window.block_s, max(0.0, found.low / window.block_s), high / window.block_s)
    refused = _refusal(kept, halves, past, slope.median, window.length_s, limit, p)
    return _growth(window, _Seen(kept, window.floors, slope, tuple(signs), refused), past, headroom, p)


def judge_days(window: Window, day: int, past: Past, limit: float, p: Parameters) -> Growth | None:
    """A window of whole days of ``day`` points each: every time of day is compared with itself a day later."""
    rows = [window.floors[start : start + day] for start in range(0, len(window.floors), day)]
    changes = [sorted(b - a for a, b in zip(earlier, later, strict=True)) for earlier, later in pairwise(rows)]
    usual = median(median(change) for change in changes)
    # A step or a ramp lifts only the times of day after it.
    if usual <= 0 or any(change[len(change) // p.few_hours] < p.steady_hours * usual for change in changes):
        return None
    if _leaps(window) > p.largest_leap * usual or shape.given_back(rows[0]) < p.daily_swing * usual:
        return None
    plain = shape.without_daily(window.floors, day, usual / day)
    day_s = day * window.point_s
    every = sorted(change for each in changes for change in each)
    slope = shape.Slope(usual / day_s, max(0.0, every[len(every) // 4] / day_s), every[3 * len(every) // 4] / day_s)
    past = replace(past, gives_back=shape.given_back(plain))
    if usual * (len(rows) - 1) < max(p.least_units, p.least_share * limit, p.back * past.gives_back):
        return None
    kept = [min(row) for row in rows]
    headroom = day_headroom(past.peaks, slope.median, limit)
    return _growth(window, _Seen(kept, plain, slope, (reasons.GROWS_DAY_BY_DAY,)), past, headroom, p)


def day_headroom(peaks: Sequence[float], rate: float, limit: float) -> float:
    """From the highest peak of the last day but one to the limit. One of earlier in the day will be higher by now."""
    step_s = _DAY_S / max(1, len(peaks))
    now = sorted(peak + rate * step_s * (len(peaks) - index) for index, peak in enumerate(peaks))
    return limit - now[-2] if len(now) > 1 else limit


def _leaps(window: Window) -> float:
    """The largest rise within two hours."""
    wide = max(1, round(7200 / window.point_s))
    return max(b - a for a, b in zip(window.floors, window.floors[wide:], strict=False))


def _by_day(slope: float, rise: float, window: Window, past: Past, p: Parameters) -> float:
    """The slope per block of a window that is shorter than a day, where the time of day may be a part of it.

    That of the last 24 h has no part of it, and is too low for growth that is younger: the truth is between them.
    """
    if slope <= 0 or past.day_rise is None or past.gives_back < p.daily_share * rise:
        return slope
    return math.sqrt(slope * max(past.day_rise / _DAY_S * window.block_s, p.least_of_slope * slope))


@dataclass(slots=True)
class _Seen:
    """What a window looks like. ``kept``: floors of equal parts of it, never given back later; ``points``: what its
    significance is told by.
    """

    kept: Sequence[float]
    points: Sequence[float]
    slope: shape.Slope
    signs: tuple[str, ...]
    refused: str = ""


def _growth(window: Window, seen: _Seen, past: Past, headroom: float, p: Parameters) -> Growth:
    length_s = _seen_s(window, seen.signs)
    need = headroom / seen.slope.median / length_s if seen.slope.median > 0 else math.inf
    trust, sign = _trust(past, window.length_s, seen, p)
    # Of the rise, as much as it gives back by itself may be the height of the moment.
    half = seen.kept[0] + 0.5 * max(0.0, seen.kept[-1] - seen.kept[0] - past.gives_back)
    # What cannot be believed need not be tested.
    p_value = 1.0 if seen.refused or need > p.trust_suspect * trust else shape.p_value(seen.points)
    signs = (*seen.signs, sign) if sign else seen.signs
    begins = window.end - window.length_s
    return Growth(length_s, begins, need, trust, seen.slope, p_value, seen.refused, signs, half)


def _seen_s(window: Window, signs: Sequence[str]) -> float:
    """Of growth that accelerates only the later half has been seen as it is."""
    return window.length_s / 2 if reasons.ACCELERATES in signs else window.length_s


def _trust(past: Past, length_s: float, seen: _Seen, p: Parameters) -> tuple[float, str]:
    """Load peaks, jobs and mornings are over in some hours, and so are most warm-ups, which last from the start.

    With the word for what was decisive.
    """
    rate = seen.slope.median
    if past.again > 0 and 0.5 * past.again <= rate <= 2 * past.again:
        return p.trust_again, reasons.GROWS_AS_BEFORE_RESTART
    by_length = _by_length(past, length_s, p)
    if past.seen_s >= length_s:
        return by_length, ""
    if reasons.GROWS_DAY_BY_DAY in seen.signs:
        return p.trust_long, ""
    by_age = min(by_length, _between(past.age_s, p.young_s, p.grown_s, p.trust_young, p.trust_grown))
    if past.rise > 0.5 * rate * past.seen_s:  # it has grown like this for longer than the window
        return by_age * (length_s + past.seen_s) / length_s, reasons.GROWS_SINCE_START
    return by_age + (by_length - by_age) * past.seen_s / length_s, reasons.GROWS_SINCE_START


def _by_length(past: Past, length_s: float, p: Parameters) -> float:
    if length_s <= p.quick_s:
        return p.trust_quick
    if past.known_s < p.days_known_s and length_s < p.long_s:
        return p.trust_short  # it may be the time of day
    if length_s >= p.long_s:
        return _between(math.log(length_s), math.log(p.long_s), math.log(p.days_s), p.trust_long, p.trust_days)
    return _between(math.log(length_s), math.log(p.hours_s), math.log(p.long_s), p.trust_short, p.trust_long)


def _between(x: float, low: float, high: float, at_low: float, at_high: float) -> float:
    """Linear from ``low`` to ``high``, and no further."""
    return at_low + (at_high - at_low) * min(1.0, max(0.0, (x - low) / (high - low)))


def _refusal(
    kept: Sequence[float],
    halves: tuple[float, float],
    past: Past,
    rate: float,
    length_s: float,
    limit: float,
    p: Parameters,
) -> str:
    """Why it is no leak's growth, or an empty text."""
    rise = kept[-1] - kept[0]
    if rise < max(p.least_units, p.least_share * limit):
        return reasons.TOO_SMALL
    if rise < p.back * past.gives_back:
        return reasons.COMES_BACK
    if len(kept) > p.least_steps and _is_stepped(kept, p):
        return reasons.STEPS
    if length_s <= p.follows_s and rise < p.follows * (past.load - 1) * kept[0]:
        return reasons.FOLLOWS_LOAD
    if halves[0] < p.from_nothing * halves[1]:
        return reasons.TOO_SHORT
    quarter = len(kept) // 4
    lately = (kept[-1] - kept[-1 - quarter]) * (len(kept) - 1) / quarter
    if halves[1] < p.slowdown * halves[0] or lately < p.still * rise:
        return reasons.SLOWING_DOWN
    if past.seen_s > 0.25 * length_s and past.rise / past.seen_s > 1.5 * rate:
        return reasons.SLOWING_DOWN
    return ""


def _is_stepped(kept: Sequence[float], p: Parameters) -> bool:
    """Whether a few steps are most of the rise."""
    rise = kept[-1] - kept[0]
    steps = [later - earlier for earlier, later in pairwise(kept)]
    return max(steps) > p.largest_step * rise or sum(step > p.step_share * rise for step in steps) < p.least_steps
