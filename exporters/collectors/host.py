"""The host: processors, memory, filesystems, disks, network, pressure. With a node_exporter beside it, nothing."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from exporters.host.labelsets import HostLabels, LabelSets
from exporters.host.sample import Disk, Interface, Numbers, Place, Space
from exporters.host.source import HostSample
from exporters.sources import Sources
from homeostat.families import Family, Metric, counter, gauge

T = TypeVar("T")

#: Metric, and what it says; None when there is nothing to say.
Row = tuple[Metric, Callable[[T], float | None]]


def _host(name: str, help_text: str) -> Metric:
    make_ = counter if name.endswith("_total") else gauge
    return make_(f"homeostat_host_{name}", help_text)


def _disk(name: str, help_text: str) -> Metric:
    return counter(f"homeostat_host_disk_{name}", f"{help_text}, since boot; whole disks only.", "device")


def _network(name: str, help_text: str) -> Metric:
    return counter(f"homeostat_host_network_{name}", f"{help_text}; not of per-container interfaces.", "interface")


def _filesystem(name: str, help_text: str) -> Metric:
    return gauge(f"homeostat_host_filesystem_{name}", help_text, "mountpoint", "fstype")


_CPU = counter("homeostat_host_cpu_seconds_total", "Time of all cpus together since boot, by what it went to.", "mode")
_WAITING = counter(
    "homeostat_host_pressure_waiting_seconds_total",
    "Time in which some tasks waited for the resource (PSI some); absent where the kernel has PSI switched off.",
    "resource",
)
_STALLED = counter(
    "homeostat_host_pressure_stalled_seconds_total",
    "Time in which all tasks that could work waited for the resource (PSI full); absent where PSI is switched off.",
    "resource",
)
_ANSWERS = _filesystem("answers", "Whether it answered within 4 s; else its sizes are absent: its disk is in trouble.")
_READONLY = _filesystem("readonly", "Whether it can only be read: mounted so, or made so by the kernel after an error.")

#: One row per metric of one value. Adding one is adding a row.
NUMBERS: tuple[Row[Numbers], ...] = (
    (_host("cpus", "Cpus that are online."), lambda n: n.cpus),
    (_host("load1", "Load average of 1 minute."), lambda n: n.load1),
    (_host("load5", "Load average of 5 minutes."), lambda n: n.load5),
    (_host("load15", "Load average of 15 minutes."), lambda n: n.load15),
    (_host("memory_total_bytes", "Memory that the kernel can use."), lambda n: n.memory_total),
    (
        _host(
            "memory_available_bytes", "Memory that programs can still have without swapping, as the kernel estimates."
        ),
        lambda n: n.memory_available,
    ),
    (_host("memory_free_bytes", "Memory that is not used for anything."), lambda n: n.memory_free),
    (_host("memory_buffers_bytes", "Page cache of block devices."), lambda n: n.memory_buffers),
    (_host("memory_cached_bytes", "Page cache of files, shared memory and tmpfs included."), lambda n: n.memory_cached),
    (_host("memory_shmem_bytes", "Shared memory and tmpfs: not reclaimable."), lambda n: n.memory_shmem),
    (_host("memory_anon_bytes", "Anonymous memory of programs: what leaks."), lambda n: n.memory_anon),
    (
        _host("memory_slab_reclaimable_bytes", "Kernel caches that can be given back."),
        lambda n: n.memory_slab_reclaimable,
    ),
    (
        _host("memory_slab_unreclaimable_bytes", "Kernel objects that cannot be given back: what leaks in the kernel."),
        lambda n: n.memory_slab_unreclaimable,
    ),
    (_host("memory_dirty_bytes", "Written to files, but not to disk yet."), lambda n: n.memory_dirty),
    (_host("memory_committed_bytes", "Memory that was promised to programs."), lambda n: n.memory_committed),
    (_host("swap_total_bytes", "Swap space."), lambda n: n.swap_total),
    (_host("swap_free_bytes", "Swap space that is not used."), lambda n: n.swap_free),
    (_host("swap_in_pages_total", "Pages read from swap since boot."), lambda n: n.swap_in_pages),
    (_host("swap_out_pages_total", "Pages written to swap since boot."), lambda n: n.swap_out_pages),
    (_host("major_page_faults_total", "Page faults since boot that had to read from disk."), lambda n: n.major_faults),
    (
        _host("oom_kills_total", "Processes that the OOM killer ended since boot, in containers too."),
        lambda n: n.oom_kills,
    ),
    (_host("file_descriptors", "Open files of the whole system."), lambda n: n.fds),
    (_host("file_descriptors_max", "Open files that the whole system may have."), lambda n: n.fds_max),
    (
        _host("boot_timestamp_seconds", "When the system was started; moves as its clock is set."),
        lambda n: n.boot_timestamp,
    ),
    (_host("processes_running", "Threads that run or could run."), lambda n: n.running),
    (_host("processes_blocked", "Threads that wait for I/O and cannot be interrupted."), lambda n: n.blocked),
    (_host("threads", "Threads of all processes."), lambda n: n.threads),
    (_host("threads_max", "Threads that the whole system may have."), lambda n: n.threads_max),
    (_host("forks_total", "Processes and threads started since boot."), lambda n: n.forks),
    (_host("context_switches_total", "Context switches since boot."), lambda n: n.context_switches),
)
SPACES: tuple[Row[Space], ...] = (
    (_filesystem("size_bytes", "Its size."), lambda s: s.size),
    (_filesystem("available_bytes", "Space left for users that are not root."), lambda s: s.available),
    (_filesystem("inodes", "Files that it can hold; absent where that is not fixed."), lambda s: s.inodes or None),
    (
        _filesystem("inodes_free", "Files that it can still hold; absent where that is not fixed."),
        lambda s: s.inodes_free if s.inodes else None,
    ),
)
DISKS: tuple[Row[Disk], ...] = (
    (_disk("read_bytes_total", "Read"), lambda d: d.read_bytes),
    (_disk("written_bytes_total", "Written"), lambda d: d.written_bytes),
    (_disk("reads_total", "Reads completed"), lambda d: d.reads),
    (_disk("writes_total", "Writes completed"), lambda d: d.writes),
    (_disk("read_seconds_total", "Time that reads took, each counted"), lambda d: d.read_seconds),
    (_disk("write_seconds_total", "Time that writes took, each counted"), lambda d: d.write_seconds),
    (_disk("io_seconds_total", "Time in which anything was under way"), lambda d: d.io_seconds),
)
INTERFACES: tuple[Row[Interface], ...] = (
    (_network("receive_bytes_total", "Bytes received"), lambda i: i.receive_bytes),
    (_network("receive_packets_total", "Packets received"), lambda i: i.receive_packets),
    (_network("receive_errors_total", "Packets that arrived damaged"), lambda i: i.receive_errors),
    (_network("receive_dropped_total", "Packets dropped on arrival"), lambda i: i.receive_dropped),
    (_network("transmit_bytes_total", "Bytes sent"), lambda i: i.transmit_bytes),
    (_network("transmit_packets_total", "Packets sent"), lambda i: i.transmit_packets),
    (_network("transmit_errors_total", "Packets that could not be sent"), lambda i: i.transmit_errors),
    (_network("transmit_dropped_total", "Packets dropped before they were sent"), lambda i: i.transmit_dropped),
)
#: Metric, and the kernel's names for it.
STACK: tuple[tuple[Metric, tuple[str, str]], ...] = (
    (_host("sockets", "Sockets of all kinds, also of Unix."), ("sockets", "used")),
    (_host("tcp_sockets", "TCP sockets in use, over IPv4 and IPv6 where IPv6 is not told apart."), ("TCP", "inuse")),
    (_host("tcp_sockets_orphaned", "TCP sockets that no process holds any more."), ("TCP", "orphan")),
    (_host("tcp_sockets_time_wait", "Closed TCP connections whose port is not free yet."), ("TCP", "tw")),
    (_host("tcp_memory_bytes", "Memory in buffers of TCP sockets."), ("TCP", "mem")),
    (_host("udp_sockets", "UDP sockets in use."), ("UDP", "inuse")),
    (_host("tcp_connections", "TCP connections that are established."), ("Tcp", "CurrEstab")),
    (_host("tcp_opened_total", "TCP connections asked for from here."), ("Tcp", "ActiveOpens")),
    (_host("tcp_accepted_total", "TCP connections that others opened."), ("Tcp", "PassiveOpens")),
    (_host("tcp_failed_attempts_total", "TCP connections that were not established."), ("Tcp", "AttemptFails")),
    (_host("tcp_resets_received_total", "TCP connections that were cut off."), ("Tcp", "EstabResets")),
    (_host("tcp_resets_sent_total", "TCP segments sent that cut a connection off or refuse it."), ("Tcp", "OutRsts")),
    (_host("tcp_segments_received_total", "TCP segments received."), ("Tcp", "InSegs")),
    (_host("tcp_segments_sent_total", "TCP segments sent, not counting those sent again."), ("Tcp", "OutSegs")),
    (_host("tcp_segments_retransmitted_total", "TCP segments sent again."), ("Tcp", "RetransSegs")),
    (_host("tcp_receive_errors_total", "TCP segments that arrived damaged."), ("Tcp", "InErrs")),
    (
        _host("tcp_listen_overflows_total", "TCP connections refused because a program did not accept them in time."),
        ("TcpExt", "ListenOverflows"),
    ),
    (
        _host("tcp_listen_drops_total", "TCP connections refused for that or any other reason."),
        ("TcpExt", "ListenDrops"),
    ),
    (_host("tcp_syn_cookies_total", "SYN cookies sent: more connections came than fit."), ("TcpExt", "SyncookiesSent")),
    (_host("tcp_timeouts_total", "Waits for an acknowledgement that ended without one."), ("TcpExt", "TCPTimeouts")),
    (
        _host("tcp_memory_aborts_total", "TCP connections cut off for lack of memory for TCP."),
        ("TcpExt", "TCPAbortOnMemory"),
    ),
    (_host("udp_received_total", "UDP datagrams received."), ("Udp", "InDatagrams")),
    (_host("udp_sent_total", "UDP datagrams sent."), ("Udp", "OutDatagrams")),
    (_host("udp_no_port_total", "UDP datagrams to a port where nobody listens."), ("Udp", "NoPorts")),
    (_host("udp_receive_errors_total", "UDP datagrams lost on arrival, for any reason."), ("Udp", "InErrors")),
    (
        _host("udp_receive_overflows_total", "UDP datagrams lost because a program did not read them in time."),
        ("Udp", "RcvbufErrors"),
    ),
    (_host("udp_send_overflows_total", "UDP datagrams not sent for lack of buffer space."), ("Udp", "SndbufErrors")),
    (
        _host("conntrack_entries", "Connections that the firewall tracks, in this network namespace."),
        ("conntrack", "count"),
    ),
    (
        _host("conntrack_entries_max", "Connections that it can track; more are dropped."),
        ("conntrack", "max"),
    ),
)
METRICS: tuple[Metric, ...] = (
    _CPU,
    *(metric for metric, _ in NUMBERS),
    _WAITING,
    _STALLED,
    _ANSWERS,
    _READONLY,
    *(metric for metric, _ in SPACES),
    *(metric for metric, _ in DISKS),
    *(metric for metric, _ in INTERFACES),
    *(metric for metric, _ in STACK),
)


def make(sources: Sources) -> "HostCollector | None":
    machine = sources.machine
    return None if machine.host is None else HostCollector(machine.host, machine.host_labels)


@dataclass(frozen=True, slots=True)
class HostCollector:
    """``sample``: the host as of now. Temporary when the system does not answer."""

    sample: Callable[[], Awaitable[HostSample]]
    labels: HostLabels

    @property
    def name(self) -> str:
        return "host"

    async def collect(self) -> list[Family]:
        return families(await self.sample(), self.labels)


def families(sample: HostSample, known: HostLabels) -> list[Family]:
    """All that was told, with nothing for what was not."""
    reading = sample.reading
    return [
        _by_label(_CPU, reading.cpu_seconds, known.modes),
        *_table(NUMBERS, [""], [reading.numbers]),
        _by_label(_WAITING, reading.waiting, known.waiting),
        _by_label(_STALLED, reading.stalled, known.stalled),
        *_filesystems(sample.spaces, known.filesystems),
        *_table(DISKS, known.disks.render((name,) for name in reading.disks), reading.disks.values()),
        *_table(
            INTERFACES, known.interfaces.render((name,) for name in reading.interfaces), reading.interfaces.values()
        ),
        *(metric.family([("", reading.stack[key])]) for metric, key in STACK if key in reading.stack),
    ]


def _filesystems(spaces: Mapping[Place, Space | None], known: LabelSets) -> list[Family]:
    rendered = dict(zip(spaces, known.render((place.mountpoint, place.fstype) for place in spaces), strict=True))
    told = {place: space for place, space in spaces.items() if space is not None}
    return [
        _ANSWERS.family((rendered[place], place in told) for place in spaces),
        _READONLY.family((rendered[place], place.is_readonly) for place in spaces),
        *_table(SPACES, [rendered[place] for place in told], told.values()),
    ]


def _by_label(metric: Metric, values: Mapping[str, float], known: LabelSets) -> Family:
    return metric.family(zip(known.render((name,) for name in values), values.values(), strict=True))


def _table(table: Iterable[Row[T]], rendered: Sequence[str], values: Collection[T]) -> list[Family]:
    return [
        metric.family(
            [
                (labels_, number)
                for labels_, value in zip(rendered, values, strict=True)
                if (number := value_of(value)) is not None
            ]
        )
        for metric, value_of in table
    ]
