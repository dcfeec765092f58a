"""What alarms are worth, by examples that were worked out by hand."""

import math
from array import array
from dataclasses import replace

import pytest

from benchmarks.leaks.bootstrap import intervals
from benchmarks.leaks.contenders import Alarm
from benchmarks.leaks.score import Outcome, facts, figures, outcome, precision_at
from benchmarks.leaks.trace import Leak, Trace

HOUR = 3600.0
DAY = 24 * HOUR
START = 20_000 * DAY
LIMIT = 100.0


def trace(shares: list[float], *leaks: Leak, starts: tuple[float, ...] = (START,), step_s: float = HOUR) -> Trace:
    times = array("d", [START + index * step_s for index in range(len(shares))])
    values = array("d", [share * LIMIT for share in shares])
    return Trace("t", "f", "memory", times, values, array("d", [LIMIT] * len(shares)), starts, leaks=leaks)


#: A week that leaks from its third day on, and would be exhausted after four days of that; fixed after three.
LEAK = Leak(START + 2 * DAY, START + 6 * DAY, START + 5 * DAY)
FACTS = facts(trace([0.3] * 168, LEAK))
HEALTHY = facts(trace([0.3] * 168))


def at(days: float, expected: float | None = None) -> Alarm:
    """``expected``: exhaustion, in days from the start, too."""
    return Alarm(START + days * DAY, None if expected is None else START + expected * DAY)


def test_an_alarm_within_the_leak_finds_it():
    found = outcome(FACTS, [at(3)])

    assert (found.is_found, found.false_alarms, found.lead) == (True, 0, 0.75)


@pytest.mark.parametrize("days", [1.99, 5.001, 6.5], ids=["before onset", "after the fix", "after exhaustion"])
def test_an_alarm_outside_it_is_false(days: float):
    found = outcome(FACTS, [at(days)])

    assert (found.is_found, found.false_alarms, found.lead, found.eta_error) == (False, 1, None, None)


def test_a_minute_after_its_end_is_still_true():
    late = Alarm(LEAK.ends + 60.0)

    assert outcome(FACTS, [late]).is_found
    assert not outcome(FACTS, [replace(late, at=late.at + 1)]).is_found


def test_lead_and_expectation_are_those_of_the_first_true_alarm():
    found = outcome(FACTS, [at(1, expected=9), at(4, expected=8), at(4.5, expected=6)])

    assert found.lead == 0.5
    assert found.eta_error == 1.0  # four days instead of two


def test_lead_is_that_of_the_leak_which_the_alarm_fell_in():
    two = trace(
        [0.3] * 168, Leak(START, START + DAY, START + DAY), Leak(START + 2 * DAY, START + 6 * DAY, START + 6 * DAY)
    )

    assert outcome(facts(two), [at(3)]).lead == 0.75


def test_false_alarms_count_once_for_each_container_and_day():
    known = facts(trace([0.3] * 168, starts=(START, START + 1.5 * DAY)))

    assert outcome(known, [at(0.1), at(0.9)]).false_alarms == 1
    assert outcome(known, [at(0.1), at(1.1)]).false_alarms == 2
    assert outcome(known, [at(1.4), at(1.6)]).false_alarms == 2


def test_silence_misses_a_leak_and_is_right_about_everything_else():
    assert outcome(FACTS, []) == Outcome("f", is_leaking=True, is_fast=False, weeks=1.0)
    assert outcome(HEALTHY, []) == Outcome("f", is_leaking=False, is_fast=False, weeks=1.0)


@pytest.mark.parametrize(
    ("alarm", "wrong", "judged"),
    [
        (at(1, expected=2), 1, 1),  # outlived, at the third day
        (at(1, expected=4.5), 0, 0),  # the trace ends before the eighth
        (at(1), 0, 0),
        (at(1, expected=0.5), 1, 1),
    ],
)
def test_an_expectation_that_is_outlived_twice_over_is_wrong(alarm: Alarm, wrong: int, judged: int):
    found = outcome(HEALTHY, [alarm])

    assert (found.wrong_etas, found.judged_etas) == (wrong, judged)


