"""GET /leaks: what programs are told, and that they are told nothing that is stale."""

import math

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from fakes.leaking import LIMIT, START, WEB, key, minute

from cli import exporter_api
from exporters import leakpage
from exporters.leakinputs import Bound, Resource
from exporters.leaks.assessment import Assessment, Verdict
from exporters.leakseries import Row
from exporters.leakstate import StateFile
from exporters.leakwatch import LeakWatch, Snapshot
from homeostat.errors import Permanent

LEAK = Assessment(Verdict.LEAK, 2.0, 1.0, 3.0, 0.9, START + 50, START + 40, START - 10, LIMIT, ("steady_growth",))


def row(of, assessment=LEAK, restart_at=START + 30):
    return Row(of, assessment, 1e8, Bound.CGROUP, START, restart_at)


@pytest.fixture
def leaks(clock, tmp_path):
    """A watch of three series, of which one leaks; only that one has been seen for some time."""
    healthy = Assessment(Verdict.HEALTHY, limit=LIMIT)
    leaks = LeakWatch({}, StateFile(tmp_path, clock), clock)
    for number in range(5):
        leaks._everything.take(minute(number), START + 60 * number, 60.0)
    leaks._last = Snapshot(START, (row(key(1), healthy, None), row(key(1, Resource.FDS), healthy, None), row(WEB)))
    return leaks


@pytest.fixture
async def client(leaks):
    async def handle(request):
        return await leakpage.answer(request, leaks)

    app = web.Application()
    app.add_routes([web.get("/leaks", handle)])
    async with TestClient(TestServer(app)) as client:
        yield client


async def answer(client, **query):
    async with client.get("/leaks", params=query) as response:
        return response.status, await response.json()


async def test_each_series_tells_all_that_is_known(client):
    status, body = await answer(client, workload="shop/web")

    assert status == 200
    assert body == {
        "series": [
            {
                "workload": "shop/web",
                "container": "shop-web-1",
                "resource": "memory",
                "verdict": "leak",
                "slope": 2.0,
                "slope_low": 1.0,
                "slope_high": 3.0,
                "confidence": 0.9,
                "exhaustion": START + 50,
                "exhaustion_cautious": START + 40,
                "restart": START + 30,
                "onset": START - 10,
                "limit": LIMIT,
                "value": 1e8,
                "bound": "cgroup",
                "reasons": ["steady_growth"],
                "last_sample": START,
            }
        ]
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, 3),
        ({"workload": "shop/s1"}, 2),
        ({"workload": "shop/s1", "resource": "fds"}, 1),
        ({"container": "shop-web-1"}, 1),
        ({"workload": "shop/none"}, 0),
        ({"resource": ""}, 0),
    ],
)
async def test_series_are_chosen(client, query, expected):
    _, body = await answer(client, **query)

    assert len(body["series"]) == expected


async def test_history_is_told_when_it_is_asked_for(client):
    _, with_it = await answer(client, history="1", workload="shop/web")
    _, without = await answer(client, history="0", workload="shop/web")

    assert [at for at, _ in with_it["series"][0]["history"]] == [START + 60 * number for number in range(4)]
    assert [floor for _, floor in with_it["series"][0]["history"]] == pytest.approx([1e8] * 4, rel=0.02)
    assert "history" not in without["series"][0]


async def test_a_series_that_was_forgotten_meanwhile_has_no_history(client, leaks):
    leaks._last = Snapshot(START, (row(key(9)),))
    _, body = await answer(client, history="1")

    assert body["series"][0]["history"] == []


async def test_history_of_too_many_is_refused(client, leaks):
    leaks._last = Snapshot(START, tuple(row(key(number)) for number in range(101)))
    status, body = await answer(client, history="1")

    assert status == 400
    assert body["error"] == "history of 101 series; allowed: at most 100; choose by workload, container, resource"
    assert (await answer(client, history="1", workload="shop/s1"))[0] == 200


async def test_what_is_stale_is_not_told(client, clock):
    clock.elapsed += 75

    assert await answer(client) == (503, {"error": "nothing was looked at for leaks for 75 s"})


async def test_json_has_no_infinity(client, leaks):
    endless = Assessment(Verdict.SUSPECT, 1.0, exhaustion=math.inf, exhaustion_cautious=math.nan)
    leaks._last = Snapshot(START, (row(WEB, endless, None),))
    _, body = await answer(client)

    assert (body["series"][0]["exhaustion"], body["series"][0]["exhaustion_cautious"]) == (None, None)


async def test_the_command_line_reads_it(client, clock):
    listen = f"{client.host}:{client.port}"
    found = await exporter_api.leaks(listen, {"history": "1"})

    assert [(each.workload, each.container, each.resource) for each in found] == [
        ("shop/s1", "shop-s1-1", "memory"),
        ("shop/s1", "shop-s1-1", "fds"),
        ("shop/web", "shop-web-1", "memory"),
    ]
    assert found[-1].assessment == LEAK
    assert [len(each.history) for each in found] == [0, 0, 4]
    clock.elapsed += 75
    with pytest.raises(Permanent, match="75 s"):
        await exporter_api.leaks(listen, {})
