"""Whole recoveries: real Prometheus and Alertmanager, a process that is sick on demand, a guardian that restarts it."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from fakes.exporter import RULE, FakeExporter
from fakes.guardian import FakeGuardian
from fakes.stack import Server, Site, eventually, never, pick_port

from homeostat.errors import Permanent
from homeostat.prometheus_api import PrometheusClient

pytestmark = pytest.mark.servers

NUMBERS = itertools.count()


#: The shipped ladder with less patience.
QUICK = {"within": "3s", "hold": "1s"}
LADDER = {
    "steps": [
        {"action": "hook", "hook": "reset-connections", "verify": QUICK},
        {"action": "restart", "timeout": "20s", "verify": QUICK},
    ]
}


class CuringGuardian(FakeGuardian):
    """Its restart makes the process well, unless told otherwise."""

    def __init__(self, name: str, exporter: FakeExporter) -> None:
        super().__init__(name)
        self.exporter = exporter
        self.cures = True

    async def _restart(self, request: web.Request) -> web.Response:
        response = await super()._restart(request)
        if self.cures:
            self.exporter.is_sick = False
        return response


@dataclass
class Scene:
    """Everything but the responder, which each test runs as it likes."""

    name: str
    site: Site
    exporter: FakeExporter
    guardian: CuringGuardian

    async def is_measured(self) -> bool:
        assert self.site.session is not None
        client = PrometheusClient(self.site.settings.responder.prometheus_url, self.site.session)
        return bool(await client.query(f'homeostat_probe_healthy{{workload="local/{self.name}"}}'))

    async def recovery(self) -> dict:
        [recovery] = await self.site.recoveries()
        return recovery

    async def final(self) -> str | None:
        recoveries = await self.site.recoveries()
        return recoveries[0]["final"] if recoveries else None

    async def story(self) -> list[tuple[str, str]]:
        """What was done and found, in order."""
        words = {"started": "action", "finished": "status", "judged": "verdict", "refused": "reason", "final": "final"}
        entries = (await self.recovery())["entries"]
        return [(entry["kind"], entry[words[entry["kind"]]]) for entry in entries if entry["kind"] in words]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, servers: dict[str, Path]) -> Iterator[tuple[Site, Server]]:
    """One Prometheus for all tests: it takes five seconds to find its targets."""
    site = Site(tmp_path_factory.mktemp("recovery") / "site", None)
    prometheus = site.prometheus(servers["prometheus"], [RULE])
    prometheus.launch()
    yield site, prometheus
    prometheus.kill()


@pytest.fixture
async def scene(watched: tuple[Site, Server], servers: dict[str, Path]) -> AsyncIterator[Scene]:
    site, prometheus = watched
    name = f"api-{next(NUMBERS)}"
    base = f"http://{site.settings.exporter.listen}"
    workload = {
        "enable": True,
        "start_grace": "0s",
        "probes": [{"http": f"{base}/health"}],
        "hooks": {"reset-connections": f"{base}/hook"},
    }
    site.write(
        state_dir=f"state-{name}",
        processes={name: {"command": ["api"]}},
        workloads={f"local/{name}": workload},
        ladders={"unresponsive": LADDER},
    )
    exporter = FakeExporter(name)
    guardian = CuringGuardian(name, exporter)
    await exporter.start(site.settings.exporter.listen)
    await guardian.start(site.control_socket)
    try:
        async with aiohttp.ClientSession() as site.session, site.alertmanager(servers["alertmanager"]):
            await prometheus.wait_ready()
            scene = Scene(name, site, exporter, guardian)
            await eventually(scene.is_measured)
            yield scene
    finally:
        await guardian.stop()
        await exporter.stop()


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
