"""Held out: descriptors, threads and connections, healthy and leaking."""

from math import exp

from benchmarks.leaks.corpus.counted import crowd
from benchmarks.leaks.corpus.cycles import evening_day, load_of, office_day, regions_day
from benchmarks.leaks.corpus.draft import Draft
from benchmarks.leaks.corpus.exam_parts import every, pulses, workers
from benchmarks.leaks.corpus.exhaustion import exhaust, leaked_at, plan
from benchmarks.leaks.corpus.growth import elapsed
from benchmarks.leaks.corpus.leaking_counted import one_by_one
from benchmarks.leaks.corpus.shapes import (
    Bump,
    bumps,
    flicker,
    poisson,
    product,
    roomy,
    scaled,
    settling,
    stairs,
    total,
)
from benchmarks.leaks.corpus.stage import DAY, HOUR, MINUTE, Stage, log_uniform


def fds_websockets(stage: Stage) -> Draft:
    """A socket for each user who is there; when the gateway starts anew, nearly all are cut off and come back."""
    return Draft(stage, _websockets(stage, stage.rng.uniform(0.08, 0.4)))


def threads_scheduled(stage: Stage) -> Draft:
    """Executors of a fixed size, made for each run of a schedule and shut down after it; two runs may overlap."""
    return Draft(stage, _executors(stage, _runs(stage)))


def pool_of_replicas(stage: Stage) -> Draft:
    """A fixed number of connections for each replica of the application; old and new ones while it is deployed."""
    return Draft(stage, _replicas(stage, stage.rng.uniform(0.1, 0.35)))


def leak_fds_rotated(stage: Stage) -> Draft:
    """Log files are rotated by the hour or oftener; each time some of the old ones stay open."""
    rng = stage.rng
    p = plan(stage, 20 * HOUR, 6.5 * DAY)
    period_s = rng.choice((10, 15, 20, 30, 60)) * MINUTE
    rotated = [(at, rng.choice((0.0, 1.0, 1.0, 2.0))) for at in every(p.stage, period_s) if at > p.onset]
    healthy = roomy(_websockets(p.stage, rng.uniform(0.05, 0.25)))
    return exhaust(p, healthy, stairs(p.stage, rotated))


def leak_threads_scheduled(stage: Stage) -> Draft:
    """A run that fails does not shut its executor down; some of the threads stay."""
    rng = stage.rng
    p = plan(stage, 30 * HOUR, 6.5 * DAY)
    runs = _runs(p.stage)
    failing = rng.uniform(0.4, 0.9)
    kept = [(at + lasts_s, rng.uniform(0.3, 1)) for at, lasts_s, _ in runs if at > p.onset and rng.random() < failing]
    return exhaust(p, roomy(_executors(p.stage, runs)), stairs(p.stage, kept))


def leak_pool_timeouts(stage: Stage) -> Draft:
    """A call that times out keeps its connection; the fewer are left, the more calls time out."""
    rng = stage.rng
    p = plan(stage, 12 * HOUR, 6 * DAY)
    own_s = (p.stage.at[p.by] - p.onset) / rng.uniform(0.6, 2.0)
    pace = [exp(min(50.0, after / own_s)) for after in elapsed(p.stage, p.onset)]
    times = [max(0.0, 1 + more) for more in flicker(p.stage, 0.3 * p.stage.limit, 20 * MINUTE)]
    return exhaust(p, roomy(_replicas(p.stage, rng.uniform(0.08, 0.25))), leaked_at(p, product(pace, times)))


def leak_pool_fast(stage: Stage) -> Draft:
    """A path of the code that leaves its transaction open, once it is in use."""
    rng = stage.rng
    p = plan(stage, 15 * MINUTE, HOUR, after_s=3 * HOUR, from_start=0.0)
    busy = rng.uniform(0.08, 0.35)
    healthy = roomy(total([busy] * len(p.stage.at), crowd(p.stage, busy / 2)))
    return exhaust(p, healthy, one_by_one(p, 1 - busy))


def _websockets(stage: Stage, clients: float) -> list[float]:
    rng = stage.rng
    load = load_of(stage, rng.choice((evening_day(rng), regions_day(rng))))
    again_s = log_uniform(rng, MINUTE, 12 * MINUTE)
    moments = poisson(stage, rng.uniform(20, 72) * HOUR)
    there = total([1.0] * len(stage.at), *(settling(stage, at, rng.uniform(0.7, 0.95), again_s) for at in moments))
    held = product(load, [max(0.02, share) for share in there])
    return total([rng.uniform(0.03, 0.2)] * len(stage.at), scaled(held, clients), crowd(stage, clients / 2))


def _runs(stage: Stage) -> list[tuple[float, float, float]]:
    """Epoch second, seconds and threads of each."""
    rng = stage.rng
    period_s, size = rng.choice((0.5, 1, 2, 4)) * HOUR, rng.uniform(0.04, 0.18)
    lasts_s = period_s * log_uniform(rng, 0.08, 0.7)
    runs = [(at, lasts_s * log_uniform(rng, 0.6, 1.7), size) for at in every(stage, period_s)]
    return runs + [(at, rng.uniform(1, 3) * HOUR, size * 1.5) for at in every(stage, DAY)]


def _executors(stage: Stage, runs: list[tuple[float, float, float]]) -> list[float]:
    rng = stage.rng
    busy = rng.uniform(0.08, 0.3)
    there = pulses(stage, runs, lambda _: 1.0)
    return total([busy] * len(stage.at), there, crowd(stage, busy * 0.2), flicker(stage, 1.5 / stage.limit, 5 * MINUTE))


def _replicas(stage: Stage, busy: float) -> list[float]:
    rng = stage.rng
    most = rng.randint(2, 6)
    each = max(1.0, round(busy / most * stage.limit)) / stage.limit
    several = workers(load_of(stage, rng.choice((office_day(rng), evening_day(rng))), unsteady=0.1), most)
    moments = poisson(stage, rng.uniform(15, 60) * HOUR)
    rise_s = rng.uniform(1, 5) * MINUTE
    deploys = [Bump(at, rise_s, rng.uniform(1, 12) * MINUTE, rise_s, rng.uniform(0.4, 1.0)) for at in moments]
    doubled = total([1.0] * len(stage.at), bumps(stage, deploys))
    other = [rng.uniform(0.04, 0.15)] * len(stage.at)
    return total(other, product(scaled(several, each), doubled), crowd(stage, busy / 4))
