"""Healthy: what happens at a moment. Steps, spikes, memory given back late, restarts."""

from math import exp

from benchmarks.leaks.corpus.cycles import load_of, sine_day, uneven_sawtooth
from benchmarks.leaks.corpus.draft import Draft
from benchmarks.leaks.corpus.lives import down_between, since_start
from benchmarks.leaks.corpus.shapes import Bump, bumps, echo, ground, hum, poisson, scaled, stairs, total
from benchmarks.leaks.corpus.stage import DAY, HOUR, MINUTE, Stage, log_uniform


def steps(stage: Stage) -> Draft:
    rng = stage.rng
    moments = [(stage.within(0.05, 0.95), rng.uniform(0.03, 0.15)) for _ in range(rng.randint(1, 4))]
    return Draft(stage, total(ground(stage, rng.uniform(0.1, 0.4)), stairs(stage, moments), hum(stage)))


def steps_both_ways(stage: Stage) -> Draft:
    """Settings changed and changed back, libraries loaded over minutes; under garbage."""
    rng = stage.rng
    changes = [
        Bump(
            stage.within(0.03, 0.95),
            rng.choice((0.0, rng.uniform(5, 40) * MINUTE)),
            rng.choice((rng.uniform(6, 60) * HOUR, 30 * DAY)),
            MINUTE,
            rng.uniform(0.03, 0.15),
        )
        for _ in range(rng.randint(2, 4))
    ]
    teeth = uneven_sawtooth(stage, log_uniform(rng, 5 * MINUTE, HOUR), rng.uniform(0.01, 0.08), 0.4)
    return Draft(stage, total(ground(stage, rng.uniform(0.1, 0.4)), bumps(stage, changes), teeth, hum(stage)))


def spikes(stage: Stage) -> Draft:
    """One to sixty minutes, up at once and down at once."""
    rng = stage.rng
    several = [
        Bump(at, 0.0, log_uniform(rng, MINUTE, HOUR), 0.0, rng.uniform(0.05, 0.35))
        for at in poisson(stage, rng.uniform(4, 24) * HOUR)
    ]
    return Draft(stage, total(ground(stage, rng.uniform(0.15, 0.5)), bumps(stage, several), hum(stage)))


def spikes_with_tails(stage: Stage) -> Draft:
    """They come in bouts, climb for minutes, and fall ever more slowly."""
    rng = stage.rng
    several = [
        Bump(at, log_uniform(rng, MINUTE, 25 * MINUTE), rng.uniform(0, 10) * MINUTE, 0.0, rng.uniform(0.04, 0.25))
        for bout in poisson(stage, rng.uniform(12, 40) * HOUR)
        for at in poisson(stage, rng.uniform(10, 60) * MINUTE, bout)[: rng.randint(2, 8)]
    ]
    tailed = echo(stage, bumps(stage, several), MINUTE, rng.uniform(8 * MINUTE, HOUR))
    return Draft(stage, total(ground(stage, rng.uniform(0.15, 0.5)), tailed, hum(stage)))


def bursts_fine(stage: Stage) -> Draft:
    """As a fast leak would see it: load tests and exports that climb in a straight line for minutes, and end."""
    rng = stage.rng
    several = [
        Bump(at, log_uniform(rng, 3 * MINUTE, 30 * MINUTE), rng.uniform(0, 20) * MINUTE, MINUTE, rng.uniform(0.05, 0.3))
        for at in poisson(stage, rng.uniform(1, 4) * HOUR)
    ]
    return Draft(stage, total(ground(stage, rng.uniform(0.15, 0.5)), bumps(stage, several), hum(stage)))


def late_return(stage: Stage) -> Draft:
    """A load peak takes memory in minutes; hours after its end it is given back at once."""
    rng = stage.rng
    late_s = rng.uniform(2, 10) * HOUR
    peaks = [
        Bump(at, rng.uniform(10, 60) * MINUTE, rng.uniform(0.3, 2) * HOUR + late_s, MINUTE, rng.uniform(0.08, 0.3))
        for at in poisson(stage, rng.uniform(12, 40) * HOUR)
    ]
    return Draft(stage, total(ground(stage, rng.uniform(0.12, 0.4)), bumps(stage, peaks), hum(stage)))


def late_return_ratchet(stage: Stage) -> Draft:
    """The mark of the highest load so far, which sinks over a day or more; every day has its own peak."""
    rng = stage.rng
    load = load_of(stage, sine_day(rng.uniform(0, 24), 0.1), unsteady=0.22)
    mark = echo(stage, load, 5 * MINUTE, rng.uniform(10, 48) * HOUR)
    size = rng.uniform(0.1, 0.35)
    path = total(ground(stage, rng.uniform(0.12, 0.4)), scaled(mark, size), scaled(load, size * 0.2), hum(stage))
    return Draft(stage, path)


def restarts(stage: Stage) -> Draft:
    """Every six hours to three days, the same warm-up each time."""
    rng, fresh = stage.rng, stage.fresh()
    every_s, cache, full_s = (
        log_uniform(rng, 6 * HOUR, 3 * DAY),
        rng.uniform(0.1, 0.4),
        log_uniform(rng, 5 * MINUTE, 4 * HOUR),
    )
    starts = [0]
    while starts[-1] + int(every_s / fresh.step) < len(fresh.at):
        starts.append(starts[-1] + int(every_s * rng.uniform(0.9, 1.1) / fresh.step))
    starts = [start for start in starts if start < len(fresh.at)]
    warm = [cache * (1 - exp(-3 * after / full_s)) for after in since_start(fresh, starts)]
    path = total([rng.uniform(0.1, 0.3)] * len(fresh.at), warm, hum(fresh))
    return Draft(fresh, path, starts=tuple(map(fresh.before, starts)))


def restarts_irregular(stage: Stage) -> Draft:
    """Deploys, some of them several in an hour, each version of another size, down for a while; a linear warm-up."""
    rng, fresh = stage.rng, stage.fresh()
    moments = [
        at
        for deploy in poisson(fresh, rng.uniform(10, 40) * HOUR)
        for at in [deploy, *poisson(fresh, rng.uniform(4, 15) * MINUTE, deploy)[: rng.choice((0, 0, 1, 2, 5))]]
    ]
    starts = sorted({0, *map(fresh.index, moments)})
    cache, full_s = rng.uniform(0.1, 0.35), log_uniform(rng, 10 * MINUTE, 6 * HOUR)
    warm = [cache * min(1.0, after / full_s) for after in since_start(fresh, starts)]
    sizes = stairs(fresh, [(fresh.before(start), rng.uniform(-0.012, 0.015)) for start in starts])
    path = total([rng.uniform(0.15, 0.35)] * len(fresh.at), sizes, warm, hum(fresh))
    gaps = down_between(fresh, starts, rng.uniform(0.2, 6) * MINUTE)
    return Draft(fresh, path, starts=tuple(map(fresh.before, starts)), gaps=gaps)
