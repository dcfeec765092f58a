"""Load that comes again: tables of the minutes of a day or of a week, and sawtooths."""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import cos, sqrt, tau
from random import Random

from benchmarks.leaks.corpus.shapes import wander
from benchmarks.leaks.corpus.stage import HOUR, MINUTE, MONDAY, Stage

_MINUTES = 1440


def sine_day(peak_h: float, low: float) -> list[float]:
    """``low`` at night, 1 at ``peak_h``."""
    half = (1 - low) / 2
    return [low + half + half * cos(tau * (minute / _MINUTES - peak_h / 24)) for minute in range(_MINUTES)]


def office_day(rng: Random) -> list[float]:
    """A trapezoid with a dip at noon."""
    night, dip = rng.uniform(0.02, 0.12), rng.uniform(0.55, 0.85)
    shift = rng.uniform(-1.0, 1.0)
    knots = [
        (0, night),
        (7, night),
        (9.5, 1.0),
        (11.9, 1.0),
        (12.7, dip),
        (13.8, 1.0),
        (16.5, 0.95),
        (19, night),
        (24, night),
    ]
    return _through([(hour + shift if 0 < hour < 24 else hour, load) for hour, load in knots])


def evening_day(rng: Random) -> list[float]:
    """People at home: a small peak before noon, a high and narrow one in the evening."""
    night, morning = rng.uniform(0.05, 0.2), rng.uniform(0.35, 0.6)
    knots = [
        (0, 0.5),
        (2, night),
        (6, night),
        (10, morning),
        (15, morning * 0.9),
        (18, 0.7),
        (20.5, 1.0),
        (22, 0.9),
        (24, 0.5),
    ]
    return _through(knots)


def regions_day(rng: Random) -> list[float]:
    """Two parts of the world, hours apart: each is up within an hour or two and goes to rest slowly."""
    wakes_h, apart_h, second = rng.uniform(0, 24), rng.uniform(6, 11), rng.uniform(0.3, 0.8)
    night, rise_h, fall_h = rng.uniform(0.05, 0.3), rng.uniform(1, 2.5), rng.uniform(6, 12)

    def awake(hour: float) -> float:
        return max(0.0, min(1.0, hour % 24 / rise_h, (17 - hour % 24) / fall_h))

    hours = [minute / 60 - wakes_h for minute in range(_MINUTES)]
    both = [awake(hour) + second * awake(hour - apart_h) for hour in hours]
    top = max(both)
    return [night + (1 - night) * load / top for load in both]


def week_of(day: Sequence[float], weights: Sequence[float]) -> list[float]:
    """``weights``: of Monday to Sunday."""
    return [weight * load for weight in weights for load in day]


def load_of(stage: Stage, table: Sequence[float], unsteady: float = 0.06) -> list[float]:
    """About 0 to 1. No two days are alike: ``unsteady`` is the deviation of what they have of their own."""
    size, varied = len(table), wander(stage, unsteady, 6 * HOUR)
    return [
        max(0.0, table[int((at - MONDAY) / MINUTE) % size] * (1 + more))
        for at, more in zip(stage.at, varied, strict=True)
    ]


def worked(stage: Stage, load: Sequence[float]) -> list[float]:
    """A counter of requests: 5 to 400 a second at full load."""
    uniform, per_step = stage.rng.uniform, stage.rng.uniform(5.0, 400.0) * stage.step
    return list(accumulate([per_step * now * uniform(0.9, 1.1) for now in load]))


def even_sawtooth(stage: Stage, period_s: float, size: float) -> list[float]:
    """Nearly like clockwork; the period may be shorter than the time between samples."""
    gauss, late = stage.rng.gauss, 0.05 * sqrt(stage.step / period_s)
    phase, part = stage.rng.random() - stage.begin / period_s, []
    for at in stage.at:
        phase += gauss(0.0, late)
        part.append(size * ((at / period_s + phase) % 1.0))
    return part


def uneven_sawtooth(stage: Stage, period_s: float, size: float, spread: float) -> list[float]:
    """No cycle is like another: ``spread`` is the share by which period and height vary. From 0 up."""
    rng, count = stage.rng, len(stage.at)
    part: list[float] = []
    skipped = rng.randrange(max(1, round(period_s / stage.step)))
    while len(part) < count + skipped:
        steps = max(2, round(period_s * rng.uniform(1 - spread, 1 + spread) / stage.step))
        slope = size * rng.uniform(1 - spread, 1.0) / steps
        part.extend([slope * step for step in range(min(steps, count))])
    return part[skipped : skipped + count]


def _through(knots: Sequence[tuple[float, float]]) -> list[float]:
    """Straight lines between hours of a day."""
    table: list[float] = []
    for (hour, load), (next_hour, next_load) in pairwise(knots):
        upto = min(_MINUTES, round(next_hour * 60))
        slope = (next_load - load) / max(1.0, upto - hour * 60)
        table.extend([load + slope * (minute - hour * 60) for minute in range(len(table), upto)])
    return table
