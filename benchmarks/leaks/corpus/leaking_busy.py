"""Leaks under something else: garbage, seasons, warm-up, load, restarts."""

from math import exp

from benchmarks.leaks.corpus.busy import job_load, nightly_batch
from benchmarks.leaks.corpus.cycles import (
    even_sawtooth,
    load_of,
    office_day,
    sine_day,
    uneven_sawtooth,
    week_of,
    worked,
)
from benchmarks.leaks.corpus.draft import Draft
from benchmarks.leaks.corpus.exhaustion import exhaust, leaked_at, plan
from benchmarks.leaks.corpus.growth import elapsed, fill_exponential, fill_linear, fill_logarithmic
from benchmarks.leaks.corpus.lives import Life, leak_through
from benchmarks.leaks.corpus.shapes import echo, ground, hum, noise, product, roomy, scaled, total
from benchmarks.leaks.corpus.stage import DAY, HOUR, MINUTE, WEEK, Stage, log_uniform


def under_sawtooth(stage: Stage) -> Draft:
    rng = stage.rng
    p = plan(stage, 12 * HOUR, 6 * DAY)
    teeth = even_sawtooth(p.stage, log_uniform(rng, MINUTE, 6 * HOUR), rng.uniform(0.05, 0.3))
    healthy = roomy(total(ground(p.stage, rng.uniform(0.12, 0.45)), teeth, hum(p.stage)))
    return exhaust(p, healthy, elapsed(p.stage, p.onset))


def under_proportional_garbage(stage: Stage) -> Draft:
    """A collector that runs when garbage is a share of what is alive, as Go's: the peaks grow with the leak and meet
    the soft limit long before what is alive does.
    """
    rng = stage.rng
    p = plan(stage, 18 * HOUR, 6 * DAY)
    phase = uneven_sawtooth(p.stage, log_uniform(rng, 2 * MINUTE, HOUR), 1.0, 0.4)
    share, soft_limit = rng.uniform(0.3, 1.0), rng.uniform(0.9, 0.97)
    alive = exhaust(p, total(ground(p.stage, rng.uniform(0.12, 0.4)), hum(p.stage)), elapsed(p.stage, p.onset))
    alive.path = [
        low + part * max(0.0, min(low * (1 + share), soft_limit) - low)
        for low, part in zip(alive.path, phase, strict=False)
    ]
    return alive


def under_daily(stage: Stage) -> Draft:
    rng = stage.rng
    p = plan(stage, 30 * HOUR, 6.5 * DAY)
    load = load_of(p.stage, sine_day(rng.uniform(0, 24), rng.uniform(0.0, 0.4)))
    healthy = roomy(total(ground(p.stage, rng.uniform(0.12, 0.45)), scaled(load, rng.uniform(0.06, 0.3)), hum(p.stage)))
    return exhaust(p, healthy, elapsed(p.stage, p.onset))


def under_office_hours(stage: Stage) -> Draft:
    """And a batch by night, and noise of hours."""
    rng = stage.rng
    p = plan(stage, 36 * HOUR, 6.5 * DAY)
    load = load_of(p.stage, week_of(office_day(rng), (1, 1, 1, 1, 0.9, 0.3, 0.25)))
    season = total(scaled(load, rng.uniform(0.06, 0.25)), nightly_batch(p.stage, rng.uniform(0.04, 0.15)))
    restless = noise(p.stage, rng.uniform(0.003, 0.012), rng.uniform(0.5, 3) * HOUR)
    healthy = roomy(total(ground(p.stage, rng.uniform(0.12, 0.4)), season, restless))
    return exhaust(p, healthy, elapsed(p.stage, p.onset))


def after_warmup(stage: Stage) -> Draft:
    """The cache is full before anything leaks."""
    rng, fresh = stage.rng, stage.fresh()
    full_s = log_uniform(rng, 5 * MINUTE, 12 * HOUR)
    p = plan(fresh, 12 * HOUR, 5.5 * DAY, after_s=full_s, from_start=0.0)
    cache = fill_exponential(fresh, fresh.started, rng.uniform(0.15, 0.45), full_s)
    return exhaust(p, total(ground(fresh, rng.uniform(0.1, 0.25)), cache, hum(fresh)), elapsed(fresh, p.onset))


