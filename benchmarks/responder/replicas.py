"""Two responders that share a Redis, a pair of Alertmanagers that tell both of everything, slow links between them all:
nothing is done twice.
"""

import asyncio
import itertools
import random
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from rich.progress import Progress

from benchmarks.responder import crash, reading
from benchmarks.responder.alerts import Firing
from benchmarks.responder.audit import Audit, audit
from benchmarks.responder.processes import kept_ports, running
from benchmarks.responder.servers import AlertmanagerPair, redis
from benchmarks.responder.site import NO_BRAKE, Neighbourhood, Site, series, workload_names
from benchmarks.responder.slowlink import SlowLink
from benchmarks.responder.slowwebhook import SlowWebhook
from benchmarks.responder.traffic import Traffic
from benchmarks.responder.world import Temper
from responder.redisstore.place import Place
from responder.store_redis import RedisStore

_WORKLOADS = 200
_PACE_S = 0.4
#: One way, in seconds: at least, and at most more.
_TO_RESPONDER = (0.02, 0.2)
#: Of so many answers to deliveries one is lost.
_LOST = 20
_TO_ALERTMANAGER = (0.01, 0.05)
_TO_REDIS = (0.0003, 0.001)
#: Of one responder's link to Redis, in turn: some shorter than its lease of a workload, one longer.
_STALLS_S = (0.5, 2.0, 18.0, 6.0)
_BETWEEN_STALLS_S = (2.0, 6.0)
_RECEIVED = 'homeostat_webhook_requests_total{code="202"}'
_TEMPER = Temper({"gc": 0.5, "cache-clear": 0.5, "restart": 1.0}, takes_s=(0.0, 0.2), ends_after_s=1.0)
SETTINGS: dict[str, Any] = {**NO_BRAKE, "reconcile_interval": "5s"}


@dataclass(slots=True)
class Figures:
    """``received``: deliveries that the two responders took. ``untold``: alerts that ended before one was taken.
    ``settled_s``: None when they worked on to the limit.
    """

    alerts: int = 0
    untold: int = 0
    received: float = 0.0
    stalls: int = 0
    settled_s: float | None = None
    audit: Audit = field(default_factory=Audit)


@dataclass(slots=True)
class _Prometheus:
    """Tells the pair, which tells the responders."""

    pair: AlertmanagerPair
    session: aiohttp.ClientSession

    async def tell(self, alerts: Sequence[Firing], ended_at: float | None) -> None:
        await self.pair.tell(self.session, alerts, ended_at)


@dataclass(slots=True)
class _Stage:
    """All that runs."""

    near: Neighbourhood
    sites: list[Site]
    teller: _Prometheus
    hooks: list[SlowWebhook]
    redis_links: list[SlowLink]
    redis_url: str


async def replicas(alerts: int, seed: int, workdir: Path, progress: Progress) -> Figures:
    """``alerts`` troubles. Raises servers.Missing."""
    figures, rng = Figures(), random.Random(seed)
    async with AsyncExitStack() as exits:
        session = await exits.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        stage = await _set(workdir, seed, session, rng, exits)
        traffic = Traffic(stage.near, session, stage.teller, rng)
        task = progress.add_task("replicas: alerts", total=alerts)

        def is_enough() -> bool:
            progress.update(task, completed=len(traffic.sent))
            return len(traffic.sent) >= alerts

        async with asyncio.TaskGroup() as group:
            telling = group.create_task(traffic.tell_ends())
            stalling = group.create_task(_stall(stage.redis_links, figures, rng))
            await traffic.bring(_PACE_S, is_enough)
            stalling.cancel()
            figures.settled_s = await traffic.settle([site.url for site in stage.sites])
            telling.cancel()
        figures.received = sum([sum(await series(s.url, session, _RECEIVED)) for s in stage.sites])
        hits = await reading.seen(stage.near, session)
        acknowledged = set[str]().union(*(hook.acknowledged for hook in stage.hooks))
        figures.alerts, figures.untold = len(traffic.sent), len(traffic.sent.keys() - acknowledged)
        store = await RedisStore.open(Place(stage.redis_url))
        try:
            figures.audit = audit(sorted(acknowledged), hits, await reading.ledger(store))
        finally:
            await store.close()
    return figures


async def _set(
    workdir: Path, seed: int, session: aiohttp.ClientSession, rng: random.Random, exits: AsyncExitStack
) -> _Stage:
    near = Neighbourhood(workdir, workload_names(_WORKLOADS))
    redis_port = kept_ports(1)[0]
    await exits.enter_async_context(running(redis(workdir, redis_port), session))

    async def link(port: int, slowness: tuple[float, float]) -> SlowLink:
        return await exits.enter_async_context(SlowLink(port, *slowness, rng).serving())

    ports = kept_ports(2)
    hooks = [
        await exits.enter_async_context(
            SlowWebhook(f"http://127.0.0.1:{port}/webhook/alertmanager", session, *_TO_RESPONDER, _LOST, rng).serving()
        )
        for port in (*ports, *ports)
    ]
    pair = AlertmanagerPair(workdir, ([hook.url for hook in hooks[:2]], [hook.url for hook in hooks[2:]]))
    programs = pair.programs()
    for program in programs:  # each is ready only once it has met the other
        await program.launch()
        exits.push_async_callback(program.kill)
    for program in programs:
        await program.ready(session)
    to_redis = [await link(redis_port, _TO_REDIS) for _ in ports]
    to_pair = [await link(port, _TO_ALERTMANAGER) for port in pair.ports[:2]]
    sites = [
        Site(workdir / f"responder{number}", near, _settings(to_pair[number], to_redis[number]), crash.LADDERS, port)
        for number, port in enumerate(ports)
    ]
    await exits.enter_async_context(running(near.program(sites, _TEMPER, seed), session))
    for site in sites:
        await exits.enter_async_context(running(site.program(), session))
    return _Stage(near, sites, _Prometheus(pair, session), hooks, to_redis, f"redis://127.0.0.1:{redis_port}")


def _settings(to_alertmanager: SlowLink, to_redis: SlowLink) -> dict[str, Any]:
    return {
        **SETTINGS,
        "alertmanager_url": f"http://127.0.0.1:{to_alertmanager.port}",
        "store": {"redis": f"redis://127.0.0.1:{to_redis.port}"},
    }


async def _stall(links: Sequence[SlowLink], figures: Figures, rng: random.Random) -> None:
    """Until cancelled."""
    for seconds in itertools.cycle(_STALLS_S):
        await asyncio.sleep(rng.uniform(*_BETWEEN_STALLS_S))
        figures.stalls += 1
        await rng.choice(links).stall(seconds)
