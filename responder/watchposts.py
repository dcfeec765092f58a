"""What the responder tells people on its own account: that the alert path is broken, that it has stopped in a storm."""

from collections.abc import Callable

import structlog

from homeostat import names
from homeostat.alertmanager_api import AlertmanagerClient, PostedAlert
from homeostat.clock import Clock
from homeostat.clockjumps import jump_s, read
from homeostat.errors import HomeostatError
from homeostat.settings import Settings
from responder.brake import Brake
from responder.escalate import Escalation
from responder.metrics import Metrics

log = structlog.get_logger()

_LOOK_S = 5.0
_DEAD_MAN_LASTS_S = 600.0
#: A storm is told again before the alert of the last time ends.
_STORM_LASTS_S = 60.0


class DeadMan:
    """Missed when the alert that always fires has not arrived for too long."""

    def __init__(self, alertmanager: AlertmanagerClient, metrics: Metrics, clock: Clock) -> None:
        self._alertmanager = alertmanager
        self._metrics = metrics
        self._clock = clock
        self._seen_at = clock.now()
        self._is_told = False

    def seen(self) -> None:
        """It has arrived."""
        self._seen_at = self._clock.now()
        self._is_told = False
        self._metrics.dead_man.set(self._seen_at)

    async def run(self, interval_s: float, timeout_s: float) -> None:
        """Until cancelled."""
        while True:
            await self._clock.sleep(interval_s)
            await self.check(timeout_s)

    async def check(self, timeout_s: float) -> None:
        """Tell people when it is missing."""
        now = self._clock.now()
        if now - self._seen_at < timeout_s:
            return
        if not self._is_told:
            log.error("dead_man.missing", last_seen=self._seen_at, timeout_s=timeout_s)
            self._is_told = True
        alert = PostedAlert(
            labels={"alertname": names.ALERT_DEAD_MAN_MISSING, names.SEVERITY: "critical"},
            annotations={
                "summary": "The path from Prometheus through Alertmanager to homeostat is broken.",
                "description": f"No dead-man alert has arrived for {now - self._seen_at:.0f} s.",
            },
            starts_at=self._seen_at + timeout_s,
            ends_at=now + _DEAD_MAN_LASTS_S,
        )
        try:
            await self._alertmanager.post([alert])
        except HomeostatError as err:
            log.error("dead_man.undelivered", error=str(err))  # noqa: TRY400 - says it all


class StormWatch:
    """Tells people while the brake is on, within seconds."""

    def __init__(
        self, brake: Brake, escalation: Escalation, settings: Callable[[], Settings], metrics: Metrics, clock: Clock
    ) -> None:
        self._brake = brake
        self._escalation = escalation
        self._settings = settings
        self._metrics = metrics
        self._clock = clock
        self._since: float | None = None
        self._told_at = 0.0

    def is_storm(self) -> bool:
        """Now."""
        return self._brake.storm(self._settings().responder.storm, self._clock.now()) > 0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._clock.sleep(_LOOK_S)
            await self.check()

    async def check(self) -> None:
        """Tell people when it begins, and again while it lasts."""
        now = self._clock.now()
        workloads = self._brake.storm(self._settings().responder.storm, now)
        self._metrics.storm.set(workloads)
        if not workloads:
            if self._since is not None:
                log.warning("storm.over", lasted_s=round(now - self._since, 1))
            self._since, self._told_at = None, 0.0
            return
        if self._since is None:
            self._since = now
            log.error("storm.began", workloads=workloads)
        if now - self._told_at < _STORM_LASTS_S / 2:
            return
        try:
            await self._escalation.storm(workloads, self._since, now + _STORM_LASTS_S)
            self._told_at = now
        except HomeostatError as err:
            log.error("storm.undelivered", error=str(err))  # noqa: TRY400 - says it all


class ClockWatch:
    """Says when the wall clock was set: caps, approvals and times in the ledger rest on it. After the host has slept
    (WSL 2, a notebook), what follows in the log is to be read with that in mind.
    """

    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock
        self._last = read(clock)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._clock.sleep(_LOOK_S)
            self.check()

    def check(self) -> None:
        """Once, now."""
        now = read(self._clock)
        if by_s := jump_s(self._last, now):
            log.warning("clock.jumped", seconds=round(by_s, 1))
            self._metrics.clock_jumps.inc()
        self._last = now
