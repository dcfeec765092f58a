"""Thresholds and counts of one probe's checks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.probetally import BOUNDS_S, Tally
from homeostat.probes import ProbeResult
from homeostat.workloads import ProbeSpec

SIGNS = {"1": True, "0": False, "?": None}


def after(marks, failures=1, successes=1):
    """What the probe is taken for after each of ``marks``: 1 good, 0 bad, ? not to be made."""
    spec = ProbeSpec("tcp", ":1", 1.0, 1.0, failures, successes)
    tally, said = Tally(), ""
    for mark in marks:
        tally = tally.add(ProbeResult(SIGNS[mark], "", 0.1), spec)
        said += {None: "-", True: "1", False: "0"}[tally.healthy]
    return said


@pytest.mark.parametrize(
    ("marks", "failures", "successes", "expected"),
    [
        ("1010", 1, 1, "1010"),
        ("0", 3, 3, "0"),
        ("1000111", 3, 2, "1110011"),
        ("100100010", 3, 1, "111111011"),
        ("0110111", 1, 3, "0000001"),
        ("1001001", 3, 1, "1111111"),
        ("??1", 3, 1, "--1"),
        ("10?0?0", 3, 1, "111110"),
    ],
)
def test_so_many_in_a_row_change_it_and_no_fewer(marks, failures, successes, expected):
    assert after(marks, failures, successes) == expected


@given(marks=st.text("10?", max_size=40), failures=st.integers(1, 4), successes=st.integers(1, 4))
def test_it_changes_only_after_a_run_that_is_long_enough(marks, failures, successes):
    said = after(marks, failures, successes)

    for at in range(1, len(marks)):
        if "-" not in said[at - 1 : at + 1] and said[at] != said[at - 1]:
            run = marks[: at + 1].replace("?", "")
            needed = failures if said[at] == "0" else successes
            assert run.endswith(said[at] * needed)


def test_counts_go_on_and_what_could_not_be_made_has_no_time():
    spec = ProbeSpec("tcp", ":1", 1.0, 1.0)
    tally = Tally()
    for ok, seconds in ((True, 0.004), (False, 7.0), (None, 9.0), (True, 0.3)):
        tally = tally.add(ProbeResult(ok, "", seconds), spec)

    assert (tally.checks, tally.failures, tally.errors) == (4, 1, 1)
    assert sum(tally.counts) == 3
    assert tally.seconds == pytest.approx(7.304)


@given(seconds=st.floats(0, 100))
def test_a_time_is_in_the_first_bucket_that_holds_it(seconds):
    tally = Tally().add(ProbeResult(True, "", seconds), ProbeSpec("tcp", ":1", 1.0, 1.0))

    at = tally.counts.index(1)
    assert seconds <= BOUNDS_S[at]
    assert at == 0 or seconds > BOUNDS_S[at - 1]
