"""Looking at homeostat from outside, through the same HTTP interfaces that everyone has."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
from rich.console import Console
from rich.table import Table

from cli import native
from cli.ready import Part, is_ready
from cli.responder_api import ResponderApi
from homeostat import names
from homeostat.errors import HomeostatError
from homeostat.prometheus_api import PrometheusClient, Sample
from homeostat.settings import Settings

#: Of an entry, what is not shown beside its kind.
_ELSEWHERE = ("id", "at", "kind", "readings", "step", "memo", "labels", "causes", "subjects")
_INDENT = " " * 39
_GOOD = {"verified": "green", "self_resolved": "green", "escalated": "red", "rolled_back": "yellow"}


async def status(settings: Settings, console: Console) -> bool:
    """Print parts, workloads and open episodes; whether all of it is well."""
    async with aiohttp.ClientSession() as session:
        parts_well = await _parts(native.parts(settings), session, console)
        if not parts_well:
            return False
        samples = await _workloads(PrometheusClient(settings.responder.prometheus_url, session), console)
        episodes = await ResponderApi(settings).get("/api/v1/episodes", {"open": "true", "limit": "1000"})
    for episode in episodes:
        final = episode["final"] or "being repaired"
        console.print(f"open: {episode['alert']} of {episode['workload']}: {final}: {episode['reason']}", markup=False)
    return samples and not episodes


async def recoveries(settings: Settings, console: Console, limit: int) -> None:
    """Print a table of recoveries. Raises Unreachable."""
    rows = await ResponderApi(settings).get("/api/v1/episodes", {"limit": str(limit)})
    table = Table("id", "opened", "workload", "alert", "ended as", "reason")
    for row in rows:
        final = row["final"] or "open"
        style = _GOOD.get(final, "yellow")
        table.add_row(str(row["id"]), row["opened_at"], row["workload"], _of(row), f"[{style}]{final}", row["reason"])
    console.print(table if rows else "nothing has had to be repaired yet")


def _of(row: Mapping[str, Any]) -> str:
    """``LeakConfirmed memory``: two leaks of one workload are two troubles."""
    return " ".join(filter(None, (row["alert"], row.get("resource"))))


async def story(settings: Settings, console: Console, recovery: int) -> None:
    """Print all of one. Raises Unreachable, NotFound."""
    _story(await ResponderApi(settings).get(f"/api/v1/recoveries/{recovery}"), console)


def _story(row: Mapping[str, Any], console: Console) -> None:
    console.print(f"recovery {row['id']}: {_of(row)} of {row['workload']} {row['container']}", markup=False)
    for entry in row["entries"]:
        details = {key: value for key, value in entry.items() if key not in _ELSEWHERE}
        text = ", ".join(f"{key}={value}" for key, value in details.items())
        console.print(f"  {entry['at']}  {entry['kind']:<10} {text}", markup=False)
        for reading in entry.get("readings", ()):
            console.print(f"{_INDENT}{reading['source']}: {reading['quality']}: {reading['detail']}", markup=False)
        if entry["kind"] == "evidence":
            _evidence(entry, console)


def _evidence(entry: Mapping[str, Any], console: Console) -> None:
    """What was seen before a hard step; it holds lines that other programs wrote."""
    for cause in entry.get("causes", ()):
        said = f"{_INDENT}known cause: {cause['cause']} ({cause['count']} times): {cause['line']}"
        console.print(said, markup=False, style="yellow", soft_wrap=True)
    for name, sources in entry.get("subjects", {}).items():
        for source, found in sources.items():
            head, lines = _shown(found)
            console.print(f"{_INDENT}{name} {source}: {head}", markup=False, soft_wrap=True)
            for line in lines:
                console.print(f"{_INDENT}  {line}", markup=False, soft_wrap=True)


def _shown(found: Any) -> tuple[str, list[str]]:
    """A line, and those below it."""
    if isinstance(found, list):
        return "", [str(line) for line in found]
    if isinstance(found, dict):
        plain = {key: value for key, value in found.items() if not isinstance(value, list | dict)}
        deep = [f"{key}: {value}" for key, value in found.items() if isinstance(value, list | dict) and value]
        return ", ".join(f"{key}={value}" for key, value in plain.items()), deep
    return str(found), []


async def _parts(parts: Sequence[Part], session: aiohttp.ClientSession, console: Console) -> bool:
    """In compose mode there is no guardian: it is listed only where it answers."""
    ready = await asyncio.gather(*(is_ready(part, session) for part in parts))
    table = Table("part", "address", "state")
    for part, good in zip(parts, ready, strict=True):
        if good or part.name != "guardian":
            table.add_row(part.name, f"http://{part.listen}", "[green]ready" if good else "[red]does not answer")
    console.print(table)
    return all(good for part, good in zip(parts, ready, strict=True) if part.name != "guardian")


async def _workloads(prometheus: PrometheusClient, console: Console) -> bool:
    try:
        enabled, running, probes = await asyncio.gather(
            prometheus.query(names.WORKLOAD_ENABLED),
            prometheus.query(f"min by (workload) ({names.CONTAINER_RUNNING} or {names.PROCESS_RUNNING})"),
            prometheus.query(f"min by (workload) ({names.PROBE_HEALTHY})"),
        )
    except HomeostatError as err:
        console.print(str(err), style="red", markup=False)
        return False
    is_running, answers = _by_workload(running), _by_workload(probes)
    table = Table("workload", "repair", "running", "probes")
    for sample in sorted(enabled, key=lambda one: one.labels.get(names.WORKLOAD, "")):
        name = sample.labels.get(names.WORKLOAD, "")
        table.add_row(name, "yes" if sample.value else "no", _word(is_running.get(name)), _word(answers.get(name)))
    console.print(table)
    ours = {sample.labels.get(names.WORKLOAD, "") for sample in enabled if sample.value}
    return all(values.get(name, 1.0) for values in (is_running, answers) for name in ours)


def _by_workload(samples: Sequence[Sample]) -> dict[str, float]:
    return {sample.labels.get(names.WORKLOAD, ""): sample.value for sample in samples}


def _word(value: float | None) -> str:
    if value is None:
        return "-"
    return "[green]yes" if value else "[red]no"
