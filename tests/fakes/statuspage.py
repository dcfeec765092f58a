"""What the status page looks at in tests: a Prometheus that says what it is told to, and a ledger with a past."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser

from aiohttp import web
from fakes.stack import Site, eventually, wire_alert

from homeostat.quantities import host_port
from responder.app import Parts
from responder.ledger import Alert, Entry, EntryKind, Episode, Final, Store
from responder.store_sqlite import SqliteStore
from responder.stores import FILE_NAME


class Html(HTMLParser):
    """A page taken apart: ``tags`` with their attributes in order, and the text between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def form(self) -> dict[str, str]:
        """The hidden fields of the only form."""
        [form] = self.all("form")
        hidden = {str(i["name"]): str(i["value"]) for i in self.all("input") if i.get("type") == "hidden"}
        return {"action": str(form["action"]), **hidden}


@dataclass
class FakePrometheus:
    """Workload -> state, reason and source. Everything else that is asked has no samples."""

    health: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    #: As JSON instead of an answer, if there is one.
    nonsense: object = None
    #: Before each answer.
    wait_s: float = 0.0
    asked: int = 0

    @asynccontextmanager
    async def serving(self, site: Site) -> AsyncIterator["FakePrometheus"]:
        app = web.Application()
        app.add_routes([web.get("/api/v1/query", self._query), web.get("/api/v1/rules", self._rules)])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, *host_port(site.settings.stack.prometheus)).start()
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _query(self, request: web.Request) -> web.Response:
        self.asked += 1
        await asyncio.sleep(self.wait_s)
        asked = request.query["query"]
        labels: Sequence[Mapping[str, str]] = ()
        if asked.startswith("homeostat_workload_health_info "):
            labels = [{"workload": w, "reason": reason, "source": of} for w, (_, reason, of) in self.health.items()]
        elif asked.startswith("homeostat_workload_health "):
            labels = [{"workload": workload, "state": state} for workload, (state, _, _) in self.health.items()]
        rows = [{"metric": each, "value": [time.time(), "1"]} for each in labels]
        answer = {"status": "success", "data": {"resultType": "vector", "result": rows}}
        return web.json_response(answer if self.nonsense is None else self.nonsense)

    async def _rules(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "success", "data": {"groups": []}})


@dataclass
class Past:
    """Writes a ledger as recoveries do, ``ago_s`` before now and a second a line."""

    store: Store
    at: float = 0.0

    async def opened(self, n: int, ago_s: float, notes: Mapping[str, str] | None = None, **labels: str) -> Episode:
        self.at = time.time() - ago_s
        named = {"alertname": "WorkloadDown", "workload": "shop/web", "remedy": "down", **labels}
        alert = Alert(f"{n:016x}", named, notes or {"summary": "It is down."}, self.at, is_firing=True)
        [episode] = (await self.store.accept([alert], self.at)).opened
        return episode

    async def said(self, episode: Episode, kind: EntryKind, **data: object) -> Entry:
        self.at += 1
        return await self.store.append(episode, kind, data, self.at)

    async def step(
        self, episode: Episode, rung: int, action: str, verdict: str, readings: Sequence[Mapping[str, object]] = ()
    ) -> None:
        tier = "hard" if action == "restart" else "soft"
        step = {"rung": rung, "action": action}
        started = await self.said(episode, EntryKind.STARTED, **step, tier=tier, step={"action": action})
        finished = {"token": started.id, "status": "applied", "detail": f"{action} of {episode.workload}"}
        await self.said(episode, EntryKind.FINISHED, **step, **finished, seconds=0.4)
        reason = "good for 4 s on end" if verdict == "verified" else "probe http :8080/health: status 503"
        judged = {"action": action, "verdict": verdict, "reason": reason, "seconds": 4.1}
        await self.said(episode, EntryKind.JUDGED, **judged, readings=list(readings))

    async def ended(self, episode: Episode, final: Final, reason: str) -> None:
        self.at += 1
        await self.store.finish(episode, final, reason, self.at)


