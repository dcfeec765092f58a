"""The way of an alert: from a rule through Alertmanager to the responder and to people."""

from grafana.dashboards.events import events
from grafana.dashboards.shapes import bars, gauge, in_range, lines, number, or_zero, rate, timeline
from grafana.dashboards.states import FIRING
from grafana.dashboards.steps import REAL, alerts
from grafana.dashboards.uids import TO_WORKLOAD, Uid
from grafana.lib import RUNBOOKS, Column, Dashboard, Heading, Key, Panel, Query, Table, Unit
from grafana.lib.thresholds import DEAD_MAN, FEW_WANTED, NONE_WANTED
from homeostat import names

KEYS = "alertname, workload, severity, remedy"
FIRES, PENDS = (f'ALERTS{{alertstate="{state}", {REAL}}}' for state in ("firing", "pending"))
LATENCY = "alertmanager_notification_latency_seconds"

NUMBERS = (
    number(
        "Firing",
        "Alerts of Prometheus's rules that fire now, but the one that always does.",
        or_zero(f"count({FIRES})", "ALERTS"),
        empty="no rules",
        thresholds=FEW_WANTED,
    ),
    number(
        "Critical",
        "Of these, those that mean that something does not do what it is for.",
        or_zero(f'count(ALERTS{{alertstate="firing", severity="critical", {REAL}}})', "ALERTS"),
        empty="no rules",
        thresholds=NONE_WANTED,
    ),
    number(
        "Age of the dead-man alert",
        "Since the alert that always fires arrived last at the responder: the whole way is open when this is small.",
        "time() - (max(homeostat_dead_man_timestamp_seconds) > 0)",
        empty="never came",
        unit=Unit.SECONDS,
        thresholds=DEAD_MAN,
        runbooks=("HomeostatDeadMan",),
    ),
    number(
        "Not delivered",
        "Notifications that Alertmanager could not deliver to anybody, in the time that is shown.",
        in_range("alertmanager_notifications_failed_total"),
        empty="no Alertmanager",
        thresholds=FEW_WANTED,
    ),
    number(
        "Silences",
        "Active ones. The responder does not act on what is silenced.",
        'sum(alertmanager_silences{state="active"})',
        empty="no Alertmanager",
    ),
    number(
        "Escalation tested",
        "Since a test of escalation last reached people: `homeostat escalate test`.",
        "time() - (max(homeostat_escalation_test_timestamp_seconds) > 0)",
        empty="never",
        unit=Unit.SECONDS,
        runbooks=("EscalationUntested",),
    ),
)
NOW = Panel(
    "Alerts now",
    "Pending: true, and not yet for long enough. A click on the name opens its runbook.",
    Unit.NONE,
    Table(
        keys=(
            Key("alertname", "Alert", f"{RUNBOOKS}/${{__value.raw}}.md"),
            Key(names.WORKLOAD, "Workload", TO_WORKLOAD),
            Key(names.SEVERITY, "Severity"),
            Key(names.REMEDY, "Remedy"),
        ),
        columns=(
            Column(
                "Is",
                f"max by ({KEYS}) ({FIRES} * 2 or {PENDS})",
                states=FIRING,
            ),
        ),
    ),
    width=24,
    height=7,
)
OVER_TIME = timeline(
    "Alerts over time",
    "Each rule, by the worst of its alerts.",
    FIRING,
    Query(
        alerts("alertname"),
        "{{alertname}}",
    ),
    width=24,
)
PROMETHEUS = (
    lines(
        "Duration of rules",
        "How long the last evaluation of each group took. Those that lead to repairs run every 2 s.",
        Unit.SECONDS,
        Query(
            'max by (group) (label_replace(prometheus_rule_group_last_duration_seconds, "group", "$1", "rule_group", '
            '".*;(.+)"))',
            "{{group}}",
        ),
        width=8,
    ),
    bars(
        "Rules in trouble",
        "Evaluations that were missed, as the last one took too long, and rules that failed.",
        Query("sum(increase(prometheus_rule_group_iterations_missed_total[$__rate_interval]))", "missed"),
        Query("sum(increase(prometheus_rule_evaluation_failures_total[$__rate_interval]))", "failed"),
        width=8,
    ),
    bars(
        "To Alertmanager",
        "Alerts that Prometheus sent, failed to send, or dropped.",
        Query("sum(increase(prometheus_notifications_sent_total[$__rate_interval]))", "sent"),
        Query("sum(increase(prometheus_notifications_errors_total[$__rate_interval]))", "failed"),
        Query("sum(increase(prometheus_notifications_dropped_total[$__rate_interval]))", "dropped"),
        width=8,
    ),
)
ALERTMANAGER = (
    lines(
        "Alerts in Alertmanager",
        "Suppressed ones are silenced, inhibited or muted.",
        Unit.COUNT,
        Query(gauge("alertmanager_alerts", "state"), "{{state}}"),
        width=8,
    ),
    bars(
        "Notifications",
        "To the responder (webhook) and to people, by the way they go.",
        Query(
            "sum by (integration) (increase(alertmanager_notifications_total[$__rate_interval])) > 0", "{{integration}}"
        ),
        Query(
            "sum by (integration) (increase(alertmanager_notifications_failed_total[$__rate_interval])) > 0",
            "{{integration}} failed",
        ),
        width=8,
    ),
    lines(
        "Time of a notification",
        "The mean, of those that were sent.",
        Unit.SECONDS,
        Query(
            f"{rate(f'{LATENCY}_sum', 'integration')} / ({rate(f'{LATENCY}_count', 'integration')} > 0)",
            "{{integration}}",
        ),
        width=8,
    ),
)
RESPONDER = (
    bars(
        "Webhook answers",
        "By HTTP status. 202: every alert of it is on disk. 503: nothing was taken, and Alertmanager sends it again.",
        Query("sum by (code) (increase(homeostat_webhook_requests_total[$__rate_interval])) > 0", "{{code}}"),
        width=8,
    ),
    bars(
        "Alerts taken in",
        "By what they changed. `repeated` changed nothing: Alertmanager sends again what lasts.",
        Query("sum by (effect) (increase(homeostat_webhook_alerts_total[$__rate_interval])) > 0", "{{effect}}"),
        width=8,
    ),
    lines(
        "Since the last comparison",
        "What a notification lost is mended from Alertmanager's own list, every 30 s as shipped.",
        Unit.SECONDS,
        Query("time() - (max(homeostat_reconcile_timestamp_seconds) > 0)", "compared"),
        width=8,
        runbooks=("ReconcileStale",),
    ),
)

ALERTING = Dashboard(
    uid=Uid.ALERTING,
    title="homeostat / Alerting",
    description="Alerts from the rule to the responder and to people: what fires, and whether the way is open.",
    annotations=events(),
    parts=(
        *NUMBERS,
        NOW,
        OVER_TIME,
        Heading("Prometheus"),
        *PROMETHEUS,
        Heading("Alertmanager"),
        *ALERTMANAGER,
        Heading("Responder"),
        *RESPONDER,
    ),
)
