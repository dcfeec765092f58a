"""Held out, healthy: what goes nowhere, what follows its load, what fills and is full."""

from itertools import pairwise
from math import sqrt

from benchmarks.leaks.corpus.cycles import (
    evening_day,
    load_of,
    office_day,
    regions_day,
    sine_day,
    uneven_sawtooth,
    week_of,
    worked,
)
from benchmarks.leaks.corpus.draft import Draft
from benchmarks.leaks.corpus.exam_parts import crowds, every, fill_by_use, garbage_by_load, kept_for, pulses
from benchmarks.leaks.corpus.shapes import (
    Bump,
    bumps,
    echo,
    ground,
    hum,
    noise,
    poisson,
    product,
    scaled,
    stairs,
    total,
)
from benchmarks.leaks.corpus.stage import DAY, HOUR, MINUTE, WEEK, Stage, log_uniform


def idle(stage: Stage) -> Draft:
    """Hardly used: the same to the page for hours, a health check, and a small job every hour."""
    rng = stage.rng
    hourly = [(at, rng.uniform(1, 4) * MINUTE, rng.uniform(0.003, 0.02)) for at in every(stage, HOUR)]
    changes = [
        (at, rng.choice((-1, 1)) * rng.uniform(0.0002, 0.002)) for at in poisson(stage, rng.uniform(6, 30) * HOUR)
    ]
    checks = [rng.choice((0.0, 0.0, 0.0, 0.0005)) for _ in stage.at]
    path = total([rng.uniform(0.05, 0.6)] * len(stage.at), stairs(stage, changes), checks)
    return Draft(stage, total(path, pulses(stage, hourly, lambda _: 1.0)))


def large_requests(stage: Stage) -> Draft:
    """The noise is that of single requests: most are small, a few are very large, some take long."""
    rng = stage.rng
    tail, scale = rng.uniform(1.4, 2.5), rng.uniform(0.004, 0.015)
    several = [
        Bump(at, 0.0, log_uniform(rng, 0.5 * MINUTE, 12 * MINUTE), 0.0, min(0.15, scale * rng.paretovariate(tail)))
        for at in poisson(stage, log_uniform(rng, 3 * MINUTE, 20 * MINUTE))
    ]
    return Draft(stage, total(ground(stage, rng.uniform(0.15, 0.6)), bumps(stage, several), hum(stage)))


def tenants(stage: Stage) -> Draft:
    """Some tenants, each of its own size, loaded when one comes and dropped when it has been idle."""
    rng = stage.rng
    several: list[Bump] = []
    for _ in range(rng.randint(3, 8)):
        size, stays_s, away_s = rng.uniform(0.015, 0.06), rng.uniform(1, 8) * HOUR, rng.uniform(1, 10) * HOUR
        at = stage.begin - rng.uniform(0, 2) * (stays_s + away_s)
        while at < stage.at[-1]:
            several.append(Bump(at, rng.uniform(0.5, 8) * MINUTE, rng.expovariate(1 / stays_s), MINUTE, size))
            at += several[-1].hold_s + rng.expovariate(1 / away_s) + 10 * MINUTE
    return Draft(stage, total(ground(stage, rng.uniform(0.15, 0.5)), bumps(stage, several), hum(stage)))


def heap_by_load(stage: Stage) -> Draft:
    """Garbage in proportion to the requests: short teeth by day, long ones by night, all of one height."""
    rng = stage.rng
    load = load_of(stage, rng.choice((regions_day(rng), evening_day(rng))), unsteady=0.1)
    teeth = garbage_by_load(stage, load, log_uniform(rng, 3 * MINUTE, 15 * MINUTE), rng.uniform(0.04, 0.28))
    alive = scaled(load, rng.uniform(0.0, 0.05))
    return Draft(stage, total(ground(stage, rng.uniform(0.15, 0.5)), teeth, alive, hum(stage)))


def old_generation(stage: Stage) -> Draft:
    """A heap in regions: young teeth, an old generation that fills for hours and is cleaned in some goes."""
    rng = stage.rng
    old = _cleaned_in_goes(stage, log_uniform(rng, HOUR, 9 * HOUR), rng.uniform(0.08, 0.28))
    young = uneven_sawtooth(stage, log_uniform(rng, 2 * MINUTE, 10 * MINUTE), rng.uniform(0.02, 0.09), 0.3)
    return Draft(stage, total(ground(stage, rng.uniform(0.15, 0.5)), old, young, hum(stage)))