READINGS = [
    {"source": "probe http :8080/health", "quality": "good", "detail": "answered in 12 ms"},
    {"source": "state shop-web-1", "quality": "good", "detail": "running"},
    {"source": "rule WorkloadUnresponsive", "quality": "good", "detail": "not true any more"},
]
LOGS = [
    "2026-11-24T03:12:07Z ERROR pool exhausted: 20 of 20 connections in use",
    "2026-11-24T03:12:08Z ERROR GET /checkout 503 in 30001 ms",
]
EVIDENCE = {
    "causes": [{"cause": "pool_exhausted", "count": 14, "line": LOGS[0]}],
    "subjects": {
        "shop-web-1": {
            "state": {"status": "running", "started_at": "2026-11-20T01:00:00Z", "restarts": 0},
            "logs": "\n".join(LOGS),
            "processes": [{"pid": 1, "command": "gunicorn"}, {"pid": 7, "command": "gunicorn: worker"}],
            "memory": {"not_there": "cgroups cannot be read from here"},
        }
    },
}


@asynccontextmanager
async def past_of(site: Site) -> AsyncIterator[Past]:
    """The ledger of a site whose responder does not run."""
    store = SqliteStore(site.settings.state_dir / FILE_NAME)
    try:
        yield Past(store)
    finally:
        await store.close()


async def a_week(past: Past) -> None:
    """Recoveries with each end, and one that people were called for and whose trouble lasts."""
    episode = await past.opened(1, 86400 * 3, workload="shop/worker")
    await past.step(episode, 0, "restart", "not_recovered")
    await past.ended(episode, Final.ROLLED_BACK, "limits was put back: good for 4 s on end")
    episode = await past.opened(2, 7300, alertname="WorkloadFlapping", workload="shop/cache")
    await past.ended(episode, Final.SELF_RESOLVED, "the alert ended; good for 4 s on end")
    summary = {"summary": "shop/web does not answer its probes."}
    episode = await past.opened(3, 1860, summary, alertname="WorkloadUnresponsive", remedy="unresponsive")
    await past.step(episode, 1, "hook", "not_recovered")
    await past.said(episode, EntryKind.EVIDENCE, rung=2, **EVIDENCE)
    await past.step(episode, 2, "restart", "verified", READINGS)
    await past.ended(episode, Final.VERIFIED, "restart: good for 4 s on end")
    summary = {"summary": "shop/mailer crashes again and again.", "runbook_url": "https://runbooks.example.org/crash"}
    episode = await past.opened(
        4, 400, summary, alertname="WorkloadCrashLooping", workload="shop/mailer", remedy="none"
    )
    await past.ended(episode, Final.ESCALATED, "no step helps against crash_loop")


async def asking(site: Site, parts: Parts, expires_in_s: float = 600.0, workload: str = "local/api", n: int = 9) -> int:
    """A recovery that waits for a person's word, by its number. Nothing else is there that could go on with it."""
    await site.deliver(wire_alert(n, workload=workload))
    [episode] = [each for each in await parts.store.open_episodes() if each.workload == workload]
    await eventually(lambda: _is_waiting(parts, episode.id))
    question = {"rung": 0, "action": "restart", "expires_at": time.time() + expires_in_s}
    await parts.store.append(episode, EntryKind.PENDING, question, time.time())
    return episode.id


async def _is_waiting(parts: Parts, number: int) -> bool:
    return any(entry.kind is EntryKind.WAITING for entry in await parts.store.entries(number))


async def words_of(parts: Parts, number: int) -> list[tuple[str, object, object]]:
    """What people said of a recovery, who they are, and why."""
    entries = await parts.store.entries(number)
    said = [each for each in entries if each.kind in (EntryKind.APPROVED, EntryKind.REJECTED)]
    return [(each.kind.value, each.data["by"], each.data["reason"]) for each in said]
