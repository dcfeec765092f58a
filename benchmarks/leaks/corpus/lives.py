"""A container that starts again and again, with a leak that each start brings back, or with none."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.leaks.corpus.draft import Draft
from benchmarks.leaks.corpus.stage import Stage
from benchmarks.leaks.trace import Leak


@dataclass(frozen=True, slots=True)
class Life:
    """``healthy``: what it would hold without the leak, but for what it lacks while it warms up: ``lacks`` of the
    seconds since its start. ``drip``: what has leaked since the begin of the trace in a container that never restarts
    (the leak's own clock: time, or work), in shares of the limit. ``serves``: for how many seconds until a deploy.
    """

    healthy: list[float]
    drip: list[float]
    lacks: Callable[[float], float]
    serves: Callable[[], float]


def since_start(stage: Stage, starts: list[int]) -> list[float]:
    """Seconds since the latest of ``starts`` (indices; the first is 0)."""
    ends = [*starts[1:], len(stage.at)]
    return [at - stage.before(low) for low, high in zip(starts, ends, strict=True) for at in stage.at[low:high]]


def down_between(stage: Stage, starts: list[int], seconds: float) -> tuple[tuple[int, int], ...]:
    """Nothing is sampled for as long as a container is down before each start but the first."""
    down = round(seconds / stage.step)
    return tuple((max(before + 1, start - down), start) for before, start in pairwise(starts))


def leak_through(life: Life, stage: Stage, count: int) -> Draft:
    """A trace of ``count`` samples in lives that end in a deploy or in an exhaustion. ``stage`` is longer than that by
    at least the longest life: what would have been is read there.
    """
    path: list[float] = []
    starts, leaks = [stage.before(0)], []
    low = 0
    while low < count:
        exhausted, lived = _live(life, stage, low)
        high = min(exhausted + 1, stage.index(stage.at[low] + life.serves()), count)
        path.extend(lived[: high - low])
        is_exhausted = high == exhausted + 1
        ends = stage.at[exhausted] if is_exhausted else stage.before(high)
        leaks.append(Leak(stage.before(low), stage.at[exhausted], ends))
        starts.append(stage.before(high))
        low = high
    return Draft(stage, path, tuple(leaks), tuple(starts[:-1]))


def _live(life: Life, stage: Stage, low: int) -> tuple[int, list[float]]:
    """From the start at ``low`` until the limit is met: the index of that sample, and the path until there."""
    begin, before = stage.before(low), life.drip[low]
    lived: list[float] = []
    for index in range(low, len(stage.at)):
        value = life.healthy[index] + life.drip[index] - before - life.lacks(stage.at[index] - begin)
        if value >= 1:
            lived.append(1.0)
            return index, lived
        lived.append(value)
    raise RuntimeError(f"no exhaustion within {len(lived)} samples: make the stage longer or the drip faster")
