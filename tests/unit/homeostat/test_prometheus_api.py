"""Which rule an alert came from, asked of a server that answers as Prometheus does."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from fakes.stack import pick_port

from homeostat.errors import NotFound, Unreachable
from homeostat.prometheus_api import PrometheusClient

RULES = [
    {"name": "Memory", "query": "memory > 0.8", "labels": {"severity": "warning", "remedy": "memory"}},
    {"name": "Memory", "query": "memory > 0.9", "labels": {"severity": "critical", "remedy": "memory"}},
    {"name": "Memory2", "query": "other", "labels": {}},
    {"name": "Templated", "query": "first", "labels": {"team": "{{ $labels.team }}"}},
    {"name": "Templated", "query": "second", "labels": {"team": "{{ $labels.team }}"}},
]


@pytest.fixture
async def client() -> AsyncIterator[PrometheusClient]:
    async def rules(_request: web.Request) -> web.Response:
        return web.json_response({"status": "success", "data": {"groups": [{"rules": RULES}]}})

    app = web.Application()
    app.router.add_get("/api/v1/rules", rules)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    port = pick_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    async with aiohttp.ClientSession() as session:
        yield PrometheusClient(f"http://127.0.0.1:{port}", session)
    await runner.cleanup()


@pytest.mark.parametrize(
    ("labels", "expression"),
    [
        ({"alertname": "Memory", "severity": "warning", "remedy": "memory", "workload": "a/b"}, "memory > 0.8"),
        ({"alertname": "Memory", "severity": "critical", "remedy": "memory", "workload": "a/b"}, "memory > 0.9"),
        ({"alertname": "Memory", "severity": "other"}, "memory > 0.8"),
        ({"alertname": "Memory2"}, "other"),
        ({"alertname": "Templated", "team": "shop"}, "first"),
    ],
)
async def test_the_rule_is_the_one_whose_labels_the_alert_has(
    client: PrometheusClient, labels: dict[str, str], expression: str
):
    assert await client.alert_expression(labels) == expression


@pytest.mark.parametrize("labels", [{}, {"alertname": ""}, {"alertname": "Mem"}, {"alertname": "memory"}])
async def test_a_rule_that_is_not_loaded_is_not_found(client: PrometheusClient, labels: dict[str, str]):
    with pytest.raises(NotFound):
        await client.alert_expression(labels)


async def test_nobody_there_is_unreachable():
    async with aiohttp.ClientSession() as session:
        client = PrometheusClient(f"http://127.0.0.1:{pick_port()}", session)
        with pytest.raises(Unreachable, match="does not answer"):
            await client.query("up")
