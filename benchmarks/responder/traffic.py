"""Troubles that come for as long as a scenario runs, and how Alertmanager tells of them."""

import asyncio
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import aiohttp

from benchmarks.responder.alerts import Firing, body, delivered, firing, posted
from benchmarks.responder.sender import Sender
from benchmarks.responder.site import Neighbourhood, idle

_FOR_LONG_S = 86400.0
_LOOK_S = 0.2
#: At the end: how long responders work by themselves, and then in all.
_UNAIDED_S = 20.0
_LIMIT_S = 180.0


class Teller(Protocol):
    """How a responder comes to know of alerts."""

    async def tell(self, alerts: Sequence[Firing], ended_at: float | None) -> None: ...


@dataclass(slots=True)
class Pair:
    """The halves of a pair deliver the same, the second at most ``lag_s`` later, each until it is acknowledged.

    ``acknowledged``: fingerprints that fire, from their first 2xx on.
    """

    senders: tuple[Sender, Sender]
    rng: random.Random
    lag_s: float
    acknowledged: list[str] = field(default_factory=list)

    async def tell(self, alerts: Sequence[Firing], ended_at: float | None) -> None:
        status = "firing" if ended_at is None else "resolved"
        bytes_ = body((delivered(alert, ended_at) for alert in alerts), status)
        first, second = self.rng.sample(self.senders, 2)
        await first.deliver(bytes_)
        if ended_at is None:
            self.acknowledged += [alert.fingerprint for alert in alerts]
        await asyncio.sleep(self.rng.uniform(0, self.lag_s))
        await second.deliver(bytes_)


async def hold(near: Neighbourhood, session: aiohttp.ClientSession, alerts: Sequence[Firing], ends_at: float) -> None:
    """Have the neighbours know of these alerts, that they are in trouble or, with an end in the past, no longer."""
    bytes_ = json.dumps([posted(alert, ends_at) for alert in alerts]).encode()
    async with session.post(f"{near.url}/api/v2/alerts", data=bytes_) as response:
        response.raise_for_status()


@dataclass(slots=True)
class Traffic:
    """``together``: at most so many alerts in one notification."""

    near: Neighbourhood
    session: aiohttp.ClientSession
    teller: Teller
    rng: random.Random
    together: int = 4
    sent: dict[str, Firing] = field(default_factory=dict)
    _ended: set[str] = field(default_factory=set)

    async def bring(self, pace_s: float, is_enough: Callable[[], bool]) -> None:
        """A notification every ``pace_s`` on average; returns when all have been taken."""
        async with asyncio.TaskGroup() as group:
            while not is_enough():
                alerts = self._next()
                self.sent |= {alert.fingerprint: alert for alert in alerts}
                await hold(self.near, self.session, alerts, time.time() + _FOR_LONG_S)
                group.create_task(self.teller.tell(alerts, None))
                await asyncio.sleep(self.rng.expovariate(1 / pace_s))

    async def tell_ends(self) -> None:
        """Of troubles that were repaired; until cancelled."""
        known = 0
        async with asyncio.TaskGroup() as group:
            while True:
                async with self.session.get(f"{self.near.url}/bench/seen?hits=1000000&ended={known}") as response:
                    names = (await response.json())["ended"]
                known += len(names)
                if new := [self.sent[name] for name in names if name not in self._ended]:
                    self._ended.update(names)
                    group.create_task(self.teller.tell(new, time.time()))
                await asyncio.sleep(_LOOK_S)

    async def settle(self, urls: Sequence[str]) -> float | None:
        """Wait until these responders have nothing left to do; what they could not mend, people do after a while.

        Seconds, or None when they still work at the limit.
        """
        unaided = await idle(urls, self.session, _UNAIDED_S)
        if unaided is not None:
            return unaided
        rest = [alert for name, alert in self.sent.items() if name not in self._ended]
        now = time.time()
        await hold(self.near, self.session, rest, now)
        self._ended.update(alert.fingerprint for alert in rest)
        await self.teller.tell(rest, now)
        aided = await idle(urls, self.session, _LIMIT_S)
        return None if aided is None else _UNAIDED_S + aided

    def _next(self) -> list[Firing]:
        workloads = self.rng.sample(self.near.workloads, self.rng.randint(1, self.together))
        first, now = len(self.sent), time.time()
        return [firing(workload, f"n{first + number}", now) for number, workload in enumerate(workloads)]
