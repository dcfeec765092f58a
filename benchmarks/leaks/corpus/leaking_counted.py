"""Leaks of descriptors, threads and connections, which come in whole numbers."""

from math import sqrt

from benchmarks.leaks.corpus.busy import job_load
from benchmarks.leaks.corpus.counted import crowd, slow_queries
from benchmarks.leaks.corpus.cycles import evening_day, load_of, office_day, sine_day
from benchmarks.leaks.corpus.draft import Draft
from benchmarks.leaks.corpus.exhaustion import Plan, exhaust, leaked_at, plan
from benchmarks.leaks.corpus.growth import elapsed
from benchmarks.leaks.corpus.shapes import echo, noise, poisson, product, roomy, scaled, stairs, total
from benchmarks.leaks.corpus.stage import DAY, HOUR, MINUTE, Stage


def fds(stage: Stage) -> Draft:
    """A file that is not closed, for one request in so many."""
    rng = stage.rng
    p = plan(stage, 12 * HOUR, 6.5 * DAY)
    idle, clients = rng.uniform(0.03, 0.2), rng.uniform(0.02, 0.2)
    load = load_of(p.stage, sine_day(rng.uniform(0, 24), 0.3))
    healthy = total([idle] * len(p.stage.at), scaled(load, clients), crowd(p.stage, idle + clients / 2))
    return exhaust(p, healthy, one_by_one(p, 0.7))


def fds_in_storms(stage: Stage) -> Draft:
    """Sockets in CLOSE_WAIT: some leak whenever the other side has an outage, none in between."""
    rng = stage.rng
    p = plan(stage, 30 * HOUR, 6.5 * DAY)
    lasts_s = p.stage.at[p.by] - p.onset
    storms = [(at, rng.uniform(0.4, 1.0)) for at in poisson(p.stage, lasts_s / rng.uniform(25, 60), p.onset)]
    clients = rng.uniform(0.05, 0.3)
    held = echo(p.stage, load_of(p.stage, evening_day(rng)), 5 * MINUTE, rng.uniform(0.5, 3) * HOUR)
    base = [rng.uniform(0.05, 0.2)] * len(p.stage.at)
    healthy = roomy(total(base, scaled(held, clients), crowd(p.stage, clients / 2)))
    return exhaust(p, healthy, echo(p.stage, stairs(p.stage, storms), rng.uniform(1, 20) * MINUTE, MINUTE))


def threads(stage: Stage) -> Draft:
    """A thread that waits for ever, after each call that timed out."""
    rng = stage.rng
    p = plan(stage, 12 * HOUR, 6.5 * DAY)
    busy = rng.uniform(0.08, 0.4)
    return exhaust(p, total([busy] * len(p.stage.at), crowd(p.stage, busy * 0.3)), one_by_one(p, 1 - busy))


def threads_by_load(stage: Stage) -> Draft:
    """A pool for each job that is not shut down, over threads that come and go."""
    rng = stage.rng
    p = plan(stage, 30 * HOUR, 6.5 * DAY)
    jobs = job_load(p.stage)
    held = echo(p.stage, jobs, MINUTE, rng.uniform(2, 20) * MINUTE)
    busy = rng.uniform(0.08, 0.3)
    healthy = roomy(total([busy] * len(p.stage.at), scaled(held, rng.uniform(0.05, 0.2)), crowd(p.stage, busy * 0.3)))
    return exhaust(p, healthy, leaked_at(p, jobs))


def pool(stage: Stage) -> Draft:
    """A connection that is not given back, now and then."""
    rng = stage.rng
    p = plan(stage, 10 * HOUR, 6 * DAY)
    idle, busy = rng.uniform(0.04, 0.15), rng.uniform(0.05, 0.25)
    load = load_of(p.stage, sine_day(rng.uniform(0, 24), 0.2))
    healthy = roomy(total([idle] * len(p.stage.at), scaled(load, busy), crowd(p.stage, busy / 2)))
    return exhaust(p, healthy, one_by_one(p, 0.7))


def pool_in_office_hours(stage: Stage) -> Draft:
    """One path of the code, in use by day and in some hours more than in others; slow queries on top."""
    rng = stage.rng
    p = plan(stage, 40 * HOUR, 6.5 * DAY)
    idle, busy = rng.uniform(0.04, 0.15), rng.uniform(0.05, 0.25)
    load = load_of(p.stage, office_day(rng))
    healthy = roomy(
        total(
            [idle] * len(p.stage.at), scaled(load, busy), scaled(slow_queries(p.stage), 0.4), crowd(p.stage, busy / 2)
        )
    )
    mood = [max(0.0, 1 + now) for now in noise(p.stage, 0.8, HOUR)]
    return exhaust(p, healthy, leaked_at(p, product(load, mood)))


def threads_fast(stage: Stage) -> Draft:
    """A dependency hangs, and every call waits for it."""
    rng = stage.rng
    p = plan(stage, 12 * MINUTE, HOUR, after_s=4 * HOUR, from_start=0.0)
    busy = rng.uniform(0.08, 0.4)
    return exhaust(p, total([busy] * len(p.stage.at), crowd(p.stage, busy * 0.3)), one_by_one(p, 1 - busy))


def fds_fast(stage: Stage) -> Draft:
    """A loop that reconnects without closing, ever faster."""
    rng = stage.rng
    p = plan(stage, 12 * MINUTE, HOUR, after_s=4 * HOUR, from_start=0.0)
    power = rng.uniform(1.2, 1.8)
    busy = rng.uniform(0.05, 0.4)
    leaked = [after**power for after in elapsed(p.stage, p.onset)]
    return exhaust(p, total([busy] * len(p.stage.at), crowd(p.stage, busy)), leaked)


def one_by_one(planned: Plan, room: float) -> list[float]:
    """At any time, but so often that ``room`` is used up; where there are thousands, by the normal distribution."""
    stage, rng = planned.stage, planned.stage.rng
    lasts_s = stage.at[planned.by] - planned.onset
    count = room * stage.limit
    if count < 3000:
        return stairs(stage, [(at, 1.0) for at in poisson(stage, lasts_s / count, planned.onset)])
    each = count * stage.step / lasts_s
    return leaked_at(planned, [max(0.0, each + sqrt(each) * rng.gauss(0.0, 1.0)) for _ in stage.at])
