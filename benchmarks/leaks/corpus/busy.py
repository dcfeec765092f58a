"""Healthy: what follows its load. Daily and weekly seasons, memory in proportion to the work."""

from benchmarks.leaks.corpus.cycles import evening_day, load_of, office_day, sine_day, week_of, worked
from benchmarks.leaks.corpus.draft import Draft
from benchmarks.leaks.corpus.shapes import Bump, bumps, echo, ground, hum, poisson, product, scaled, total
from benchmarks.leaks.corpus.stage import DAY, HOUR, MINUTE, MONDAY, Stage, log_uniform


def daily(stage: Stage) -> Draft:
    rng = stage.rng
    load = load_of(stage, sine_day(rng.uniform(0, 24), rng.uniform(0.0, 0.4)))
    return Draft(stage, total(ground(stage, rng.uniform(0.15, 0.5)), scaled(load, rng.uniform(0.06, 0.3)), hum(stage)))


def daily_office(stage: Stage) -> Draft:
    """Office hours with a dip at noon, a quiet weekend, and a batch every night."""
    rng = stage.rng
    load = load_of(stage, week_of(office_day(rng), (1, 1, 1, 1, 0.9, rng.uniform(0.1, 0.4), rng.uniform(0.1, 0.4))))
    path = total(ground(stage, rng.uniform(0.15, 0.45)), scaled(load, rng.uniform(0.08, 0.3)), hum(stage))
    return Draft(stage, total(path, nightly_batch(stage, rng.uniform(0.05, 0.2))))


def weekly(stage: Stage) -> Draft:
    rng = stage.rng
    weekend = rng.uniform(0.25, 0.65)
    table = week_of(sine_day(rng.uniform(9, 18), rng.uniform(0.1, 0.4)), (1, 1, 1, 1, 1, weekend, weekend))
    load = load_of(stage, table)
    return Draft(stage, total(ground(stage, rng.uniform(0.15, 0.5)), scaled(load, rng.uniform(0.08, 0.3)), hum(stage)))


def weekly_shop(stage: Stage) -> Draft:
    """More from day to day towards the weekend, good weeks and bad ones, and a sale of some days."""
    rng = stage.rng
    table = week_of(evening_day(rng), (0.5, 0.55, 0.6, 0.68, 0.85, 1.0, 0.9))
    sale = Bump(stage.within(0.3, 0.85), HOUR, rng.uniform(1, 4) * DAY, 6 * HOUR, rng.uniform(0.2, 0.5))
    load = product(load_of(stage, table, unsteady=0.1), total([1.0] * len(stage.at), bumps(stage, [sale])))
    return Draft(stage, total(ground(stage, rng.uniform(0.15, 0.5)), scaled(load, rng.uniform(0.1, 0.25)), hum(stage)))


def proportional(stage: Stage) -> Draft:
    """So much memory for each request in flight; requests are counted."""
    rng = stage.rng
    load = load_of(stage, sine_day(rng.uniform(0, 24), rng.uniform(0.05, 0.4)), unsteady=0.12)
    held = echo(stage, load, MINUTE, rng.uniform(MINUTE, 20 * MINUTE))
    path = total(ground(stage, rng.uniform(0.15, 0.45)), scaled(held, rng.uniform(0.08, 0.35)), hum(stage))
    return Draft(stage, path, work=worked(stage, load))


def proportional_jobs(stage: Stage) -> Draft:
    """A queue of jobs of all sizes, and a day or two in which there are more and more of them."""
    rng = stage.rng
    load = total(job_load(stage), scaled(_campaign(stage), rng.uniform(0.3, 0.8)))
    held = echo(stage, load, 2 * MINUTE, rng.uniform(5 * MINUTE, HOUR))
    path = total(ground(stage, rng.uniform(0.12, 0.4)), scaled(held, rng.uniform(0.08, 0.25)), hum(stage))
    return Draft(stage, path, work=worked(stage, load))


def job_load(stage: Stage) -> list[float]:
    """Jobs of minutes to hours, some at a time."""
    rng = stage.rng
    several = [
        Bump(at, 0.0, log_uniform(rng, 4 * MINUTE, 2 * HOUR), 0.0, rng.uniform(0.1, 0.5))
        for at in poisson(stage, rng.uniform(20 * MINUTE, 2 * HOUR))
    ]
    return bumps(stage, several)


def nightly_batch(stage: Stage, size: float) -> list[float]:
    """At the same minute each night, for about as long."""
    rng = stage.rng
    first = MONDAY + rng.uniform(0, 5) * HOUR
    lasts_s = log_uniform(rng, 10 * MINUTE, 2 * HOUR)
    nights = range(int((stage.begin - first) / DAY), int((stage.at[-1] - first) / DAY) + 1)
    several = [Bump(first + n * DAY, lasts_s * 0.4, lasts_s * rng.uniform(0.5, 1), 5 * MINUTE, size) for n in nights]
    return bumps(stage, several)


def _campaign(stage: Stage) -> list[float]:
    rng = stage.rng
    rise_s, hold_s = rng.uniform(8, 30) * HOUR, rng.uniform(6, 30) * HOUR
    return bumps(stage, [Bump(stage.within(0.1, 0.6), rise_s, hold_s, rng.uniform(1, 12) * HOUR, 1.0)])
