"""The host through psutil: Windows and macOS. What they do not count is left out."""

import sys
from collections.abc import Mapping, Sequence

import psutil

from exporters.host.mounts import LOCAL
from exporters.host.sample import Disk, Interface, Numbers, Place, Reading, Space


class PsutilHost:
    """Without a thread of its own and without a wait: psutil's counters since boot."""

    def read(self) -> Reading:
        times = psutil.cpu_times()._asdict()
        return Reading(numbers=_numbers(), cpu_seconds=times, disks=_disks(), interfaces=_interfaces())

    def places(self) -> Sequence[Place]:
        """On Windows drives that are fixed or removable, not those of other machines."""
        return tuple(
            Place(part.mountpoint, part.fstype.lower(), "ro" in part.opts.split(","), (part.mountpoint,))
            for part in psutil.disk_partitions(all=False)
            if part.fstype.lower() in LOCAL and "remote" not in part.opts
        )

    def space(self, place: Place) -> Space | None:
        try:
            usage = psutil.disk_usage(place.paths[0])
        except OSError:  # an empty card reader
            return None
        return Space(size=usage.total, available=usage.free, inodes=0, inodes_free=0)


def _numbers() -> Numbers:
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    # Windows has no load; psutil imitates it by a thread that begins to measure at the first question.
    loads = (None, None, None) if sys.platform == "win32" else psutil.getloadavg()
    return Numbers(
        cpus=psutil.cpu_count(),
        load1=loads[0],
        load5=loads[1],
        load15=loads[2],
        memory_total=memory.total,
        memory_available=memory.available,
        memory_free=memory.free,
        swap_total=swap.total,
        swap_free=swap.free,
        boot_timestamp=psutil.boot_time(),
        context_switches=psutil.cpu_stats().ctx_switches,
    )


def _disks() -> Mapping[str, Disk]:
    # Without nowrap psutil would keep state of its own; counters that wrap are what rate() expects.
    counters = psutil.disk_io_counters(perdisk=True, nowrap=False) or {}
    return {
        name: Disk(
            read_bytes=each.read_bytes,
            written_bytes=each.write_bytes,
            reads=each.read_count,
            writes=each.write_count,
            read_seconds=each.read_time / 1e3,
            write_seconds=each.write_time / 1e3,
            io_seconds=None,
        )
        for name, each in counters.items()
    }


def _interfaces() -> Mapping[str, Interface]:
    return {
        name: Interface(
            receive_bytes=each.bytes_recv,
            receive_packets=each.packets_recv,
            receive_errors=each.errin,
            receive_dropped=each.dropin,
            transmit_bytes=each.bytes_sent,
            transmit_packets=each.packets_sent,
            transmit_errors=each.errout,
            transmit_dropped=each.dropout,
        )
        for name, each in psutil.net_io_counters(pernic=True, nowrap=False).items()
    }
