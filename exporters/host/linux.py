"""The host through raw /proc and /sys: about 15 files, 5 to 25 us each.

Sources: proc(5) and its pages; kernel, Documentation/admin-guide/iostats.rst and Documentation/accounting/psi.rst.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from exporters.host.mounts import MountTable, places
from exporters.host.sample import Disk, Interface, Numbers, Place, Reading, Space
from exporters.host.stack import read_stack
from exporters.rawfiles import field, number, read, read_whole

_TICKS_PER_S = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 1
#: Order of the first line of /proc/stat. ``guest`` follows, and is contained in ``user``.
_MODES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
#: /proc/diskstats counts in these, whatever the disk has.
_SECTOR_BYTES = 512
_DISK_FIELDS = 10
#: Files, memory, removable media and ZFS volumes: no disks, or their I/O is counted at another one.
_NO_DISK = re.compile(r"(?:loop|ram|zram|fd|sr|zd)\d")
#: One per container, virtual machine or compose network: they come and go, and their traffic is told per container.
_NO_INTERFACE = re.compile(rb" *(?:veth|br-[0-9a-f]{12}:|cali[0-9a-f]{11}:|lxc[0-9a-f]{12}:|tap|vnet)")


class LinuxHost:
    """``proc`` and ``sys``: the host's own; in a container that needs its pid namespace (``pid: host``)."""

    def __init__(
        self,
        proc: str = "/proc",
        sys: str = "/sys",
        statvfs: Callable[[str], os.statvfs_result] = os.statvfs,
    ) -> None:
        self._proc = proc
        self._sys = sys
        self._statvfs = statvfs
        self._host_mounts = MountTable(f"{proc}/1/mountinfo")
        self._own_mounts = MountTable(f"{proc}/self/mountinfo")
        self._places: tuple[object, object, tuple[Place, ...]] = (None, None, ())
        self._is_disk: dict[bytes, bool] = {}

    def read(self) -> Reading:
        stat = read_whole(f"{self._proc}/stat") or b""
        waiting, stalled = self._pressure()
        return Reading(
            numbers=self._numbers(stat),
            cpu_seconds=cpu_seconds(stat),
            waiting=waiting,
            stalled=stalled,
            disks=self._disks(),
            interfaces=dict(interfaces(read_whole(f"{self._proc}/1/net/dev") or b"")),
            stack=read_stack(self._proc),
        )

    def places(self) -> Sequence[Place]:
        own = self._own_mounts.read() or ()
        host = self._host_mounts.read() or own
        if self._places[0] is not host or self._places[1] is not own:
            self._places = (host, own, places(host, own, f"{self._proc}/1/root"))
        return self._places[2]

    def space(self, place: Place) -> Space | None:
        for path in place.paths:
            try:
                found = self._statvfs(path)
            except OSError:  # not for us to see, or gone since the table was read
                continue
            block = found.f_frsize
            return Space(found.f_blocks * block, found.f_bavail * block, found.f_files, found.f_ffree)
        return None

    def _numbers(self, stat: bytes) -> Numbers:
        memory = meminfo(read(f"{self._proc}/meminfo") or b"")
        vmstat = read_whole(f"{self._proc}/vmstat")
        loads = (read(f"{self._proc}/loadavg") or b"").split()
        fds = (read(f"{self._proc}/sys/fs/file-nr") or b"").split()
        return Numbers(
            cpus=stat.count(b"\ncpu") or None,
            load1=float(loads[0]) if loads else None,
            load5=float(loads[1]) if loads else None,
            load15=float(loads[2]) if loads else None,
            memory_total=memory(b"MemTotal"),
            memory_available=memory(b"MemAvailable"),
            memory_free=memory(b"MemFree"),
            memory_buffers=memory(b"Buffers"),
            memory_cached=memory(b"Cached"),
            memory_shmem=memory(b"Shmem"),
            memory_anon=memory(b"AnonPages"),
            memory_slab_reclaimable=memory(b"SReclaimable"),
            memory_slab_unreclaimable=memory(b"SUnreclaim"),
            memory_dirty=memory(b"Dirty"),
            memory_committed=memory(b"Committed_AS"),
            swap_total=memory(b"SwapTotal"),
            swap_free=memory(b"SwapFree"),
            swap_in_pages=field(vmstat, b"pswpin"),
            swap_out_pages=field(vmstat, b"pswpout"),
            major_faults=field(vmstat, b"pgmajfault"),
            oom_kills=field(vmstat, b"oom_kill"),
            fds=int(fds[0]) if fds else None,
            fds_max=int(fds[2]) if fds else None,
            boot_timestamp=field(stat, b"btime"),
            running=field(stat, b"procs_running"),
            blocked=field(stat, b"procs_blocked"),
            threads=int(loads[3].partition(b"/")[2]) if loads else None,  # running/all
            threads_max=number(read(f"{self._proc}/sys/kernel/threads-max")),
            forks=field(stat, b"processes"),
            context_switches=field(stat, b"ctxt"),
        )

    def _pressure(self) -> tuple[dict[str, float], dict[str, float]]:
        waiting, stalled = {}, {}
        for resource in ("cpu", "memory", "io"):
            content = read(f"{self._proc}/pressure/{resource}")
            if (some := pressure_seconds(content, b"some")) is not None:
                waiting[resource] = some
            # All tasks at once cannot wait for the CPU; the kernel writes 0 there for the sake of the format.
            if resource != "cpu" and (full := pressure_seconds(content, b"full")) is not None:
                stalled[resource] = full
        return waiting, stalled

    def _disks(self) -> dict[str, Disk]:
        lines = [line.split() for line in (read_whole(f"{self._proc}/diskstats") or b"").splitlines()]
        rows = {line[2]: line[3:] for line in lines if len(line) >= 3 + _DISK_FIELDS}
        if rows.keys() != self._is_disk.keys():
            self._is_disk = {name: self._is_whole_disk(name.decode(errors="replace")) for name in rows}
        return {name.decode(errors="replace"): disk(row) for name, row in rows.items() if self._is_disk[name]}

    def _is_whole_disk(self, name: str) -> bool:
        """No partition, and not stacked on disks (LVM, RAID, dm-crypt), where its I/O is counted already."""
        # sysfs writes a slash in a name as an exclamation mark (cciss!c0d0).
        folder = f"{self._sys}/block/{name.replace('/', '!')}"
        try:
            return not _NO_DISK.match(name) and not os.listdir(f"{folder}/slaves")  # noqa: PTH208 - as all here
        except OSError:
            return False