def daily_regions(stage: Stage) -> Draft:
    """Users in two parts of the world: two peaks with steep morning and long evening; a job every some hours."""
    rng = stage.rng
    held = echo(stage, load_of(stage, regions_day(rng), unsteady=0.08), 2 * MINUTE, rng.uniform(5, 60) * MINUTE)
    lasts_s, size = rng.uniform(4, 20) * MINUTE, rng.uniform(0.02, 0.08)
    jobs = [(at, lasts_s * rng.uniform(0.7, 1.3), size) for at in every(stage, rng.choice((1, 2, 4, 6)) * HOUR)]
    path = total(ground(stage, rng.uniform(0.15, 0.45)), scaled(held, rng.uniform(0.08, 0.3)), hum(stage))
    return Draft(stage, total(path, pulses(stage, jobs, sqrt)))


def weekly_accounts(stage: Stage) -> Draft:
    """Most on Mondays, less each day; a holiday, the end of a month, and an index that is built anew on Sundays."""
    rng = stage.rng
    weekend = rng.uniform(0.1, 0.4)
    load = load_of(stage, week_of(office_day(rng), (1.0, 0.94, 0.9, 0.84, 0.7, weekend, weekend)), unsteady=0.08)
    sundays = [at - rng.uniform(0, 0.3) * HOUR for at in every(stage, WEEK)]
    index = [Bump(at, HOUR, rng.uniform(1, 5) * HOUR, 10 * MINUTE, 1.0) for at in sundays]
    unusual = bumps(
        stage,
        [
            Bump(stage.within(0.1, 0.95), HOUR, 22 * HOUR, HOUR, -rng.uniform(0.4, 0.8)),
            Bump(stage.within(0.1, 0.9), 6 * HOUR, rng.uniform(1.5, 3.5) * DAY, 6 * HOUR, rng.uniform(0.15, 0.4)),
        ],
    )
    season = scaled(product(load, total([1.0] * len(stage.at), unusual)), rng.uniform(0.08, 0.28))
    built = scaled(bumps(stage, index), rng.uniform(0.04, 0.15))
    return Draft(stage, total(ground(stage, rng.uniform(0.15, 0.45)), season, built, hum(stage)))


def load_moved(stage: Stage) -> Draft:
    """Traffic is moved here in shares, and sometimes back for a while; crowds come. Requests are counted."""
    rng = stage.rng
    load = moved_load(stage)
    held = echo(stage, load, MINUTE, rng.uniform(MINUTE, 15 * MINUTE))
    path = total(ground(stage, rng.uniform(0.15, 0.45)), scaled(held, rng.uniform(0.08, 0.3)), hum(stage))
    return Draft(stage, path, work=worked(stage, load))


def warmup_by_use(stage: Stage) -> Draft:
    """A cache of what has been asked for: it fills by day and hardly by night, until there is nothing new."""
    rng, fresh = stage.rng, stage.fresh()
    load = load_of(fresh, rng.choice((office_day(rng), sine_day(rng.uniform(0, 24), 0.1), regions_day(rng))))
    cache = fill_by_use(fresh, load, rng.uniform(0.15, 0.45), log_uniform(rng, 0.5 * HOUR, 10 * HOUR))
    path = total(ground(fresh, rng.uniform(0.1, 0.25)), cache, scaled(load, rng.uniform(0.0, 0.1)), hum(fresh))
    return Draft(fresh, path)


def plateau_expiring(stage: Stage) -> Draft:
    """An empty store whose keys all expire after the same time: it grows for as long as that, then follows the load."""
    rng, fresh = stage.rng, stage.fresh()
    load = load_of(fresh, sine_day(rng.uniform(0, 24), rng.uniform(0.3, 0.8)), unsteady=0.1)
    keys = kept_for(fresh, load, rng.choice((0.5, 1, 1, 2, 2, 4, 4, 6, 8, 12)) * HOUR)
    return Draft(fresh, total(ground(fresh, rng.uniform(0.08, 0.25)), scaled(keys, rng.uniform(0.15, 0.5)), hum(fresh)))


