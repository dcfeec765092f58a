"""Healthy: descriptors, threads and connections, which come in whole numbers."""

from benchmarks.leaks.corpus.busy import job_load
from benchmarks.leaks.corpus.cycles import evening_day, load_of, office_day, sine_day, uneven_sawtooth
from benchmarks.leaks.corpus.draft import Draft
from benchmarks.leaks.corpus.shapes import Bump, bumps, echo, flicker, poisson, product, scaled, stairs, total
from benchmarks.leaks.corpus.stage import HOUR, MINUTE, Stage, log_uniform


def fds(stage: Stage) -> Draft:
    """Files and listeners, and a connection for each client by day."""
    rng = stage.rng
    idle, clients = rng.uniform(0.03, 0.2), rng.uniform(0.03, 0.3)
    load = load_of(stage, sine_day(rng.uniform(0, 24), 0.2))
    return Draft(stage, total([idle] * len(stage.at), scaled(load, clients), crowd(stage, idle + clients / 2)))


def fds_keepalive(stage: Stage) -> Draft:
    """Clients that stay connected long after the evening's peak; segments of a store that are opened and merged."""
    rng = stage.rng
    clients = rng.uniform(0.05, 0.35)
    held = echo(stage, load_of(stage, evening_day(rng)), 5 * MINUTE, rng.uniform(1, 5) * HOUR)
    segments = uneven_sawtooth(stage, log_uniform(rng, HOUR, 20 * HOUR), rng.uniform(0.02, 0.15), 0.4)
    base = [rng.uniform(0.05, 0.2)] * len(stage.at)
    return Draft(stage, total(base, scaled(held, clients), segments, crowd(stage, clients / 2)))


def threads(stage: Stage) -> Draft:
    """A pool that makes a thread for each new height of its load, until it has its largest number, and keeps them."""
    rng, fresh = stage.rng, stage.fresh()
    load = load_of(fresh, sine_day(rng.uniform(0, 24), 0.1), unsteady=0.15)
    highest, marks = 0.0, []
    for now in load:
        highest = max(highest, now)
        marks.append(min(1.0, highest))
    size = rng.uniform(0.1, 0.4)
    return Draft(fresh, total([rng.uniform(0.1, 0.3)] * len(fresh.at), scaled(marks, size), _few(fresh)))


def threads_elastic(stage: Stage) -> Draft:
    """A thread for each job, gone some minutes after it; once, a library brings its own threads."""
    rng = stage.rng
    held = echo(stage, job_load(stage), MINUTE, rng.uniform(2, 20) * MINUTE)
    own = stairs(stage, [(stage.within(0.1, 0.9), rng.uniform(0.03, 0.1))])
    base = [rng.uniform(0.08, 0.3)] * len(stage.at)
    return Draft(stage, total(base, own, scaled(held, rng.uniform(0.08, 0.3)), _few(stage)))


def pool(stage: Stage) -> Draft:
    """Connections in use: as many as requests that wait for the database."""
    rng = stage.rng
    busy, idle = rng.uniform(0.08, 0.4), rng.uniform(0.04, 0.15)
    load = load_of(stage, office_day(rng))
    return Draft(stage, total([idle] * len(stage.at), scaled(load, busy), slow_queries(stage), crowd(stage, busy / 2)))


def pool_recycled(stage: Stage) -> Draft:
    """Connections that are open: one more for each height of the load, and closed by their age, hours later."""
    rng = stage.rng
    load = load_of(stage, sine_day(rng.uniform(0, 24), 0.1), unsteady=0.2)
    peaks = total(load, scaled(job_load(stage), 0.4))
    opened = echo(stage, peaks, MINUTE, rng.uniform(0.5, 8) * HOUR)
    path = total([rng.uniform(0.05, 0.25)] * len(stage.at), scaled(opened, rng.uniform(0.15, 0.5)))
    return Draft(stage, total(path, scaled(_few(stage), 0.5)))


def crowd(stage: Stage, share: float) -> list[float]:
    """Users that come and go within minutes; a crowd of thousands is a bit more restless than chance would have it."""
    rng = stage.rng
    chance = flicker(stage, share, log_uniform(rng, MINUTE, 10 * MINUTE))
    return total(chance, flicker(stage, share * 0.3, rng.uniform(0.3, 2) * HOUR), product(chance, _few(stage)))


def slow_queries(stage: Stage) -> list[float]:
    """Now and then, many wait for minutes."""
    rng = stage.rng
    several = [
        Bump(at, rng.uniform(0.5, 3) * MINUTE, rng.uniform(1, 25) * MINUTE, MINUTE, rng.uniform(0.08, 0.3))
        for at in poisson(stage, rng.uniform(8, 30) * HOUR)
    ]
    return bumps(stage, several)


def _few(stage: Stage) -> list[float]:
    """One or two more or less, for timers and maintenance."""
    return flicker(stage, 1.5 / stage.limit, 5 * MINUTE)
