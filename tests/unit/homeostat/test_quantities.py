"""Durations, sizes and addresses as people write them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeostat.quantities import (
    Duration,
    Listen,
    Period,
    Size,
    Url,
    host_port,
    is_loopback,
    parse_duration,
    parse_size,
)
from homeostat.structure import stored, written


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("10s", 10.0), ("5m", 300.0), ("1h30m", 5400.0), ("2d", 172800.0), ("1w", 604800.0), ("0s", 0.0)],
)
def test_durations_in_prometheus_form(text: str, seconds: float):
    assert parse_duration(text) == pytest.approx(seconds)


NO_DURATIONS = [
    "",
    "10",
    "s",
    "10 s",
    " 10s",
    "10s ",
    "-10s",
    "+10s",
    "1.5s",
    "1e3s",
    "10S",
    "10sec",
    "1h 30m",
    "10s\n",
]


@pytest.mark.parametrize("value", [*NO_DURATIONS, "٣s", "9" * 400 + "s", None, 10, 10.0, True, [], {}])
def test_what_is_no_duration(value: object):
    with pytest.raises(ValueError, match="must be a duration like 500ms, 10s, 5m or 1h30m"):
        parse_duration(value)


@given(st.text())
def test_any_text_is_a_finite_duration_or_a_value_error(text: str):
    with contextlib.suppress(ValueError):
        assert 0 <= parse_duration(text) < float("inf")


@pytest.mark.parametrize(
    ("text", "count"), [("0B", 0), ("512B", 512), ("64KiB", 65536), ("4 MiB", 2**22), ("1GiB", 2**30)]
)
def test_sizes_in_binary_units(text: str, count: int):
    assert parse_size(text) == count


@pytest.mark.parametrize(
    "value", ["", "4", "4M", "4MB", "4mib", "-4MiB", "4.5MiB", "٣B", "9" * 5000 + "B", None, 4, 4.0]
)
def test_what_is_no_size(value: object):
    with pytest.raises(ValueError, match="must be a size like 512B, 64KiB, 4MiB or 1GiB"):
        parse_size(value)


@pytest.mark.parametrize(("type_", "value"), [(Duration, 30.0), (Period, 30.0), (Size, 4096)])
def test_a_bare_number_is_for_code_and_never_for_people(type_: object, value: float):
    assert stored(type_, value) == value
    with pytest.raises(ValueError, match="must be a"):
        written(type_, value)


def test_what_is_repeated_or_waited_for_cannot_take_no_time():
    assert written(Duration, "0s") == 0
    with pytest.raises(ValueError, match="must be longer than 0s"):
        written(Period, "0s")


@pytest.mark.parametrize("value", ["127.0.0.1:1", "localhost:65535", "[::1]:80", "web.example.org:443"])
def test_addresses(value: str):
    assert written(Listen, value) == value


@pytest.mark.parametrize(
    "value",
    ["", ":", ":80", "localhost", "localhost:", "localhost:0", "localhost:65536", "localhost:٣", "x:-1", 80, None],
)
def test_what_is_no_address(value: object):
    with pytest.raises(ValueError, match="must be HOST:PORT"):
        written(Listen, value)


@pytest.mark.parametrize(
    ("listen", "expected"), [("127.0.0.1:9801", ("127.0.0.1", 9801)), ("[::1]:80", ("::1", 80)), ("web:1", ("web", 1))]
)
def test_an_address_in_its_parts(listen: str, expected: tuple[str, int]):
    assert host_port(listen) == expected


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.255.0.9", "::1"])
def test_loopback(host: str):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["", "0.0.0.0", "::", "10.0.0.1", "127.0.0.1.example.org", "127.evil", "localhost.example.org", "1270.0.0.1"],
)
def test_what_others_may_reach_is_not_loopback(host: str):
    assert not is_loopback(host)


@pytest.mark.parametrize("value", ["http://localhost:9093", "https://am.example.org/prefix"])
def test_urls(value: str):
    assert written(Url, f"{value}/") == value


@pytest.mark.parametrize(
    "value", ["", "localhost:9093", "ftp://x", "http://", "http:///x", "http://a b", "javascript:1", 5]
)
def test_what_is_no_url(value: object):
    with pytest.raises(ValueError, match="must be an http:// or https:// URL"):
        written(Url, value)
