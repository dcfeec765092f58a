"""A leak under a healthy path: as fast as it must be to meet the limit in time. Exhaustion is the first touch of
the limit, by a peak or by noise as well: it is what kills a container. So no other sample of a trace is at its limit.
"""

from dataclasses import dataclass
from itertools import accumulate
from math import inf

from benchmarks.leaks.corpus.draft import Draft
from benchmarks.leaks.corpus.stage import Stage, log_uniform
from benchmarks.leaks.trace import Leak


@dataclass(frozen=True, slots=True)
class Plan:
    """``stage``: of a container just started when the leak is there from its start. ``onset``: epoch seconds. ``by``:
    the index of the sample at which the limit is met, at the latest.
    """

    stage: Stage
    onset: float
    by: int


def plan(stage: Stage, low_s: float, high_s: float, *, after_s: float = 0.0, from_start: float = 0.25) -> Plan:
    """A leak of ``low_s`` to ``high_s`` seconds, in ``from_start`` of all cases from the start of the container, else
    from any time ``after_s`` seconds into the trace.
    """
    rng = stage.rng
    lasts_s = log_uniform(rng, low_s, min(high_s, 0.97 * (stage.span - after_s)))
    if rng.random() < from_start:
        stage, onset = stage.fresh(), stage.before(0)
    else:
        onset = stage.begin + rng.uniform(after_s, stage.span - lasts_s)
    return Plan(stage, onset, stage.index(onset + lasts_s))


def leaked_at(planned: Plan, pace: list[float]) -> list[float]:
    """The sum of ``pace`` since the onset."""
    return list(accumulate(now if at > planned.onset else 0.0 for now, at in zip(pace, planned.stage.at, strict=True)))


def exhaust(planned: Plan, healthy: list[float], leaked: list[float], work: list[float] | None = None) -> Draft:
    """The trace ends when the limit is met. ``leaked``: what has leaked at each sample, in any unit."""
    faster, end = _meet(planned, healthy, leaked)
    path = [*_sum(healthy, leaked, faster, end - 1), 1.0]
    leak = Leak(_begins(planned, leaked, faster), planned.stage.at[end], planned.stage.at[end])
    return Draft(planned.stage, path, (leak,), work=work[: end + 1] if work else [])


def stop(planned: Plan, healthy: list[float], leaked: list[float], share: float) -> tuple[Draft, int]:
    """As exhaust, but that nothing more leaks after ``share`` of the way; the index at which it stops, too. The path
    goes on from there at its height.
    """
    faster, end = _meet(planned, healthy, leaked)
    fixed = next(index for index, amount in enumerate(leaked) if amount >= share * leaked[end])
    leak = Leak(_begins(planned, leaked, faster), planned.stage.at[end], planned.stage.at[fixed])
    leaked = [min(amount, leaked[fixed]) for amount in leaked]
    path = _sum(healthy, leaked, faster, len(healthy) - 1)
    return Draft(planned.stage, [min(value, 0.99) for value in path], (leak,)), fixed


def _begins(planned: Plan, leaked: list[float], faster: float) -> float:
    """The onset as planned, or later where nothing leaks at first: no memory, or not one descriptor."""
    stage = planned.stage
    least = 0.0 if stage.resource == "memory" else 1 / stage.limit / faster
    first = next(index for index, amount in enumerate(leaked) if amount > 0 and amount >= least)
    return max(planned.onset, stage.at[first - 1]) if first else planned.onset


def _meet(planned: Plan, healthy: list[float], leaked: list[float]) -> tuple[float, int]:
    """The smallest factor with which the path meets the limit by the time planned, and where it then does. It does so
    while it leaks, not in a pause in which only noise would bring it there.
    """
    most = 0.98 * leaked[planned.by]
    upto = next(index for index, amount in enumerate(leaked) if amount >= most) + 1
    rooms = [(1 - h) / more if more > 0 else inf for h, more in zip(healthy[:upto], leaked[:upto], strict=True)]
    fastest = min(rooms)
    return fastest, rooms.index(fastest)


def _sum(healthy: list[float], leaked: list[float], faster: float, end: int) -> list[float]:
    return [below + faster * more for below, more in zip(healthy[: end + 1], leaked[: end + 1], strict=True)]
