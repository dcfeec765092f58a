"""Healthy: what does not go anywhere. Flat, AR, Ornstein-Uhlenbeck, sawtooths fast and slow."""

from math import exp, log

from benchmarks.leaks.corpus.cycles import even_sawtooth, load_of, office_day, sine_day, uneven_sawtooth
from benchmarks.leaks.corpus.draft import Draft
from benchmarks.leaks.corpus.shapes import ground, hum, noise, product, scaled, total, wander
from benchmarks.leaks.corpus.stage import DAY, HOUR, MINUTE, Stage, log_uniform


def flat(stage: Stage) -> Draft:
    rng = stage.rng
    white = noise(stage, log_uniform(rng, 0.0001, 0.003), 0.2 * stage.step)
    return Draft(stage, total(ground(stage, rng.uniform(0.1, 0.7)), white))


def flat_arenas(stage: Stage) -> Draft:
    """Quite flat, but that the allocator takes and gives back whole arenas."""
    rng = stage.rng
    arena, held = rng.uniform(0.003, 0.012), noise(stage, rng.uniform(0.6, 1.6), rng.uniform(HOUR, 8 * HOUR))
    return Draft(stage, total(ground(stage, rng.uniform(0.1, 0.7)), [arena * round(count) for count in held]))


def autoregressive(stage: Stage) -> Draft:
    rng = stage.rng
    tau_s = -stage.step / log(rng.uniform(0.5, 0.97))
    return Draft(stage, total(ground(stage, rng.uniform(0.15, 0.65)), noise(stage, rng.uniform(0.005, 0.025), tau_s)))


def autoregressive_bursty(stage: Stage) -> Draft:
    """Two time scales, and hours of calm and of unrest."""
    rng = stage.rng
    unrest = [exp(power) for power in wander(stage, rng.uniform(0.4, 0.9), rng.uniform(3 * HOUR, 12 * HOUR))]
    quick = noise(stage, rng.uniform(0.003, 0.01), rng.uniform(MINUTE, 6 * MINUTE))
    slow = noise(stage, rng.uniform(0.004, 0.014), rng.uniform(HOUR, 3 * HOUR))
    return Draft(stage, total(ground(stage, rng.uniform(0.15, 0.65)), product(quick, unrest), slow))


def mean_reverting(stage: Stage) -> Draft:
    rng = stage.rng
    wave = noise(stage, rng.uniform(0.015, 0.05), rng.uniform(HOUR, 6 * HOUR))
    return Draft(stage, total(ground(stage, rng.uniform(0.25, 0.6)), wave, hum(stage)))


def bounded_walk(stage: Stage) -> Draft:
    """Goes where it likes for days, between two walls: what tenants or sessions of all sizes make of it."""
    rng = stage.rng
    width, kick = rng.uniform(0.08, 0.22), rng.uniform(0.02, 0.06) * (stage.step / DAY) ** 0.5
    now, walk = rng.uniform(0.0, width), []
    for _ in stage.at:
        now = abs(now + rng.gauss(0.0, kick))
        now = 2 * width - now if now > width else now
        walk.append(now)
    return Draft(stage, total(ground(stage, rng.uniform(0.2, 0.55)), walk, hum(stage)))


def sawtooth_fast(stage: Stage) -> Draft:
    rng = stage.rng
    teeth = even_sawtooth(stage, log_uniform(rng, 0.5 * MINUTE, 15 * MINUTE), rng.uniform(0.03, 0.3))
    return Draft(stage, total(ground(stage, rng.uniform(0.15, 0.5)), teeth, hum(stage)))


def generations(stage: Stage) -> Draft:
    """A generational collector: minor cycles that leave something to the old generation, major ones that take it."""
    rng = stage.rng
    minor = uneven_sawtooth(stage, log_uniform(rng, 2 * MINUTE, 8 * MINUTE), rng.uniform(0.02, 0.1), 0.4)
    major = uneven_sawtooth(stage, log_uniform(rng, 20 * MINUTE, 4 * HOUR), rng.uniform(0.06, 0.22), 0.5)
    return Draft(stage, total(ground(stage, rng.uniform(0.15, 0.5)), minor, major, hum(stage)))


def sawtooth_slow(stage: Stage) -> Draft:
    rng = stage.rng
    teeth = even_sawtooth(stage, log_uniform(rng, HOUR, 12 * HOUR), rng.uniform(0.08, 0.35))
    return Draft(stage, total(ground(stage, rng.uniform(0.15, 0.5)), teeth, hum(stage)))


def compaction(stage: Stage) -> Draft:
    """A store that fills as fast as it is written to, and is emptied in minutes when full, never to the same level."""
    rng = stage.rng
    load = load_of(stage, rng.choice((office_day(rng), sine_day(rng.uniform(0, 24), 0.3))), unsteady=0.2)
    size, fills_s = rng.uniform(0.1, 0.35), log_uniform(rng, HOUR, 8 * HOUR)
    filled = _fill_and_flush(stage, load, fills_s, rng.uniform(5 * MINUTE, 40 * MINUTE))
    return Draft(stage, total(ground(stage, rng.uniform(0.15, 0.5)), scaled(filled, size), hum(stage)))


def _fill_and_flush(stage: Stage, load: list[float], fills_s: float, flushes_s: float) -> list[float]:
    """Between 0 and 1."""
    uniform = stage.rng.uniform
    now, turn, is_flushing = uniform(0.0, 0.5), uniform(0.8, 1.0), False
    filled: list[float] = []
    for share in load:
        now += stage.step * (-1 / flushes_s if is_flushing else share / fills_s)
        if is_flushing and now <= turn:
            is_flushing, turn = False, uniform(0.75, 1.0)
        elif not is_flushing and now >= turn:
            is_flushing, turn = True, uniform(0.0, 0.3)
        filled.append(min(1.0, now))
    return filled
