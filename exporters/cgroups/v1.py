"""cgroup v1: a hierarchy per controller. Files: kernel, Documentation/admin-guide/cgroup-v1."""

import os
from collections.abc import Mapping

from exporters.cgroups.find import Folders
from exporters.cgroups.parse import blkio, limit, pressure
from exporters.cgroups.samples import CgroupDetail, CgroupSample, Cpu, Io, Memory, Pressure
from exporters.rawfiles import Read, field, number

#: Where systemd mounts v2 beside v1: without controllers, but with pressure.
_UNIFIED = "unified"
#: In the order of the folders. The name of each is that of its mount, too; where two are one, it is a link.
_CONTROLLERS = ("memory", "cpuacct", "cpu", "pids", "blkio", _UNIFIED)
#: Who counts block I/O differs by kernel and scheduler: throttling always used to, BFQ and CFQ when in use. Each by the
#: name of the first of its files that this kernel has.
_BLKIO = (("throttle.{}_recursive", "throttle.{}"), ("bfq.{}_recursive", "bfq.{}"), ("{}_recursive", "{}"))


class V1:
    """Folders: one per controller, there or not."""

    threads_file = "tasks"

    def __init__(self, root: str) -> None:
        self._root = root
        self.tree = f"{root}/memory"
        found = [[name for name in names if _has(root, name)] for names in _BLKIO]
        self._blkio = [names[0] for names in found if names]

    def folders(self, memberships: Mapping[str, str]) -> Folders | None:
        if not memberships:
            return None
        # A controller that is not in use has no line: its folder is then not there, which is an answer.
        place = memberships.get("memory") or next(iter(memberships.values()))
        keys = {_UNIFIED: ""}
        return tuple(f"{self._root}/{name}/{memberships.get(keys.get(name, name), place)}" for name in _CONTROLLERS)

    def folders_at(self, place: str) -> Folders:
        return tuple(f"{self._root}/{name}/{place}" for name in _CONTROLLERS)

    def members(self, folders: Folders) -> Folders:
        memory, _, cpu, pids, *_ = folders
        return (pids, memory, cpu)

    def sample(self, folders: Folders, read: Read) -> CgroupSample:
        memory, cpuacct, _, pids, *_ = folders
        stat = read(f"{memory}/memory.stat")
        cpu_ns = number(read(f"{cpuacct}/cpuacct.usage"))
        return CgroupSample(
            anon=field(stat, b"total_rss"),
            shmem=field(stat, b"total_shmem"),
            usage=number(read(f"{memory}/memory.usage_in_bytes")),
            limit=limit(read(f"{memory}/memory.limit_in_bytes")),
            oom_kills=field(read(f"{memory}/memory.oom_control"), b"oom_kill"),
            cpu_seconds=None if cpu_ns is None else cpu_ns / 1e9,
            pids=number(read(f"{pids}/pids.current")),
        )

    def detail(self, folders: Folders, read: Read) -> CgroupDetail:
        memory, _, cpu, pids, io, unified = folders
        return CgroupDetail(
            cpu=_cpu(cpu, read),
            memory=_memory(memory, read),
            io=self._io(io, read),
            pressure=_pressure(unified, read),
            pids_limit=limit(read(f"{pids}/pids.max")),
        )

    def _io(self, folder: str, read: Read) -> Io:
        is_there = False
        for name in self._blkio:
            read_bytes, written_bytes = blkio(read(f"{folder}/blkio.{name.format('io_service_bytes')}"))
            if read_bytes or written_bytes:
                return Io(read_bytes, written_bytes, *blkio(read(f"{folder}/blkio.{name.format('io_serviced')}")))
            is_there = is_there or read_bytes is not None
        return Io(0, 0, 0, 0) if is_there else Io()


def _has(root: str, blkio: str) -> bool:
    return os.path.exists(f"{root}/blkio/blkio.{blkio.format('io_serviced')}")  # noqa: PTH110 - as these paths are


def _cpu(folder: str, read: Read) -> Cpu:
    stat = read(f"{folder}/cpu.stat")
    throttled_ns = field(stat, b"throttled_time")
    return Cpu(
        limit_cores=_cores(folder, read),
        periods=field(stat, b"nr_periods"),
        throttled_periods=field(stat, b"nr_throttled"),
        throttled_seconds=None if throttled_ns is None else throttled_ns / 1e9,
    )


def _cores(folder: str, read: Read) -> float | None:
    if (quota := read(f"{folder}/cpu.cfs_quota_us")) is None:
        return None
    limit_us = number(quota)  # None for -1, which is no limit
    period_us = number(read(f"{folder}/cpu.cfs_period_us")) if limit_us else None
    return limit_us / period_us if limit_us and period_us else 0.0


def _memory(folder: str, read: Read) -> Memory:
    stat = read(f"{folder}/memory.stat")
    usage, inactive_file = number(read(f"{folder}/memory.usage_in_bytes")), field(stat, b"total_inactive_file")
    return Memory(
        file=field(stat, b"total_cache"),
        working_set=None if usage is None or inactive_file is None else max(usage - inactive_file, 0),
        swap=field(stat, b"total_swap"),
        max_events=number(read(f"{folder}/memory.failcnt")),
    )


def _pressure(folder: str, read: Read) -> Pressure:
    return pressure(read(f"{folder}/cpu.pressure"), read(f"{folder}/memory.pressure"), read(f"{folder}/io.pressure"))
