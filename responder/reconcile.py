"""Mend what notifications lost: compare our episodes with Alertmanager's own list; deliver what was not delivered."""

from collections.abc import Awaitable, Callable

import structlog

from homeostat import names
from homeostat.alertmanager_api import AlertmanagerClient, AlertState, HeldAlert, PostedAlert
from homeostat.clock import Clock
from homeostat.errors import HomeostatError
from responder.escalate import Escalation
from responder.intake import Intake
from responder.ledger import Alert, Episode, Final, Store, StoreError
from responder.metrics import Metrics

log = structlog.get_logger()

#: After an episode ends, Alertmanager may list its alert a little longer (evaluation, group interval).
_LINGER_S = 60.0
_DEAD_MAN_LASTS_S = 600.0

#: Whether an episode's trouble is over whose alert has been gone for so many seconds.
IsOver = Callable[[Episode, float], Awaitable[bool]]


class Reconciler:
    """Called every ``reconcile_interval``, and at once when there is an escalation to deliver."""

    def __init__(
        self,
        store: Store,
        alertmanager: AlertmanagerClient,
        intake: Intake,
        metrics: Metrics,
        clock: Clock,
        *,
        is_over: IsOver,
    ) -> None:
        self._store = store
        self._alertmanager = alertmanager
        self._escalation = Escalation(alertmanager)
        self._intake = intake
        self._metrics = metrics
        self._clock = clock
        self._is_over = is_over
        self._gone_since: dict[int, float] = {}
        self._dead_man_seen = clock.now()
        self._dead_man_told = False

    def dead_man(self) -> None:
        """The dead-man alert has arrived."""
        self._dead_man_seen = self._clock.now()
        self._dead_man_told = False
        self._metrics.dead_man.set(self._dead_man_seen)

    async def run(self, interval_s: float, dead_man_timeout_s: float) -> None:
        """Until cancelled."""
        while True:
            await self._clock.sleep(interval_s)
            await self.once()
            await self._check_dead_man(dead_man_timeout_s)

    async def once(self) -> None:
        """One comparison. What cannot be reached now is mended the next time."""
        try:
            held = {alert.fingerprint: alert for alert in await self._alertmanager.held('remedy=~".+"')}
            await self._adopt(held)
            await self._release(held)
            await self._repost()
            self._metrics.reconciled.set(self._clock.now())
        except (HomeostatError, StoreError) as err:
            log.warning("reconcile.failed", error=str(err))
        await self._count()

    async def deliver(self, episode: Episode) -> None:
        """Tell people about an escalated episode, now; a failure is mended by :meth:`once`."""
        await self._post(episode)
        await self._count()

    async def _post(self, episode: Episode) -> None:
        try:
            if episode.final is Final.ESCALATED and episode.closed_at is None:
                entries = await self._store.entries(episode.id)
                await self._escalation.post(episode, entries, self._clock.now())
                if episode.delivered_at is None:
                    await self._store.delivered(episode, self._clock.now())
        except (HomeostatError, StoreError) as err:
            log.error("escalation.undelivered", recovery=episode.id, error=str(err))  # noqa: TRY400 - says it all

    async def _adopt(self, held: dict[str, HeldAlert]) -> None:
        """Active alerts that never reached us."""
        known = {episode.fingerprint for episode in await self._store.open_episodes()}
        ended = {e.fingerprint: e.closed_at for e in reversed(await self._store.episodes(1000)) if e.closed_at}
        now = self._clock.now()
        for alert in held.values():
            last_end = ended.get(alert.fingerprint)
            lingers = last_end is not None and now - last_end < _LINGER_S
            if alert.state is not AlertState.ACTIVE or alert.fingerprint in known or lingers:
                continue
            # It is active now, whatever its start says: Alertmanager merges a new firing into an old start.
            starts_at = max(alert.starts_at, (last_end or 0.0) + 0.001)
            found = Alert(alert.fingerprint, alert.labels, alert.annotations, starts_at, is_firing=True)
            accepted = await self._store.accept([found], now)
            for episode in accepted.opened:
                log.warning("episode.adopted", recovery=episode.id, workload=episode.workload, alert=episode.alert)
                self._intake.wake(episode.workload)

    async def _release(self, held: dict[str, HeldAlert]) -> None:
        """Escalated episodes whose alert has ended *and* that look well: then the call to people is over too.

        An alert that is gone proves nothing: Alertmanager forgets alerts when it restarts.
        """
        now = self._clock.now()
        escalated = [e for e in await self._store.open_episodes() if e.final is Final.ESCALATED]
        self._gone_since = {e.id: self._gone_since.get(e.id, now) for e in escalated if e.fingerprint not in held}
        for episode in escalated:
            gone_since = self._gone_since.get(episode.id)
            if gone_since is None:
                continue
            if await self._is_over(episode, now - gone_since):
                await self._escalation.resolve(episode, now)
                await self._store.close_episode(episode, "its alert has ended", now)

    async def _repost(self) -> None:
        for episode in await self._store.open_episodes():
            await self._post(episode)

    async def _count(self) -> None:
        try:
            counts = await self._store.counts()
        except StoreError:
            return
        self._metrics.open_episodes.set(counts.open)
        self._metrics.undelivered.set(counts.undelivered)

    async def _check_dead_man(self, timeout_s: float) -> None:
        now = self._clock.now()
        if now - self._dead_man_seen < timeout_s:
            return
        if not self._dead_man_told:
            log.error("dead_man.missing", last_seen=self._dead_man_seen, timeout_s=timeout_s)
            self._dead_man_told = True
        alert = PostedAlert(
            labels={"alertname": "HomeostatDeadManMissing", names.SEVERITY: "critical"},
            annotations={
                "summary": "The path from Prometheus through Alertmanager to homeostat is broken.",
                "description": f"No dead-man alert has arrived for {now - self._dead_man_seen:.0f} s.",
            },
            starts_at=self._dead_man_seen + timeout_s,
            ends_at=now + _DEAD_MAN_LASTS_S,
        )
        try:
            await self._alertmanager.post([alert])
        except HomeostatError as err:
            log.error("dead_man.undelivered", error=str(err))  # noqa: TRY400 - says it all
