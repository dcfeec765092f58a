"""Very many alerts at once, with the settings as they ship: is every one kept, answered in time, within the memory?"""

import asyncio
import gc
import json
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp
from rich.progress import Progress, TaskID

from benchmarks.responder import reading
from benchmarks.responder.alerts import Firing, as_a_pair_sends, body, chunks, delivered, firing, posted
from benchmarks.responder.audit import Audit, audit
from benchmarks.responder.processes import Cores, Program, pinned, running
from benchmarks.responder.sender import Delivery, OpenLoop, Sender
from benchmarks.responder.site import Neighbourhood, Site, idle, series, workload_names
from benchmarks.responder.world import Temper

SMALL, _LARGE = 10, 10_000
_PER_SECOND = 1000
_WORKLOADS = 1000
#: The second half of a pair sends up to so many alerts later.
_LAG = 5000
_RESOLVED_PER_BODY = 100
_FOR_LONG_S = 86400.0
#: Large bodies are sent sooner; the alerts are held until the responder has asked Alertmanager for all of them (30 s).
_LASTS_S = 35.0
_MEMORY_EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class Plan:
    """``alerts``: deliveries of each size of body; half as many alerts, each delivered twice. ``drain_s``: how long the
    responder may work on, once all have ended.
    """

    alerts: int
    drain_s: float
    seed: int


@dataclass(slots=True)
class Figures:
    """Of one size of body. ``memory``: (seconds, resident bytes). ``ended``: recoveries until ``drained_s``, None when
    they were not all until the limit.
    """

    per_body: int
    deliveries: list[Delivery] = field(default_factory=list)
    sending_s: float = 0.0
    cpu_s: float = 0.0
    refused: int = 0
    broken: int = 0
    memory: list[tuple[float, float]] = field(default_factory=list)
    peak_bytes: float = 0.0
    ended: float = 0.0
    drained_s: float | None = None
    ledger_bytes: int = 0
    audit: Audit = field(default_factory=Audit)


async def small_bodies(plan: Plan, workdir: Path, progress: Progress) -> Figures:
    """At a steady rate, whatever the responder does."""
    return await _storm(plan, SMALL, workdir, progress)


async def large_bodies(plan: Plan, workdir: Path, progress: Progress) -> Figures:
    """One after another, each as soon as the one before is acknowledged. What becomes of them small bodies show."""
    return await _storm(replace(plan, drain_s=0.0), min(_LARGE, plan.alerts // 2), workdir, progress)


async def _storm(plan: Plan, per_body: int, workdir: Path, progress: Progress) -> Figures:
    figures = Figures(per_body)
    alerts = _alerts(plan.alerts // 2)
    order = as_a_pair_sends(len(alerts), _LAG, random.Random(plan.seed))
    wire = [delivered(alert) for alert in alerts]
    bodies = [body(wire[number] for number in chunk) for chunk in chunks(order, per_body)]
    task = progress.add_task(f"storm, {per_body} alerts a body", total=len(bodies))
    async with AsyncExitStack() as exits:
        cores = Cores.split()
        exits.enter_context(pinned(cores.others))
        session = await exits.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60))
        )
        near = Neighbourhood(workdir, workload_names(_WORKLOADS))
        site = Site(workdir, near)
        await exits.enter_async_context(running(near.program([site], Temper(), plan.seed, cores), session))
        responder = site.program(cores)
        async with running(responder, session), _watching(responder, figures):
            sender = Sender(site.webhook, session)
            begin, cpu = time.perf_counter(), responder.cpu_s()
            async with _undisturbed(), asyncio.TaskGroup() as group:
                group.create_task(_hold(near, session, alerts, per_body))
                if per_body == SMALL:
                    loop = OpenLoop(sender, _PER_SECOND / per_body, figures.deliveries)
                    group.create_task(loop.run(bodies))
                else:
                    group.create_task(_one_by_one(sender, bodies, figures.deliveries))
                group.create_task(_show(figures, len(bodies), progress, task))
            figures.sending_s, figures.cpu_s = time.perf_counter() - begin, responder.cpu_s() - cpu
            figures.refused, figures.broken = sender.refused, sender.broken
            progress.update(task, description=f"storm, {per_body} a body: waiting for every end", total=None)
            await asyncio.sleep(max(0.0, _LASTS_S - figures.sending_s))
            await _end(near, sender, alerts)
            figures.drained_s = await idle([site.url], session, plan.drain_s)
            figures.ended = sum(await series(site.url, session, "homeostat_recoveries_total{"))
            hits = await reading.seen(near, session)
        figures.ledger_bytes = reading.file_bytes(site)
        figures.audit = audit((alert.fingerprint for alert in alerts), hits, await reading.file_ledger(site))
        progress.update(task, total=len(bodies), completed=len(bodies))
    return figures


def _alerts(count: int) -> list[Firing]:
    names, now = workload_names(_WORKLOADS), time.time()
    return [firing(names[number % _WORKLOADS], f"p{number // _WORKLOADS:03d}", now) for number in range(count)]


async def _hold(near: Neighbourhood, session: aiohttp.ClientSession, alerts: Sequence[Firing], per_body: int) -> None:
    """Alertmanager holds alerts before it delivers them: at their pace, or all of them for large bodies."""
    until = time.time() + _FOR_LONG_S
    step = _PER_SECOND // 2 if per_body == SMALL else 5000
    for start in range(0, len(alerts), step):
        body = json.dumps([posted(alert, until) for alert in alerts[start : start + step]]).encode()
        await _post(near, session, body)
        await asyncio.sleep(0.9 if per_body == SMALL else 0)


async def _post(near: Neighbourhood, session: aiohttp.ClientSession, body: bytes) -> None:
    async with session.post(f"{near.url}/api/v2/alerts", data=body) as response:
        response.raise_for_status()


async def _one_by_one(sender: Sender, bodies: Sequence[bytes], deliveries: list[Delivery]) -> None:
    begin = time.perf_counter()
    for each in bodies:
        due = time.perf_counter() - begin
        await sender.deliver(each)
        deliveries.append(Delivery(due, due, time.perf_counter() - begin - due))


async def _end(near: Neighbourhood, sender: Sender, alerts: Sequence[Firing]) -> None:
    """All trouble is over: Prometheus says so, then Alertmanager."""
    now = time.time()
    for start in range(0, len(alerts), 5000):
        body_ = json.dumps([posted(alert, now) for alert in alerts[start : start + 5000]]).encode()
        await _post(near, sender.session, body_)
    for start in range(0, len(alerts), _RESOLVED_PER_BODY):
        part = alerts[start : start + _RESOLVED_PER_BODY]
        await sender.deliver(body((delivered(alert, now) for alert in part), "resolved"))


async def _show(figures: Figures, total: int, progress: Progress, task: TaskID) -> None:
    while len(figures.deliveries) < total:
        progress.update(task, completed=len(figures.deliveries))
        await asyncio.sleep(0.5)


@asynccontextmanager
async def _watching(program: Program, figures: Figures) -> AsyncIterator[None]:
    """Its memory, all the time."""
    begin = time.perf_counter()

    async def watch() -> None:
        while True:
            now, figures.peak_bytes = program.memory()
            figures.memory.append((round(time.perf_counter() - begin, 1), now))
            await asyncio.sleep(_MEMORY_EVERY_S)

    async with asyncio.TaskGroup() as group:
        watching = group.create_task(watch())
        try:
            yield
        finally:
            watching.cancel()


@asynccontextmanager
async def _undisturbed() -> AsyncIterator[None]:
    """Without pauses of our own collector: they would count as the responder's."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
