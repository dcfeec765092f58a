"""What the held-out families are made of does what its name says."""

from random import Random

import pytest

from benchmarks.leaks.corpus import generate
from benchmarks.leaks.corpus.exam_parts import (
    doubling,
    every,
    fill_by_use,
    garbage_by_load,
    highest_today,
    kept_for,
    lost_in_storms,
    pulses,
    workers,
)
from benchmarks.leaks.corpus.stage import DAY, HOUR, MONDAY, open_stage


@pytest.fixture
def stage():
    return open_stage(Random(5), "memory", 0.5, 60.0)


def test_a_worker_comes_at_once_and_goes_only_when_two_are_idle():
    assert workers([0.1, 0.5, 0.5, 0.35, 0.1, 0.1], 10) == [1, 5, 5, 5, 4, 3]
    assert max(workers([0.2, 3.0], 4)) == 4


def test_what_expires_never_exceeds_what_came_in_its_time(stage):
    kept = kept_for(stage, [1.0] * len(stage.at), HOUR)

    assert kept[29] == pytest.approx(0.5)
    assert kept[59:] == pytest.approx([1.0] * (len(kept) - 59))


def test_a_cache_does_not_grow_while_nobody_uses_it(stage):
    used = [1.0] * 60 + [0.0] * (len(stage.at) - 60)

    cache = fill_by_use(stage, used, 0.4, HOUR)

    assert cache[59] == pytest.approx(0.4 * 0.95, rel=0.01)
    assert set(cache[60:]) == {cache[59]}


def test_teeth_are_longer_by_night_and_no_higher(stage):
    half = len(stage.at) // 2
    teeth = garbage_by_load(stage, [1.0] * half + [0.1] * (len(stage.at) - half), 600.0, 0.2)
    falls = [index for index in range(1, len(teeth)) if teeth[index] < teeth[index - 1]]
    by_day, by_night = sum(at < half for at in falls), sum(at >= half for at in falls)

    assert by_night > 10
    assert by_day > 8 * by_night
    assert 0.15 < max(teeth[half:]) <= max(teeth[:half]) + 0.02 < 0.24


def test_the_mark_of_the_day_falls_at_its_hour_and_at_no_other(stage):
    marks = highest_today(stage, [0.2 + (index % 7 == 0) * 0.3 for index in range(len(stage.at))], 4.0)
    falls = [stage.at[index] for index in range(1, len(marks)) if marks[index] < marks[index - 1]]

    assert len(falls) in (2, 3, 4)
    assert all(4 * HOUR <= (at - MONDAY) % DAY < 4 * HOUR + 300 for at in falls)


def test_a_schedule_keeps_its_minute_and_covers_the_trace(stage):
    moments = every(stage, HOUR)

    assert max(abs((at - moments[0]) % HOUR - HOUR / 2) for at in moments) == pytest.approx(HOUR / 2)
    assert moments[0] <= stage.begin
    assert stage.at[-1] - HOUR < moments[-1] <= stage.at[-1]


def test_a_pulse_is_there_in_its_time_only(stage):
    part = pulses(stage, [(stage.at[100] - 1, 8 * 60.0, 0.8)], doubling)

    assert [index for index, value in enumerate(part) if value] == list(range(100, 108))
    assert part[100:108] == pytest.approx([0.1, 0.1, 0.2, 0.2, 0.4, 0.4, 0.8, 0.8])


def test_samples_are_lost_singly_and_never_the_first(stage):
    lost = lost_in_storms(stage, 6 * HOUR)

    assert lost
    assert all(high - low == 1 and low > 0 for low, high in lost)
    assert len(set(lost)) < len(stage.at) / 3


def test_what_is_flushed_goes_back_to_where_it_was():
    trace = generate("leak_flushed", 1)
    (leak,) = trace.leaks
    peak = max(trace.values)
    later = [value for at, value in zip(trace.times, trace.values, strict=True) if at > leak.ends + 5 * HOUR]

    assert max(later) < peak - 0.1 * trace.limits[0]


def test_some_lifetimes_end_in_time_and_some_do_not():
    leaks = [leak for seed in range(10) for leak in generate("leak_lifetimes", seed).leaks]
    exhausted = sum(leak.ends == leak.exhaustion for leak in leaks)

    assert len(leaks) * 0.05 < exhausted < len(leaks) * 0.6


def test_the_peaks_of_a_fixed_heap_stay_while_its_troughs_rise():
    trace = generate("leak_fixed_heap", 3)
    leaking = [
        v / trace.limits[0] for at, v in zip(trace.times, trace.values, strict=True) if at > trace.leaks[0].onset
    ]
    first, second = leaking[: len(leaking) // 4], leaking[len(leaking) // 4 : len(leaking) // 2]

    assert max(second) == pytest.approx(max(first), abs=0.02)
    assert min(second) > min(first) + 0.05
