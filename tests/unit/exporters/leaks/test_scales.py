"""Floors and peaks by bucket, at every scale."""

import math

import pytest

from exporters.leaks.parameters import PEAKS, POINTS, WIDTHS_S
from exporters.leaks.scales import Scales


def fed(*samples: tuple[float, float]) -> Scales:
    scales = Scales()
    for at, value in samples:
        scales.put(at, value)
    return scales


def minutes(count: int, step: int = 1) -> list[tuple[float, float]]:
    return [(60.0 * index, float(index)) for index in range(0, count, step)]


def test_a_bucket_keeps_its_smallest_and_its_largest_value():
    minute = fed((0, 5), (20, 3), (40, 9), (60, 1)).all[0]

    assert (list(minute.floors), minute.swing) == ([3], 6)
    assert minute.end == 60.0


def test_a_closed_bucket_goes_into_that_of_the_next_scale():
    scales = fed(*minutes(22))

    assert list(scales.all[1].floors) == [0, 5, 10, 15]
    assert scales.all[1].swing == 4
    assert list(scales.all[2].floors) == []


@pytest.mark.parametrize("index", range(len(WIDTHS_S)))
def test_every_scale_has_the_floors_of_its_own_buckets(index: int):
    width_s = WIDTHS_S[index]
    buckets = 5
    scales = fed(*((float(at), math.sin(at)) for at in range(0, width_s * (buckets + 1), 60)))

    expected = [
        min(math.sin(at) for at in range(first, first + width_s, 60)) for first in range(0, width_s * buckets, width_s)
    ]
    assert list(scales.all[index].floors)[:buckets] == pytest.approx(expected, rel=1e-6)


def test_put_tells_how_many_scales_have_closed_a_bucket():
    scales = Scales()
    told = [scales.put(at, value) for at, value in minutes(40)]

    assert told[0] == 0
    assert set(told[1:6]) == {1}
    assert [index for index, closed in enumerate(told) if closed == 2] == [6, 11, 16, 21, 26, 31]
    assert told[36] == 3


def test_buckets_without_a_sample_are_infinite():
    minute = fed((0, 5), (240, 7), (300, 8)).all[0]

    assert list(minute.floors) == [5, math.inf, math.inf, math.inf, 7]


def test_the_coarsest_scale_keeps_the_peaks_of_a_day():
    peaks = fed(*minutes(3 * 1440)).peaks

    assert len(peaks) == PEAKS
    assert peaks[-1] - peaks[0] == 1440 - 120


def test_the_memory_is_bounded_whatever_the_gap():
    scales = fed(*minutes(20_000), (10_000_000_000.0, 1.0), (10_000_000_100.0, 2.0))

    assert max(len(scale.floors) for scale in scales.all) <= POINTS
    assert len(scales.peaks) <= PEAKS


def test_what_is_cleared_begins_anew():
    scales = fed(*minutes(500))

    scales.clear()

    assert scales.put(31_000.0, 1.0) == 0
    assert [len(scale.floors) for scale in scales.all] == [0] * len(WIDTHS_S)
