"""All workloads at a glance: is everything well, and could it be repaired if it were not?"""

from grafana.dashboards.events import events
from grafana.dashboards.recoveries import VERIFIED_SHARE
from grafana.dashboards.shapes import bars, lines, links, number, or_zero, timeline
from grafana.dashboards.states import DOCKER_HEALTH, FINALS, GOOD_BAD, UNDER_WAY, WORKLOAD_HEALTH, YES_NO, state_number
from grafana.dashboards.steps import under_way, worst
from grafana.dashboards.uids import TO_WORKLOAD, Uid
from grafana.lib import Column, Dashboard, Heading, Key, Panel, Query, Table, Unit
from grafana.lib.thresholds import AVAILABILITY, BUDGET_LEFT, BURN, DEAD_MAN, FEW_WANTED, FILLING, NONE_WANTED, SUCCESS
from homeostat import names

RUNNING = f"{names.CONTAINER_RUNNING} or {names.PROCESS_RUNNING}"
IS_ENABLED = f"and on (workload) {names.WORKLOAD_ENABLED} == 1"
DOCKER = state_number(names.CONTAINER_HEALTH, "health", DOCKER_HEALTH, names.WORKLOAD)
HEALTH = state_number(names.WORKLOAD_HEALTH, "state", WORKLOAD_HEALTH, names.WORKLOAD)


def memory_of_limit() -> str:
    """As the alert WorkloadMemoryHigh sees it; the fullest instance."""
    pairs = (
        (names.CONTAINER_MEMORY_ANON, names.CONTAINER_MEMORY_LIMIT, "workload, container"),
        (names.PROCESS_RSS, names.PROCESS_MEMORY_LIMIT, "workload, process"),
    )
    ratios = (f"max by ({by}) ({used}) / max by ({by}) ({limit} > 0)" for used, limit, by in pairs)
    return f"max by (workload) ({' or '.join(ratios)})"


IN_TROUBLE = f"""count(
  (
    max by (workload) ({RUNNING}) == 0
    or min by (workload) ({names.PROBE_HEALTHY}) == 0
    or {DOCKER} == 3
    or max by (workload) ({names.WORKLOAD_INSTANCES}) == 0
  ) {IS_ENABLED}
)"""
LEAKING = f'count(max by (workload, container, resource) ({names.LEAK_VERDICT}{{verdict=~"leak|exhausting"}}))'

NUMBERS = (
    number(
        "Workloads kept alive",
        "Workloads whose owner opted in to repair.",
        f"sum(max by (workload) ({names.WORKLOAD_ENABLED}))",
        empty="no exporter",
    ),
    number(
        "In trouble",
        "Of these, those that do not run or exist, fail a probe or are unhealthy to Docker, also if on purpose.",
        or_zero(IN_TROUBLE, names.WORKLOAD_ENABLED),
        empty="no exporter",
        thresholds=NONE_WANTED,
    ),
    number(
        "Open episodes",
        "Troubles that last, whether or not somebody or something still works on them.",
        "sum(homeostat_episodes_open)",
        empty="no responder",
        thresholds=NONE_WANTED,
    ),
    number(
        "Escalations undelivered",
        "People were to be called, and Alertmanager has not taken the call yet.",
        f"sum({names.ESCALATIONS_UNDELIVERED})",
        empty="no responder",
        thresholds=NONE_WANTED,
        runbooks=("EscalationUndelivered",),
    ),
    number(
        "Age of the dead-man alert",
        "Since the alert that always fires arrived last. Red: alerts no longer reach the responder (180 s by default).",
        "time() - (max(homeostat_dead_man_timestamp_seconds) > 0)",
        empty="never came",
        unit=Unit.SECONDS,
        thresholds=DEAD_MAN,
    ),
    number(
        "Failing collectors",
        "Parts of the measurements that are missing now. Alerts that rest on them cannot fire.",
        or_zero(f"count({names.SCRAPE_SUCCESS} == 0)", names.SCRAPE_SUCCESS),
        empty="no exporter",
        thresholds=NONE_WANTED,
    ),
    number(
        "Alerts firing",
        "All that fire now, but the one that always does.",
        or_zero(f'count(ALERTS{{alertstate="firing", alertname!="{names.ALERT_DEAD_MAN}"}})', "ALERTS"),
        empty="no rules",
        thresholds=FEW_WANTED,
    ),
    number(
        "Recoveries verified",
        "The share that is proven to have helped, of those that took a step and ended in the time that is shown.",
        VERIFIED_SHARE,
        empty="none",
        unit=Unit.RATIO,
        thresholds=SUCCESS,
    ),
    number(
        "Leaks",
        "Resources that will be used up unless something is done.",
        or_zero(LEAKING, names.LEAK_VERDICT),
        empty="none judged",
        thresholds=NONE_WANTED,
    ),
    number(
        "Damaged files",
        "Managed configuration files whose last good version is to be put back.",
        or_zero(f"count({names.CONFIG_DAMAGED} == 1)", names.CONFIG_DAMAGED),
        empty="none managed",
        thresholds=NONE_WANTED,
    ),
    number(
        "Memory of the host",
        "Used share: what programs cannot have without swapping.",
        "max(1 - homeostat_host_memory_available_bytes / homeostat_host_memory_total_bytes)",
        empty="no exporter",
        unit=Unit.RATIO,
        thresholds=FILLING,
    ),
    number(
        "Fullest file system",
        "Used share of the fullest that can be written to.",
        "max(1 - homeostat_host_filesystem_available_bytes"
        " / (homeostat_host_filesystem_size_bytes and homeostat_host_filesystem_readonly == 0))",
        empty="no exporter",
        unit=Unit.RATIO,
        thresholds=FILLING,
    ),
)

