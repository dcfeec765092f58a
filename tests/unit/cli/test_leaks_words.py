"""Numbers as people read them."""

import math

import pytest

from cli.leaklist import unit_of
from cli.leakwords import Unit, as_json, lasting, moment, quantity, slope_per_hour, until
from exporters.leaks.assessment import Assessment, Verdict


@pytest.mark.parametrize(
    ("amount", "unit", "text"),
    [
        (0.0, Unit.BYTES, "0 B"),
        (640.0, Unit.BYTES, "640 B"),
        (2.0**29, Unit.BYTES, "512 MiB"),
        (1.5 * 2**30, Unit.BYTES, "1.5 GiB"),
        (-2048.0, Unit.BYTES, "-2 KiB"),
        (1048576.0, Unit.COUNT, "1048576"),
        (12.34, Unit.COUNT, "12.3"),
        (0.0234, Unit.COUNT, "0.0234"),
        (1e300, Unit.COUNT, "1e+300"),
        (math.inf, Unit.BYTES, "inf GiB"),
    ],
)
def test_quantities_have_the_unit_that_fits(amount, unit, text):
    assert quantity(amount, unit) == text


def test_a_slope_and_its_interval_have_one_unit():
    said = Assessment(Verdict.LEAK, slope=300.0, slope_low=30.0, slope_high=900.0)

    assert slope_per_hour(said, Unit.BYTES) == "1.0 MiB/h (0.103 to 3.1)"
    assert slope_per_hour(said, Unit.COUNT) == "1080000/h (108000 to 3240000)"


def test_no_growth_has_no_slope():
    assert slope_per_hour(Assessment(Verdict.HEALTHY), Unit.BYTES) == "-"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (119, "119 s"), (120, "2 min"), (5400, "90 min"), (7200, "2 h"), (1e6, "12 d")]
)
def test_how_long_is_told_in_one_unit(seconds, text):
    assert lasting(seconds) == text


@pytest.mark.parametrize("epoch", [None, math.inf, math.nan, 1e300, -1e300])
def test_what_no_calendar_has_is_a_dash(epoch):
    assert moment(epoch) == "-"


def test_what_is_over_is_now():
    assert until(10.0, 10.0) == until(5.0, 10.0) == "now"
    assert until(None, 10.0) == until(math.inf, 10.0) == "-"


def test_json_has_each_field_and_no_infinity():
    said = as_json(Assessment(Verdict.LEAK, slope=math.nan, exhaustion=math.inf, reasons=("a",)))

    assert said["slope"] is None and said["exhaustion"] is None
    assert said["confidence"] == 0.0 and said["reasons"] == ("a",)


@pytest.mark.parametrize(
    ("resource", "unit"),
    [("memory", Unit.BYTES), ("fds", Unit.COUNT), ("threads", Unit.COUNT), ("connections", Unit.COUNT)],
)
def test_memory_is_in_bytes_and_the_rest_is_counted(resource, unit):
    assert unit_of(resource) is unit
