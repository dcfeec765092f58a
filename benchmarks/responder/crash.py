"""The responder is killed again and again while alerts arrive and steps are taken: nothing is lost or repeated."""

import asyncio
import random
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from rich.progress import Progress

from benchmarks.responder import reading
from benchmarks.responder.audit import Audit, audit
from benchmarks.responder.processes import Program, running
from benchmarks.responder.sender import Sender
from benchmarks.responder.site import NO_BRAKE, Neighbourhood, Site, workload_names
from benchmarks.responder.traffic import Pair, Traffic
from benchmarks.responder.world import Temper

_WORKLOADS = 100
#: Some 5 alerts a second, and each is told of twice, and again when it has ended.
_PACE_S = 0.5
_LAG_S = 2.0
#: Of the kills, while the responder starts.
_EARLY = 0.2
#: Seconds of life, once it is ready.
_LIFE_S = (0.05, 1.5)

SETTINGS: dict[str, Any] = {**NO_BRAKE, "reconcile_interval": "1s"}
#: Quick enough for an episode to get to its end within a few lives; a hard step last.
_QUICK = {"within": "500ms", "hold": "0s"}
LADDERS: dict[str, Any] = {
    "memory": {
        "steps": [
            {"action": "hook", "hook": "gc", "timeout": "1s", "verify": _QUICK},
            {"action": "hook", "hook": "cache-clear", "timeout": "1s", "verify": _QUICK},
            {"action": "restart", "timeout": "2s", "verify": _QUICK},
        ]
    }
}
_TEMPER = Temper({"gc": 0.5, "cache-clear": 0.5, "restart": 0.9}, takes_s=(0.0, 0.2), ends_after_s=0.5)


@dataclass(slots=True)
class Figures:
    """``early``: kills before it was ready. ``settled_s``: how long the last life worked on; None: to its limit."""

    kills: int = 0
    early: int = 0
    start_s: list[float] = field(default_factory=list)
    alerts: int = 0
    refused: int = 0
    broken: int = 0
    settled_s: float | None = None
    audit: Audit = field(default_factory=Audit)


async def crash(kills: int, seed: int, workdir: Path, progress: Progress) -> Figures:
    """``kills`` lives, and one more in which all comes to its end."""
    figures, rng = Figures(), random.Random(seed)
    near = Neighbourhood(workdir, workload_names(_WORKLOADS))
    site = Site(workdir, near, SETTINGS, LADDERS)
    async with AsyncExitStack() as exits:
        session = await exits.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        await exits.enter_async_context(running(near.program([site], _TEMPER, seed), session))
        responder = site.program()
        exits.push_async_callback(responder.kill)
        senders = (Sender(site.webhook, session), Sender(site.webhook, session))
        pair = Pair(senders, rng, _LAG_S)
        traffic = Traffic(near, session, pair, rng)
        async with asyncio.TaskGroup() as group:
            bringing = group.create_task(traffic.bring(_PACE_S, lambda: figures.kills >= kills))
            telling = group.create_task(traffic.tell_ends())
            await _kill_often(responder, session, figures, kills, rng, progress)
            await responder.launch()
            await responder.ready(session)
            await bringing
            figures.settled_s = await traffic.settle([site.url])
            telling.cancel()
        await responder.end()
        hits = await reading.seen(near, session)
    figures.alerts = len(pair.acknowledged)
    figures.refused, figures.broken = sum(s.refused for s in senders), sum(s.broken for s in senders)
    figures.audit = audit(pair.acknowledged, hits, await reading.file_ledger(site))
    return figures


async def _kill_often(
    responder: Program,
    session: aiohttp.ClientSession,
    figures: Figures,
    kills: int,
    rng: random.Random,
    progress: Progress,
) -> None:
    task = progress.add_task("crash: kills", total=kills)
    while figures.kills < kills:
        begin = time.perf_counter()
        await responder.launch()
        if figures.start_s and rng.random() < _EARLY:
            await asyncio.sleep(rng.uniform(0.02, figures.start_s[-1]))
            figures.early += 1
        else:
            await responder.ready(session)
            figures.start_s.append(time.perf_counter() - begin)
            await asyncio.sleep(rng.uniform(*_LIFE_S))
        await responder.kill()
        figures.kills += 1
        progress.advance(task)
