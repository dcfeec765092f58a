"""Healthy: what is not the container's doing. Limits resized, gaps, clocks that jump."""

from benchmarks.leaks.corpus.cycles import even_sawtooth, load_of, office_day, sine_day, uneven_sawtooth
from benchmarks.leaks.corpus.draft import Draft
from benchmarks.leaks.corpus.growth import fill_exponential
from benchmarks.leaks.corpus.shapes import Bump, bumps, ground, hum, noise, poisson, scaled, stairs, total
from benchmarks.leaks.corpus.stage import DAY, HOUR, MINUTE, Stage, log_uniform


def limit_resized(stage: Stage) -> Draft:
    """Once, up or down."""
    rng = stage.rng
    factor = rng.choice((rng.uniform(0.6, 0.85), rng.uniform(1.25, 2.0)))
    limits = stairs(stage, [(stage.begin - 1, 1.0), (stage.within(0.1, 0.9), factor - 1)])
    load = load_of(stage, sine_day(rng.uniform(0, 24), 0.3))
    path = total(ground(stage, rng.uniform(0.15, 0.45)), scaled(load, rng.uniform(0.02, 0.1)), hum(stage))
    return Draft(stage, path, limits=limits)


def limit_resized_often(stage: Stage) -> Draft:
    """By an autoscaler, both ways; after the largest of its changes the cache grows into it."""
    rng = stage.rng
    moments = sorted(stage.within(0.05, 0.95) for _ in range(rng.randint(2, 6)))
    changes = [rng.choice((-1, 1)) * rng.uniform(0.05, 0.15) for _ in moments]
    raised, by = rng.choice(moments), rng.uniform(0.2, 0.6)
    limits = stairs(stage, [(stage.begin - 1, 1.0), (raised, by), *zip(moments, changes, strict=True)])
    cache = fill_exponential(stage, raised, by * rng.uniform(0.3, 0.6), log_uniform(rng, HOUR, 10 * HOUR))
    teeth = uneven_sawtooth(stage, log_uniform(rng, 5 * MINUTE, 2 * HOUR), rng.uniform(0.02, 0.1), 0.4)
    return Draft(stage, total(ground(stage, rng.uniform(0.15, 0.4)), cache, teeth, hum(stage)), limits=limits)


def gaps(stage: Stage) -> Draft:
    """Minutes to hours without samples, at any time."""
    rng = stage.rng
    load = load_of(stage, sine_day(rng.uniform(0, 24), 0.3))
    path = total(ground(stage, rng.uniform(0.15, 0.5)), scaled(load, rng.uniform(0.03, 0.25)), hum(stage))
    return Draft(stage, path, gaps=lost_at(stage, poisson(stage, rng.uniform(12, 48) * HOUR), 5 * MINUTE, 5 * HOUR))


def gaps_long(stage: Stage) -> Draft:
    """One of half a day to a day, and a short one every night: most of what is seen is the rising half of a day."""
    rng = stage.rng
    load = load_of(stage, office_day(rng))
    first = stage.within(0.0, 0.14)
    nightly = [first + day * DAY for day in range(int(stage.span / DAY))]
    lost = lost_at(stage, nightly, 30 * MINUTE, 4 * HOUR) + lost_at(stage, [stage.within(0.1, 0.8)], 12 * HOUR, DAY)
    path = total(ground(stage, rng.uniform(0.15, 0.5)), scaled(load, rng.uniform(0.05, 0.25)), noise(stage, 0.01, HOUR))
    return Draft(stage, path, gaps=lost)


def clock_jumps(stage: Stage) -> Draft:
    """One to three, forwards or backwards, by seconds to an hour."""
    rng = stage.rng
    jumps = [
        (stage.within(0.1, 0.95), rng.choice((-1, 1)) * log_uniform(rng, 2.0, HOUR)) for _ in range(rng.randint(1, 3))
    ]
    teeth = even_sawtooth(stage, log_uniform(rng, 10 * MINUTE, 8 * HOUR), rng.uniform(0.03, 0.2))
    path = total(ground(stage, rng.uniform(0.15, 0.5)), teeth, hum(stage))
    return Draft(stage, path, clock=stairs(stage, jumps))


def clock_runs_wrong(stage: Stage) -> Draft:
    """A clock that is fast or slow by some parts in a thousand, set right every few hours; a suspended host now and
    then, whose clock stands still until it is set.
    """
    rng = stage.rng
    rate, suspended_s = rng.choice((-1, 1)) * log_uniform(rng, 0.0005, 0.02), rng.uniform(10, 60) * MINUTE
    moments = poisson(stage, rng.uniform(2, 12) * HOUR)
    suspended = [Bump(at, 0.0, suspended_s, 0.0, -suspended_s) for at in rng.sample(moments, min(2, len(moments)))]
    drift: list[float] = []
    set_right = stage.begin
    for at in stage.at:
        while moments and moments[0] <= at:
            set_right = moments.pop(0)
        drift.append((at - set_right) * rate)
    clock = total(drift, bumps(stage, suspended))
    load = load_of(stage, sine_day(rng.uniform(0, 24), 0.2))
    path = total(ground(stage, rng.uniform(0.15, 0.5)), scaled(load, rng.uniform(0.03, 0.25)), hum(stage))
    return Draft(stage, path, clock=clock)


def lost_at(stage: Stage, moments: list[float], low_s: float, high_s: float) -> tuple[tuple[int, int], ...]:
    """Ranges of samples that were not taken, from each moment on."""
    lasts = [(stage.index(at), stage.index(at + log_uniform(stage.rng, low_s, high_s))) for at in moments]
    return tuple((max(1, low), high) for low, high in lasts)
