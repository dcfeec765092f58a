"""Collects what the page shows: from the ledger, the settings, Prometheus and the responder's own plans.

However many look at it, it is collected once in a while, and never waits long: what does not answer is "not known".
"""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Sequence

from aiohttp import web

from homeostat import names
from homeostat.errors import HomeostatError
from homeostat.prometheus_api import PrometheusClient
from responder import holds
from responder.ledger import Episode, Hold
from responder.pages.plans import Plans
from responder.pages.rungs import Planned
from responder.pages.status import Known, Rules, status_of
from responder.pages.troubles import Story, record_of
from responder.pages.view import Record, Status
from responder.pages.workloads import Health
from responder.parts import Parts

#: Of the newest open episodes; a plan asks Alertmanager, Prometheus and the engine.
_MOST_TROUBLES = 20
_MOST_ENDED = 10
_LOOKED_THROUGH = 100
#: A page is as old as this at most; so often it is made, however many ask.
_FRESH_S = 0.5
#: How the workloads are, and the hold file: dearer to ask, slower to change.
_SLOW_S = 2.0
#: While something is open, what is planned is looked at so often.
_PLANS_S = 10.0
#: For all answers of others together: somebody waits for the page.
_PATIENCE_S = 2.0


class Board:
    """One for the process. Raises StoreError where the ledger cannot be read."""

    def __init__(self, parts: Parts, prometheus: PrometheusClient) -> None:
        self.parts = parts
        self._prometheus = prometheus
        self._plans = Plans(parts)
        self._key = secrets.token_bytes(32)
        self._looking = asyncio.Lock()
        self._slow: tuple[Health, list[Hold]] = Health(problem="not asked yet"), []
        self._slow_at = self._version_at = self._status_at = float("-inf")
        self._version = ""
        self._status: Status | None = None

    async def status(self) -> Status:
        async with self._looking:
            version, mono = await self._current_version(), self.parts.clock.monotonic()
            if self._status is None or version != self._status.version or mono - self._status_at >= _FRESH_S:
                self._status, self._status_at = status_of(await self._known(version)), mono
            return self._status

    async def version(self) -> str:
        """Changes when what the page shows may have changed; cheap to ask."""
        async with self._looking:
            return await self._current_version()

    async def record(self, number: int) -> Record:
        """Raises NoEpisode."""
        episode = await self.parts.store.episode(number)
        async with self._looking:
            version = await self._current_version()
            [plan] = await self._plans.of([episode])
        return record_of(await self._story(episode, plan), version)

    def forget(self) -> None:
        """Something was just changed through the page: whoever did it sees it at once."""
        self._version_at = self._status_at = float("-inf")

    def seal(self, recovery: int, entry: int) -> str:
        """What a form about this question of this recovery carries: only we can make it, and only for that."""
        return self._signed(f"{recovery}/{entry}")

    def _signed(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()

    async def _current_version(self) -> str:
        clock, store = self.parts.clock, self.parts.store
        if clock.monotonic() - self._version_at >= _FRESH_S:
            newest, counts = await store.links(-1, 1), await store.counts()
            health, held = await self._slowly()
            seen = (
                [(line.id, line.digest) for line in newest],
                counts,
                sorted((sorted(s.labels.items()), s.value) for s in (*health.states, *health.reasons)),
                health.problem,
                held,
                id(self.parts.live.settings),
                self._storm(),
                # Plans change with things that nobody writes down.
                clock.now() // _PLANS_S if counts.open else 0,
            )
            # With our key: pages of an earlier life hold forms that we no longer take.
            self._version = self._signed(repr(seen))[:16]
            self._version_at = clock.monotonic()
        return self._version

    async def _slowly(self) -> tuple[Health, list[Hold]]:
        clock, store = self.parts.clock, self.parts.store
        if clock.monotonic() - self._slow_at >= _SLOW_S:
            in_file = asyncio.to_thread(holds.from_file, holds.file_of(self.parts.live.settings))
            health, from_file = await asyncio.gather(self._health(), in_file)
            self._slow, self._slow_at = (health, from_file), clock.monotonic()
        health, from_file = self._slow
        now = clock.now()
        every = [*from_file, *await store.holds()]
        return health, [hold for hold in every if hold.until is None or now < hold.until]

    async def _health(self) -> Health:
        ask = self._prometheus.query
        try:
            async with asyncio.timeout(_PATIENCE_S):
                states, reasons = await asyncio.gather(
                    ask(f"{names.WORKLOAD_HEALTH} == 1"), ask(f"{names.WORKLOAD_HEALTH_INFO} == 1")
                )
        except TimeoutError:
            return Health(problem=f"Prometheus did not answer within {_PATIENCE_S:g} s")
        except HomeostatError as err:
            return Health(problem=str(err))
        problem = "" if states else "Prometheus has no measurement of any workload; does the exporter run?"
        return Health(states, reasons, problem)

    async def _known(self, version: str) -> Known:
        store = self.parts.store
        health, held = await self._slowly()
        newest, counts = await store.open_episodes(_MOST_TROUBLES), await store.counts()
        plans = await self._plans.of(newest)
        stories = [await self._story(episode, plan) for episode, plan in zip(newest, plans, strict=True)]
        over = [each for each in await store.episodes(_LOOKED_THROUGH) if each.final and each.closed_at][:_MOST_ENDED]
        return Known(
            version=version,
            now=self.parts.clock.now(),
            health=health,
            stories=stories,
            open_count=counts.open,
            ended=[(episode, await store.entries(episode.id)) for episode in over],
            rules=self._rules(held),
        )

    def _rules(self, held: Sequence[Hold]) -> Rules:
        settings = self.parts.live.settings
        responder = settings.responder
        return Rules(held, responder.maintenance, tuple(settings.workloads), responder.dry_run, self._storm())

    def _storm(self) -> int:
        return self.parts.brake.storm(self.parts.live.settings.responder.storm, self.parts.clock.now())

    async def _story(self, episode: Episode, plan: Sequence[Planned] | None) -> Story:
        entries = await self.parts.store.entries(episode.id)
        return Story(episode, entries, plan, self.seal, self.parts.clock.now())


BOARD = web.AppKey("board", Board)
