"""The baselines' arithmetic against the long way round, and against the programs that it is taken from."""

import math
import random
from itertools import combinations
from statistics import linear_regression, median

import pytest

from benchmarks.leaks.baselines import kendall
from benchmarks.leaks.baselines.change_points import Cuts, cuts_of
from benchmarks.leaks.baselines.lines import PrefixLine, SlidingLine
from benchmarks.leaks.baselines.mann_kendall import hamed_rao
from benchmarks.leaks.baselines.precog import train
from benchmarks.leaks.baselines.resample import Resampled

START = 1.8e9
MINUTE = 60.0


def test_a_sliding_line_is_that_through_the_samples_in_the_window():
    rng, line = random.Random(2), SlidingLine(3600.0)
    points = []
    for index in range(500):
        points.append((START + index * MINUTE, 1e9 + 1e4 * index + rng.gauss(0, 1e5)))
        line.add(*points[-1])

    seen = points[-60:]
    slope, intercept = linear_regression([at - START for at, _ in seen], [value for _, value in seen])
    assert line.fit() == pytest.approx((slope, intercept + slope * (points[-1][0] - START)))


def test_one_sample_makes_no_line():
    line = SlidingLine(60.0)
    for index in range(10):
        line.add(START + index * MINUTE, 1.0)

        assert line.fit() is None


def test_a_prefix_line_is_that_through_any_stretch():
    rng = random.Random(3)
    values = [50 + 0.01 * index + rng.gauss(0, 1) for index in range(3000)]

    fit = PrefixLine.of(values).fit(2000, 2500)

    assert fit.slope == pytest.approx(linear_regression(range(500), values[2000:2500]).slope)
    assert 0 < fit.r2 < 1
    assert PrefixLine.of([50.0] * 100).fit(3, 90).r2 == 0


@pytest.mark.parametrize("digits", [0, 6], ids=["ties", "no ties"])
def test_kendalls_score_is_that_of_all_pairs(digits: int):
    rng = random.Random(4)
    values = [round(rng.uniform(0, 20) + 0.1 * index, digits) for index in range(96)]

    signs = [(b > a) - (b < a) for a, b in combinations(values, 2)]
    assert kendall.score(values) == sum(signs)


def test_the_variance_of_kendalls_score():
    assert kendall.variance([1, 2, 3, 4]) == pytest.approx(4 * 3 * 13 / 18)
    assert kendall.variance([1, 1, 2, 3]) == pytest.approx((4 * 3 * 13 - 2 * 1 * 9) / 18)
    assert kendall.z_score(0, 10.0) == kendall.z_score(5, 0.0) == 0.0


def test_half_of_all_pairs_grow_by_sens_slope_and_by_no_more():
    rng = random.Random(5)
    times = [float(index) for index in range(31)]
    values = [index + rng.gauss(0, 5) for index in range(31)]
    slopes = [(values[b] - values[a]) / (b - a) for a, b in combinations(range(31), 2)]

    slope = kendall.sen_slope(times, values)

    assert slope == median(slopes)
    assert kendall.half_grow_by(slope - 1e-9, times, values)
    assert not kendall.half_grow_by(slope + 1e-2, times, values)


def test_ranks_and_autocorrelation():
    assert kendall.ranks([3.0, 1.0, 3.0, 2.0]) == [3.5, 1.0, 3.5, 2.0]
    assert kendall.autocorrelation([1.0, 2.0, 3.0]) == pytest.approx([0.0, -0.5])
    assert kendall.autocorrelation([2.0, 2.0]) == []


def test_kendall_sen_hamed_and_rao_are_those_of_pymannkendall():
    """Its 1.4.3, on the same values: original_test and hamed_rao_modification_test(alpha=0.05)."""
    times = [float(index) for index in range(48)]
    values = [math.sin(index * index) * 10 + 0.2 * index for index in range(48)]

    s, var, slope = kendall.score(values), kendall.variance(values), kendall.sen_slope(times, values)

    assert (s, var, slope) == pytest.approx((316, 12658.666666666666, 0.21103978843045157))
    assert kendall.z_score(s, var) == pytest.approx(2.7997327131746235)
    assert kendall.z_score(s, var * hamed_rao(times, values, slope)) == pytest.approx(2.619180115992062)


def test_hamed_and_rao_widen_the_variance_of_what_remembers_itself():
    rng, remembered, values = random.Random(6), 0.0, []
    for _ in range(96):
        remembered = 0.9 * remembered + rng.gauss(0, 1)
        values.append(remembered)
    times = [float(index) for index in range(96)]

    assert hamed_rao(times, values, kendall.sen_slope(times, values)) > 2


def test_resampling_draws_gaps_straight_and_smooths_over_an_hour():
    resampled, seen = Resampled(), []
    for minute, percent in [(0, 10.0), (1, 10.0), (2, 90.0), (20, 50.0), (21, 50.0), (25, 0.0)]:
        seen += resampled.add(START + minute * MINUTE, percent)

    # 10, then 20, 30, 40 drawn, then 50; medians of all of them so far
    assert seen == [10.0, 15.0, 20.0, 25.0, 30.0]


def test_a_jump_of_years_is_a_gap_of_hours():
    resampled = Resampled()
    resampled.add(START, 10.0)
    resampled.add(START + 1e9, 20.0)

    assert len(resampled.add(START + 1e9 + 300, 20.0)) == 73


def test_a_series_is_cut_where_it_jumps_and_not_again_within_six_hours():
    rng = random.Random(7)
    values = [(10 if index < 100 else 40 if index < 130 else 70) + rng.uniform(0, 0.1) for index in range(300)]
    growing = Cuts()
    for length in range(1, len(values) + 1):
        growing.add(values[:length])

    assert cuts_of(values) == [0, 100]
    assert growing.starts == [0, 100]


def test_precog_learns_what_grew_and_went_back_by_itself():
    rng = random.Random(8)
    ramp = [20 + (index % 144) * 0.3 + rng.uniform(0, 0.01) for index in range(288)]

    normal = train(ramp)

    assert normal.ceiling == pytest.approx(20 + 143 * 0.3, abs=1)
    assert [each.length for each in normal.trends] == [143]
