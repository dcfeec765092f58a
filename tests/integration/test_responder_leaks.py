"""The shipped rules and ladders about leaks, with a real Prometheus and Alertmanager between detector and responder."""

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from fakes.guardian import FakeGuardian
from fakes.stack import Site, eventually, never

from homeostat.ladders import DEFAULT_LADDERS
from homeostat.quantities import host_port
from homeostat.rendering import ROOT
from responder.ledger import Entry, EntryKind, Episode, Final, Store

pytestmark = pytest.mark.servers

NAME = "api"
WORKLOAD = f"local/{NAME}"
RULES = {
    rule["alert"]: {key: value for key, value in rule.items() if key != "for"}
    for group in yaml.safe_load((ROOT / "prometheus/rules/alerts/leaks.yml").read_text())["groups"]
    for rule in group["rules"]
}


def quick(remedy: str) -> dict[str, object]:
    """The shipped ladder with less patience."""
    ladder = DEFAULT_LADDERS[remedy]
    return {"escalate": ladder.escalate, "steps": [_quick(step) for step in ladder.steps]}


def _quick(step) -> dict[str, object]:
    named = {"action": step.action, **({"hook": step.hook} if hasattr(step, "hook") else {})}
    if step.action == "evidence":
        return named
    verify = {"within": "3s", "hold": "1s", **({"promql": step.verify.promql} if step.verify.promql else {})}
    return {**named, "verify": verify}


