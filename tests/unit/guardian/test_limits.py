"""Limits are exceeded when they are over all the time, and not before the time is up."""

import pytest
from fakes.clock import FakeClock

from guardian.limits import Sample, are_set, exceeded, until_exceeded
from guardian.usage import Usage
from homeostat.processspec import LimitsSpec
from homeostat.structure import stored


def limits(**given) -> LimitsSpec:
    return stored(LimitsSpec, {"for": 10.0, **given})


def samples(*usages: tuple[float, int, float, int]) -> list[Sample]:
    """(at, rss, cpu seconds, fds)"""
    return [Sample(at, Usage(rss, cpu, fds)) for at, rss, cpu, fds in usages]


@pytest.mark.parametrize(
    ("given", "seen", "reason"),
    [
        ({"rss": 100}, [(0, 101, 0, 0), (5, 200, 0, 0), (10, 150, 0, 0)], "rss is at least 101 bytes, limit 100"),
        ({"rss": 100}, [(0, 101, 0, 0), (5, 100, 0, 0), (10, 150, 0, 0)], None),
        ({"rss": 100}, [(0, 101, 0, 0), (9, 200, 0, 0)], None),
        ({"rss": 100}, [(0, 101, 0, 0)], None),
        ({"rss": 100}, [(0, 1, 0, 0), (1, 101, 0, 0), (6, 101, 0, 0), (11, 101, 0, 0)], "rss is at least 101"),
        ({"fds": 5}, [(0, 0, 0, 6), (10, 0, 0, 6)], "at least 6 open fds, limit 5"),
        ({"fds": 5}, [(0, 0, 0, 6), (10, 0, 0, 5)], None),
        ({"cpu": 0.5}, [(0, 0, 1, 0), (5, 0, 1, 0), (10, 0, 7, 0)], "cpu is 0.60 cores on average, limit 0.5"),
        ({"cpu": 0.5}, [(0, 0, 1, 0), (10, 0, 6, 0)], None),
        ({"cpu": 0.5}, [(0, 0, 9, 0), (10, 0, 1, 0)], None),
        ({}, [(0, 10**9, 0, 10**6), (10, 10**9, 10**6, 10**6)], None),
    ],
)
def test_exceeded(given, seen, reason):
    found = exceeded(limits(**given), samples(*seen))

    assert found == reason or (found and reason and found.startswith(reason))


def test_only_limits_that_are_set_cost_anything():
    assert [are_set(limits(**given)) for given in ({}, {"rss": 1}, {"cpu": 1.0}, {"fds": 1})] == [
        False,
        True,
        True,
        True,
    ]


@pytest.mark.parametrize(("period_s", "at_most_s"), [(0.5, 1.0), (10.0, 13.0), (600.0, 606.0)])
async def test_it_takes_the_time_given_and_little_more(period_s, at_most_s):
    clock = FakeClock()
    start = clock.monotonic()

    async def read() -> Usage:
        return Usage(rss_bytes=101, cpu_seconds=0, open_fds=0)

    reason = await until_exceeded(limits(rss=100, **{"for": period_s}), clock, lambda: False, read)

    assert period_s <= clock.monotonic() - start <= at_most_s
    assert reason == f"rss is at least 101 bytes, limit 100, for {period_s:g} s"


async def test_what_is_used_in_the_grace_does_not_count():
    clock = FakeClock()
    start = clock.monotonic()

    async def read() -> Usage:
        return Usage(rss_bytes=101, cpu_seconds=0, open_fds=0)

    await until_exceeded(limits(rss=100), clock, lambda: clock.monotonic() - start < 100, read)

    assert clock.monotonic() - start >= 110
