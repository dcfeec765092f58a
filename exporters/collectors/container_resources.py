"""Containers, as often as people look at them: all that they use and are held to, beyond what the collector
``containers`` has.
"""

from collections.abc import Callable
from dataclasses import dataclass

from exporters.cgroups import ResourceSample
from exporters.containerlabels import LabelCache, RenderedLabels
from exporters.meter import Meter
from exporters.sources import Sources
from exporters.together import Together
from exporters.watch import Seen
from homeostat import names
from homeostat.containerinfo import NetworkCounters
from homeostat.families import Family, Metric, counter, gauge

#: What a metric says of one container, or of one of its interfaces; None when it is not told.
Value = Callable[[ResourceSample], float | None]
InterfaceValue = Callable[[NetworkCounters], float]

_OWN = (names.WORKLOAD, names.CONTAINER)


def _gauge(name: str, help_text: str) -> Metric:
    return gauge(f"homeostat_container_{name}", help_text, *_OWN)


def _counter(name: str, help_text: str) -> Metric:
    return counter(f"homeostat_container_{name}", help_text, *_OWN)


def _network(name: str, help_text: str) -> Metric:
    help_text += " of this interface, since it was made. A network of the host or of another container is left out."
    return counter(f"homeostat_container_network_{name}", help_text, *_OWN, "interface")


#: One row per metric of one value. Adding one is adding a row.
VALUES: tuple[tuple[Metric, Value], ...] = (
    (
        _gauge("cpu_limit_cores", "Cores' worth of CPU time that it may use; 0 means no limit."),
        lambda r: r.cgroup.cpu.limit_cores,
    ),
    (
        _counter("cpu_periods_total", "Periods in which it ran and its CPU limit was enforced, since it started."),
        lambda r: r.cgroup.cpu.periods,
    ),
    (
        _counter("cpu_throttled_periods_total", "Those of them that it was stopped in."),
        lambda r: r.cgroup.cpu.throttled_periods,
    ),
    (
        _counter("cpu_throttled_seconds_total", "Time for which its CPU limit stopped it, summed over CPUs."),
        lambda r: r.cgroup.cpu.throttled_seconds,
    ),
    (_gauge("memory_file_bytes", "Page cache, with shared memory and tmpfs."), lambda r: r.cgroup.memory.file),
    (
        _gauge("memory_kernel_bytes", "Kernel memory for it that cannot be reclaimed (slab). Only cgroup v2 tells."),
        lambda r: r.cgroup.memory.kernel,
    ),
    (
        _gauge(
            "memory_working_set_bytes",
            "All memory less inactive page cache, as kubectl top has it. Active page cache makes it grow with no leak.",
        ),
        lambda r: r.cgroup.memory.working_set,
    ),
    (_gauge("memory_swap_bytes", "Its memory that is in swap."), lambda r: r.cgroup.memory.swap),
    (
        _counter(
            "memory_high_events_total", "How often it was slowed down for passing memory.high. Only cgroup v2 tells."
        ),
        lambda r: r.cgroup.memory.high_events,
    ),
    (
        _counter("memory_max_events_total", "How often it met its memory limit and memory had to be reclaimed."),
        lambda r: r.cgroup.memory.max_events,
    ),
    (
        _counter(
            "memory_oom_events_total", "How often reclaiming was not enough, killed or not. Only cgroup v2 tells."
        ),
        lambda r: r.cgroup.memory.oom_events,
    ),
    (_gauge("pids_limit", "Tasks that it may have; 0 means no limit."), lambda r: r.cgroup.pids_limit),
    (
        _counter(
            "io_read_bytes_total",
            "Read from block devices, summed; what lies on LVM, RAID or encryption counts there and beneath.",
        ),
        lambda r: r.cgroup.io.read_bytes,
    ),
    (
        _counter("io_written_bytes_total", "Written to block devices, summed likewise."),
        lambda r: r.cgroup.io.written_bytes,
    ),
    (_counter("io_reads_total", "Read operations on block devices, summed likewise."), lambda r: r.cgroup.io.reads),
    (_counter("io_writes_total", "Write operations on block devices, summed likewise."), lambda r: r.cgroup.io.writes),
    (
        _counter(
            "pressure_cpu_waiting_seconds_total",
            "Time in which some task of it waited for a CPU. Only kernels with PSI and cgroup v2 tell any pressure.",
        ),
        lambda r: r.cgroup.pressure.cpu_waiting,
    ),
    (
        _counter("pressure_memory_waiting_seconds_total", "Time in which some task of it waited for memory."),
        lambda r: r.cgroup.pressure.memory_waiting,
    ),
    (
        _counter("pressure_memory_stalled_seconds_total", "Time in which all its tasks waited for memory at once."),
        lambda r: r.cgroup.pressure.memory_stalled,
    ),
    (
        _counter("pressure_io_waiting_seconds_total", "Time in which some task of it waited for block I/O."),
        lambda r: r.cgroup.pressure.io_waiting,
    ),
    (
        _counter("pressure_io_stalled_seconds_total", "Time in which all its tasks waited for block I/O at once."),
        lambda r: r.cgroup.pressure.io_stalled,
    ),
    (_gauge("processes", "Processes in it; zombies do not count."), lambda r: r.processes.count),
    (_gauge("threads", "Threads of these processes."), lambda r: r.processes.threads),
    (
        _gauge("open_fds", "Open file descriptors of its processes, of the first 512 where there are more."),
        lambda r: r.processes.open_fds,
    ),
    (
        _gauge(
            "worst_fd_ratio",
            "The largest share of its own soft limit of open files that one of these processes has open.",
        ),
        lambda r: r.processes.worst_fd_ratio,
    ),
)
#: One row per metric of one interface.
INTERFACE_VALUES: tuple[tuple[Metric, InterfaceValue], ...] = (
    (_network("receive_bytes_total", "Bytes received by the container"), lambda n: n.receive_bytes),
    (_network("receive_packets_total", "Packets received by the container"), lambda n: n.receive_packets),
    (_network("receive_errors_total", "Packets lost on the way in, by errors and drops,"), lambda n: n.receive_errors),
    (_network("transmit_bytes_total", "Bytes sent by the container"), lambda n: n.transmit_bytes),
    (_network("transmit_packets_total", "Packets sent by the container"), lambda n: n.transmit_packets),
    (
        _network("transmit_errors_total", "Packets lost on the way out, by errors and drops,"),
        lambda n: n.transmit_errors,
    ),
)
METRICS: tuple[Metric, ...] = (*(metric for metric, _ in VALUES), *(metric for metric, _ in INTERFACE_VALUES))


