"""A scrape that no collector can spoil, and /metrics as a client asks for it."""

import asyncio
import gzip

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request
from prometheus_client.parser import text_string_to_metric_families

from homeostat import names
from homeostat.clock import SystemClock
from homeostat.encoder import Format, render
from homeostat.exposition import DEFAULT_DEADLINE_S, deadline_from, metrics_route, scrape, selected
from homeostat.families import gauge


def parsed(families):
    text = render(families).decode()
    return {sample[:3] for family in text_string_to_metric_families(text) for sample in map(flat, family.samples)}


def flat(sample):
    return sample.name, tuple(sorted(sample.labels.items())), sample.value


class Good:
    name = "good"

    async def collect(self):
        return [gauge("good_thing", "A good thing.").family([("", 1)])]


class Broken:
    name = "broken"

    async def collect(self):
        raise RuntimeError("no")


class Hanging:
    name = "hanging"

    async def collect(self):
        await asyncio.sleep(60)
        return []


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


@pytest.fixture
async def client():
    """Of a server with one route over a good collector."""
    app = web.Application()
    app.add_routes([metrics_route([Good()], SystemClock())])
    async with TestClient(TestServer(app), auto_decompress=False) as client:
        yield client


async def test_a_client_without_wishes_gets_the_text_format_as_it_is(client):
    response = await client.get("/metrics", headers={"Accept-Encoding": "identity"})

    assert response.headers["Content-Type"] == Format.TEXT.value
    assert "Content-Encoding" not in response.headers
    assert b"\ngood_thing 1\n" in await response.read()


async def test_openmetrics_and_gzip_are_there_for_the_asking(client):
    wishes = {"Accept": "application/openmetrics-text;version=1.0.0", "Accept-Encoding": "gzip"}
    response = await client.get("/metrics", headers=wishes)
    page = gzip.decompress(await response.read())

    assert response.headers["Content-Type"] == Format.OPENMETRICS.value
    assert response.headers["Content-Encoding"] == "gzip"
    assert page.endswith(b"# EOF\n")


@pytest.mark.parametrize(
    ("query", "chosen"),
    [
        ("", ["good", "hanging"]),
        ("collect[]=good", ["good"]),
        ("collect[]=absent", []),
        ("collect[]=good&x=1", ["good"]),
    ],
)
def test_a_query_names_its_collectors(query, chosen):
    request = make_mocked_request("GET", f"/metrics?{query}")
    found = selected(request, [Good(), Hanging()], ["good", "hanging", "absent"])

    assert [collector.name for collector in found] == chosen


def test_an_unknown_collector_is_told_with_what_is_allowed():
    request = make_mocked_request("GET", "/metrics?collect[]=good&collect[]=goods")

    with pytest.raises(web.HTTPBadRequest) as caught:
        selected(request, [Good()], ["hanging", "good"])

    assert caught.value.text == "collect[]=goods: no such collector; allowed: good, hanging\n"
