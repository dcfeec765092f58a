"""What the responder did, whether it helped, and how long it took."""

from grafana.dashboards.events import events
from grafana.dashboards.shapes import bars, gauge, in_range, lines, links, number, timeline
from grafana.dashboards.states import FINALS, FIRING, UNDER_WAY
from grafana.dashboards.steps import alerts, under_way
from grafana.dashboards.uids import TO_WORKLOAD, Uid
from grafana.lib import Column, Dashboard, Heading, Key, Panel, Query, Table, Unit
from grafana.lib.thresholds import FEW_WANTED, RECOVERY, SUCCESS
from homeostat import names

ENDED = "homeostat_recoveries_total"
DURATION = "homeostat_recovery_duration_seconds"
VERIFIED = 'final="verified"'
TOOK_A_STEP = 'final!="self_resolved"'
VERIFIED_SHARE = f"{in_range(ENDED, VERIFIED)} / ({in_range(ENDED, TOOK_A_STEP)} > 0)"
ACTION = "workload, action"


def quantile(share: float, window: str) -> str:
    """Of verified recoveries, from the alert's arrival to the proof."""
    return f"histogram_quantile({share}, sum by (le) (increase({DURATION}_bucket{{{VERIFIED}}}[{window}])))"


def mean(window: str) -> str:
    total, count = (f"sum(increase({DURATION}_{part}{{{VERIFIED}}}[{window}]))" for part in ("sum", "count"))
    return f"{total} / ({count} > 0)"


NUMBERS = (
    number(
        "Recoveries",
        "That ended in the time that is shown, whatever their end.",
        in_range(ENDED),
        empty="no responder",
    ),
    number(
        "Verified",
        "The share that is proven to have helped, of those that took a step.",
        VERIFIED_SHARE,
        empty="none",
        unit=Unit.RATIO,
        thresholds=SUCCESS,
    ),
    number(
        "Escalated",
        "People were called, in the time that is shown.",
        in_range(ENDED, 'final="escalated"'),
        empty="no responder",
        thresholds=FEW_WANTED,
    ),
    number(
        "Mean time to recovery",
        "From the alert's arrival to the proof, of verified recoveries in the time that is shown.",
        mean("$__range"),
        empty="none",
        unit=Unit.SECONDS,
        thresholds=RECOVERY,
    ),
    number(
        "95 of 100 within",
        "As the mean, by the histogram's buckets.",
        f"{quantile(0.95, '$__range')} >= 0",
        empty="none",
        unit=Unit.SECONDS,
        thresholds=RECOVERY,
    ),
    number(
        "Under way",
        "Recoveries that the responder works on or waits for now.",
        "sum(homeostat_recovery_active) or sum(homeostat_episodes_open) * 0",
        empty="no responder",
        thresholds=FEW_WANTED,
    ),
)
TIMELINE = (
    timeline(
        "Alerts that call the responder",
        "From firing to resolved, as Prometheus sees it. Those that are only recorded are left out.",
        FIRING,
        Query(alerts("workload, alertname", 'remedy!="", remedy!="record"'), "{{workload}} {{alertname}}"),
        width=24,
    ),
    timeline(
        "Recoveries under way",
        "When the responder worked on which workload. Those shorter than its scrape interval may be missing here.",
        UNDER_WAY,
        Query(under_way(names.WORKLOAD), "{{workload}}"),
        width=24,
    ),
)
ENDS = (
    bars(
        "Recoveries ended",
        "How recoveries ended. `escalated` needs a person; `self_resolved` ended before a step was taken.",
        Query(f"sum by (final) (increase({ENDED}[$__rate_interval]))", "{{final}}"),
        colors=FINALS,
        runbooks=("RecoverySuccessFalling",),
    ),
    lines(
        "Time to recovery",
        "From the alert's arrival to the proof, of verified recoveries. Gaps: none ended.",
        Unit.SECONDS,
        Query(mean("$__rate_interval"), "mean"),
        Query(f"{quantile(0.5, '$__rate_interval')} >= 0", "median"),
        Query(f"{quantile(0.95, '$__rate_interval')} >= 0", "95 of 100"),
        thresholds=RECOVERY,
    ),
)
LADDER = (
    bars(
        "Steps taken",
        "By what became of them; `applied` says that it was taken, not that it helped.",
        Query(
            "sum by (action, status) (increase(homeostat_steps_total[$__rate_interval])) > 0", "{{action}} {{status}}"
        ),
    ),
    bars(
        "Verdicts",
        "What verification found after a step. `inconclusive`: there was no data to tell.",
        Query(
            "sum by (action, verdict) (increase(homeostat_verdicts_total[$__rate_interval])) > 0",
            "{{action}} {{verdict}}",
        ),
    ),
    bars(
        "Refusals",
        "Why a step was not taken: caps, holds, maintenance, an alert that is over, a dependency that is to blame.",
        Query("sum by (reason) (increase(homeostat_refusals_total[$__rate_interval])) > 0", "{{reason}}"),
        runbooks=("CapsUsedUp",),
    ),
    lines(
        "Storm and measures",
        "Workloads in trouble at once while that is a storm, and effects of steps that will be put back.",
        Unit.COUNT,
        Query(gauge("homeostat_storm_workloads"), "workloads in the storm"),
        Query(gauge("homeostat_measures_active"), "measures that last"),
        runbooks=("HomeostatStorm",),
    ),
)
RECORD = Panel(
    "What helps whom",
    "Each action of each workload in the last 30 days. At least and at most: with 95 % confidence, which few steps "
    "leave wide. Did not last: the share of its recoveries that were broken again within an hour.",
    Unit.NONE,
    Table(
        keys=(Key(names.WORKLOAD, "Workload", TO_WORKLOAD), Key("action", "Action")),
        columns=(
            Column("Helped", gauge("homeostat_action_success_ratio", ACTION), Unit.RATIO, thresholds=SUCCESS),
            Column("At least", gauge("homeostat_action_success_ratio_low", ACTION), Unit.RATIO),
            Column("At most", gauge("homeostat_action_success_ratio_high", ACTION), Unit.RATIO),
            Column("Did not last", gauge("homeostat_action_recurrence_ratio", ACTION), Unit.RATIO),
            Column(
                "Median", gauge("homeostat_action_recovery_median_seconds", ACTION), Unit.SECONDS, thresholds=RECOVERY
            ),
        ),
    ),
    width=24,
    links=links((names.ALERT_ESCALATION, names.ALERT_STORM, names.ALERT_APPROVAL)),
)

RECOVERIES = Dashboard(
    uid=Uid.RECOVERIES,
    title="homeostat / Recoveries",
    description="What the responder did: when, which steps, with what success, how fast.",
    annotations=events(),
    parts=(
        *NUMBERS,
        *TIMELINE,
        Heading("Ends"),
        *ENDS,
        Heading("Steps of the ladders"),
        *LADDER,
        RECORD,
    ),
)
