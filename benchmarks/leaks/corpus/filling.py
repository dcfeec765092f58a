"""Healthy: what grows and stops. Warm-up, ramps to a plateau, page cache, fragmentation."""

from math import exp, log1p, sqrt

from benchmarks.leaks.corpus.cycles import even_sawtooth, load_of, sine_day, uneven_sawtooth
from benchmarks.leaks.corpus.draft import Draft
from benchmarks.leaks.corpus.growth import (
    elapsed,
    fill_exponential,
    fill_linear,
    fill_logarithmic,
    fill_sigmoid,
)
from benchmarks.leaks.corpus.shapes import ground, hum, scaled, total
from benchmarks.leaks.corpus.stage import DAY, HOUR, MINUTE, Stage, log_uniform


def warmup(stage: Stage) -> Draft:
    """One cache that fills with one time constant."""
    rng, fresh = stage.rng, stage.fresh()
    base = rng.uniform(0.1, 0.25)
    cache = fill_exponential(
        fresh, fresh.started, rng.uniform(0.3, 0.7) - base, log_uniform(rng, 5 * MINUTE, 12 * HOUR)
    )
    return Draft(fresh, total(ground(fresh, base), cache, hum(fresh)))


def warmup_stages(stage: Stage) -> Draft:
    """A cache under Zipf's law, under garbage; a second one fills when a function is used for the first time."""
    rng, fresh = stage.rng, stage.fresh()
    base = rng.uniform(0.1, 0.2)
    first, second = (share * (rng.uniform(0.35, 0.7) - base) for share in (0.65, 0.35))
    one = fill_logarithmic(fresh, fresh.started, first, log_uniform(rng, HOUR, 12 * HOUR))
    two = fill_linear(fresh, fresh.within(0.02, 0.3), second, log_uniform(rng, 20 * MINUTE, 6 * HOUR))
    teeth = uneven_sawtooth(fresh, log_uniform(rng, 3 * MINUTE, 20 * MINUTE), rng.uniform(0.01, 0.08), 0.3)
    return Draft(fresh, total(ground(fresh, base), one, two, teeth, hum(fresh)))


def warmup_fine(stage: Stage) -> Draft:
    """As a fast leak would see it: from the first quarter of a minute, over in minutes to two hours."""
    rng, fresh = stage.rng, stage.fresh()
    base = rng.uniform(0.1, 0.25)
    cache = fill_exponential(fresh, fresh.started, rng.uniform(0.3, 0.7) - base, log_uniform(rng, 5 * MINUTE, 2 * HOUR))
    teeth = even_sawtooth(fresh, log_uniform(rng, 0.5 * MINUTE, 10 * MINUTE), rng.uniform(0.01, 0.15))
    return Draft(fresh, total(ground(fresh, base), cache, teeth, hum(fresh)))


def plateau(stage: Stage) -> Draft:
    """From its start on so many bytes a second, up to the size that is configured."""
    rng, fresh = stage.rng, stage.fresh()
    base = rng.uniform(0.1, 0.25)
    ramp = fill_linear(fresh, fresh.started, rng.uniform(0.35, 0.75) - base, log_uniform(rng, HOUR, 12 * HOUR))
    return Draft(fresh, total(ground(fresh, base), ramp, hum(fresh)))


def plateau_late(stage: Stage) -> Draft:
    """An index is built, a feature is switched on: hours or days after the start, in two goes."""
    rng = stage.rng
    size, begin, lasts_s = rng.uniform(0.15, 0.4), stage.within(0.1, 0.7), log_uniform(rng, 2 * HOUR, 10 * HOUR)
    share = rng.uniform(0.4, 0.8)
    one = fill_sigmoid(stage, begin, size * share, lasts_s)
    two = fill_sigmoid(
        stage, begin + lasts_s * rng.uniform(1.2, 3.0), size * (1 - share), lasts_s * rng.uniform(0.3, 1.0)
    )
    swing = load_of(stage, sine_day(rng.uniform(0, 24), 0.2))
    return Draft(stage, total(ground(stage, rng.uniform(0.15, 0.4)), one, two, scaled(swing, 0.06), hum(stage)))


def page_cache(stage: Stage) -> Draft:
    """Files are read until their cache fills the limit; a small share of it cannot be told from anonymous memory."""
    rng = stage.rng
    base = rng.uniform(0.15, 0.6)
    counted = rng.uniform(0.01, 0.1) * (1 - base)
    cache = fill_exponential(stage, stage.within(0.0, 0.4), counted, log_uniform(rng, 2 * HOUR, 3 * DAY))
    return Draft(stage, total(ground(stage, base), cache, hum(stage)))


def page_cache_reclaimed(stage: Stage) -> Draft:
    """Slab of directory entries: grows with every file that is looked at, reclaimed now and then, never all of it."""
    rng = stage.rng
    base = rng.uniform(0.15, 0.55)
    counted = rng.uniform(0.03, 0.12) * (1 - base)
    slab = uneven_sawtooth(stage, log_uniform(rng, 5 * HOUR, 30 * HOUR), counted, 0.6)
    kept = fill_logarithmic(stage, stage.started, counted * 0.4, rng.uniform(1, 5) * DAY)
    return Draft(stage, total(ground(stage, base), slab, kept, hum(stage)))


def fragmentation(stage: Stage) -> Draft:
    """Bounded, with the root of the time at first; a sawtooth on top."""
    rng, fresh = stage.rng, stage.fresh()
    size, tau_s = rng.uniform(0.03, 0.15), rng.uniform(0.5, 3.0) * DAY
    holes = [size * sqrt(1 - exp(-after / tau_s)) for after in elapsed(fresh, fresh.started)]
    teeth = even_sawtooth(fresh, log_uniform(rng, MINUTE, 30 * MINUTE), rng.uniform(0.01, 0.06))
    return Draft(fresh, total(ground(fresh, rng.uniform(0.15, 0.6)), holes, teeth, hum(fresh)))


def fragmentation_arenas(stage: Stage) -> Draft:
    """With the logarithm of the time, in arenas, from a start within the trace's first day; under a season."""
    rng, fresh = stage.rng, stage.fresh()
    arena, begin = rng.uniform(0.004, 0.015), fresh.within(0.0, 0.12)
    scale = rng.uniform(0.05, 0.16) / log1p(fresh.span / HOUR)
    holes = [arena * int(scale * log1p(after / HOUR) / arena) for after in elapsed(fresh, begin)]
    swing = load_of(fresh, sine_day(rng.uniform(0, 24), 0.3))
    path = total(ground(fresh, rng.uniform(0.15, 0.5)), holes, scaled(swing, rng.uniform(0.02, 0.1)), hum(fresh))
    return Draft(fresh, path)
