"""cgroup v1: a hierarchy per controller, and no pressure. Files: kernel, Documentation/admin-guide/cgroup-v1."""

import os
from collections.abc import Mapping

from exporters.cgroups.find import Cgroup
from exporters.cgroups.parse import blkio, limit
from exporters.cgroups.samples import CgroupDetail, CgroupSample, Cpu, Io, Memory, Pressure
from exporters.keptfiles import Contents
from exporters.rawfiles import field, number, read

_EVERYWHERE = ("pids", "memory", "cpu")
_MEMORY = ("memory/memory.stat", "memory/memory.usage_in_bytes")
_SAMPLE = (
    "memory/memory.limit_in_bytes",
    "memory/memory.oom_control",
    "cpuacct/cpuacct.usage",
    "pids/pids.current",
)
_DETAIL = (
    "cpu/cpu.stat",
    "cpu/cpu.cfs_quota_us",
    "cpu/cpu.cfs_period_us",
    "memory/memory.failcnt",
    "pids/pids.max",
)
#: Who counts block I/O differs by kernel and scheduler: throttling always used to, BFQ and CFQ when they are in use.
_BLKIO = ("throttle.{}_recursive", "bfq.{}_recursive", "{}_recursive", "throttle.{}")
_BLKIO_KINDS = ("io_service_bytes", "io_serviced")


class V1:
    """After the files above come those of block I/O, bytes and operations, of the first who has counted any here."""

    threads_file = "tasks"

    def __init__(self, root: str) -> None:
        self._root = root
        # Any of them tells where containers are; memory is switched off on some machines.
        self.tree = next(filter(os.path.isdir, (f"{root}/{name}" for name in _EVERYWHERE)), root)
        counted = {name: blkio(read(f"{root}/blkio/blkio.{name.format('io_service_bytes')}")) for name in _BLKIO}
        there = [name for name in _BLKIO if counted[name] != (None, None)] or list(_BLKIO)
        counts = next((name for name in there if any(counted[name])), there[0])
        self._detail = (*_DETAIL, *(f"blkio/blkio.{counts.format(kind)}" for kind in _BLKIO_KINDS))

    def locate(self, memberships: Mapping[str, str]) -> Cgroup | None:
        if not memberships:
            return None
        # A controller that is not in use has no line: its folder is then not there, which is an answer.
        place = next(iter(memberships.values()))
        return self._cgroup(memberships, place)

    def locate_at(self, place: str) -> Cgroup:
        return self._cgroup({}, place)

    def _cgroup(self, places: Mapping[str, str], place: str) -> Cgroup:
        def path(name: str) -> str:
            controller, _, file = name.partition("/")
            return f"{self._root}/{controller}/{places.get(controller, place)}/{file}".rstrip("/")

        folder = next(filter(os.path.isdir, map(path, _EVERYWHERE)), path(_EVERYWHERE[0]))
        return Cgroup(
            folder=folder,
            memory=tuple(map(path, _MEMORY)),
            sample=tuple(map(path, _SAMPLE)),
            detail=tuple(map(path, self._detail)),
        )

    def sample(self, memory: Contents, contents: Contents) -> CgroupSample:
        stat, usage = memory
        limit_, oom_control, cpu, pids = contents
        cpu_ns = number(cpu)
        return CgroupSample(
            anon=field(stat, b"total_rss"),
            shmem=field(stat, b"total_shmem"),
            usage=number(usage),
            limit=limit(limit_),
            oom_kills=field(oom_control, b"oom_kill"),
            cpu_seconds=None if cpu_ns is None else cpu_ns / 1e9,
            pids=number(pids),
        )

    def detail(self, memory: Contents, contents: Contents) -> CgroupDetail:
        cpu, quota, period, failures, pids_limit, transferred, operations = contents
        return CgroupDetail(
            cpu=_cpu(cpu, quota, period),
            memory=_memory(memory, failures),
            io=Io(*blkio(transferred), *blkio(operations)),
            pressure=Pressure(),
            pids_limit=limit(pids_limit),
        )


def _cpu(stat: bytes | None, quota: bytes | None, period: bytes | None) -> Cpu:
    throttled_ns, period_us = field(stat, b"throttled_time"), number(period)
    return Cpu(
        limit_cores=(number(quota) or 0) / period_us if period_us else None,  # -1 for none
        periods=field(stat, b"nr_periods"),
        throttled_periods=field(stat, b"nr_throttled"),
        throttled_seconds=None if throttled_ns is None else throttled_ns / 1e9,
    )


def _memory(memory: Contents, failures: bytes | None) -> Memory:
    stat, usage = memory
    used, inactive_file = number(usage), field(stat, b"total_inactive_file")
    return Memory(
        file=field(stat, b"total_cache"),
        working_set=None if used is None or inactive_file is None else max(used - inactive_file, 0),
        swap=field(stat, b"total_swap"),
        max_events=number(failures),
    )
