"""Held out, leaking: under warm-up, load, restarts, and everything at once."""

from math import exp

from benchmarks.leaks.corpus.cycles import evening_day, load_of, office_day, regions_day, worked
from benchmarks.leaks.corpus.draft import Draft
from benchmarks.leaks.corpus.exam_events import shop
from benchmarks.leaks.corpus.exam_healthy import moved_load
from benchmarks.leaks.corpus.exam_parts import fill_by_use, garbage_by_load, lost_in_storms
from benchmarks.leaks.corpus.exhaustion import exhaust, leaked_at, plan
from benchmarks.leaks.corpus.growth import elapsed
from benchmarks.leaks.corpus.lives import Life, leak_through
from benchmarks.leaks.corpus.shapes import echo, ground, hum, roomy, scaled, settling, total
from benchmarks.leaks.corpus.stage import DAY, HOUR, MINUTE, Stage, log_uniform


def warmup_by_use(stage: Stage) -> Draft:
    """A cache that fills as it is used; what leaks begins with the start or at any time after it."""
    rng, fresh = stage.rng, stage.fresh()
    p = plan(fresh, 18 * HOUR, 6 * DAY, from_start=0.4)
    load = load_of(fresh, rng.choice((office_day(rng), regions_day(rng))))
    cache = fill_by_use(fresh, load, rng.uniform(0.12, 0.4), log_uniform(rng, 0.5 * HOUR, 8 * HOUR))
    season = scaled(load, rng.uniform(0.0, 0.06))
    return exhaust(p, total(ground(fresh, rng.uniform(0.1, 0.22)), cache, season, hum(fresh)), elapsed(fresh, p.onset))


def per_visitor(stage: Stage) -> Draft:
    """By the request, while traffic is moved here in shares and crowds come; requests are counted."""
    rng = stage.rng
    p = plan(stage, 30 * HOUR, 6.5 * DAY)
    load = moved_load(p.stage)
    held = echo(p.stage, load, MINUTE, rng.uniform(MINUTE, 15 * MINUTE))
    season = scaled(held, rng.uniform(0.03, 0.18))
    healthy = roomy(total(ground(p.stage, rng.uniform(0.12, 0.45)), season, hum(p.stage)))
    return exhaust(p, healthy, leaked_at(p, load), worked(p.stage, load))


def through_lifetimes(stage: Stage) -> Draft:
    """It is known to leak, so it is started anew when it has run for so long; on busy days that is too late."""
    rng = stage.rng
    lifetime_s = rng.choice((8, 12, 24, 24, 36)) * HOUR
    base, lasts_s = rng.uniform(0.15, 0.45), lifetime_s * rng.uniform(1.1, 1.8)
    full_s, lack = log_uniform(rng, 2 * MINUTE, HOUR), base * rng.uniform(0.2, 0.6)
    long = stage.longer(2 * lasts_s + 2 * DAY)
    load = load_of(long, regions_day(rng), unsteady=0.15)
    mean = sum(load) / len(load)
    teeth = garbage_by_load(long, load, log_uniform(rng, 3 * MINUTE, 30 * MINUTE), rng.uniform(0.01, 0.06))
    drip = leaked_at(plan(long, HOUR, HOUR, from_start=1.0), load)
    life = Life(
        healthy=total([base] * len(long.at), scaled(load, rng.uniform(0.0, 0.08)), teeth, hum(long)),
        drip=scaled(drip, (1 - base) / lasts_s * long.step / mean),
        lacks=lambda after: lack * exp(-3 * after / full_s),
        serves=lambda: lifetime_s,
    )
    return leak_through(life, long, len(stage.at))


def mixed_shop(stage: Stage) -> Draft:
    """The shop; a deploy that changed nothing, and later a leak that is mostly by the load."""
    rng = stage.rng
    p = plan(stage.fresh(), 30 * HOUR, 6 * DAY, after_s=8 * HOUR, from_start=0.0)
    load = load_of(p.stage, evening_day(rng), unsteady=0.1)
    quiet_s = p.onset - p.stage.begin
    deployed = p.stage.before(p.stage.index(p.stage.begin + quiet_s * rng.uniform(0.2, 0.7)))
    again = settling(p.stage, deployed, rng.uniform(0.05, 0.12), log_uniform(rng, 3 * MINUTE, HOUR))
    healthy = roomy(total(shop(p.stage, load), again), rng.uniform(0.6, 0.72))
    draft = exhaust(p, healthy, leaked_at(p, [0.3 + now for now in load]))
    draft.starts = (p.stage.started, deployed)
    draft.gaps = tuple(lost for lost in lost_in_storms(p.stage, 40 * HOUR) if lost[1] < len(draft.path) - 30)
    return draft