def make(sources: Sources) -> "ContainerResourcesCollector | None":
    if sources.look is None or sources.watcher is None or not sources.watcher.is_wanted:
        return None
    return ContainerResourcesCollector(sources.look, sources.meter, sources.label_cache)


@dataclass(frozen=True, slots=True)
class ContainerResourcesCollector:
    """Every container that runs."""

    look: Together[list[Seen]]
    meter: Meter
    label_cache: LabelCache

    @property
    def name(self) -> str:
        return "container_resources"

    async def collect(self) -> list[Family]:
        seen = await self.look()
        samples = await self.meter.resources([each.container for each in seen if each.is_running])
        rendered = self.label_cache.render(each.container for each in seen)
        return families(
            [
                (labels_, samples[each.container.id])
                for labels_, each in zip(rendered, seen, strict=True)
                if each.container.id in samples
            ]
        )


def families(rows: list[tuple[RenderedLabels, ResourceSample]]) -> list[Family]:
    """All families over all containers."""
    found = [
        metric.family(
            [(rendered.plain, number) for rendered, sample in rows if (number := value_of(sample)) is not None]
        )
        for metric, value_of in VALUES
    ]
    interfaces = [(rendered.interface(each.interface), each) for rendered, sample in rows for each in sample.networks]
    for metric, value_of_interface in INTERFACE_VALUES:
        found.append(metric.family([(labels_, value_of_interface(counters)) for labels_, counters in interfaces]))
    return found
