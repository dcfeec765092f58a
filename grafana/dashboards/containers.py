"""All containers side by side: which one is different from the others?"""

from grafana.dashboards.events import events
from grafana.dashboards.shapes import areas, bars, gauge, increase, lines, links, number, or_zero, rate, timeline
from grafana.dashboards.states import DOCKER_HEALTH, RUN_STATES, state_number
from grafana.dashboards.uids import TO_WORKLOAD, Uid
from grafana.lib import Column, Dashboard, Heading, Key, Panel, Query, Table, Unit, Variable
from grafana.lib.thresholds import FEW_WANTED, FILLING, NONE_WANTED, WAITING
from homeostat import names

CHOSEN = 'workload=~"$workload"'
EACH = "workload, container"
NAME = "{{container}}"
THROTTLED, PERIODS = (f"homeostat_container_cpu_{name}_total" for name in ("throttled_periods", "periods"))


def of_limit(used: str, limit: str) -> str:
    """A limit of 0 is none."""
    return f"{gauge(used, EACH, CHOSEN)} / ({gauge(limit, EACH, CHOSEN)} > 0)"


MEMORY_OF_LIMIT = of_limit(names.CONTAINER_MEMORY_ANON, names.CONTAINER_MEMORY_LIMIT)
RESTARTS = f"max by ({EACH}) (increase({names.CONTAINER_RESTARTS}{{{CHOSEN}}}[$__range]))"
CPU = f"max by ({EACH}) (rate({names.CONTAINER_CPU}{{{CHOSEN}}}[$__rate_interval]))"

