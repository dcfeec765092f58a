"""All workloads and homeostat itself at a glance: is everything well, and could it be repaired if it were not?"""

from grafana.dashboards.states import GOOD_BAD, UNDER_WAY
from grafana.dashboards.workload import WORKLOAD
from grafana.lib import Color, Column, Dashboard, Panel, Query, Stat, State, StateTimeline, Table, TimeSeries, Unit
from homeostat import names

RUNNING = f"{names.CONTAINER_RUNNING} or {names.PROCESS_RUNNING}"
IS_ENABLED = f"and on (workload) {names.WORKLOAD_ENABLED} == 1"
#: The worst of all containers wins: the numbers rise with the trouble.
HEALTH = (
    State(0, "no check", Color.GREY),
    State(1, "healthy", Color.GREEN),
    State(2, "starting", Color.BLUE),
    State(3, "unhealthy", Color.RED),
)
YES_NO = (State(0, "no", Color.GREY), State(1, "yes", Color.GREEN))


def health() -> str:
    """Docker's own health checks, as the number of ``HEALTH``."""
    found = " or ".join(
        f'{names.CONTAINER_HEALTH}{{health="{label}"}} * {number}'
        for label, number in (("healthy", 1), ("starting", 2), ("unhealthy", 3))
    )
    return f"max by (workload) ({found})"


def memory_of_limit() -> str:
    """As the alert WorkloadMemoryHigh sees it; the fullest instance."""
    pairs = (
        (names.CONTAINER_MEMORY_ANON, names.CONTAINER_MEMORY_LIMIT, "workload, container"),
        (names.PROCESS_RSS, names.PROCESS_MEMORY_LIMIT, "workload, process"),
    )
    ratios = (f"max by ({by}) ({used}) / max by ({by}) ({limit} > 0)" for used, limit, by in pairs)
    return f"max by (workload) ({' or '.join(ratios)})"


def number_panel(title: str, description: str, view: Stat, unit: Unit = Unit.COUNT) -> Panel:
    return Panel(title, description, unit, view, width=4, height=4)


IN_TROUBLE = f"""count(
  (
    max by (workload) ({RUNNING}) == 0
    or min by (workload) ({names.PROBE_HEALTHY}) == 0
    or {health()} == 3
    or max by (workload) ({names.WORKLOAD_INSTANCES}) == 0
  ) {IS_ENABLED}
) or count({names.WORKLOAD_ENABLED}) * 0"""

NUMBERS = (
    number_panel(
        "Workloads kept alive",
        "Workloads whose owner opted in to repair.",
        Stat(Query(f"sum(max by (workload) ({names.WORKLOAD_ENABLED}))"), empty="no exporter"),
    ),
    number_panel(
        "In trouble",
        "Of these, those that do not run or exist, fail a probe or are unhealthy to Docker, also if on purpose.",
        Stat(Query(IN_TROUBLE), empty="no exporter", red_from=1),
    ),
    number_panel(
        "Open episodes",
        "Troubles that last, whether or not somebody or something still works on them.",
        Stat(Query("sum(homeostat_episodes_open)"), empty="no responder", red_from=1),
    ),
    number_panel(
        "Escalations undelivered",
        "People were to be called, and Alertmanager has not taken the call yet.",
        Stat(Query(f"sum({names.ESCALATIONS_UNDELIVERED})"), empty="no responder", red_from=1),
    ),
    number_panel(
        "Age of the dead-man alert",
        "Since the alert that always fires arrived last. Red: alerts no longer reach the responder (180 s by default).",
        Stat(Query("time() - (max(homeostat_dead_man_timestamp_seconds) > 0)"), empty="never came", red_from=180),
        Unit.SECONDS,
    ),
    number_panel(
        "Failing collectors",
        "Parts of the measurements that are missing now. Alerts that rest on them cannot fire.",
        Stat(
            Query(f"count({names.SCRAPE_SUCCESS} == 0) or count({names.SCRAPE_SUCCESS}) * 0"),
            empty="no exporter",
            red_from=1,
        ),
    ),
)

