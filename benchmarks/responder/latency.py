"""How long from an alert to the step against it, when nothing speaks against the step."""

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
from benchmarks.responder.alerts import body, delivered, firing
from benchmarks.responder.audit import Audit, audit
from benchmarks.responder.processes import running
from benchmarks.responder.sender import Sender
from benchmarks.responder.site import NO_BRAKE, Neighbourhood, Site, idle, workload_names
from benchmarks.responder.traffic import hold
from benchmarks.responder.world import Temper

_FOR_LONG_S = 86400.0
#: Between two alerts. Each workload is idle; some others are still being verified.
_PAUSE_S = (0.05, 0.25)
_SETTLE_S = 30.0
_TEMPER = Temper({"gc": 1.0}, ends_after_s=1.0)
#: With the brake as shipped, the sixth workload in trouble within two minutes would be a storm.
SETTINGS: dict[str, Any] = dict(NO_BRAKE)


@dataclass(slots=True)
class Figures:
    """``to_action_s``: from when the alert was sent until its hook was called, each; ``to_answer_s``: until the 202."""

    to_action_s: list[float] = field(default_factory=list)
    to_answer_s: list[float] = field(default_factory=list)
    audit: Audit = field(default_factory=Audit)


async def latency(alerts: int, seed: int, workdir: Path, progress: Progress) -> Figures:
    """One alert after another, each of a workload of its own; shipped ladder and verification."""
    figures, rng = Figures(), random.Random(seed)
    near = Neighbourhood(workdir, workload_names(alerts))
    site = Site(workdir, near, SETTINGS)
    sent: dict[str, float] = {}
    acknowledged: list[str] = []
    async with AsyncExitStack() as exits:
        session = await exits.enter_async_context(aiohttp.ClientSession())
        await exits.enter_async_context(running(near.program([site], _TEMPER, seed), session))
        responder = site.program()
        async with running(responder, session):
            sender = Sender(site.webhook, session)
            for workload in progress.track(near.workloads, description="alert to action"):
                alert = firing(workload, "p0", time.time())
                await hold(near, session, [alert], time.time() + _FOR_LONG_S)
                sent[workload] = time.time()
                await sender.deliver(body([delivered(alert)]))
                figures.to_answer_s.append(time.time() - sent[workload])
                acknowledged.append(alert.fingerprint)
                await asyncio.sleep(rng.uniform(*_PAUSE_S))
            await idle([site.url], session, _SETTLE_S)
            hits = await reading.seen(near, session)
        figures.audit = audit(acknowledged, hits, await reading.file_ledger(site))
    figures.to_action_s = [hit.at - sent[hit.workload] for hit in hits]
    return figures
