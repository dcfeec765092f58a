"""Mend what notifications lost: compare our episodes with Alertmanager's own list; deliver what was not delivered."""

import asyncio
import dataclasses
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence

import structlog

from homeostat.alertmanager_api import AlertState, HeldAlert
from homeostat.clock import Clock
from homeostat.errors import HomeostatError
from responder.escalate import Escalation
from responder.intake import Intake
from responder.ledger import Alert, Entry, Episode, Final, Store, StoreError
from responder.metrics import Metrics

log = structlog.get_logger()

#: So long after an episode ends its alert may still be told of: evaluation, group interval, clocks that differ.
_LINGER_S = 60.0
#: Episodes that are held in memory at once.
_PAGE = 200

#: Whether an episode's trouble is over whose alert has been gone for so many seconds.
IsOver = Callable[[Episode, float], Awaitable[bool]]


class Reconciler:
    """Called every ``reconcile_interval``, and at once when there is an escalation to deliver."""

    def __init__(
        self,
        store: Store,
        escalation: Escalation,
        intake: Intake,
        metrics: Metrics,
        clock: Clock,
        *,
        held: Callable[[], AsyncIterator[Sequence[HeldAlert]]],
        is_over: IsOver,
    ) -> None:
        self._store = store
        self._escalation = escalation
        self._intake = intake
        self._metrics = metrics
        self._clock = clock
        self._held = held
        self._is_over = is_over
        self._gone_since: dict[int, float] = {}
        self._once = asyncio.Lock()

    async def run(self, interval_s: float) -> None:
        """Until cancelled."""
        while True:
            await self._clock.sleep(interval_s)
            await self.once()

    async def once(self) -> None:
        """One comparison. What cannot be reached now is mended the next time."""
        async with self._once:
            try:
                gone = {e.fingerprint: e.id async for page in self._escalated() for e in page}
                async for alerts in self._held():
                    await self._adopt(alerts)
                    for alert in alerts:
                        gone.pop(alert.fingerprint, None)
                await self._release(gone.values())
                await self._repost()
                self._metrics.reconciled.set(self._clock.now())
            except (HomeostatError, StoreError) as err:
                log.warning("reconcile.failed", error=str(err))
            await self._count()

    async def deliver(self, episode: Episode) -> None:
        """Tell people about an escalated episode, now; a failure is mended by :meth:`once`."""
        if episode.final is Final.ESCALATED and episode.closed_at is None:
            await self._post([episode])
        await self._count()

    async def answered(self, episode: Episode, asked: Entry) -> None:
        """A person has answered: nobody has to be asked any more. Not told, the question ends by itself."""
        try:
            await self._escalation.answered(episode, asked, self._clock.now())
        except HomeostatError as err:
            log.warning("approval.undelivered", recovery=episode.id, error=str(err))

    async def _post(self, episodes: Sequence[Episode]) -> None:
        try:
            told = [(episode, await self._store.entries(episode.id)) for episode in episodes]
            await self._escalation.post(told, self._clock.now())
            if new := [episode for episode in episodes if episode.delivered_at is None]:
                await self._store.delivered(new, self._clock.now())
        except (HomeostatError, StoreError) as err:
            ids = [episode.id for episode in episodes[:10]]
            log.error("escalation.undelivered", recoveries=ids, error=str(err))  # noqa: TRY400 - says it all

    async def _adopt(self, held: Sequence[HeldAlert]) -> None:
        """Active alerts that never reached us.

        Alertmanager goes on listing an alert whose end it was not told for minutes, so one that had an episode counts
        only when Prometheus told of it again after that.
        """
        now = self._clock.now()
        active = [alert for alert in held if alert.state is AlertState.ACTIVE]
        ends = await self._store.last_ends([alert.fingerprint for alert in active])
        for alert in active:
            if alert.updated_at <= ends.get(alert.fingerprint, -math.inf) + _LINGER_S:
                continue
            found = Alert(alert.fingerprint, alert.labels, alert.annotations, alert.starts_at, is_firing=True)
            accepted = await self._store.accept([found], now)
            if not accepted.opened:
                # It is active now, whatever its start says: Alertmanager merges a new firing into an old start.
                accepted = await self._store.accept([dataclasses.replace(found, starts_at=now)], now)
            for episode in accepted.opened:
                log.warning("episode.adopted", recovery=episode.id, workload=episode.workload, alert=episode.alert)
                self._intake.wake(episode.workload)

    async def _release(self, gone: Iterable[int]) -> None:
        """Escalated episodes whose alert has ended *and* that look well: then the call to people is over too.

        An alert that is gone proves nothing: Alertmanager forgets alerts when it restarts.
        """
        now = self._clock.now()
        gone_since = {episode_id: self._gone_since.get(episode_id, now) for episode_id in gone}
        self._gone_since = gone_since
        for episode_id, since in gone_since.items():
            episode = await self._store.episode(episode_id)
            if await self._is_over(episode, now - since):
                await self._escalation.resolve(episode, now)
                await self._store.close_episode(episode, "its alert has ended", now)

    async def _repost(self) -> None:
        async for page in self._escalated():
            await self._post(page)

    async def _escalated(self) -> AsyncIterator[list[Episode]]:
        """Those whose trouble lasts, a page at a time."""
        last_id = 0
        while page := await self._store.escalated(last_id, _PAGE):
            yield page
            last_id = page[-1].id

    async def _count(self) -> None:
        try:
            counts = await self._store.counts()
        except StoreError:
            return
        self._metrics.open_episodes.set(counts.open)
        self._metrics.undelivered.set(counts.undelivered)
