"""Held out, leaking: by pace. Slow, steady, fast, accelerating, in stairs, two at once, later fixed, by night."""

from itertools import accumulate
from math import exp

from benchmarks.leaks.corpus.cycles import even_sawtooth, load_of, office_day, regions_day, sine_day, uneven_sawtooth
from benchmarks.leaks.corpus.draft import Draft
from benchmarks.leaks.corpus.exam_parts import every, garbage_by_load, pulses
from benchmarks.leaks.corpus.exhaustion import exhaust, leaked_at, plan, stop
from benchmarks.leaks.corpus.growth import elapsed
from benchmarks.leaks.corpus.shapes import Bump, bumps, ground, hum, noise, poisson, roomy, scaled, stairs, total
from benchmarks.leaks.corpus.stage import DAY, HOUR, MINUTE, MONDAY, Stage, log_uniform


def keys_for_ever(stage: Stage) -> Draft:
    """A cache without a bound, for weeks: as in every text, new keys become rarer and never end (Heaps' law)."""
    rng = stage.rng
    p = plan(stage, 8 * DAY, 26 * DAY)
    load = load_of(p.stage, regions_day(rng), unsteady=0.1)
    power = rng.uniform(0.65, 0.9)
    season = scaled(load, rng.uniform(0.02, 0.15))
    healthy = roomy(total(ground(p.stage, rng.uniform(0.12, 0.45)), season, hum(p.stage)))
    return exhaust(p, healthy, [asked**power for asked in leaked_at(p, load)])


def arenas(stage: Stage) -> Draft:
    """As steady as a clock, but that the allocator asks for memory by the arena; jobs come and go."""
    rng = stage.rng
    p = plan(stage, 8 * HOUR, 6 * DAY)
    arena_s = (p.stage.at[p.by] - p.onset) / rng.uniform(50, 200)
    jobs = [
        Bump(at, 0.0, log_uniform(rng, MINUTE, 15 * MINUTE), 0.0, rng.uniform(0.005, 0.06))
        for at in poisson(p.stage, log_uniform(rng, 10 * MINUTE, 2 * HOUR))
    ]
    healthy = roomy(total(ground(p.stage, rng.uniform(0.1, 0.6)), bumps(p.stage, jobs), hum(p.stage)))
    return exhaust(p, healthy, [float(int(after / arena_s)) for after in elapsed(p.stage, p.onset)])


def fast_pages(stage: Stage) -> Draft:
    """A listing that is read to its end and has none: a page every some seconds, under garbage."""
    rng = stage.rng
    p = plan(stage, 12 * MINUTE, HOUR, after_s=3 * HOUR, from_start=0.0)
    gap_s = log_uniform(rng, 8.0, 60.0)
    moments = accumulate((gap_s * rng.uniform(0.5, 1.5) for _ in range(1200)), initial=p.onset + 1)
    pages = stairs(p.stage, [(at, rng.uniform(0.6, 1.4)) for at in moments])
    teeth = even_sawtooth(p.stage, log_uniform(rng, 0.5 * MINUTE, 8 * MINUTE), rng.uniform(0.02, 0.12))
    healthy = roomy(total(ground(p.stage, rng.uniform(0.1, 0.5)), teeth, hum(p.stage)))
    return exhaust(p, healthy, pages)


def doubling_listeners(stage: Stage) -> Draft:
    """Whatever leaked makes more of its kind: exponential, and at its end ten to thirty times as fast as at first."""
    rng = stage.rng
    p = plan(stage, 18 * HOUR, 6 * DAY)
    own_s = (p.stage.at[p.by] - p.onset) / rng.uniform(2.2, 3.4)
    restless = noise(p.stage, log_uniform(rng, 0.002, 0.012), log_uniform(rng, MINUTE, HOUR))
    healthy = total(ground(p.stage, rng.uniform(0.1, 0.55)), restless)
    # The time after the limit, which nobody sees, is not to overflow.
    return exhaust(p, healthy, [exp(min(50.0, after / own_s)) - 1 for after in elapsed(p.stage, p.onset)])


