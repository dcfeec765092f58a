"""Times as Alertmanager and Prometheus write them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeostat.clock import SystemClock, parse_rfc3339, rfc3339


@pytest.mark.parametrize(
    ("text", "epoch_s"),
    [
        ("1970-01-01T00:00:00Z", 0.0),
        ("2026-11-23T10:00:00Z", 1795428000.0),
        ("2026-11-23T10:00:00.123456789Z", 1795428000.123456),  # Go writes nanoseconds
        ("2026-11-23T11:30:00+01:30", 1795428000.0),
        ("1969-12-31T23:59:59Z", -1.0),
    ],
)
def test_times_are_epoch_seconds(text: str, epoch_s: float):
    assert parse_rfc3339(text) == pytest.approx(epoch_s)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00", "0001-01-01T12:00:00+14:00"])
def test_gos_zero_time_is_no_time(text: str):
    assert parse_rfc3339(text) is None


@pytest.mark.parametrize(
    "text",
    ["", "now", "2026-11-23", "2026-11-23T10:00:00", "2026-13-01T00:00:00Z", "0000-01-01T00:00:00Z", "1795428000",
     "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-23:59"],
)  # fmt: skip
def test_what_is_no_time_or_no_time_that_could_be_written_again(text: str):
    with pytest.raises(ValueError, match=r"."):
        parse_rfc3339(text)


def test_is_written_in_milliseconds_and_utc():
    assert rfc3339(1795428000.1239) == "2026-11-23T10:00:00.123Z"


@given(st.datetimes(datetime(2, 1, 2), datetime(9998, 12, 30), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds
def test_what_is_written_is_read_again(moment: datetime):
    assert parse_rfc3339(rfc3339(moment.timestamp())) == pytest.approx(moment.timestamp(), abs=0.0011)


@given(st.text(max_size=40))
def test_any_text_is_a_time_that_can_be_written_or_a_value_error(text: str):
    try:
        epoch_s = parse_rfc3339(text)
    except ValueError:
        return
    assert rfc3339(epoch_s or 0.0)


async def test_the_machines_clock_runs():
    clock = SystemClock()
    start = clock.monotonic()

    await clock.sleep(0.01)

    assert clock.monotonic() - start >= 0.01
    assert clock.now() > 1_700_000_000
