"""What alarms were worth, trace by trace and all together. Pure.

An alarm is true from the onset of a leak until it ends or would have exhausted its limit, and a minute more; every
other one is false, also one that began before and goes on; it counts once for each container and day. A trace is found
by a true alarm.

``precision``: of the traces with a true alarm and those with a false one, the share of the former. A leaking trace with
both counts on both sides. ``recall``: of all leaking traces, those found; ``fast_recall``: of those that are exhausted
within an hour. ``false_positive_rate``: of healthy traces, those with any alarm; ``false_alarms_per_week``: per healthy
series and week.

``lead``: median, over found traces, of the first true alarm's share of the time from onset to exhaustion that is left.
``eta_error``: median of |log2(predicted / actual)| of the time that is left at that alarm. ``wrong_etas``: a figure
without labels: of all alarms with an expected exhaustion that can be judged, those that the container has outlived
twice over without coming to 95 % of its limit. ``precision_at_N``: what precision would be were N % of all series
leaking.
"""

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from benchmarks.leaks.contenders import Alarm
from benchmarks.leaks.trace import Leak, Trace

_TOLERANCE_S = 60.0
_DAY_S = 86400.0
_WEEK_S = 7 * _DAY_S
_FULL = 0.95
#: Shorter times are not told apart: samples are no closer together.
_SHORTEST_S = 60.0
_STEPS_LOOKED_AT = 101


@dataclass(frozen=True, slots=True)
class Facts:
    """What of a trace decides about alarms. ``full``: when it was at 95 % of its limit or above; ``ends``: its last
    sample.
    """

    family: str
    leaks: tuple[Leak, ...]
    is_fast: bool
    starts: tuple[float, ...]
    ends: float
    weeks: float
    full: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one contender on one trace. ``lead`` and ``eta_error`` of its first true alarm."""

    family: str
    is_leaking: bool
    is_fast: bool
    weeks: float
    is_found: bool = False
    false_alarms: int = 0
    lead: float | None = None
    eta_error: float | None = None
    wrong_etas: int = 0
    judged_etas: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """All between 0 and 1, but ``false_alarms_per_week`` and ``eta_error``; not a number where nothing can be said."""

    precision: float
    recall: float
    fast_recall: float
    lead: float
    false_alarms_per_week: float
    eta_error: float
    wrong_etas: float
    false_positive_rate: float
    precision_at_1: float
    precision_at_5: float
    precision_at_40: float


def facts(trace: Trace) -> Facts:
    samples = zip(trace.times, trace.values, trace.limits, strict=True)
    return Facts(
        family=trace.family,
        leaks=trace.leaks,
        is_fast=trace.is_fast,
        starts=trace.starts,
        ends=max(trace.times),
        weeks=_sampled_s(trace.times) / _WEEK_S,
        full=tuple(sorted(at for at, value, limit in samples if value >= _FULL * limit)),
    )


def _sampled_s(times: Sequence[float]) -> float:
    """Without gaps, and whatever the clock did."""
    first = times[:_STEPS_LOOKED_AT]
    steps = [after - before for before, after in pairwise(first)]
    return len(times) * median(steps) if steps else 0.0


def outcome(known: Facts, alarms: Sequence[Alarm]) -> Outcome:
    """``alarms`` in the order in which they came."""
    hits = [(alarm, leak) for alarm in alarms if (leak := _leak_at(known, alarm.at)) is not None]
    false = {_container_day(known, alarm.at) for alarm in alarms if _leak_at(known, alarm.at) is None}
    etas = [is_wrong for alarm in alarms if (is_wrong := _is_wrong(known, alarm)) is not None]
    return Outcome(
        family=known.family,
        is_leaking=bool(known.leaks),
        is_fast=known.is_fast,
        weeks=known.weeks,
        is_found=bool(hits),
        false_alarms=len(false),
        lead=_lead(*hits[0]) if hits else None,
        eta_error=_eta_error(*hits[0]) if hits else None,
        wrong_etas=sum(etas),
        judged_etas=len(etas),
    )


def _leak_at(known: Facts, at: float) -> Leak | None:
    for leak in known.leaks:
        if leak.onset <= at <= min(leak.ends, leak.exhaustion) + _TOLERANCE_S:
            return leak
    return None


def _container_day(known: Facts, at: float) -> tuple[int, int]:
    started = [start for start in known.starts if start <= at]
    return len(started), int(at // _DAY_S)


def _lead(alarm: Alarm, leak: Leak) -> float:
    return max(leak.exhaustion - alarm.at, 0.0) / (leak.exhaustion - leak.onset)


def _eta_error(alarm: Alarm, leak: Leak) -> float | None:
    if alarm.exhaustion is None:
        return None
    predicted, actual = (max(until - alarm.at, _SHORTEST_S) for until in (alarm.exhaustion, leak.exhaustion))
    return abs(math.log2(predicted / actual))


def _is_wrong(known: Facts, alarm: Alarm) -> bool | None:
    """None when it cannot be judged: nothing was expected, or container or trace ended too early."""
    if alarm.exhaustion is None:
        return None
    deadline = alarm.at + 2 * max(alarm.exhaustion - alarm.at, _SHORTEST_S)
    lives_until = min((start for start in known.starts if start > alarm.at), default=known.ends)
    index = bisect_left(known.full, alarm.at)
    if index < len(known.full) and known.full[index] <= min(deadline, lives_until):
        return False
    return True if lives_until >= deadline else None


def by_family(outcomes: Iterable[Outcome]) -> Mapping[str, list[Outcome]]:
    found = defaultdict(list)
    for each in outcomes:
        found[each.family].append(each)
    return found


def figures(outcomes: Sequence[Outcome]) -> Figures:
    leaking = [each for each in outcomes if each.is_leaking]
    healthy = [each for each in outcomes if not each.is_leaking]
    found = [each for each in leaking if each.is_found]
    recall = _ratio(len(found), len(leaking))
    false_rate = _ratio(sum(each.false_alarms > 0 for each in healthy), len(healthy))
    return Figures(
        precision=_ratio(len(found), len(found) + sum(each.false_alarms > 0 for each in outcomes)),
        recall=recall,
        fast_recall=_ratio(sum(each.is_fast for each in found), sum(each.is_fast for each in leaking)),
        lead=_median(each.lead for each in found),
        false_alarms_per_week=_ratio(sum(each.false_alarms for each in healthy), sum(each.weeks for each in healthy)),
        eta_error=_median(each.eta_error for each in found),
        wrong_etas=_ratio(sum(each.wrong_etas for each in outcomes), sum(each.judged_etas for each in outcomes)),
        false_positive_rate=false_rate,
        precision_at_1=precision_at(0.01, recall, false_rate),
        precision_at_5=precision_at(0.05, recall, false_rate),
        precision_at_40=precision_at(0.4, recall, false_rate),
    )


def precision_at(base_rate: float, recall: float, false_positive_rate: float) -> float:
    """Of alarmed series, those that leak, when ``base_rate`` of all do."""
    return _ratio(base_rate * recall, base_rate * recall + (1 - base_rate) * false_positive_rate)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _median(values: Iterable[float | None]) -> float:
    there = [value for value in values if value is not None]
    return median(there) if there else math.nan