def reloads(stage: Stage) -> Draft:
    """Plug-ins are loaded anew by day, and each time the old ones stay; while it happens, both are worked with."""
    rng = stage.rng
    p = plan(stage, 3 * DAY, 6.5 * DAY)
    gap_s = rng.uniform(0.6, 1.8) * HOUR
    moments = [at for at in poisson(p.stage, gap_s) if 8 * HOUR < (at - MONDAY) % DAY < 20 * HOUR]
    loads = bumps(p.stage, [Bump(at, 0.0, rng.uniform(1, 6) * MINUTE, 0.0, rng.uniform(0.02, 0.08)) for at in moments])
    kept = [(at, rng.uniform(0.5, 1.0)) for at in moments if at > p.onset]
    teeth = uneven_sawtooth(p.stage, log_uniform(rng, 3 * MINUTE, HOUR), rng.uniform(0.01, 0.1), 0.4)
    healthy = roomy(total(ground(p.stage, rng.uniform(0.1, 0.45)), loads, teeth, hum(p.stage)))
    return exhaust(p, healthy, stairs(p.stage, kept))


def drip_and_nightly_block(stage: Stage) -> Draft:
    """One drips; another leaves a block after each night's batch."""
    rng = stage.rng
    p = plan(stage, 4 * DAY, 6.5 * DAY)
    nights, lasts_s, size = every(p.stage, DAY), rng.uniform(0.3, 2) * HOUR, rng.uniform(0.04, 0.15)
    batches = pulses(p.stage, [(at, lasts_s, size * rng.uniform(0.8, 1)) for at in nights], lambda share: share**0.5)
    blocks = stairs(p.stage, [(at + lasts_s, rng.uniform(0.7, 1.3)) for at in nights if at > p.onset])
    swing = scaled(load_of(p.stage, regions_day(rng)), rng.uniform(0.0, 0.1))
    drip = rng.uniform(0.4, 0.75) / DAY
    leaked = [
        drip * after + (1 - drip * DAY) * block for after, block in zip(elapsed(p.stage, p.onset), blocks, strict=True)
    ]
    healthy = roomy(total(ground(p.stage, rng.uniform(0.1, 0.45)), batches, swing, hum(p.stage)))
    return exhaust(p, healthy, leaked)


def flushed(stage: Stage) -> Draft:
    """Somebody empties it by hand, or a peer at last hangs up: it leaks no more, and gives all back."""
    rng = stage.rng
    p = plan(stage, 12 * HOUR, 5 * DAY)
    load = load_of(p.stage, sine_day(rng.uniform(0, 24), 0.3))
    healthy = roomy(total(ground(p.stage, rng.uniform(0.1, 0.5)), scaled(load, rng.uniform(0.01, 0.12)), hum(p.stage)))
    draft, at = stop(p, healthy, elapsed(p.stage, p.onset), rng.uniform(0.6, 0.95))
    gives_s, since = log_uniform(rng, MINUTE, 4 * HOUR), p.stage.at[at]
    for index in range(at + 1, len(draft.path)):
        left = max(0.0, 1 - (p.stage.at[index] - since) / gives_s)
        draft.path[index] = healthy[index] + left * (draft.path[index] - healthy[index])
    return draft


def by_night(stage: Stage) -> Draft:
    """Users by day, and a sync by night which is what leaks."""
    rng = stage.rng
    p = plan(stage, 3 * DAY, 6.5 * DAY)
    lasts_s = rng.uniform(3, 9) * HOUR
    sync = bumps(p.stage, [Bump(at, 0.0, lasts_s, 0.0, 1.0) for at in every(p.stage, DAY)])
    load = load_of(p.stage, office_day(rng), unsteady=0.08)
    season = total(scaled(load, rng.uniform(0.05, 0.2)), scaled(sync, rng.uniform(0.0, 0.05)))
    healthy = roomy(total(ground(p.stage, rng.uniform(0.12, 0.4)), season, hum(p.stage)))
    return exhaust(p, healthy, leaked_at(p, [0.05 + now for now in sync]))


def fixed_heap(stage: Stage) -> Draft:
    """A collector that runs when a heap of fixed size is full: the peaks stay where they are, the troughs rise and the
    teeth get shorter, until what is alive needs more than the heap.
    """
    rng = stage.rng
    p = plan(stage, 18 * HOUR, 6 * DAY)
    base, heap = rng.uniform(0.12, 0.4), rng.uniform(0.6, 0.85)
    load = load_of(p.stage, regions_day(rng), unsteady=0.1)
    least = garbage_by_load(p.stage, load, rng.uniform(3, 8) * MINUTE, rng.uniform(0.02, 0.05))
    draft = exhaust(p, total(ground(p.stage, base), least, hum(p.stage)), elapsed(p.stage, p.onset))
    pace = (heap - base) / log_uniform(rng, 5 * MINUTE, 2 * HOUR) * p.stage.step
    garbage = 0.0
    for index, alive in enumerate(draft.path[:-1]):
        garbage += pace * max(0.05, load[index])
        if alive + garbage > heap:
            garbage = 0.0
        draft.path[index] = alive + garbage
    return draft
