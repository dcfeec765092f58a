"""The shop and a homeostat of its own, together: what the demo shows and the recovery benchmark measures."""

import contextlib
import random
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from chaos.faults import FAULTS
from chaos.harness import Stack, free_ports
from chaos.load import Load, steady
from chaos.shop import ComposeShop, NativeShop, Victim, native_sections
from chaos.timeline import Follower, Timeline, contradictions
from homeostat.clock import Clock
from homeostat.errors import Unreachable
from homeostat.steps import Verification

#: The scene breaks one service far more often than a service ever breaks; everything else is as shipped.
MANY_CAPS = {"responder": {"caps": [{"count": 1000, "window": "1h"}], "cooldown": "0s"}}
_STEADY_DEADLINE_S = 90.0
_FAULT_DEADLINE_S = 90.0
#: prometheus/prometheus.yml: how often the exporter is scraped.
_SCRAPE_S = 2.0


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything runs, the shop answers, load flows."""

    stack: Stack
    victim: Victim
    load: Load
    follower: Follower
    clock: Clock

    async def play(self, fault: str, show: Callable[[Timeline], None]) -> tuple[Timeline, list[str]]:
        """Break it, follow the repair to its end, and ask users and the request log whether it is true."""
        await self.wait_until_steady()
        # The last repair ended in step with scrapes and evaluations; a fault comes at any moment between two.
        await self.clock.sleep(random.uniform(0, _SCRAPE_S))  # noqa: S311 - no secret
        fault_at = self.clock.now()
        await FAULTS[fault].inject(self.victim)
        timeline = await self.follower.follow(fault, self.victim.workload, fault_at, _FAULT_DEADLINE_S, show)
        await self.clock.sleep(1.5)  # requests of the second after the claim end by then
        return timeline, await contradictions(timeline, self.victim, self.load, Verification().hold)

    async def wait_until_steady(self) -> None:
        """Until the shop answers, nothing is being repaired, and the last start's grace is over. Raises Unreachable."""
        good_since: float | None = None
        start = self.clock.now()
        settings = self.stack.settings
        needed_s = 12.0
        while self.clock.now() < start + _STEADY_DEADLINE_S:
            recent = self.load.between(self.clock.now() - 1.0, self.clock.now())
            is_good = bool(recent) and all(request.is_good for request in recent)
            busy = [r for r in await self.follower.recoveries(self.victim.workload, 0) if not r["closed_at"]]
            if not is_good or busy:
                good_since = None
            elif good_since is None:
                good_since = self.clock.now()
            elif self.clock.now() - good_since >= needed_s:
                return
            await self.clock.sleep(0.25)
        raise Unreachable(
            f"the shop at {self.victim.url} is not well after {_STEADY_DEADLINE_S:g} s; see {settings.state_dir}"
        )


@contextlib.asynccontextmanager
async def stage(mode: str, workdir: Path, clock: Clock, *, docker: bool = False) -> AsyncIterator[Scene]:
    """Start the shop and homeostat in ``mode`` (compose or native), and end both afterwards, whatever happens.

    ``docker``: a native homeostat watches the engine's containers, too, whoever's they are.
    """
    web, worker, redis, postgres = free_ports(4)
    state = workdir / "state"
    async with contextlib.AsyncExitStack() as exits:
        if mode == "compose":
            shop = ComposeShop(f"{workdir.name}-shop".lower(), web, workdir / "logs")
            victim: Victim = shop
            stack = Stack(workdir, mode, MANY_CAPS)
            stack.configure()
            exits.push_async_callback(shop.down)
            await shop.up()
        else:
            victim = NativeShop(state, web, state / "requests.jsonl")
            sections = native_sections(state, (web, worker, redis, postgres), sys.executable)
            stack = Stack(workdir, mode, {**MANY_CAPS, **sections, "docker": {"enabled": docker}})
            stack.configure()
            state.mkdir(parents=True, exist_ok=True)
        exits.push_async_callback(stack.down)
        await stack.up()
        yield await exits.enter_async_context(observe(stack, victim, clock))


@contextlib.asynccontextmanager
async def observe(stack: Stack, victim: Victim, clock: Clock) -> AsyncIterator[Scene]:
    """A scene over what runs already: load flows and the responder is followed while the block runs."""
    async with aiohttp.ClientSession() as session, steady(f"{victim.url}/items", clock) as load:
        follower = Follower(f"http://{stack.settings.responder.listen}", session, clock)
        yield Scene(stack, victim, load, follower, clock)