def test_an_expectation_is_right_once_95_percent_are_there():
    known = facts(trace([0.3] * 48 + [0.95] * 2 + [0.3] * 118))

    assert outcome(known, [at(1, expected=1.6)]).wrong_etas == 0
    assert outcome(known, [at(1, expected=1.4)]).wrong_etas == 1
    assert outcome(known, [at(3, expected=4)]).wrong_etas == 1


def test_a_container_that_ends_early_proves_nothing():
    known = facts(trace([0.3] * 168, starts=(START, START + 2 * DAY)))

    found = outcome(known, [at(1, expected=2)])

    assert (found.wrong_etas, found.judged_etas) == (0, 0)


def test_weeks_are_those_that_were_sampled():
    known = facts(trace([0.3] * 84))
    gap = trace([0.3] * 84)
    for index in range(42, 84):
        gap.times[index] += 10 * DAY

    assert known.weeks == facts(gap).weeks == 0.5


#: Two leaks of three found, one of them fast; one false alarm in a leaking trace, two in one of the two healthy weeks.
OUTCOMES = [
    Outcome("slow", is_leaking=True, is_fast=False, weeks=1.0, is_found=True, lead=0.8, eta_error=0.2),
    Outcome("fast", is_leaking=True, is_fast=True, weeks=1.0, is_found=True, false_alarms=1, lead=0.4, eta_error=0.4),
    Outcome("fast", is_leaking=True, is_fast=True, weeks=1.0, judged_etas=1),
    Outcome("flat", is_leaking=False, is_fast=False, weeks=1.0, false_alarms=2, wrong_etas=2, judged_etas=3),
    Outcome("flat", is_leaking=False, is_fast=False, weeks=1.0),
]


def test_figures_by_hand():
    found = figures(OUTCOMES)

    assert found.precision == 2 / 4
    assert found.recall == 2 / 3
    assert found.fast_recall == 1 / 2
    assert found.lead == pytest.approx(0.6)
    assert found.false_alarms_per_week == 2 / 2
    assert found.eta_error == pytest.approx(0.3)
    assert found.wrong_etas == 2 / 4
    assert found.false_positive_rate == 1 / 2


def test_precision_falls_with_the_base_rate():
    assert precision_at(0.5, 0.9, 0.1) == pytest.approx(0.9)
    assert precision_at(0.01, 0.9, 0.1) == pytest.approx(0.009 / (0.009 + 0.099))
    assert precision_at(0.01, 1.0, 0.0) == 1.0
    assert math.isnan(precision_at(0.01, 0.0, 0.0))


def test_what_cannot_be_said_is_not_a_number():
    healthy = figures(OUTCOMES[-1:])

    assert healthy.false_alarms_per_week == 0.0
    assert all(math.isnan(value) for value in (healthy.precision, healthy.recall, healthy.lead, healthy.eta_error))


def test_intervals_hold_the_figure_and_narrow_with_more_traces():
    few, many = intervals(OUTCOMES * 4, resamples=200), intervals(OUTCOMES * 40, resamples=200)

    for name in ("precision", "recall", "false_alarms_per_week"):
        value = getattr(figures(OUTCOMES), name)
        assert few[name][0] <= value <= few[name][1]
        assert many[name][1] - many[name][0] < few[name][1] - few[name][0]


def test_intervals_are_the_same_each_time_and_keep_families_their_size():
    assert intervals(OUTCOMES, resamples=50) == intervals(OUTCOMES, resamples=50)
    # of "fast" one of two is found, of "slow" always the one: 1/3 to 3/3, and never 0
    assert intervals(OUTCOMES, resamples=500)["recall"] == (1 / 3, 1.0)


def test_where_all_traces_agree_an_interval_has_no_width():
    same = intervals(OUTCOMES[:1] * 10, resamples=20)

    assert same["recall"] == (1.0, 1.0)
    assert all(math.isnan(end) for end in same["false_alarms_per_week"])
