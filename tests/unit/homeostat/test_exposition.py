"""The text format as Prometheus's own parser reads it, and a scrape that no collector can spoil."""

import asyncio
import math

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from homeostat import names
from homeostat.clock import SystemClock
from homeostat.exposition import (
    DEFAULT_DEADLINE_S,
    Family,
    counter,
    deadline_from,
    gauge,
    labels,
    metrics_route,
    render,
    scrape,
)


def parsed(families):
    text = render(families).decode()
    return {sample[:3] for family in text_string_to_metric_families(text) for sample in map(flat, family.samples)}


def flat(sample):
    return sample.name, tuple(sorted(sample.labels.items())), sample.value


class Good:
    name = "good"

    async def collect(self):
        family = gauge("good_thing", "A good thing.")
        family.add("", 1)
        return [family]


class Broken:
    name = "broken"

    async def collect(self):
        raise RuntimeError("no")


class Hanging:
    name = "hanging"

    async def collect(self):
        await asyncio.sleep(60)
        return []


NASTY = ['a"b', "a\\b", "a\nb", "\\n", '\\"', "{}", "a,b=", "ä€😀", "", " ", "\ttab", "\\", "trailing\\"]


@pytest.mark.parametrize("value", NASTY)
def test_a_nasty_label_value_arrives_as_it_was(value):
    family = gauge("thing", "Help.")
    family.add(labels({"workload": value, "other": "x"}), 2)

    assert parsed([family]) == {("thing", (("other", "x"), ("workload", value)), 2.0)}


@given(value=st.text(st.characters(exclude_categories=["Cs", "Cc"])), number=st.floats(allow_nan=False))
def test_any_text_and_number_arrive_as_they_were(value, number):
    family = gauge("thing", "Help.")
    family.add(labels({"workload": value}), number)

    assert parsed([family]) == {("thing", (("workload", value),), number)}


def test_half_a_surrogate_pair_does_not_spoil_the_page():
    family = gauge("thing", "Help.")
    family.add(labels({"workload": "\ud800"}), 1)

    assert parsed([family]) == {("thing", (("workload", "?"),), 1.0)}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, b"1"),
        (False, b"0"),
        (3, b"3"),
        (0.1, b"0.1"),
        (math.inf, b"+Inf"),
        (-math.inf, b"-Inf"),
        (math.nan, b"NaN"),
        (1795434193.640574, b"1795434193.640574"),
        (2**63, b"9223372036854775808"),
    ],
)
def test_a_number_is_written_as_the_format_wants_it(value, text):
    assert render([Family("thing", gauge("", "").type, "", [("", value)])]).splitlines()[-1] == b"thing " + text


def test_help_text_keeps_to_one_line():
    family = counter("thing_total", "One\nline \\ only.")
    family.add("", 1)

    assert render([family]).splitlines()[0] == b"# HELP thing_total One\\nline \\\\ only."


def test_a_family_without_samples_is_left_out():
    assert render([gauge("thing", "Help.")]) == b""


async def test_a_broken_and_a_hanging_collector_do_not_spoil_the_others():
    families = await scrape([Good(), Broken(), Hanging()], SystemClock(), 0.1)

    found = parsed(families)
    assert ("good_thing", (), 1.0) in found
    for name, ok in (("good", 1.0), ("broken", 0.0), ("hanging", 0.0)):
        assert (names.SCRAPE_SUCCESS, (("collector", name),), ok) in found


async def test_a_cancelled_scrape_is_cancelled():
    task = asyncio.create_task(scrape([Hanging()], SystemClock(), 60))
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    ("header", "deadline_s"),
    [
        ("10", 9.75),
        ("0.2", 0.1),
        ("", DEFAULT_DEADLINE_S),
        ("soon", DEFAULT_DEADLINE_S),
        ("nan", DEFAULT_DEADLINE_S),
        ("inf", DEFAULT_DEADLINE_S),
        ("-1", DEFAULT_DEADLINE_S),
        ("0", DEFAULT_DEADLINE_S),
    ],
)
def test_the_deadline_is_prometheus_own_less_an_offset(header, deadline_s):
    request = make_mocked_request("GET", "/metrics", headers={"X-Prometheus-Scrape-Timeout-Seconds": header})

    assert deadline_from(request) == deadline_s


def test_without_a_header_the_deadline_is_the_default():
    assert deadline_from(make_mocked_request("GET", "/metrics")) == DEFAULT_DEADLINE_S


async def test_the_route_serves_the_text_format():
    route = metrics_route([Good()], SystemClock())
    response = await route.handler(make_mocked_request("GET", "/metrics"))

    assert isinstance(response, web.Response)
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert b"good_thing 1\n" in response.body
