"""How many messages people get: incidents at real Alertmanagers as shipped, and receivers that count."""

import asyncio
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
from aiohttp import web
from rich.progress import Progress

from benchmarks.alerting.incidents import Alert, Incident
from benchmarks.alerting.receiver import Receiver
from benchmarks.responder.processes import Program, kept_ports, running
from homeostat.rendering import ROOT

#: As Prometheus: what fires is sent again, and is over when it is not for so long.
_SEND_EVERY_S = 1.0
_HOLDS_S = 30.0


@dataclass(frozen=True, slots=True)
class Figures:
    """``alerts``: different ones that fired. ``messages``: to people, each with the names in it. ``by_workload``: how
    many there are when they are grouped so.
    """

    incident: str
    limit: int
    alerts: int
    messages: list[list[str]]
    by_workload: int


async def storms(incidents: tuple[Incident, ...], folder: Path, progress: Progress) -> list[Figures]:
    """All of them at the same time, each twice, each at an Alertmanager of its own."""
    task = progress.add_task("storms", total=None)
    # All at once, or two might be given the same one.
    ports = iter(kept_ports(2 * len(_GROUPINGS) * len(incidents)))
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        plays = [
            [
                group.create_task(_play(incident, _Site(folder, number, grouping, next(ports), next(ports)), session))
                for grouping in _GROUPINGS
            ]
            for number, incident in enumerate(incidents)
        ]
    progress.update(task, total=1, completed=1)
    return [
        _figures(incident, *(play.result() for play in pair)) for incident, pair in zip(incidents, plays, strict=True)
    ]


def _figures(incident: Incident, shipped: "_Played", by_workload: "_Played") -> Figures:
    return Figures(incident.name, incident.limit, shipped.alerts, shipped.messages, len(by_workload.messages))


#: As it ships, and by workload.
_GROUPINGS = ("alertname", "workload")


@dataclass(frozen=True, slots=True)
class _Site:
    """Where the Alertmanager of one play lives; ``listen`` and ``receiver`` are ports."""

    parent: Path
    number: int
    grouping: str
    listen: int
    receiver: int

    def folder(self) -> Path:
        path = self.parent / f"{self.grouping}{self.number}"
        path.mkdir()
        return path


@dataclass(frozen=True, slots=True)
class _Played:
    alerts: int
    messages: list[list[str]]


async def _play(incident: Incident, site: _Site, session: aiohttp.ClientSession) -> _Played:
    receiver = Receiver()
    runner = web.AppRunner(receiver.application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", site.receiver).start()
    seen: set[str] = set()
    try:
        async with running(_alertmanager(site), session):
            began = time.monotonic()
            while (second := time.monotonic() - began) < incident.lasts_s:
                firing = incident.alerts_at(second)
                seen |= {json.dumps(labels, sort_keys=True) for labels in firing}
                await _send(f"http://127.0.0.1:{site.listen}", session, firing, _ended(seen, firing))
                await asyncio.sleep(_SEND_EVERY_S)
    finally:
        await runner.cleanup()
    return _Played(len(seen), receiver.told.get("people", []))


def _ended(seen: set[str], firing: list[Alert]) -> list[Alert]:
    now = {json.dumps(labels, sort_keys=True) for labels in firing}
    return [json.loads(text) for text in seen - now]


def _alertmanager(site: _Site) -> Program:
    """As shipped, but for where its receivers are, and how what people hear is grouped."""
    folder = site.folder()
    (folder / "secrets").mkdir()
    (folder / "secrets/webhook-token").write_text("a-token-of-the-benchmark")
    text = (ROOT / "alertmanager/alertmanager.yml").read_text()
    text = text.replace("http://127.0.0.1:9802/webhook/alertmanager", f"http://127.0.0.1:{site.receiver}/responder")
    people = f"    webhook_configs: [{{url: 'http://127.0.0.1:{site.receiver}/people'}}]\n"
    text = text.replace("  - name: people\n", f"  - name: people\n{people}")
    text = text.replace("group_by: [alertname]", f"group_by: [{site.grouping}]", 1)
    config = folder / "alertmanager.yml"
    config.write_text(text)
    url = f"127.0.0.1:{site.listen}"
    argv = ["alertmanager", f"--config.file={config}", f"--storage.path={folder / 'data'}", "--cluster.listen-address="]
    return Program([*argv, f"--web.listen-address={url}"], folder / "log", f"http://{url}/-/ready")


async def _send(url: str, session: aiohttp.ClientSession, firing: list[Alert], ended: list[Alert]) -> None:
    now = time.time()
    body = [{"labels": labels, "endsAt": _stamp(now + _HOLDS_S)} for labels in firing]
    body += [{"labels": labels, "endsAt": _stamp(now)} for labels in ended]
    async with session.post(f"{url}/api/v2/alerts", json=body) as response:
        response.raise_for_status()


def _stamp(epoch_s: float) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).isoformat()
