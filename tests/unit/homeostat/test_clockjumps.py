"""The wall clock set under our feet, as WSL2's after its host slept."""

import pytest
from fakes.clock import FakeClock

from homeostat.clock import SystemClock
from homeostat.clockjumps import Reading, jump_s, read


class Settable(FakeClock):
    """A clock whose wall time is set without time passing."""

    set_by = 0.0

    def now(self) -> float:
        return super().now() + self.set_by


@pytest.mark.parametrize("set_by", [7200.0, -7200.0, 2.0, -2.0])
def test_a_clock_that_was_set_is_told_how_far(set_by):
    clock = Settable()
    before = read(clock)

    clock.advance(600)
    clock.set_by = set_by

    assert jump_s(before, read(clock)) == pytest.approx(set_by)


@pytest.mark.parametrize(
    ("passed_s", "set_by"),
    [
        pytest.param(0, 0, id="nothing"),
        pytest.param(86400, 0, id="a day"),
        pytest.param(1, 0.4, id="stopped between the two clocks"),
        pytest.param(86400, 43, id="NTP slews at 500 ppm"),
        pytest.param(86400, -43, id="NTP slews back"),
    ],
)
def test_what_is_normal_is_no_jump(passed_s, set_by):
    clock = Settable()
    before = read(clock)

    clock.advance(passed_s)
    clock.set_by = set_by

    assert jump_s(before, read(clock)) == 0


def test_a_host_that_slept_is_seen_when_the_clock_is_set_right_and_not_before():
    clock = Settable()
    asleep, awake = read(clock), read(clock)  # all clocks stood still
    clock.advance(30)
    lagging = read(clock)
    clock.set_by = 3600.0
    right = read(clock)

    assert [jump_s(asleep, awake), jump_s(awake, lagging), jump_s(lagging, right)] == [0, 0, 3600]


def test_a_notebook_that_slept_shows_a_jump_though_its_wall_clock_was_right():
    assert jump_s(Reading(1000.0, 10.0), Reading(4610.0, 20.0)) == 3600


def test_this_machine_does_not_jump():
    clock = SystemClock()

    assert jump_s(read(clock), read(clock)) == 0
