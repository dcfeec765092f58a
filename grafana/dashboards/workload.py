"""One workload: what it did, what it used, what was done about it."""

from grafana.dashboards.dependencies import HEALTH_OF_NEEDED
from grafana.dashboards.events import events
from grafana.dashboards.shapes import bars, gauge, increase, lines, rate, timeline
from grafana.dashboards.states import (
    FIRING,
    GOOD_BAD,
    LEAK_VERDICTS,
    RUN_STATES,
    UNDER_WAY,
    WORKLOAD_HEALTH,
    state_number,
)
from grafana.dashboards.steps import alerts, under_way, worst
from grafana.dashboards.uids import TO_WORKLOAD, Uid
from grafana.lib import Column, Dashboard, Heading, Key, Panel, Query, Table, Unit, Variable
from grafana.lib.thresholds import FILLING
from homeostat import names

HERE = 'workload="$workload"'
INSTANCE = "container, process"
PROBE = "container, probe"


def per_instance(container_metric: str, process_metric: str, suffix: str = "") -> tuple[Query, Query]:
    """One series per instance, however many exporters see it."""
    return (
        Query(gauge(container_metric, INSTANCE, HERE) + (" > 0" if suffix else ""), "{{container}}" + suffix),
        Query(gauge(process_metric, INSTANCE, HERE) + (" > 0" if suffix else ""), "{{process}}" + suffix),
    )