def cpu_seconds(stat: bytes) -> Mapping[str, float]:
    """By mode, over all cpus, from /proc/stat."""
    first = stat.partition(b"\n")[0].split()
    if not first or first[0] != b"cpu":
        return {}
    return {mode: int(ticks) / _TICKS_PER_S for mode, ticks in zip(_MODES, first[1:], strict=False)}


def pressure_seconds(content: bytes | None, kind: bytes) -> float | None:
    """``total`` of the line ``kind`` of a pressure file."""
    _before, _found, line = (b"\n" + (content or b"")).partition(b"\n" + kind + b" ")
    _before, _found, total = line.partition(b"\n")[0].partition(b"total=")
    return int(total) / 1e6 if total.isdigit() else None


def disk(row: Sequence[bytes]) -> Disk:
    """From a line of /proc/diskstats, after the name."""
    return Disk(
        read_bytes=int(row[2]) * _SECTOR_BYTES,
        written_bytes=int(row[6]) * _SECTOR_BYTES,
        reads=int(row[0]),
        writes=int(row[4]),
        read_seconds=int(row[3]) / 1e3,
        write_seconds=int(row[7]) / 1e3,
        io_seconds=int(row[9]) / 1e3,
    )


def meminfo(content: bytes) -> Callable[[bytes], int | None]:
    """The bytes under a name of /proc/meminfo; None when it is not there."""
    lines = [line.partition(b":") for line in content.splitlines()]
    kib = {name: value for name, _, value in lines}

    def bytes_of(name: bytes) -> int | None:
        value = kib.get(name)
        return None if value is None else int(value.removesuffix(b"kB")) * 1024

    return bytes_of


def interfaces(net_dev: bytes) -> Iterator[tuple[str, Interface]]:
    """The host's own interfaces, from /proc/PID/net/dev of a process in its network namespace."""
    for line in net_dev.splitlines():
        if _NO_INTERFACE.match(line):
            continue
        name, found, values = line.rpartition(b":")
        if found:
            count = values.split()
            yield name.strip().decode(errors="replace"), Interface(*map(int, count[:4]), *map(int, count[8:12]))