NUMBERS = (
    number(
        "Running",
        "Containers whose process exists, paused ones too.",
        f"sum(max by ({EACH}) ({names.CONTAINER_RUNNING}{{{CHOSEN}}}))",
        empty="no containers",
    ),
    number(
        "Ended by themselves",
        "Containers that do not run, and were not stopped through the engine.",
        or_zero(
            f"count(max by ({EACH}) ({names.CONTAINER_RUNNING}{{{CHOSEN}}} == 0"
            f" and on ({EACH}) {names.CONTAINER_STOPPED} == 0))",
            f"{names.CONTAINER_RUNNING}{{{CHOSEN}}}",
        ),
        empty="no containers",
        thresholds=NONE_WANTED,
    ),
    number(
        "Unhealthy to Docker",
        "By the health checks of their images or of the compose file.",
        or_zero(
            f'count({names.CONTAINER_HEALTH}{{{CHOSEN}, health="unhealthy"}} == 1)',
            f"{names.CONTAINER_RUNNING}{{{CHOSEN}}}",
        ),
        empty="no containers",
        thresholds=NONE_WANTED,
    ),
    number(
        "Restarts",
        "By restart policies, in the time that is shown.",
        f"round(sum({RESTARTS}))",
        empty="no containers",
        thresholds=FEW_WANTED,
    ),
    number(
        "OOM kills",
        "Processes in them that the kernel ended for lack of memory, in the time that is shown.",
        f"round(sum(max by ({EACH}) (increase({names.CONTAINER_OOM_KILLS}{{{CHOSEN}}}[$__range]))))",
        empty="no containers",
        thresholds=NONE_WANTED,
    ),
    number(
        "Fullest memory",
        "Anonymous memory of the container that is nearest to its limit.",
        f"max({MEMORY_OF_LIMIT})",
        empty="no limits",
        unit=Unit.RATIO,
        thresholds=FILLING,
    ),
)
LIST = Panel(
    "Containers",
    "As they are now; restarts of the time that is shown. Empty: no limit, no health check, or not measured.",
    Unit.NONE,
    Table(
        keys=(Key("container", "Container"), Key(names.WORKLOAD, "Workload", TO_WORKLOAD)),
        columns=(
            Column("State", state_number(names.CONTAINER_STATE, "state", RUN_STATES, EACH, CHOSEN), states=RUN_STATES),
            Column(
                "Docker health",
                state_number(names.CONTAINER_HEALTH, "health", DOCKER_HEALTH, EACH, CHOSEN),
                states=DOCKER_HEALTH,
            ),
            Column("CPU", CPU, Unit.COUNT),
            Column("Memory", gauge(names.CONTAINER_MEMORY_ANON, EACH, CHOSEN), Unit.BYTES),
            Column("Of limit", MEMORY_OF_LIMIT, Unit.RATIO, thresholds=FILLING),
            Column("Tasks", gauge(names.CONTAINER_PIDS, EACH, CHOSEN), Unit.COUNT),
            Column("Restarts", f"round({RESTARTS})", Unit.COUNT),
            Column("Started", f"{gauge(names.CONTAINER_STARTED, EACH, CHOSEN)} * 1000", Unit.AGO),
        ),
    ),
    width=24,
    height=9,
    links=links(("WorkloadDown", "WorkloadRestarted")),
)
MEMORY = (
    areas(
        "Memory",
        "Anonymous memory, on each other: what all of them need together.",
        Unit.BYTES,
        Query(gauge(names.CONTAINER_MEMORY_ANON, EACH, CHOSEN), NAME),
    ),
    lines(
        "Memory of the limit",
        "What counts against the limit and cannot be given back. At 100 % the kernel kills.",
        Unit.RATIO,
        Query(MEMORY_OF_LIMIT, NAME),
        thresholds=FILLING,
        runbooks=("WorkloadMemoryHigh",),
    ),
    lines(
        "Page cache and shared memory",
        "Page cache (`cache`) is given back when memory is needed, shared memory and tmpfs (`shared`) are not.",
        Unit.BYTES,
        Query(gauge("homeostat_container_memory_file_bytes", EACH, CHOSEN), f"{NAME} cache"),
        Query(gauge(names.CONTAINER_MEMORY_SHMEM, EACH, CHOSEN), f"{NAME} shared"),
    ),
    bars(
        "Limits met and OOM kills",
        "How often a container met its memory limit and memory had to be found, and processes that were killed for it.",
        Query(increase("homeostat_container_memory_max_events_total", EACH, CHOSEN), f"{NAME} limit met"),
        Query(increase(names.CONTAINER_OOM_KILLS, EACH, CHOSEN), f"{NAME} killed"),
        runbooks=("WorkloadOOMKilled",),
    ),
)
CPU_PANELS = (
    areas("CPU", "Cores in full use, on each other.", Unit.COUNT, Query(CPU, NAME)),
    lines(
        "Throttled",
        "Share of the periods in which a container was stopped by its CPU limit. Empty for those without one.",
        Unit.RATIO,
        Query(f"{rate(THROTTLED, EACH, CHOSEN)} / ({rate(PERIODS, EACH, CHOSEN)} > 0)", NAME),
        thresholds=WAITING,
        runbooks=("WorkloadCpuThrottled",),
    ),
    timeline(
        "State",
        "As Docker tells it: the worst of each step.",
        RUN_STATES,
        Query(state_number(names.CONTAINER_STATE, "state", RUN_STATES, EACH, CHOSEN, is_over_time=True), NAME),
    ),
    lines(
        "Waiting for memory",
        "Share of the time in which some task of it waited for memory (PSI). Only kernels with PSI and cgroup v2 tell.",
        Unit.RATIO,
        Query(rate("homeostat_container_pressure_memory_waiting_seconds_total", EACH, CHOSEN), NAME),
        thresholds=WAITING,
    ),
)
IO = (
    lines(
        "Network in",
        "Without containers on the host's or another's network.",
        Unit.BYTES_RATE,
        Query(rate("homeostat_container_network_receive_bytes_total", EACH, CHOSEN), NAME),
    ),
    lines(
        "Network out",
        "Without containers on the host's or another's network.",
        Unit.BYTES_RATE,
        Query(rate("homeostat_container_network_transmit_bytes_total", EACH, CHOSEN), NAME),
    ),
    lines(
        "Disk",
        "Read from and written to block devices; what the page cache has is not read again.",
        Unit.BYTES_RATE,
        Query(rate("homeostat_container_io_read_bytes_total", EACH, CHOSEN), f"{NAME} read"),
        Query(rate("homeostat_container_io_written_bytes_total", EACH, CHOSEN), f"{NAME} written"),
    ),
    lines(
        "Lost packets",
        "By errors and drops, in both directions.",
        Unit.PACKET_RATE,
        Query(rate("homeostat_container_network_receive_errors_total", EACH, CHOSEN), f"{NAME} in"),
        Query(rate("homeostat_container_network_transmit_errors_total", EACH, CHOSEN), f"{NAME} out"),
    ),
)
COUNTS = (
    lines(
        "Tasks",
        "Threads of all processes, zombies too: they count against the limit.",
        Unit.COUNT,
        Query(gauge(names.CONTAINER_PIDS, EACH, CHOSEN), NAME),
        width=8,
        runbooks=("WorkloadPidsHigh",),
    ),
    lines(
        "Open files",
        "Of all processes in it.",
        Unit.COUNT,
        Query(gauge("homeostat_container_open_fds", EACH, CHOSEN), NAME),
        width=8,
    ),
    lines(
        "Open files of the limit",
        "Of the process that is nearest to its own limit.",
        Unit.RATIO,
        Query(gauge("homeostat_container_worst_fd_ratio", EACH, CHOSEN), NAME),
        thresholds=FILLING,
        width=8,
        runbooks=("WorkloadOpenFilesHigh",),
    ),
)

CONTAINERS = Dashboard(
    uid=Uid.CONTAINERS,
    title="homeostat / Containers",
    description="All containers: state, memory, CPU, network, disk, and how near they are to their limits.",
    variables=(Variable("workload", "Workload", f"label_values({names.CONTAINER_INFO}, workload)", has_many=True),),
    annotations=events(CHOSEN),
    parts=(
        *NUMBERS,
        LIST,
        Heading("Memory"),
        *MEMORY,
        Heading("CPU and state"),
        *CPU_PANELS,
        Heading("Network and disk"),
        *IO,
        Heading("Tasks and files"),
        *COUNTS,
    ),
)
