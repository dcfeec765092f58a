"""When nothing is done, and which workloads that is about."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeostat.maintenance import current, means
from homeostat.sections import MaintenanceWindow

BERLIN = "Europe/Berlin"
NIGHT = MaintenanceWindow(workloads=("shop/*",), start="22:00", end="02:00", weekdays=("sat",), timezone=BERLIN)
NOON = MaintenanceWindow(workloads=("shop/web",), start="12:00", end="13:00")


def at(text: str, zone: str = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    ("moment", "within"),
    [
        ("2026-11-21T21:59", False),  # a Saturday
        ("2026-11-21T22:00", True),
        ("2026-11-22T01:59", True),  # Sunday, still the window of Saturday
        ("2026-11-22T02:00", False),
        ("2026-11-22T23:00", False),  # Sunday's own evening
        ("2026-11-21T01:00", False),  # Friday's night
    ],
)
def test_a_window_past_midnight_belongs_to_the_day_on_which_it_starts(moment: str, within: bool):
    assert (current([NIGHT], "shop/web", at(moment)) is NIGHT) == within


@pytest.mark.parametrize(("moment", "within"), [("12:00", True), ("12:59", True), ("13:00", False), ("11:59", False)])
def test_a_window_without_days_is_every_day(moment: str, within: bool):
    for day in range(1, 8):
        assert (current([NOON], "shop/web", at(f"2026-11-0{day}T{moment}", "UTC")) is NOON) == within


@pytest.mark.parametrize("moment", ["2026-03-28T23:30", "2026-03-29T01:30", "2026-10-24T23:30", "2026-10-25T01:30"])
def test_a_window_is_by_the_clock_on_the_wall_when_that_is_put_forward_or_back(moment: str):
    assert current([NIGHT], "shop/web", at(moment)) is NIGHT


def test_other_workloads_are_not_in_it():
    assert current([NOON], "shop/db", at("2026-11-02T12:30", "UTC")) is None


@pytest.mark.parametrize(
    ("pattern", "workload", "expected"),
    [
        ("*", "shop/web", True),
        ("shop/*", "shop/web", True),
        ("shop/*", "shop2/web", False),
        ("shop/web", "shop/web", True),
        ("shop/web", "shop/web2", False),
        ("shop/w*", "shop/web", False),
        ("", "shop/web", False),
        ("*/web", "shop/web", False),
        ("/*", "/web", True),
    ],
)
def test_a_pattern_means_what_it_says(pattern: str, workload: str, expected: bool):
    assert means(pattern, workload) == expected


@given(pattern=st.text(max_size=20), workload=st.text(max_size=20))
def test_nothing_but_a_star_means_more_than_one(pattern: str, workload: str):
    if means(pattern, workload):
        assert pattern in ("*", workload) or (pattern.endswith("/*") and workload.startswith(pattern[:-1].rstrip("/")))
