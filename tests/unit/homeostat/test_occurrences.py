"""When a window is on, or will be next."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeostat.maintenance import current
from homeostat.occurrences import nearest
from homeostat.sections import MaintenanceWindow

TIMES = st.times().map(lambda time: time.strftime("%H:%M"))
DAYS = st.lists(st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), unique=True)
#: In these the clock never changes: what `current` and `nearest` say of an hour left out is not the same.
ZONES = st.sampled_from(["UTC", "Asia/Tokyo", "Asia/Kathmandu"])
MOMENTS = st.integers(1_700_000_000, 1_800_000_000).map(float)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp()


def window(start: str, end: str, *days: str) -> MaintenanceWindow:
    return MaintenanceWindow(workloads=("shop/*",), start=start, end=end, weekdays=days, timezone="Europe/Berlin")


@pytest.mark.parametrize(
    ("now", "start", "end"),
    [
        ("2026-11-21T21:00", "2026-11-21T22:00", "2026-11-22T02:00"),  # a Saturday
        ("2026-11-21T22:00", "2026-11-21T22:00", "2026-11-22T02:00"),
        ("2026-11-22T01:59", "2026-11-21T22:00", "2026-11-22T02:00"),
        ("2026-11-22T02:00", "2026-11-28T22:00", "2026-11-29T02:00"),
    ],
)
def test_past_midnight_it_belongs_to_the_day_on_which_it_starts(now: str, start: str, end: str):
    found = nearest(window("22:00", "02:00", "sat"), at(now))

    assert (found.starts_at, found.ends_at) == (at(start), at(end))


def test_it_is_by_the_clock_on_the_wall():
    found = nearest(window("22:00", "04:00"), at("2026-03-28T23:00"))  # the clock is put forward at 02:00

    assert found.ends_at - found.starts_at == 5 * 3600


@given(start=TIMES, end=TIMES, days=DAYS, zone=ZONES, now=MOMENTS)
def test_it_is_on_when_the_responder_refuses_and_ends_after_now(start, end, days, zone, now):
    if start == end:
        return
    asked = MaintenanceWindow(workloads=("*",), start=start, end=end, weekdays=tuple(days), timezone=zone)

    found = nearest(asked, now)

    assert found.ends_at > now
    assert (found.starts_at <= now) == (current([asked], "shop/web", now) is asked)
    assert current([asked], "shop/web", found.starts_at) is asked
    assert current([asked], "shop/web", found.ends_at - 1) is asked