def page_cache_backup(stage: Stage) -> Draft:
    """A backup looks at every file each night; the kernel takes back over hours what it kept of them."""
    rng = stage.rng
    base, lasts_s = rng.uniform(0.15, 0.55), log_uniform(rng, 15 * MINUTE, 2 * HOUR)
    size = rng.uniform(0.02, 0.12) * (1 - base)
    nights = [Bump(at, lasts_s * 0.9, lasts_s * 0.1, MINUTE, size * rng.uniform(0.8, 1)) for at in every(stage, DAY)]
    slab = echo(stage, bumps(stage, nights), MINUTE, rng.uniform(2, 9) * HOUR)
    dirty = noise(stage, rng.uniform(0.001, 0.006), rng.uniform(2, 30) * MINUTE)
    return Draft(stage, total(ground(stage, base), slab, dirty, hum(stage)))


def fragmentation_records(stage: Stage) -> Draft:
    """The heap keeps the size of its largest job so far; larger ones become ever rarer."""
    rng, fresh = stage.rng, stage.fresh()
    size, tail, mark, jobs = rng.uniform(0.05, 0.2), rng.uniform(1.7, 2.6), 0.0, []
    for at in poisson(fresh, log_uniform(rng, 8 * MINUTE, 2 * HOUR)):
        job = min(1.0, 0.12 * rng.paretovariate(tail))
        mark = max(mark, job)
        jobs.append((at, mark, job))
    kept = stairs(fresh, [(at, size * (after - before)) for (_, before, _), (at, after, _) in pairwise(jobs)])
    working = bumps(fresh, [Bump(at, 0.0, rng.uniform(1, 6) * MINUTE, 0.0, size * 0.3 * job) for at, _, job in jobs])
    return Draft(fresh, total(ground(fresh, rng.uniform(0.15, 0.55)), kept, working, hum(fresh)))


def imports_fine(stage: Stage) -> Draft:
    """As a fast leak would see it: an import every ten minutes to an hour, fast at first, gone at its end."""
    rng = stage.rng
    period_s, size = rng.choice((10, 15, 20, 30, 60)) * MINUTE, rng.uniform(0.05, 0.3)
    lasts_s = period_s * rng.uniform(0.15, 0.7)
    runs = [(at, lasts_s * rng.uniform(0.7, 1.2), size * rng.uniform(0.7, 1)) for at in every(stage, period_s)]
    return Draft(stage, total(ground(stage, rng.uniform(0.15, 0.5)), pulses(stage, runs, sqrt), hum(stage)))


def moved_load(stage: Stage) -> list[float]:
    """A share at first, all of it after one to three days, for some time a share again; a crowd now and then."""
    rng = stage.rng
    first, begin, lasts_s = rng.uniform(0.2, 0.6), stage.within(0.05, 0.5), rng.uniform(0.3, 2) * DAY
    goes = rng.randint(1, 4)
    shares = [(begin + lasts_s * go / goes, (1 - first) / goes) for go in range(goes)]
    back = [Bump(stage.within(0.5, 0.95), 0.0, rng.uniform(0.5, 10) * HOUR, 0.0, -rng.uniform(0.2, 0.6))]
    share = total(stairs(stage, [(stage.begin - 1, first), *shares]), bumps(stage, back if rng.random() < 0.4 else []))
    crowd = scaled(crowds(stage, rng.uniform(1, 4) * DAY), 0.6)
    return total(product(load_of(stage, regions_day(rng), unsteady=0.08), [max(0.1, now) for now in share]), crowd)


def _cleaned_in_goes(stage: Stage, period_s: float, size: float) -> list[float]:
    rng, count = stage.rng, len(stage.at)
    skipped = rng.randrange(max(1, round(period_s / stage.step)))
    low = 0.0
    part: list[float] = []
    while len(part) < count + skipped:
        high, after = size * rng.uniform(0.85, 1), size * rng.uniform(0.0, 0.2)
        climb = max(2, round(period_s * rng.uniform(0.7, 1.3) / stage.step))
        part.extend([low + (high - low) * step / climb for step in range(climb)])
        goes, apart = rng.randint(3, 8), max(1, round(rng.uniform(1, 4) * MINUTE / stage.step))
        for go in range(1, goes + 1):
            part.extend([high - (high - after) * go / goes] * apart)
        low = after
    return part[skipped : skipped + count]