def within_warmup(stage: Stage) -> Draft:
    """From the start on, beneath a cache under Zipf's law and one that fills later."""
    rng, fresh = stage.rng, stage.fresh()
    p = plan(fresh, 18 * HOUR, 6.5 * DAY, from_start=1.0)
    size = rng.uniform(0.15, 0.4)
    one = fill_logarithmic(p.stage, p.onset, size * 0.7, log_uniform(rng, HOUR, 12 * HOUR))
    two = fill_linear(p.stage, p.onset + rng.uniform(2, 10) * HOUR, size * 0.3, log_uniform(rng, HOUR, 4 * HOUR))
    teeth = uneven_sawtooth(p.stage, log_uniform(rng, 3 * MINUTE, 20 * MINUTE), rng.uniform(0.01, 0.06), 0.3)
    return exhaust(
        p, total(ground(p.stage, rng.uniform(0.1, 0.25)), one, two, teeth, hum(p.stage)), elapsed(p.stage, p.onset)
    )


def per_request(stage: Stage) -> Draft:
    """Each request leaks as much as any other; requests are counted."""
    rng = stage.rng
    p = plan(stage, 30 * HOUR, 6.5 * DAY)
    load = load_of(p.stage, sine_day(rng.uniform(0, 24), rng.uniform(0.0, 0.3)), unsteady=0.12)
    healthy = roomy(total(ground(p.stage, rng.uniform(0.12, 0.45)), scaled(load, rng.uniform(0.03, 0.2)), hum(p.stage)))
    return exhaust(p, healthy, leaked_at(p, load), worked(p.stage, load))


def per_failed_job(stage: Stage) -> Draft:
    """Only jobs that fail leak; there are hours in which many fail. All jobs are counted."""
    rng = stage.rng
    p = plan(stage, 24 * HOUR, 6.5 * DAY)
    load = job_load(p.stage)
    failing = [max(0.05, 0.5 + now) for now in noise(p.stage, 0.4, rng.uniform(1, 5) * HOUR)]
    held = echo(p.stage, load, 2 * MINUTE, rng.uniform(5, 60) * MINUTE)
    healthy = roomy(
        total(ground(p.stage, rng.uniform(0.12, 0.45)), scaled(held, rng.uniform(0.03, 0.15)), hum(p.stage))
    )
    return exhaust(p, healthy, leaked_at(p, product(load, failing)), worked(p.stage, load))


def through_deploys(stage: Stage) -> Draft:
    """Each deploy comes in time, or nearly: after 60 to 105 % of the way."""
    rng = stage.rng
    base, lasts_s = rng.uniform(0.15, 0.5), log_uniform(rng, 9 * HOUR, 2.5 * DAY)
    full_s, lack = log_uniform(rng, 2 * MINUTE, HOUR), base * 0.6
    long = stage.longer(2 * lasts_s)
    pace_s = (1 - base) / lasts_s
    life = Life(
        healthy=total([base] * len(long.at), hum(long)),
        drip=[pace_s * after for after in elapsed(long, long.begin)],
        lacks=lambda after: lack * exp(-3 * after / full_s),
        serves=lambda: lasts_s * rng.uniform(0.6, 1.05),
    )
    return leak_through(life, long, len(stage.at))


def through_kills(stage: Stage) -> Draft:
    """Nobody deploys: it is killed, starts, and leaks by the request until it is killed again."""
    rng = stage.rng
    base, lasts_s = rng.uniform(0.15, 0.5), log_uniform(rng, 5 * HOUR, 30 * HOUR)
    full_s, lack = log_uniform(rng, 10 * MINUTE, 2 * HOUR), base * 0.7
    long = stage.longer(3 * DAY + lasts_s)
    load = load_of(long, sine_day(rng.uniform(0, 24), rng.uniform(0.3, 0.6)))
    teeth = uneven_sawtooth(long, log_uniform(rng, 2 * MINUTE, 30 * MINUTE), rng.uniform(0.01, 0.1), 0.4)
    drip = leaked_at(plan(long, HOUR, HOUR, from_start=1.0), load)
    pace = (1 - base) / lasts_s * long.step / 0.7
    life = Life(
        healthy=total([base] * len(long.at), scaled(load, 0.08), teeth, hum(long)),
        drip=scaled(drip, pace),
        lacks=lambda after: lack * max(0.0, 1 - after / full_s),
        serves=lambda: WEEK,
    )
    return leak_through(life, long, len(stage.at))
