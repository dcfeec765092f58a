"""Leaks by their pace: slow, steady, fast, accelerating, in stairs, two at once, later fixed."""

from itertools import accumulate

from benchmarks.leaks.corpus.busy import nightly_batch
from benchmarks.leaks.corpus.cycles import (
    even_sawtooth,
    load_of,
    office_day,
    sine_day,
    uneven_sawtooth,
    week_of,
)
from benchmarks.leaks.corpus.draft import Draft
from benchmarks.leaks.corpus.exhaustion import exhaust, leaked_at, plan, stop
from benchmarks.leaks.corpus.growth import elapsed
from benchmarks.leaks.corpus.sampling import lost_at
from benchmarks.leaks.corpus.shapes import (
    Bump,
    bumps,
    ground,
    hum,
    noise,
    poisson,
    roomy,
    scaled,
    settling,
    stairs,
    total,
    wander,
)
from benchmarks.leaks.corpus.stage import DAY, HOUR, MINUTE, Stage, log_uniform


def slow(stage: Stage) -> Draft:
    """So many bytes a second, for one to four weeks."""
    p = plan(stage, 7 * DAY, 26 * DAY)
    healthy = total(ground(p.stage, stage.rng.uniform(0.15, 0.6)), hum(p.stage))
    return exhaust(p, healthy, elapsed(p.stage, p.onset))


def slow_under_week(stage: Stage) -> Draft:
    """Under office hours and quiet weekends, faster in some weeks than in others."""
    rng = stage.rng
    p = plan(stage, 8 * DAY, 26 * DAY)
    load = load_of(p.stage, week_of(office_day(rng), (1, 1, 1, 1, 0.9, 0.3, 0.25)))
    healthy = roomy(total(ground(p.stage, rng.uniform(0.15, 0.4)), scaled(load, rng.uniform(0.08, 0.28)), hum(p.stage)))
    pace = [max(0.2, 1 + more) for more in wander(p.stage, 0.3, 4 * DAY)]
    return exhaust(p, healthy, leaked_at(p, pace))


def steady(stage: Stage) -> Draft:
    rng = stage.rng
    p = plan(stage, 8 * HOUR, 6 * DAY)
    restless = noise(p.stage, log_uniform(rng, 0.002, 0.015), log_uniform(rng, MINUTE, 2 * HOUR))
    return exhaust(p, total(ground(p.stage, rng.uniform(0.1, 0.65)), restless), elapsed(p.stage, p.onset))


def intermittent(stage: Stage) -> Draft:
    """A path of the code that is taken for some hours, then not for some; samples are missing, too."""
    rng = stage.rng
    p = plan(stage, 18 * HOUR, 6 * DAY)
    times: list[Bump] = []
    at, pause_s = p.onset, rng.uniform(1, 10) * HOUR
    while at < p.stage.at[-1]:
        times.append(Bump(at, 0.0, rng.uniform(1, 8) * HOUR, 0.0, rng.uniform(0.5, 1.0)))
        at += times[-1].hold_s + rng.uniform(0.3, 1.7) * pause_s
    draft = exhaust(p, total(ground(p.stage, rng.uniform(0.1, 0.6)), hum(p.stage)), leaked_at(p, bumps(p.stage, times)))
    lost = lost_at(p.stage, poisson(p.stage, 30 * HOUR), 5 * MINUTE, 4 * HOUR)
    draft.gaps = tuple((low, high) for low, high in lost if high < len(draft.path) - 30)
    return draft


def fast(stage: Stage) -> Draft:
    rng = stage.rng
    p = plan(stage, 12 * MINUTE, HOUR, after_s=4 * HOUR, from_start=0.1)
    return exhaust(p, total(ground(p.stage, rng.uniform(0.1, 0.6)), hum(p.stage)), elapsed(p.stage, p.onset))


def fast_queue(stage: Stage) -> Draft:
    """The consumer died: a queue grows as fast as producers send, under garbage."""
    rng = stage.rng
    p = plan(stage, 12 * MINUTE, HOUR, after_s=4 * HOUR, from_start=0.0)
    teeth = uneven_sawtooth(p.stage, log_uniform(rng, MINUTE, 15 * MINUTE), rng.uniform(0.03, 0.2), 0.4)
    healthy = roomy(total(ground(p.stage, rng.uniform(0.1, 0.5)), teeth, hum(p.stage)))
    return exhaust(p, healthy, leaked_at(p, [max(0.1, 1 + more) for more in noise(p.stage, 0.4, 2 * MINUTE)]))


def accelerating(stage: Stage) -> Draft:
    """With a power of the time, up to its square."""
    rng = stage.rng
    p = plan(stage, 18 * HOUR, 6 * DAY)
    power = rng.uniform(1.4, 2.0)
    healthy = total(ground(p.stage, rng.uniform(0.1, 0.6)), hum(p.stage))
    return exhaust(p, healthy, [after**power for after in elapsed(p.stage, p.onset)])


