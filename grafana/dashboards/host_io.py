"""The host's disks and network: a part of the dashboard Host."""

from grafana.dashboards.shapes import gauge, lines, rate, timeline
from grafana.dashboards.states import BAD_IF_YES, GOOD_BAD
from grafana.dashboards.steps import worst
from grafana.lib import Query, Unit
from grafana.lib.thresholds import FILLING

FILES = "mountpoint"


def used(left: str, whole: str) -> str:
    """The used share of what has a ``left`` and a ``whole``."""
    return f"1 - max by ({FILES}) ({left}) / max by ({FILES}) ({whole} > 0)"


DISK_USED = used("homeostat_host_filesystem_available_bytes", "homeostat_host_filesystem_size_bytes")
INODES_USED = used("homeostat_host_filesystem_inodes_free", "homeostat_host_filesystem_inodes")

DISKS = (
    lines(
        "File systems",
        "Used share, for users that are not root.",
        Unit.RATIO,
        Query(DISK_USED, "{{mountpoint}}"),
        thresholds=FILLING,
        runbooks=("HostDiskFull", "HostDiskFilling"),
    ),
    lines(
        "Inodes",
        "Used share of the files that it can hold: full of small files is full.",
        Unit.RATIO,
        Query(INODES_USED, "{{mountpoint}}"),
        thresholds=FILLING,
        runbooks=("HostInodesExhausted",),
    ),
    timeline(
        "File systems that answer",
        "Failing: it did not answer within 4 s. Its disk, or the server that it is mounted from, is in trouble.",
        GOOD_BAD,
        Query(f"min by ({FILES}) ({worst('homeostat_host_filesystem_answers', is_low_worse=True)})", "{{mountpoint}}"),
        runbooks=("HostFilesystemHanging",),
    ),
    timeline(
        "Read-only file systems",
        "Mounted so, or made so by the kernel after an error: what turns red while it runs has a broken disk.",
        BAD_IF_YES,
        Query(f"max by ({FILES}) ({worst('homeostat_host_filesystem_readonly')})", "{{mountpoint}}"),
        runbooks=("HostFilesystemReadOnly",),
    ),
    lines(
        "Disk throughput",
        "Of whole disks.",
        Unit.BYTES_RATE,
        Query(rate("homeostat_host_disk_read_bytes_total", "device"), "{{device}} read"),
        Query(rate("homeostat_host_disk_written_bytes_total", "device"), "{{device}} written"),
    ),
    lines(
        "Disk operations",
        "Reads and writes that were completed.",
        Unit.IO_RATE,
        Query(rate("homeostat_host_disk_reads_total", "device"), "{{device}} reads"),
        Query(rate("homeostat_host_disk_writes_total", "device"), "{{device}} writes"),
    ),
    lines(
        "Disk latency",
        "How long one read or write took, on average.",
        Unit.SECONDS,
        Query(
            f"{rate('homeostat_host_disk_read_seconds_total', 'device')}"
            f" / ({rate('homeostat_host_disk_reads_total', 'device')} > 0)",
            "{{device}} read",
        ),
        Query(
            f"{rate('homeostat_host_disk_write_seconds_total', 'device')}"
            f" / ({rate('homeostat_host_disk_writes_total', 'device')} > 0)",
            "{{device}} write",
        ),
    ),
    lines(
        "Disks busy",
        "Share of the time in which anything was under way. Disks that do several things at once may be far from full.",
        Unit.RATIO,
        Query(rate("homeostat_host_disk_io_seconds_total", "device"), "{{device}}"),
    ),
)
NETWORK = (
    lines(
        "Network",
        "Without interfaces of single containers.",
        Unit.BYTES_RATE,
        Query(rate("homeostat_host_network_receive_bytes_total", "interface"), "{{interface}} in"),
        Query(rate("homeostat_host_network_transmit_bytes_total", "interface"), "{{interface}} out"),
    ),
    lines(
        "Lost packets",
        "Damaged or dropped, in both directions. A steady trickle is a cable or a driver, bursts are full buffers.",
        Unit.PACKET_RATE,
        Query(rate("homeostat_host_network_receive_errors_total", "interface"), "{{interface}} in damaged"),
        Query(rate("homeostat_host_network_receive_dropped_total", "interface"), "{{interface}} in dropped"),
        Query(rate("homeostat_host_network_transmit_errors_total", "interface"), "{{interface}} out damaged"),
        Query(rate("homeostat_host_network_transmit_dropped_total", "interface"), "{{interface}} out dropped"),
    ),
    lines(
        "Connections",
        "Sockets and TCP connections. `orphaned` and `closing` that only rise: connections are not closed well.",
        Unit.COUNT,
        Query(gauge("homeostat_host_sockets"), "sockets"),
        Query(gauge("homeostat_host_tcp_connections"), "established"),
        Query(gauge("homeostat_host_tcp_sockets_time_wait"), "closing"),
        Query(gauge("homeostat_host_tcp_sockets_orphaned"), "orphaned"),
    ),
    lines(
        "TCP in trouble",
        "Connections refused because nobody accepted them in time, not established, or cut off.",
        Unit.COUNT_RATE,
        Query(rate("homeostat_host_tcp_listen_overflows_total"), "not accepted in time"),
        Query(rate("homeostat_host_tcp_failed_attempts_total"), "not established"),
        Query(rate("homeostat_host_tcp_resets_received_total"), "cut off"),
        Query(rate("homeostat_host_tcp_timeouts_total"), "timed out"),
    ),
    lines(
        "Sent again",
        "Share of TCP segments that had to be sent again: loss on the way.",
        Unit.RATIO,
        Query(
            f"{rate('homeostat_host_tcp_segments_retransmitted_total')}"
            f" / ({rate('homeostat_host_tcp_segments_sent_total')} > 0)",
            "of segments",
        ),
    ),
    lines(
        "Tracked connections",
        "Share of what the firewall can track. At 100 % new connections are dropped. Empty where it tracks none.",
        Unit.RATIO,
        Query("max(homeostat_host_conntrack_entries / (homeostat_host_conntrack_entries_max > 0))", "tracked"),
        thresholds=FILLING,
        runbooks=("HostConntrackHigh",),
    ),
)
