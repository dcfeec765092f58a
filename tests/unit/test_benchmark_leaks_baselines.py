"""The baselines are what their authors describe: each finds what is plain to see, says nothing of nothing, and does not
know the future.
"""

import random
from array import array

import pytest

from benchmarks.leaks.baselines import BASELINES
from benchmarks.leaks.contenders import Contender, minutes
from benchmarks.leaks.trace import Trace

START = 1.8e9
MINUTE = 60.0
HOUR = 60
DAY = 24 * HOUR
LIMIT = 1e9

every_baseline = pytest.mark.parametrize("baseline", BASELINES, ids=lambda each: each.name)


def trace(shares: list[float], *, starts: tuple[float, ...] = (START,), step_s: float = MINUTE) -> Trace:
    times = [START + index * step_s for index in range(len(shares))]
    values = [share * LIMIT for share in shares]
    return Trace("t", "f", "memory", array("d", times), array("d", values), array("d", [LIMIT] * len(shares)), starts)


def noisy(shares: list[float], seed: int = 1) -> list[float]:
    rng = random.Random(seed)
    return [share + rng.uniform(-0.01, 0.01) for share in shares]


#: Two quiet days, then within two days from 30 % to the limit.
QUIET_DAYS = 2
LEAK = noisy([0.3] * (QUIET_DAYS * DAY) + [0.3 + 0.7 * index / (2 * DAY) for index in range(2 * DAY)])
FLAT = noisy([0.5] * (4 * DAY))
ONSET = START + QUIET_DAYS * DAY * MINUTE
EXHAUSTED = ONSET + 2 * DAY * MINUTE


@every_baseline
def test_finds_what_is_plain_to_see(baseline: Contender):
    alarms = baseline.alarms(trace(LEAK))

    assert any(ONSET < alarm.at < EXHAUSTED for alarm in alarms)


@every_baseline
def test_says_nothing_of_nothing(baseline: Contender):
    assert [alarm for alarm in baseline.alarms(trace(FLAT)) if alarm.at > START + DAY * MINUTE] == []


@every_baseline
def test_expects_the_limit_where_the_line_meets_it(baseline: Contender):
    late = [alarm for alarm in baseline.alarms(trace(LEAK)) if alarm.at > ONSET + DAY * MINUTE]

    for alarm in late:
        assert alarm.exhaustion is None or alarm.exhaustion == pytest.approx(EXHAUSTED, abs=6 * 3600)


@every_baseline
@pytest.mark.parametrize("shares", [LEAK, noisy([0.2 + 0.6 * (index / (9 * HOUR) % 1) for index in range(4 * DAY)])])
def test_does_not_know_the_future(baseline: Contender, shares: list[float]):
    whole = baseline.alarms(trace(shares))

    for length in (DAY, 2 * DAY + 7, 3 * DAY + 11):
        until = START + (length - 1) * MINUTE
        assert baseline.alarms(trace(shares[:length])) == [alarm for alarm in whole if alarm.at <= until]


def test_only_bucket_counting_names_no_time():
    silent = {each.name for each in BASELINES if all(alarm.exhaustion is None for alarm in each.alarms(trace(LEAK)))}

    assert silent == {"bucket counting"}


def test_predict_linear_waits_for_fifteen_minutes():
    rule = BASELINES[0].make()
    steep = [0.1 + 0.005 * index for index in range(HOUR)]

    first = next(
        i for i, share in enumerate(steep) if (found := rule.look(START + i * MINUTE, share, 1.0)) and found.is_leak
    )

    assert first == 16  # two samples make a line, fifteen minutes later it fires


def test_predict_linear_on_full_windows_waits_for_one():
    steep = trace([0.1 + 0.005 * index for index in range(2 * HOUR)])

    young, full = (each.alarms(steep)[0].at - START for each in BASELINES[:2])

    assert (young, full) == (16 * MINUTE, (60 + 15) * MINUTE)


def test_a_container_that_starts_anew_is_alarmed_of_anew():
    restart = ONSET + DAY * MINUTE
    predict_linear = BASELINES[4]

    once, twice = (predict_linear.alarms(trace(LEAK, starts=starts)) for starts in ((START,), (START, restart)))

    assert [alarm.at for alarm in twice if alarm not in once] == [restart]


def test_a_scrape_a_minute_of_a_sampler_that_is_faster():
    assert [at for at, _, _ in minutes(trace([0.1] * 16, step_s=15.0))] == [START + at for at in (0, 60, 120, 180)]


def test_samples_from_before_are_dropped():
    seen = trace([0.1, 0.2, 0.3, 0.4])
    seen.times[2] = START - 7 * MINUTE

    assert [at for at, _, _ in minutes(seen)] == [START, START + 60, START + 180]