def accelerating_retries(stage: Stage) -> Draft:
    """What leaks is retried, and leaks again: ever more of it by day, under a daily season."""
    rng = stage.rng
    p = plan(stage, 30 * HOUR, 6 * DAY)
    load = load_of(p.stage, sine_day(rng.uniform(0, 24), rng.uniform(0.2, 0.5)))
    healthy = roomy(total(ground(p.stage, rng.uniform(0.1, 0.45)), scaled(load, rng.uniform(0.03, 0.2)), hum(p.stage)))
    own_s = rng.uniform(0.1, 0.6) * DAY
    pace = [now * (1 + after / own_s) for now, after in zip(load, elapsed(p.stage, p.onset), strict=True)]
    return exhaust(p, healthy, leaked_at(p, pace))


def staircase(stage: Stage) -> Draft:
    """Now and then something large is kept."""
    rng = stage.rng
    p = plan(stage, 18 * HOUR, 6 * DAY)
    lasts_s = p.stage.at[p.by] - p.onset
    gap_s = lasts_s / rng.uniform(24, 60)
    moments = accumulate((rng.uniform(0.2, 1.8) * gap_s for _ in range(120)), initial=p.onset + MINUTE)
    kept = [(at, rng.uniform(0.4, 1.0)) for at in moments]
    return exhaust(p, total(ground(p.stage, rng.uniform(0.1, 0.6)), hum(p.stage)), stairs(p.stage, kept))


def staircase_of_batches(stage: Stage) -> Draft:
    """A batch takes memory every few hours, gives most of it back, and keeps some; some batches keep nothing."""
    rng = stage.rng
    p = plan(stage, 3 * DAY, 6.5 * DAY)
    every_s = (p.stage.at[p.by] - p.onset) / rng.uniform(24, 48)
    begins = [p.stage.begin + every_s * (n + 0.5) for n in range(int(p.stage.span / every_s))]
    lasts_s, size = every_s * rng.uniform(0.1, 0.4), rng.uniform(0.05, 0.2)
    batches = bumps(p.stage, [Bump(at, lasts_s / 2, lasts_s / 2, MINUTE, size * rng.uniform(0.7, 1)) for at in begins])
    kept = [
        (at + lasts_s, rng.choice((0.0, rng.uniform(0.5, 1), rng.uniform(0.5, 1)))) for at in begins if at > p.onset
    ]
    healthy = roomy(total(ground(p.stage, rng.uniform(0.1, 0.5)), batches, hum(p.stage)))
    return exhaust(p, healthy, stairs(p.stage, kept))


def two_at_once(stage: Stage) -> Draft:
    """A slow one, and after some time a fast one as well."""
    rng = stage.rng
    p = plan(stage, 2 * DAY, 6.5 * DAY)
    lasts_s = p.stage.at[p.by] - p.onset
    second = p.onset + rng.uniform(0.3, 0.8) * lasts_s
    share = rng.uniform(0.35, 0.7)
    rest_s = p.onset + lasts_s - second
    leaked = [
        share * one / lasts_s + (1 - share) * other / rest_s
        for one, other in zip(elapsed(p.stage, p.onset), elapsed(p.stage, second), strict=True)
    ]
    return exhaust(p, total(ground(p.stage, rng.uniform(0.1, 0.5)), hum(p.stage)), leaked)


def two_with_season(stage: Stage) -> Draft:
    """One goes on by night, one leaks by the request; the season is the service's own, with garbage and a batch."""
    rng = stage.rng
    p = plan(stage, 36 * HOUR, 6.5 * DAY)
    load = load_of(p.stage, office_day(rng))
    teeth = even_sawtooth(p.stage, log_uniform(rng, 5 * MINUTE, HOUR), rng.uniform(0.02, 0.12))
    season = total(scaled(load, rng.uniform(0.04, 0.15)), nightly_batch(p.stage, rng.uniform(0.03, 0.1)))
    healthy = roomy(total(ground(p.stage, rng.uniform(0.1, 0.4)), season, teeth, hum(p.stage)))
    by_night = rng.uniform(0.2, 0.6)
    return exhaust(p, healthy, leaked_at(p, [by_night + (1 - by_night) * now for now in load]))


def fixed(stage: Stage) -> Draft:
    """A flag is switched off; what has leaked stays."""
    rng = stage.rng
    p = plan(stage, 12 * HOUR, 5 * DAY)
    teeth = even_sawtooth(p.stage, log_uniform(rng, 2 * MINUTE, HOUR), rng.uniform(0.005, 0.05))
    healthy = total(ground(p.stage, rng.uniform(0.1, 0.5)), teeth, hum(p.stage))
    draft, _ = stop(p, healthy, elapsed(p.stage, p.onset), rng.uniform(0.6, 0.95))
    return draft


def fixed_by_deploy(stage: Stage) -> Draft:
    """A new version starts, warms up, and does not leak."""
    rng = stage.rng
    p = plan(stage, 18 * HOUR, 5 * DAY)
    load = load_of(p.stage, sine_day(rng.uniform(0, 24), 0.3))
    base = rng.uniform(0.1, 0.45)
    healthy = roomy(total(ground(p.stage, base), scaled(load, rng.uniform(0.04, 0.2)), hum(p.stage)))
    draft, at = stop(p, healthy, leaked_at(p, [0.5 + now for now in load]), rng.uniform(0.6, 0.95))
    deployed = p.stage.before(at + 1)
    again = total(healthy, settling(p.stage, deployed, base * 0.4, rng.uniform(1, 20) * MINUTE))
    draft.path[at + 1 :] = again[at + 1 :]
    draft.starts = (p.stage.started, deployed)
    return draft
