"""Held out, healthy: what happens at a moment, what is not the container's doing, and everything at once."""

from math import exp

from benchmarks.leaks.corpus.cycles import evening_day, load_of, office_day, regions_day, sine_day, uneven_sawtooth
from benchmarks.leaks.corpus.draft import Draft
from benchmarks.leaks.corpus.exam_parts import (
    crowds,
    doubling,
    every,
    fill_by_use,
    garbage_by_load,
    highest_today,
    lost_in_storms,
    pulses,
    workers,
)
from benchmarks.leaks.corpus.lives import since_start
from benchmarks.leaks.corpus.sampling import lost_at
from benchmarks.leaks.corpus.shapes import Bump, bumps, ground, hum, poisson, scaled, settling, stairs, total
from benchmarks.leaks.corpus.stage import DAY, HOUR, MINUTE, MONDAY, Stage, log_uniform


def steps_of_workers(stage: Stage) -> Draft:
    """Worker processes that are started when there is work and stopped when there is little: gunicorn, php-fpm."""
    rng = stage.rng
    most = rng.randint(4, 10)
    load = load_of(stage, rng.choice((office_day(rng), evening_day(rng), regions_day(rng))), unsteady=0.12)
    each = rng.uniform(0.1, 0.4) / most
    own = scaled(load, rng.uniform(0.0, 0.04))
    path = total(ground(stage, rng.uniform(0.12, 0.4)), scaled(workers(load, most), each), own, hum(stage))
    return Draft(stage, path)


def spikes_of_reports(stage: Stage) -> Draft:
    """Small jobs by the hour, a large one by night, and reports whose buffer doubles until they are done."""
    rng = stage.rng
    small, large = rng.uniform(0.02, 0.08), rng.uniform(0.08, 0.25)
    hourly = [(at, rng.uniform(1, 8) * MINUTE, small * rng.uniform(0.6, 1)) for at in every(stage, HOUR)]
    nightly = [(at, rng.uniform(20, 60) * MINUTE, large * rng.uniform(0.8, 1)) for at in every(stage, DAY)]
    asked = [
        (at, log_uniform(rng, 3 * MINUTE, 50 * MINUTE), min(0.4, 0.05 * rng.paretovariate(1.2)))
        for at in poisson(stage, rng.uniform(5, 40) * HOUR)
    ]
    plain = pulses(stage, hourly, lambda _: 1.0)
    path = total(ground(stage, rng.uniform(0.12, 0.45)), plain, pulses(stage, nightly + asked, doubling), hum(stage))
    return Draft(stage, path)


def late_return_nightly(stage: Stage) -> Draft:
    """What the day's highest load took is kept until the maintenance at night gives it back."""
    rng = stage.rng
    load = load_of(stage, rng.choice((office_day(rng), regions_day(rng), sine_day(14, 0.2))), unsteady=0.15)
    mark = highest_today(stage, load, rng.uniform(2, 6))
    size = rng.uniform(0.1, 0.35)
    path = total(ground(stage, rng.uniform(0.12, 0.4)), scaled(mark, size), scaled(load, size * 0.3), hum(stage))
    return Draft(stage, path)


def restarts_while_coding(stage: Stage) -> Draft:
    """A developer saves a file: it starts anew, needs most while it starts, and runs until the next change, or until
    the next working day.
    """
    rng, fresh = stage.rng, stage.fresh()
    gap_s = log_uniform(rng, 8 * MINUTE, 80 * MINUTE)
    saved = [at for at in poisson(fresh, gap_s) if _is_working_time(at)]
    starts = sorted({0, *map(fresh.index, saved)})
    peak, settles_s, used = rng.uniform(0.03, 0.25), rng.uniform(1, 8) * MINUTE, rng.uniform(0.0, 0.08)
    after = since_start(fresh, starts)
    own = [peak * exp(-seconds / settles_s) + used * (1 - exp(-seconds / HOUR)) for seconds in after]
    path = total([rng.uniform(0.15, 0.45)] * len(fresh.at), own, hum(fresh))
    return Draft(fresh, path, starts=tuple(map(fresh.before, starts)))


