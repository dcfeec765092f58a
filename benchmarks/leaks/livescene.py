"""Several shops side by side under one homeostat: what is started and what is written down while they leak."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.leaks.livestory import is_repaired
from chaos.faults.leaks import LEAKS
from chaos.harness import Stack, free_ports
from chaos.load import Load, steady
from chaos.shop import ComposeShop
from chaos.timeline import Follower
from homeostat.clock import Clock
from homeostat.errors import Permanent

#: The copy that leaks nothing.
NONE = "none"
#: Applications that have nothing to do with each other leak at the same time here: no storm, and no cap that they
#: share. What one workload may get is as shipped.
SETTINGS: Mapping[str, Any] = {
    "responder": {
        "storm": {"workloads": 50},
        "caps": [{"count": 3, "window": "15m"}, {"count": 10, "window": "1d"}],
    }
}
_POLL_S = 5.0
#: What is kept of the time after the last repair.
_AFTERWARDS_S = 150.0
#: After exhaustion, for an alert that it leads to.
_OVERTIME_S = 120.0
#: What is asked of Prometheus at the end, about the shops' web services.
QUERIES: Mapping[str, str] = {
    "alerts": 'ALERTS{alertstate="firing",workload=~"%s"}',
    "verdict": 'homeostat_leak_verdict{workload=~"%s"} == 1',
    "exhaustion": 'homeostat_leak_exhaustion_timestamp_seconds{workload=~"%s",estimate="median"}',
    "memory": 'homeostat_container_memory_anon_bytes{workload=~"%s"}',
    "memory_limit": 'homeostat_container_memory_limit_bytes{workload=~"%s"}',
    "fds": 'homeostat_container_open_fds{workload=~"%s"}',
    "threads": 'homeostat_container_pids{workload=~"%s"}',
    "connections": 'app_pool_connections{workload=~"%s",pool="postgres",state="used"}',
}
_STEP_S = 5.0


@dataclass(slots=True)
class Shop:
    """One copy. ``leak``: a name of LEAKS, or NONE. ``onset``: epoch seconds."""

    leak: str
    compose: ComposeShop
    load: Load
    onset: float = 0.0


@dataclass(slots=True)
class Scene:
    """All copies under load, and the homeostat that watches them."""

    stack: Stack
    shops: Sequence[Shop]
    follower: Follower
    session: aiohttp.ClientSession
    clock: Clock
    said: Callable[[str], None] = field(default=lambda _text: None)

    async def leak(self, minutes: float) -> None:
        """Begin everywhere but in the leak-free copy, whose onset is that of the others."""
        for shop in self.shops:
            shop.onset = self.clock.now()
            if shop.leak != NONE:
                await LEAKS[shop.leak].inject(shop.compose, minutes)

    async def follow(self, minutes: float) -> None:
        """Until all is repaired and a little longer, or the last would have been exhausted."""
        deadline = max(shop.onset for shop in self.shops) + minutes * 60 + _OVERTIME_S
        told: dict[str, str] = {}
        done_at: float | None = None
        while self.clock.now() < deadline:
            rows = {shop.leak: await self.recoveries(shop) for shop in self.shops}
            for name, found in rows.items():
                text = "; ".join(f"{row['alert']} {row['final'] or 'open'}" for row in found)
                if text != told.get(name, ""):
                    told[name] = text
                    self.said(f"{name}: {text}")
            leaking = [name for name in rows if name != NONE]
            is_done = bool(leaking) and all(is_repaired(rows[name]) for name in leaking)
            done_at = (done_at or self.clock.now()) if is_done else None
            if done_at is not None and self.clock.now() - done_at >= _AFTERWARDS_S:
                return
            await self.clock.sleep(_POLL_S)

    async def recoveries(self, shop: Shop) -> list[Mapping[str, Any]]:
        """Those of the web service since it was there, oldest first; empty when the responder does not answer now."""
        with contextlib.suppress(TimeoutError, aiohttp.ClientError, OSError):
            return await self.follower.recoveries(shop.compose.workload, 0)
        return []

    async def ranges(self, since: float, until: float) -> dict[str, list[Mapping[str, Any]]]:
        """``QUERIES`` over that time, as Prometheus gives them: ``metric`` and ``values`` [time, text]."""
        workloads = "|".join(f"{shop.compose.project}/.*" for shop in self.shops)
        found = {}
        for name, query in QUERIES.items():
            expression = query % workloads
            params = {"query": expression, "start": f"{since}", "end": f"{until}", "step": f"{_STEP_S}"}
            url = f"{self.stack.settings.responder.prometheus_url}/api/v1/query_range"
            async with asyncio.timeout(30), self.session.get(url, params=params) as response:
                body = await response.json()
            if body["status"] != "success":
                raise Permanent(f"Prometheus refused {expression}: {body.get('error')}")
            found[name] = body["data"]["result"]
        return found


@contextlib.asynccontextmanager
async def stage(folder: Path, leaks: Sequence[str], clock: Clock, said: Callable[[str], None]) -> AsyncIterator[Scene]:
    """Start everything, and end it afterwards, whatever happens."""
    async with contextlib.AsyncExitStack() as exits:
        composes: list[ComposeShop] = []
        for leak, port in zip(leaks, free_ports(len(leaks)), strict=True):
            compose = ComposeShop(f"{folder.name}-{leak}".lower(), port, folder / f"logs-{leak}")
            exits.push_async_callback(compose.down)
            await compose.up()
            composes.append(compose)
            said(f"{compose.project} is up")
        stack = Stack(folder, "compose", SETTINGS)
        stack.configure()
        exits.push_async_callback(stack.down)
        await stack.up()
        session = await exits.enter_async_context(aiohttp.ClientSession())
        shops = [
            Shop(leak, compose, await exits.enter_async_context(steady(f"{compose.url}/items", clock)))
            for leak, compose in zip(leaks, composes, strict=True)
        ]
        follower = Follower(f"http://{stack.settings.responder.listen}", session, clock)
        yield Scene(stack, shops, follower, session, clock, said)
