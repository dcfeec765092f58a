"""All of the responder's own metrics, in one object that takes a registry; known combinations start at 0."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from homeostat import names
from responder.actions import ACTIONS
from responder.engine import Status
from responder.ledger import Final
from responder.verify import Verdict

_SECONDS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600)


class Metrics:
    """``registry`` is the process's own; nothing global."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(name, text, labels, registry=registry)

        self.registry = registry
        self.deliveries = counter("homeostat_webhook_requests_total", "Webhook requests by HTTP status.", "code")
        self.alerts = counter("homeostat_webhook_alerts_total", "Alerts taken in, by what they changed.", "effect")
        self.steps = counter("homeostat_steps_total", "Steps taken, by action and outcome.", "action", "status")
        self.verdicts = counter(
            "homeostat_verdicts_total", "Verifications, by action and verdict.", "action", "verdict"
        )
        self.refusals = counter("homeostat_refusals_total", "Steps not taken, by reason.", "reason")
        self.recoveries = counter("homeostat_recoveries_total", "Recoveries ended, by their final state.", "final")
        self.duration = Histogram(
            "homeostat_recovery_duration_seconds",
            "From the alert's arrival to the recovery's final state.",
            ["final"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.active = gauge("homeostat_recovery_active", "Recoveries under way.", names.WORKLOAD)
        self.open_episodes = gauge("homeostat_episodes_open", "Episodes whose trouble lasts.")
        self.undelivered = gauge(names.ESCALATIONS_UNDELIVERED, "Escalations that Alertmanager has not taken yet.")
        self.escalation_tested = gauge(
            "homeostat_escalation_test_timestamp_seconds",
            "When a test of escalation last reached people, 0 for never.",
        )
        self.storm = gauge("homeostat_storm_workloads", "Workloads in trouble at once, 0 while that is no storm.")
        self.measures = gauge("homeostat_measures_active", "Effects of steps that last and will be put back.")
        self.ledger_head = gauge(
            "homeostat_ledger_head", "The first 48 bits of the newest ledger line's digest, as a number."
        )
        self.ledger_lines = gauge("homeostat_ledger_lines", "Lines of the ledger.")
        of_action = (names.WORKLOAD, "action")
        self.success_ratio = gauge(
            "homeostat_action_success_ratio", "Share of an action's steps that helped, last 30 days.", *of_action
        )
        self.success_low = gauge(
            "homeostat_action_success_ratio_low", "The least that share may be, with 95 % confidence.", *of_action
        )
        self.success_high = gauge(
            "homeostat_action_success_ratio_high", "The most that share may be, with 95 % confidence.", *of_action
        )
        self.recurrence_ratio = gauge(
            "homeostat_action_recurrence_ratio",
            "Share of its recoveries that did not last an hour.",
            *of_action,
        )
        self.recovery_median = gauge(
            "homeostat_action_recovery_median_seconds", "From the alert to the verified recovery, median.", *of_action
        )
        self.clock_jumps = counter(
            "homeostat_clock_jumps_total", "How often the wall clock was set, nudges of NTP aside."
        )
        self.dead_man = gauge(
            "homeostat_dead_man_timestamp_seconds", "When the dead-man alert arrived last, 0 for never."
        )
        self.reconciled = gauge(
            "homeostat_reconcile_timestamp_seconds", "When episodes were last compared with Alertmanager."
        )
        self.reload_ok = gauge(names.CONFIG_RELOAD_OK, "Whether the last reload of homeostat.yml succeeded.")
        self.reload_at = gauge(names.CONFIG_RELOAD_TIMESTAMP, "When homeostat.yml was last loaded with success.")
        self._start_at_zero()

    def _start_at_zero(self) -> None:
        for code in ("202", "400", "401", "408", "413", "503"):
            self.deliveries.labels(code)
        for effect in ("opened", "resolved", "repeated"):
            self.alerts.labels(effect)
        for action in ACTIONS:
            for status in Status:
                self.steps.labels(action, status.value)
            for verdict in Verdict:
                self.verdicts.labels(action, verdict.value)
        for final in Final:
            self.recoveries.labels(final.value)
            self.duration.labels(final.value)
