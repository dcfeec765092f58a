"""Parts of the held-out families that no earlier family is made of."""

from collections.abc import Callable, Sequence
from itertools import accumulate
from math import ceil, exp

from benchmarks.leaks.corpus.shapes import Bump, bumps, echo, poisson
from benchmarks.leaks.corpus.stage import DAY, HOUR, MINUTE, MONDAY, Stage


def pulses(stage: Stage, runs: Sequence[tuple[float, float, float]], shape: Callable[[float], float]) -> list[float]:
    """``runs``: epoch second, seconds and height of each; ``shape``: the share of the height at a share of the time."""
    part = [0.0] * len(stage.at)
    for since, lasts_s, height in runs:
        low = max(0, ceil((since - stage.begin) / stage.step))
        high = min(len(part), ceil((since + lasts_s - stage.begin) / stage.step))
        for index in range(low, high):
            part[index] += height * shape(max(0.0, min(1.0, (stage.at[index] - since) / lasts_s)))
    return part


def doubling(share: float) -> float:
    """What is collected in a buffer that doubles whenever it is full."""
    return 2.0 ** (min(3, int(4 * share)) - 3)


def every(stage: Stage, period_s: float) -> list[float]:
    """Epoch seconds of a schedule: at the same minute of each hour, or hour of each day."""
    first = MONDAY + stage.rng.random() * period_s
    low = int((stage.begin - first) / period_s) - 1
    return [first + n * period_s for n in range(low, int((stage.at[-1] - first) / period_s) + 1)]


def garbage_by_load(stage: Stage, load: Sequence[float], period_s: float, size: float) -> list[float]:
    """A collector that runs when so much has been allocated: every ``period_s`` at full load, seldom by night."""
    uniform = stage.rng.uniform
    now, top, part = uniform(0.0, size), size * uniform(0.9, 1.0), []
    for share in load:
        now += size * stage.step / period_s * max(0.03, share)
        if now >= top:
            now, top = (now - top) % (size * 0.1), size * uniform(0.88, 1.0)
        part.append(now)
    return part


def crowds(stage: Stage, mean_gap_s: float) -> list[float]:
    """A link that many follow: they are there in minutes and leave over hours."""
    rng = stage.rng
    several = [
        Bump(at, 0.0, rng.uniform(8, 40) * MINUTE, 0.0, rng.uniform(0.2, 0.9)) for at in poisson(stage, mean_gap_s)
    ]
    return echo(stage, bumps(stage, several), rng.uniform(3, 12) * MINUTE, rng.uniform(0.4, 2.5) * HOUR)


def workers(load: Sequence[float], most: int) -> list[float]:
    """How many there are: one more as soon as it is wanted, one less once two are idle."""
    now, part = ceil(load[0] * most), []
    for share in load:
        wanted = min(float(most), share * most)
        now = ceil(wanted) if wanted > now else now - 1 if wanted < now - 2 else now
        part.append(float(now))
    return part


def highest_today(stage: Stage, load: Sequence[float], hour: float) -> list[float]:
    """The mark of the highest load since the maintenance at ``hour``."""
    today, mark, part = -1, 0.0, []
    for at, now in zip(stage.at, load, strict=True):
        if (day := int((at - MONDAY) / DAY - hour / 24 + 1)) != today:
            today, mark = day, 0.0
        mark = max(mark, now)
        part.append(mark)
    return part


def fill_by_use(stage: Stage, load: Sequence[float], size: float, full_s: float) -> list[float]:
    """A cache that fills as it is used: 95 % of it is there after ``full_s`` of full load."""
    used = accumulate(share * stage.step for share in load)
    return [size * (1 - exp(-3 * seconds / full_s)) for seconds in used]


def kept_for(stage: Stage, load: Sequence[float], seconds: float) -> list[float]:
    """All that came within so many seconds, from an empty store on: 1 when that was full load all the time."""
    steps = max(1, round(seconds / stage.step))
    come = list(accumulate(load, initial=0.0))
    return [(come[index] - come[max(0, index - steps)]) / steps for index in range(1, len(come))]


def lost_in_storms(stage: Stage, mean_gap_s: float) -> tuple[tuple[int, int], ...]:
    """Single samples that a scraper under pressure does not get, for minutes to hours at a time."""
    rng = stage.rng
    share = rng.uniform(0.2, 0.7)
    lost: list[tuple[int, int]] = []
    for at in poisson(stage, mean_gap_s):
        span = range(max(1, stage.index(at)), stage.index(at + rng.uniform(0.3, 4) * HOUR))
        lost.extend((index, index + 1) for index in span if rng.random() < share)
    return tuple(lost)
