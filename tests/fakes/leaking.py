"""Readings of series of which the truth is known, round by round."""

import random

from exporters.leakinputs import Bound, Reading, Resource, SeriesKey
from exporters.leaks.assessment import Sample

START, LIMIT = 1_800_000_000.0, 512e6
WEB = SeriesKey("shop/web", "shop-web-1", Resource.MEMORY)
#: Minutes until it is told of, and until it is exhausted: four hours of nothing, then four hours to the limit.
ONSET, EXHAUSTED = 240, 480


def key(number: int, resource: Resource = Resource.MEMORY) -> SeriesKey:
    """One of many healthy series."""
    return SeriesKey(f"shop/s{number}", f"shop-s{number}-1", resource)


def reading(of: SeriesKey, at: float, value: float, *, started: float | None = START, work: float | None = None):
    return Reading(of, Sample(at, value, LIMIT, started, work), Bound.CGROUP)


def minute(number: int, *healthy: SeriesKey, leaks: bool = True, started: float = START) -> list[Reading]:
    """The readings of one minute: WEB, which leaks, and healthy ones. The noise is the same each time."""
    rng = random.Random(number)
    at = START + 60 * number
    grown = max(0, number - ONSET) / (EXHAUSTED - ONSET) * (LIMIT - 100e6) if leaks else 0.0
    found = [reading(WEB, at, 100e6 + grown + rng.random() * 2e6, started=started, work=30.0 * number)]
    return found + [reading(each, at, 100e6 + rng.random() * 2e6) for each in healthy]