class Application:
    """An application with hooks, and what a detector says of it. ``asked``: its hooks, in order; ``helps``: what one
    changes. ``is_judged``: whether there is a detector at all.
    """

    def __init__(self) -> None:
        self.verdicts = {"memory": "healthy", "fds": "healthy"}
        self.is_judged = True
        self.restart_at = time.time() + 3600
        self.asked: list[str] = []
        self.helps: dict[str, Callable[[], None]] = {}

    async def start(self, listen: str) -> web.AppRunner:
        app = web.Application()
        app.add_routes([web.get("/metrics", self._metrics), web.post("/hooks/{name}", self._hook)])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, *host_port(listen)).start()
        return runner

    async def _hook(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self.asked.append(name)
        self.helps.get(name, lambda: None)()
        return web.Response(text=f"{len(self.asked)} Order\n")

    async def _metrics(self, _request: web.Request) -> web.Response:
        lines = [f'homeostat_{name}{{workload="{WORKLOAD}"}} 1' for name in ("workload_enabled", "process_running")]
        for resource, verdict in self.verdicts.items() if self.is_judged else ():
            labels = f'workload="{WORKLOAD}",container="",resource="{resource}"'
            lines.append(f'homeostat_leak_verdict{{{labels},verdict="{verdict}"}} 1')
            if verdict in ("leak", "exhausting"):
                lines.append(f"homeostat_leak_restart_timestamp_seconds{{{labels}}} {self.restart_at}")
        return web.Response(text="\n".join(lines) + "\n")


class HealingGuardian(FakeGuardian):
    """A restart gives the process a new life, of which nothing is known yet."""

    def __init__(self, application: Application) -> None:
        super().__init__(NAME)
        self.application = application

    async def _restart(self, request: web.Request) -> web.Response:
        response = await super()._restart(request)
        self.application.verdicts = dict.fromkeys(self.application.verdicts, "insufficient_data")
        return response


@dataclass
class Scene:
    site: Site
    application: Application
    guardian: HealingGuardian
    store: Store

    async def of(self, alert: str, resource: str) -> Episode | None:
        """The recovery of this one leak."""
        episodes = await self.store.episodes(100)
        return next((each for each in episodes if (each.alert, each.labels["resource"]) == (alert, resource)), None)

    async def final(self, alert: str, resource: str) -> Final | None:
        found = await self.of(alert, resource)
        return found.final if found else None

    async def tried(self, alert: str, resource: str) -> list[str]:
        steps = [entry.data["step"] for entry in await self.entries(alert, resource, EntryKind.STARTED)]
        return [step.get("hook") or step["action"] for step in steps]

    async def entries(self, alert: str, resource: str, kind: EntryKind) -> list[Entry]:
        found = await self.of(alert, resource)
        return [entry for entry in await self.store.entries(found.id) if entry.kind is kind] if found else []


@pytest.fixture
async def scene(make_site: Callable[..., Site], servers: dict[str, Path]) -> AsyncIterator[Scene]:
    site = make_site()
    base = f"http://{site.settings.exporter.listen}/hooks"
    hooks = {name: f"{base}/{name}" for name in ("heap", "gc", "cache-clear")}
    site.write(
        processes={NAME: {"command": ["api"]}},
        workloads={WORKLOAD: {"enable": True, "start_grace": "0s", "hooks": hooks}},
        ladders={remedy: quick(remedy) for remedy in ("leak_evidence", "leak", "leak_restart", "leak_exhausting")},
    )
    application = Application()
    guardian = HealingGuardian(application)
    runner = await application.start(site.settings.exporter.listen)
    await guardian.start(site.control_socket)
    alerts = [RULES[name] for name in ("LeakNoticed", "LeakConfirmed", "LeakRestartDue", "LeakExhausting")]
    try:
        async with (
            site.alertmanager(servers["alertmanager"]),
            site.prometheus(servers["prometheus"], alerts),
            site.responder() as parts,
        ):
            yield Scene(site, application, guardian, parts.store)
    finally:
        await guardian.stop()
        await runner.cleanup()


async def test_one_leak_is_given_back_while_another_of_the_same_process_goes_on(scene: Scene):
    application = scene.application
    application.helps = {
        "gc": lambda: application.verdicts.update(fds="leak"),
        "cache-clear": lambda: application.verdicts.update(memory="healthy"),
    }
    application.verdicts["memory"] = "leak"

    async def memory_is_over() -> bool:
        return await scene.final("LeakConfirmed", "memory") is Final.VERIFIED

    async def fds_are_used_up() -> bool:
        return await scene.tried("LeakConfirmed", "fds") == ["heap", "gc", "cache-clear"]

    await eventually(memory_is_over, within_s=40)
    await eventually(fds_are_used_up, within_s=20)

    judged = await scene.entries("LeakConfirmed", "memory", EntryKind.JUDGED)
    assert await scene.tried("LeakConfirmed", "memory") == ["heap", "gc", "cache-clear"]
    assert [entry.data["verdict"] for entry in judged] == ["not_recovered", "verified"]
    assert await scene.final("LeakConfirmed", "fds") is None

    async def is_told_or_restarted() -> bool:
        return bool(await scene.site.escalations() or scene.guardian.calls)

    await never(is_told_or_restarted, 2.0)
    assert await scene.final("LeakConfirmed", "fds") is None


async def test_what_it_says_of_its_heap_is_kept_when_the_leak_is_noticed(scene: Scene):
    scene.application.verdicts["memory"] = "suspect"

    async def is_kept() -> list[Entry]:
        return await scene.entries("LeakNoticed", "memory", EntryKind.EVIDENCE)

    [evidence] = await eventually(is_kept, within_s=30)

    assert evidence.data["subjects"] == {NAME: {"heap": ["1 Order"]}}
    assert scene.application.asked == ["heap"]
    assert await scene.of("LeakConfirmed", "memory") is None


async def test_a_restart_that_is_due_ends_all_that_leaks(scene: Scene):
    scene.application.restart_at = time.time() - 1
    scene.application.verdicts["memory"] = "leak"

    async def is_over() -> bool:
        return await scene.final("LeakRestartDue", "memory") is Final.VERIFIED

    await eventually(is_over, within_s=40)

    async def hooks_are_over() -> bool:
        return await scene.final("LeakConfirmed", "memory") is Final.SELF_RESOLVED

    await eventually(hooks_are_over, within_s=40)
    assert scene.guardian.calls == [NAME]
    assert await scene.site.escalations() == []


async def test_an_urgent_leak_mutes_the_slow_ladders_of_the_same_leak(scene: Scene):
    scene.application.helps = {"cache-clear": lambda: scene.application.verdicts.update(memory="healthy")}
    scene.application.restart_at = time.time() - 1
    scene.application.verdicts["memory"] = "exhausting"

    async def is_over() -> bool:
        return await scene.final("LeakExhausting", "memory") is Final.VERIFIED

    await eventually(is_over, within_s=40)
    # heap is LeakNoticed's, should it come to that in time.
    assert [hook for hook in scene.application.asked if hook != "heap"] == ["gc", "cache-clear"]
    assert scene.guardian.calls == []


async def test_a_detector_that_is_gone_does_not_make_a_hook_believed(scene: Scene):
    def go() -> None:
        scene.application.is_judged = False

    scene.application.helps = {"gc": go}
    scene.application.verdicts["memory"] = "leak"

    async def is_asked() -> bool:
        return "gc" in scene.application.asked

    async def is_believed() -> bool:
        return await scene.final("LeakConfirmed", "memory") is not None

    await eventually(is_asked, within_s=30)
    await never(is_believed, 4.0)