FLEET = Table(
    row_label=names.WORKLOAD,
    row_header="Workload",
    row_link=f"/d/{WORKLOAD.uid}?var-workload=${{__value.raw}}",
    columns=(
        Column("Repaired", f"max by (workload) ({names.WORKLOAD_ENABLED})", Unit.NONE, YES_NO),
        Column("Instances", f"max by (workload) ({names.WORKLOAD_INSTANCES})", Unit.COUNT),
        Column("Running", f"sum by (workload) (max by (workload, container, process) ({RUNNING}))", Unit.COUNT),
        Column("Probes", f"min by (workload) ({names.PROBE_HEALTHY})", Unit.NONE, GOOD_BAD),
        Column("Docker health", health(), Unit.NONE, HEALTH),
        Column("Memory of limit", memory_of_limit(), Unit.RATIO),
        Column("Recoveries under way", "sum by (workload) (homeostat_recovery_active)", Unit.COUNT),
    ),
)

WELL = f"""min by (workload) (
  min_over_time({names.CONTAINER_RUNNING}[$__interval])
  or min_over_time({names.PROCESS_RUNNING}[$__interval])
  or min_over_time({names.PROBE_SUCCESS}[$__interval])
) {IS_ENABLED}"""

OVERVIEW = Dashboard(
    uid="homeostat-overview",
    title="homeostat / Overview",
    description="All workloads, their recoveries, and homeostat itself.",
    tags=("homeostat",),
    panels=(
        *NUMBERS,
        Panel(
            "Workloads",
            "All that is watched, as it is now. Empty: not measured there. Memory is that of the fullest instance.",
            Unit.NONE,
            FLEET,
            width=24,
            height=10,
        ),
        Panel(
            "Workloads over time",
            "Good: all instances ran and all probes were good. One bad measurement within a step makes it failing.",
            Unit.NONE,
            StateTimeline((Query(WELL, "{{workload}}"),), GOOD_BAD),
        ),
        Panel(
            "Recoveries under way",
            "When the responder worked on which workload. Those shorter than its scrape interval may be missing here.",
            Unit.NONE,
            StateTimeline(
                (
                    Query(
                        "clamp_max(max by (workload) (max_over_time(homeostat_recovery_active[$__interval])), 1)",
                        "{{workload}}",
                    ),
                ),
                UNDER_WAY,
            ),
        ),
        Panel(
            "Recoveries ended",
            "How recoveries ended. `escalated` needs a person; `self_resolved` ended before a step was taken.",
            Unit.COUNT,
            TimeSeries(
                (Query("sum by (final) (increase(homeostat_recoveries_total[$__rate_interval]))", "{{final}}"),),
                has_bars=True,
            ),
        ),
        Panel(
            "Steps taken",
            "Repair steps by what became of them; `applied` says that it was taken, not that it helped.",
            Unit.COUNT,
            TimeSeries(
                (
                    Query(
                        "sum by (action, status) (increase(homeostat_steps_total[$__rate_interval])) > 0",
                        "{{action}} {{status}}",
                    ),
                ),
                has_bars=True,
            ),
        ),
        Panel(
            "Collectors",
            "Whether each part of the measurements succeeded. One failure within a step makes it failing.",
            Unit.NONE,
            StateTimeline(
                (
                    Query(
                        f"min by (job, collector) (min_over_time({names.SCRAPE_SUCCESS}[$__interval]))",
                        "{{job}} {{collector}}",
                    ),
                ),
                GOOD_BAD,
            ),
        ),
        Panel(
            "Duration of collectors",
            "A collector that nears the scrape's timeout, 1.9 s for the exporter, fails soon.",
            Unit.SECONDS,
            TimeSeries((Query(f"max by (job, collector) ({names.SCRAPE_DURATION})", "{{job}} {{collector}}"),)),
        ),
    ),
)