def limit_redeployed(stage: Stage) -> Draft:
    """Another limit comes with a start, and a heap that is set to a share of the limit is another one, too."""
    rng, fresh = stage.rng, stage.fresh()
    starts = sorted({0, *(fresh.index(fresh.within(0.08, 0.92)) for _ in range(rng.randint(1, 2)))})
    factors = [1.0, *(rng.choice((rng.uniform(0.5, 0.8), rng.uniform(1.25, 2.0))) for _ in starts[1:])]
    limits: list[float] = []
    for low, high, factor in zip(starts, [*starts[1:], len(fresh.at)], factors, strict=True):
        limits.extend([factor] * (high - low))
    heap, full_s = rng.uniform(0.1, 0.4), log_uniform(rng, 5 * MINUTE, 3 * HOUR)
    filled = [
        heap * limit * (1 - exp(-3 * s / full_s)) for limit, s in zip(limits, since_start(fresh, starts), strict=True)
    ]
    load = load_of(fresh, office_day(rng))
    path = total([rng.uniform(0.1, 0.25)] * len(fresh.at), filled, scaled(load, rng.uniform(0.01, 0.06)), hum(fresh))
    return Draft(fresh, path, limits=limits, starts=tuple(map(fresh.before, starts)))


def gaps_of_single_samples(stage: Stage) -> Draft:
    """A scraper under pressure for hours at a time, and an outage of the monitoring; a season or teeth beneath."""
    rng = stage.rng
    load = load_of(stage, regions_day(rng))
    teeth = uneven_sawtooth(stage, log_uniform(rng, 10 * MINUTE, 5 * HOUR), rng.uniform(0.03, 0.2), 0.3)
    beneath = rng.choice((teeth, scaled(load, rng.uniform(0.04, 0.25))))
    outages = [stage.within(0.05, 0.95) for _ in range(rng.randint(1, 3))]
    lost = lost_in_storms(stage, rng.uniform(12, 36) * HOUR) + lost_at(stage, outages, 12 * MINUTE, 6 * HOUR)
    return Draft(stage, total(ground(stage, rng.uniform(0.15, 0.5)), beneath, hum(stage)), gaps=lost)


def clock_of_two_servers(stage: Stage) -> Draft:
    """Two time servers that do not agree, now this one and now that; once set back far, and slewed right by a twelfth
    of a second each second.
    """
    rng = stage.rng
    apart_s, back_s = log_uniform(rng, 0.5, 200.0), log_uniform(rng, 2 * MINUTE, 20 * MINUTE)
    is_other, flips = False, []
    for at in poisson(stage, rng.uniform(3, 15) * HOUR):
        flips.append((at, -apart_s if is_other else apart_s))
        is_other = not is_other
    back = bumps(stage, [Bump(stage.within(0.1, 0.9), 0.0, 0.0, 12 * back_s, -back_s)])
    load = load_of(stage, rng.choice((office_day(rng), sine_day(rng.uniform(0, 24), 0.3))))
    path = total(ground(stage, rng.uniform(0.15, 0.5)), scaled(load, rng.uniform(0.03, 0.22)), hum(stage))
    return Draft(stage, path, clock=total(stairs(stage, flips), back))


def mixed_shop(stage: Stage) -> Draft:
    """A shop with evening hours and crowds: garbage by load, the day's mark, a cache; one deploy, lost samples."""
    rng, fresh = stage.rng, stage.fresh()
    load = load_of(fresh, evening_day(rng), unsteady=0.1)
    deployed = fresh.before(fresh.index(fresh.within(0.15, 0.9)))
    again = settling(fresh, deployed, rng.uniform(0.05, 0.12), log_uniform(rng, 3 * MINUTE, HOUR))
    lost = lost_in_storms(fresh, rng.uniform(20, 60) * HOUR)
    return Draft(fresh, total(shop(fresh, load), again), starts=(fresh.started, deployed), gaps=lost)


def shop(stage: Stage, load: list[float]) -> list[float]:
    rng = stage.rng
    busy = total(load, scaled(crowds(stage, rng.uniform(1.5, 4) * DAY), 0.4))
    teeth = garbage_by_load(stage, busy, log_uniform(rng, 3 * MINUTE, 30 * MINUTE), rng.uniform(0.03, 0.12))
    mark = scaled(highest_today(stage, busy, rng.uniform(2, 6)), rng.uniform(0.03, 0.12))
    cache = fill_by_use(stage, load, rng.uniform(0.06, 0.2), rng.uniform(0.5, 6) * HOUR)
    season = scaled(busy, rng.uniform(0.02, 0.1))
    return total([rng.uniform(0.2, 0.35)] * len(stage.at), teeth, mark, cache, season, hum(stage))


def _is_working_time(moment: float) -> bool:
    days, seconds = divmod(moment - MONDAY, DAY)
    return days % 7 < 5 and 9 * HOUR < seconds < 18.5 * HOUR
