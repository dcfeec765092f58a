"""Everything at once, as a real service has it; healthy, and with a leak."""

from benchmarks.leaks.corpus.busy import nightly_batch
from benchmarks.leaks.corpus.cycles import even_sawtooth, load_of, office_day, sine_day, uneven_sawtooth, week_of
from benchmarks.leaks.corpus.draft import Draft
from benchmarks.leaks.corpus.exhaustion import exhaust, leaked_at, plan
from benchmarks.leaks.corpus.growth import elapsed, fill_exponential, fill_logarithmic
from benchmarks.leaks.corpus.lives import down_between
from benchmarks.leaks.corpus.sampling import lost_at
from benchmarks.leaks.corpus.shapes import echo, ground, hum, roomy, scaled, settling, stairs, total
from benchmarks.leaks.corpus.stage import DAY, HOUR, MINUTE, Stage, log_uniform


def mixed(stage: Stage) -> Draft:
    """A cache that fills, then a season, garbage, and a step."""
    fresh = stage.fresh()
    return Draft(fresh, _website(fresh))


def mixed_deploys(stage: Stage) -> Draft:
    """Office hours, memory kept for hours, batches, garbage, and some deploys, each of which warms up again."""
    rng, fresh = stage.rng, stage.fresh()
    load = load_of(fresh, week_of(office_day(rng), (1, 1, 1, 1, 0.9, 0.3, 0.25)))
    starts = sorted({0, *(fresh.index(fresh.within(0.1, 0.9)) for _ in range(rng.randint(1, 4)))})
    cold, settles_s = rng.uniform(0.08, 0.2), log_uniform(rng, 5 * MINUTE, 2 * HOUR)
    warm = total(*(settling(fresh, fresh.before(start), cold, settles_s) for start in starts))
    path = total(_office(fresh, load), warm)
    lost = lost_at(fresh, [fresh.within(0.1, 0.9)], 10 * MINUTE, 8 * HOUR)
    gaps = down_between(fresh, starts, 2 * MINUTE) + lost
    return Draft(fresh, path, starts=tuple(map(fresh.before, starts)), gaps=gaps)


def mixed_leak(stage: Stage) -> Draft:
    rng = stage.rng
    p = plan(stage.fresh(), 24 * HOUR, 6.5 * DAY)
    return exhaust(p, roomy(_website(p.stage), rng.uniform(0.6, 0.75)), elapsed(p.stage, p.onset))


def mixed_leak_deployed(stage: Stage) -> Draft:
    """A deploy brings the leak, which is by the load."""
    rng = stage.rng
    p = plan(stage, 36 * HOUR, 6 * DAY, after_s=6 * HOUR, from_start=0.0)
    load = load_of(p.stage, week_of(office_day(rng), (1, 1, 1, 1, 0.9, 0.3, 0.25)))
    warm = settling(p.stage, p.onset, rng.uniform(0.08, 0.2), log_uniform(rng, 5 * MINUTE, 2 * HOUR))
    draft = exhaust(p, roomy(total(_office(p.stage, load), warm)), leaked_at(p, [0.3 + now for now in load]))
    draft.starts = (p.stage.started, p.onset)
    return draft


def _website(stage: Stage) -> list[float]:
    rng = stage.rng
    cache = fill_exponential(stage, stage.started, rng.uniform(0.1, 0.25), log_uniform(rng, 20 * MINUTE, 10 * HOUR))
    load = load_of(stage, sine_day(rng.uniform(0, 24), rng.uniform(0.1, 0.4)))
    teeth = even_sawtooth(stage, log_uniform(rng, MINUTE, HOUR), rng.uniform(0.02, 0.12))
    step = stairs(stage, [(stage.within(0.1, 0.9), rng.uniform(0.02, 0.08))])
    season = scaled(load, rng.uniform(0.04, 0.15))
    return total(ground(stage, rng.uniform(0.1, 0.3)), cache, season, teeth, step, hum(stage))


def _office(stage: Stage, load: list[float]) -> list[float]:
    rng = stage.rng
    held = echo(stage, load, 5 * MINUTE, rng.uniform(0.5, 5) * HOUR)
    teeth = uneven_sawtooth(stage, log_uniform(rng, 3 * MINUTE, 2 * HOUR), rng.uniform(0.02, 0.1), 0.4)
    holes = fill_logarithmic(stage, stage.started, rng.uniform(0.02, 0.08), rng.uniform(1, 5) * DAY)
    season = total(scaled(held, rng.uniform(0.04, 0.15)), nightly_batch(stage, rng.uniform(0.03, 0.12)))
    return total([rng.uniform(0.25, 0.45)] * len(stage.at), season, teeth, holes, hum(stage))
