"""The picture of a leak: its lines, its edges, and what it does with little or odd data."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest

from cli.leakplot import draw
from cli.leakwords import Unit
from exporters.leaks.assessment import Assessment, Verdict

#: From 10 to 40 within 30 s; 100 would be met at 90 s.
FLOORS = [(float(at), 10.0 + at) for at in range(31)]
LEAK = Assessment(Verdict.LEAK, slope=1.0, slope_low=0.9, slope_high=1.1, exhaustion=90.0, onset=0.0, limit=100.0)


def picture(history=FLOORS, said=LEAK, width=80):
    return [line.plain for line in draw(history, said, Unit.COUNT, width)]


def marks(lines, mark):
    """(column, row from above) of all of one kind within the frame."""
    rows = (line.split("|", 1)[1] for line in lines[:16])
    return sorted((column, row) for row, text in enumerate(rows) for column, char in enumerate(text) if char == mark)


def test_floor_then_forecast_climb_to_the_limit():
    lines = picture()
    floor, forecast, limit = marks(lines, "o"), marks(lines, "."), marks(lines, "=")

    assert floor[0][0] == 0 and floor[0][1] == 15
    assert max(floor)[0] < min(forecast)[0]
    assert all(later[1] <= earlier[1] + 1 for earlier, later in pairwise(floor + forecast))
    assert {row for _, row in limit} == {0}
    assert max(forecast)[1] <= 1
    assert len(lines) == 19
    assert lines[0].lstrip().startswith("100 |") and lines[15].lstrip().startswith("10 |")
    assert "1970-01-01 00:00:00" in lines[17] and "1970-01-01 00:01:30" in lines[17]
    ((column, row),) = marks(lines, "X")
    assert column > max(forecast)[0] and row == 0
    assert "= limit 100" in lines[18] and ". forecast" in lines[18] and "X exhausted" in lines[18]


def test_the_slope_shows_where_the_floor_strays_from_it():
    bumpy = [(at, floor + 20 * math.sin(at)) for at, floor in FLOORS]

    assert marks(picture(bumpy), "*")


def test_the_line_runs_through_the_floors_where_peaks_meet_the_limit_before_them():
    lines = picture(said=replace(LEAK, exhaustion=60.0))

    assert len(marks(lines, "X")) == 1
    assert all(
        min(abs(row - near) for at, near in marks(lines, "o") if abs(at - column) < 4) <= 1
        for column, row in marks(lines, "*")
    )
    assert min(row for _, row in marks(lines, ".")) > 2


def test_a_limit_far_above_is_told_and_not_drawn():
    lines = picture(said=replace(LEAK, limit=1e6, exhaustion=999_990.0))

    assert not marks(lines, "=")
    assert lines[-1].endswith("limit 1000000: above the picture")
    assert marks(lines, ".")


def test_what_does_not_grow_has_neither_slope_nor_forecast():
    lines = picture(said=Assessment(Verdict.HEALTHY))

    assert not marks(lines, ".") and not marks(lines, "*")
    assert marks(lines, "o")
    assert "limit" not in lines[-1]


def test_a_slope_without_a_limit_goes_on_for_a_while():
    lines = picture(said=replace(LEAK, limit=None, exhaustion=None))

    assert marks(lines, ".")


def test_what_is_remembered_finely_is_drawn_as_coarsely_as_the_rest():
    coarse = [(3600.0 * hour, 10.0) for hour in range(100)]
    fine = [(360_000.0 + minute, 10.0 + minute % 50) for minute in range(1000)]

    lines = picture(coarse + fine, Assessment(Verdict.HEALTHY))

    assert {row for _, row in marks(lines, "o")} == {15}


def test_a_flat_line_is_drawn():
    lines = picture([(0.0, 5.0), (60.0, 5.0)], Assessment(Verdict.HEALTHY))

    assert len(marks(lines, "o")) == 2


@pytest.mark.parametrize("history", [[], [(5.0, 1.0)], [(5.0, 1.0), (5.0, 2.0)], [(math.nan, 1.0), (5.0, math.inf)]])
def test_too_little_is_said_in_words(history):
    assert picture(history) == ["too few measurements to draw"]


@pytest.mark.parametrize(
    "said",
    [
        replace(LEAK, exhaustion=10.0),
        replace(LEAK, exhaustion=math.inf),
        replace(LEAK, exhaustion=1e300),
        replace(LEAK, slope=-1.0),
        replace(LEAK, slope=1e300),
        replace(LEAK, onset=None),
        replace(LEAK, onset=80.0),
        replace(LEAK, limit=5.0),
    ],
)
@pytest.mark.parametrize("history", [FLOORS, FLOORS[::-1], [(0.0, 0.0), (1e-9, 0.0)], [(0.0, 0.0), (3e11, 1e300)]])
def test_odd_data_is_drawn_without_an_error(said, history):
    lines = picture(history, said)

    assert len(lines) == 19
    assert marks(lines, "o")


@pytest.mark.parametrize("width", [1, 40, 80, 500])
def test_it_fits_the_screen_where_that_is_possible(width):
    lines = picture(width=width)

    assert max(map(len, lines)) <= max(width, 60)
    assert max(map(len, lines)) <= 112
