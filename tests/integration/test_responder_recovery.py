"""Whole recoveries: real Prometheus and Alertmanager, a process that is sick on demand, a guardian that restarts it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from fakes.sickness import Scene
from fakes.stack import Site, eventually, never, pick_port

from homeostat.errors import Permanent
from homeostat.prometheus_api import PrometheusClient

pytestmark = pytest.mark.servers


@asynccontextmanager
async def process(site: Site) -> AsyncIterator[Callable[[], None]]:
    """The responder as a process; gives what kills it."""
    async with site.responder_process() as server:
        yield server.kill


async def test_a_hook_that_fails_is_followed_by_one_restart_that_is_verified(scene: Scene):
    scene.exporter.hook_status = 500
    async with scene.site.responder():
        scene.exporter.is_sick = True

        assert await eventually(scene.final, within_s=20) == "verified"

        assert await scene.story() == [
            ("started", "hook"),
            ("finished", "failed"),
            ("started", "restart"),
            ("finished", "applied"),
            ("judged", "verified"),
            ("final", "verified"),
        ]
        judged = next(entry for entry in (await scene.recovery())["entries"] if entry["kind"] == "judged")
        assert {reading["quality"] for reading in judged["readings"]} == {"good"}
        sources = {reading["source"].partition(" ")[0] for reading in judged["readings"]}
        assert sources == {"state", "rule", "probe"}

        async def is_touched_again() -> bool:
            return scene.guardian.calls != [scene.name] or scene.exporter.hook_calls != 1

        await never(is_touched_again, 2.0)
        assert await scene.site.escalations() == []
        assert len(await scene.site.recoveries()) == 1


async def test_a_hook_that_helps_is_the_end_of_it(scene: Scene):
    scene.exporter.hook_cures = True
    async with scene.site.responder():
        scene.exporter.is_sick = True

        assert await eventually(scene.final, within_s=20) == "verified"

        assert [what for kind, what in await scene.story() if kind == "started"] == ["hook"]
        assert scene.guardian.calls == []


async def test_what_nothing_helps_is_escalated_once_and_ends_when_it_is_well_again(scene: Scene):
    scene.guardian.cures = False
    async with scene.site.responder():
        scene.exporter.is_sick = True

        assert await eventually(scene.final, within_s=25) == "escalated"

        [escalation] = await eventually(scene.site.escalations)
        assert escalation["labels"]["workload"] == f"local/{scene.name}"
        assert "step restart: applied" in escalation["annotations"]["transcript"]

        async def is_touched_again() -> bool:
            recoveries, escalations = await scene.site.recoveries(), await scene.site.escalations()
            return scene.guardian.calls != [scene.name] or len(recoveries) != 1 or len(escalations) != 1

        await never(is_touched_again, 2.0)

        scene.exporter.is_sick = False  # a person has mended it

        async def is_over() -> bool:
            return (await scene.recovery())["closed_at"] is not None and await scene.site.escalations() == []

        await eventually(is_over, within_s=15)
        assert await scene.final() == "escalated"


async def test_killed_between_started_and_finished_it_does_not_repeat_and_ends_by_evidence(scene: Scene):
    scene.exporter.hook_status = 500
    scene.guardian.may_restart.clear()
    async with process(scene.site) as kill:
        scene.exporter.is_sick = True

        async def is_restarting() -> bool:
            return bool(scene.guardian.calls)

        await eventually(is_restarting, within_s=15)
        kill()
    scene.exporter.is_sick = False  # the restart went on without us
    scene.guardian.may_restart.set()

    async with process(scene.site):
        assert await eventually(scene.final, within_s=15) == "verified"

        assert scene.guardian.calls == [scene.name]
        assert await scene.story() == [
            ("started", "hook"),
            ("finished", "failed"),
            ("started", "restart"),
            ("finished", "interrupted"),
            ("judged", "verified"),
            ("final", "verified"),
        ]


async def test_killed_while_verifying_it_goes_on_verifying_and_takes_no_harder_step(scene: Scene):
    scene.exporter.hook_cures = True
    async with process(scene.site) as kill:
        scene.exporter.is_sick = True

        async def is_hooked() -> bool:
            recoveries = await scene.site.recoveries()
            return bool(recoveries) and any(entry["kind"] == "finished" for entry in recoveries[0]["entries"])

        await eventually(is_hooked, within_s=15, every_s=0.02)
        kill()

    async with process(scene.site):
        assert await eventually(scene.final, within_s=15) == "verified"

        assert (scene.exporter.hook_calls, scene.guardian.calls) == (1, [])


async def test_trouble_that_ends_by_itself_is_called_so_and_nothing_was_done(scene: Scene):
    """It ends before the responder is there."""
    scene.exporter.is_sick = True

    async def is_firing() -> bool:
        return bool(await scene.site.alertmanager_alerts("WorkloadUnresponsive"))

    await eventually(is_firing)
    [held] = await scene.site.alertmanager_alerts("WorkloadUnresponsive")
    scene.exporter.is_sick = False
    await eventually(lambda: _is_gone(scene), within_s=10)

    async with scene.site.responder():
        delivery = {
            "status": "firing",
            "labels": held["labels"],
            "startsAt": held["startsAt"],
            "fingerprint": held["fingerprint"],
        }
        assert await scene.site.deliver(delivery) == 202

        assert await eventually(scene.final, within_s=15) == "self_resolved"

        assert (scene.exporter.hook_calls, scene.guardian.calls) == (0, [])


async def _is_gone(scene: Scene) -> bool:
    return not await scene.site.alertmanager_alerts("WorkloadUnresponsive")


NO_PROMETHEUS = [
    b"[]",
    b"null",
    b"{}",
    b'"text"',
    b'{"status": "success"}',
    b'{"status": "success", "data": []}',
    b'{"status": "success", "data": {"resultType": "vector", "result": [{}]}}',
    b'{"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "x"]}]}}',
    b'{"status": "success", "data": {"resultType": "vector", "groups": [{"rules": [{}]}], "result": 5}}',
]


@pytest.mark.parametrize("answer", NO_PROMETHEUS, ids=str)
async def test_an_answer_that_is_none_of_prometheus_is_no_data(answer: bytes):
    async def handle(_request: web.Request) -> web.Response:
        return web.Response(body=answer, content_type="application/json")

    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    port = pick_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        async with aiohttp.ClientSession() as session, asyncio.timeout(5):
            client = PrometheusClient(f"http://127.0.0.1:{port}", session)
            with pytest.raises(Permanent):
                await client.query("up")
            with pytest.raises(Permanent):
                await client.alert_expression({"alertname": "X"})
    finally:
        await runner.cleanup()