STATE = (
    timeline(
        "State",
        "Each container as Docker tells it, each process as the guardian does. The worst of each step.",
        RUN_STATES,
        Query(
            state_number(names.CONTAINER_STATE, "state", RUN_STATES, INSTANCE, HERE, is_over_time=True), "{{container}}"
        ),
        Query(state_number(names.PROCESS_STATE, "state", RUN_STATES, INSTANCE, HERE, is_over_time=True), "{{process}}"),
        runbooks=("WorkloadDown", "WorkloadCrashLooping"),
    ),
    timeline(
        "Health",
        "What homeostat makes of processes, probes, Docker's health and dependencies together.",
        WORKLOAD_HEALTH,
        Query(
            state_number(names.WORKLOAD_HEALTH, "state", WORKLOAD_HEALTH, names.WORKLOAD, HERE, is_over_time=True),
            "health",
        ),
    ),
    timeline(
        "Probes",
        "Whether it answered, seen from outside. One failure within a step makes the step failing.",
        GOOD_BAD,
        Query(
            f"min by ({PROBE}) ({worst(f'{names.PROBE_SUCCESS}{{{HERE}}}', is_low_worse=True)})",
            "{{container}} {{probe}}",
        ),
        runbooks=("WorkloadUnresponsive", "WorkloadUnprobed"),
    ),
    timeline(
        "Alerts",
        "What Prometheus's rules said of it. An alert with a remedy calls the responder.",
        FIRING,
        Query(alerts("alertname", HERE), "{{alertname}}"),
    ),
)
DONE = (
    timeline(
        "Recoveries",
        "When the responder worked on it. Those shorter than its scrape interval may be missing here.",
        UNDER_WAY,
        Query(under_way(where=HERE), "recovery"),
    ),
    Panel(
        "What helped",
        "Each action that was taken here in the last 30 days: how often it helped, how long that took from the alert "
        "to the proof, and how often it did not last an hour. Nothing was done to a workload that is not in it.",
        Unit.NONE,
        Table(
            keys=(Key("action", "Action"),),
            columns=(
                Column("Helped", gauge("homeostat_action_success_ratio", "action", HERE), Unit.RATIO),
                Column("At least", gauge("homeostat_action_success_ratio_low", "action", HERE), Unit.RATIO),
                Column("Did not last", gauge("homeostat_action_recurrence_ratio", "action", HERE), Unit.RATIO),
                Column("Median", gauge("homeostat_action_recovery_median_seconds", "action", HERE), Unit.SECONDS),
            ),
        ),
    ),
    bars(
        "Restarts",
        "By Docker's restart policy or by the guardian, not by the responder.",
        Query(increase(names.CONTAINER_RESTARTS, INSTANCE, HERE), "{{container}}"),
        Query(increase(names.PROCESS_RESTARTS, INSTANCE, HERE), "{{process}}"),
        runbooks=("WorkloadRestarted",),
    ),
    bars(
        "OOM kills",
        "Processes that the kernel killed for lack of memory. A child's kill may leave the container running.",
        Query(increase(names.CONTAINER_OOM_KILLS, INSTANCE, HERE), "{{container}}"),
        runbooks=("WorkloadOOMKilled",),
    ),
)
USED = (
    lines(
        "Memory",
        "Anonymous memory of containers, which page cache does not hide, and resident memory of processes, each "
        "with its limit if it has one.",
        Unit.BYTES,
        *per_instance(names.CONTAINER_MEMORY_ANON, names.PROCESS_RSS),
        *per_instance(names.CONTAINER_MEMORY_LIMIT, names.PROCESS_MEMORY_LIMIT, " limit"),
        runbooks=("WorkloadMemoryHigh",),
    ),
    lines(
        "CPU",
        "CPU seconds per second: 1 is one core in full use.",
        Unit.COUNT,
        Query(f"max by ({INSTANCE}) (rate({names.CONTAINER_CPU}{{{HERE}}}[$__rate_interval]))", "{{container}}"),
        Query(f"max by ({INSTANCE}) (rate({names.PROCESS_CPU}{{{HERE}}}[$__rate_interval]))", "{{process}}"),
    ),
    lines(
        "Duration of probes",
        "How long the last check took. What slows down before it fails shows here first.",
        Unit.SECONDS,
        Query(gauge(names.PROBE_LAST_DURATION, PROBE, HERE), "{{container}} {{probe}}"),
        runbooks=("WorkloadProbeSlow",),
    ),
    lines(
        "Open files of the limit",
        "The process that is nearest to its own limit of open files. At 100 % nothing can be opened, nor connected to.",
        Unit.RATIO,
        Query(gauge("homeostat_container_worst_fd_ratio", INSTANCE, HERE), "{{container}}"),
        Query(gauge("homeostat_process_worst_fd_ratio", INSTANCE, HERE), "{{process}}"),
        thresholds=FILLING,
        runbooks=("WorkloadOpenFilesHigh",),
    ),
    lines(
        "Network",
        "Bytes per second over all networks of its own.",
        Unit.BYTES_RATE,
        Query(rate("homeostat_container_network_receive_bytes_total", "container", HERE), "{{container}} in"),
        Query(rate("homeostat_container_network_transmit_bytes_total", "container", HERE), "{{container}} out"),
    ),
    timeline(
        "Leaks",
        "What is said of each resource: warming may end by itself, a leak does not.",
        LEAK_VERDICTS,
        Query(
            state_number(names.LEAK_VERDICT, "verdict", LEAK_VERDICTS, "container, resource", HERE, is_over_time=True),
            "{{container}} {{resource}}",
        ),
        runbooks=("LeakConfirmed",),
    ),
)
NEEDS = Panel(
    "Needs",
    "The workloads that this one needs, and how they are: who is to blame may be one of them.",
    Unit.NONE,
    Table(
        keys=(Key("dependency", "Workload", TO_WORKLOAD),),
        columns=(
            Column(
                "Health",
                f"""max by (dependency) (
  {names.WORKLOAD_DEPENDENCY_INFO}{{{HERE}}} * on (dependency) group_left {HEALTH_OF_NEEDED}
)""",
                states=WORKLOAD_HEALTH,
            ),
        ),
    ),
    width=24,
    height=5,
)

WORKLOAD = Dashboard(
    uid=Uid.WORKLOAD,
    title="homeostat / Workload",
    description="One workload: its state, probes, resources, restarts and recoveries.",
    variables=(Variable("workload", "Workload", f"label_values({names.WORKLOAD_ENABLED}, workload)"),),
    annotations=events(HERE),
    parts=(*STATE, NEEDS, Heading("What was done"), *DONE, Heading("What it uses"), *USED),
)