OBJECTIVE = f"max by (workload) ({names.WORKLOAD_OBJECTIVE})"
BUDGET_LEFT_NOW = f"1 - (1 - max by (workload) (workload:homeostat_availability:avg30d)) / (1 - {OBJECTIVE})"

FLEET = Table(
    keys=(Key(names.WORKLOAD, "Workload", TO_WORKLOAD),),
    columns=(
        Column("Repaired", f"max by (workload) ({names.WORKLOAD_ENABLED})", states=YES_NO),
        Column("Health", HEALTH, states=WORKLOAD_HEALTH),
        Column("Instances", f"max by (workload) ({names.WORKLOAD_INSTANCES})", Unit.COUNT),
        Column("Running", f"sum by (workload) (max by (workload, container, process) ({RUNNING}))", Unit.COUNT),
        Column("Probes", f"min by (workload) ({names.PROBE_HEALTHY})", states=GOOD_BAD),
        Column("Docker health", DOCKER, states=DOCKER_HEALTH),
        Column("Memory of limit", memory_of_limit(), Unit.RATIO, thresholds=FILLING),
        Column(
            "Available, day",
            "max by (workload) (workload:homeostat_availability:avg1d)",
            Unit.RATIO,
            thresholds=AVAILABILITY,
        ),
        Column(
            "Available, 30 days",
            "max by (workload) (workload:homeostat_availability:avg30d)",
            Unit.RATIO,
            thresholds=AVAILABILITY,
        ),
        Column("Promised", OBJECTIVE, Unit.RATIO),
        Column("Budget left", BUDGET_LEFT_NOW, Unit.RATIO, thresholds=BUDGET_LEFT),
        Column("Recoveries under way", "sum by (workload) (homeostat_recovery_active)", Unit.COUNT),
    ),
)

_WELL = " or ".join(
    worst(metric, is_low_worse=True) for metric in (names.CONTAINER_RUNNING, names.PROCESS_RUNNING, names.PROBE_SUCCESS)
)
WELL = f"min by (workload) ({_WELL}) {IS_ENABLED}"

OVERVIEW = Dashboard(
    uid=Uid.OVERVIEW,
    title="homeostat / Overview",
    description="All workloads, their recoveries, and whether homeostat sees and reaches them.",
    annotations=events(),
    parts=(
        *NUMBERS,
        Panel(
            "Workloads",
            "All that is watched, as it is now. Empty: not measured there. Memory is that of the fullest instance. "
            "Available: the share of the measured time in which it did what it is for. Budget left: of the failures "
            "that the objective allows, over the last 30 days as far as measured; below 0 the promise is broken.",
            Unit.NONE,
            FLEET,
            width=24,
            height=9,
            links=links(("WorkloadDown", "WorkloadUnresponsive", "WorkloadMissing", "WorkloadStopUnexplained")),
        ),
        lines(
            "Availability of the last hour",
            "Of each workload that is to be repaired: the share of the measured time in which it did what it is for.",
            Unit.RATIO,
            Query("max by (workload) (workload:homeostat_availability:avg1h)", "{{workload}}"),
        ),
        lines(
            "Pace of error budgets",
            "Of workloads with an objective: 1 uses up in 30 days what it allows, 14.4 two percent of that in an hour. "
            "Empty where nothing is promised: `objective` in homeostat.yml.",
            Unit.COUNT,
            Query("max by (workload) (workload:homeostat_error_budget_burn:avg1m)", "{{workload}}"),
            thresholds=BURN,
            runbooks=("ErrorBudgetBurnFast", "ErrorBudgetBurnSlow"),
        ),
        Heading("What happened"),
        timeline(
            "Workloads over time",
            "Good: all instances ran and all probes were good. One bad measurement within a step makes it failing.",
            GOOD_BAD,
            Query(WELL, "{{workload}}"),
        ),
        timeline(
            "Recoveries under way",
            "When the responder worked on which workload. Those shorter than its scrape interval may be missing here.",
            UNDER_WAY,
            Query(under_way(names.WORKLOAD), "{{workload}}"),
        ),
        bars(
            "Recoveries ended",
            "How recoveries ended. `escalated` needs a person; `self_resolved` ended before a step was taken.",
            Query("sum by (final) (increase(homeostat_recoveries_total[$__rate_interval]))", "{{final}}"),
            colors=FINALS,
        ),
        bars(
            "Steps taken",
            "Repair steps by what became of them; `applied` says that it was taken, not that it helped.",
            Query(
                "sum by (action, status) (increase(homeostat_steps_total[$__rate_interval])) > 0",
                "{{action}} {{status}}",
            ),
        ),
    ),
)
