"""cgroup v2: one hierarchy. Files: kernel, Documentation/admin-guide/cgroup-v2.rst."""

import os
from collections.abc import Mapping

from exporters.cgroups.find import Cgroup
from exporters.cgroups.parse import cores, io_stat, limit, pressure, tightest
from exporters.cgroups.samples import CgroupDetail, CgroupSample, Cpu, Memory
from exporters.keptfiles import Contents
from exporters.rawfiles import field, number

_MEMORY = ("memory.stat", "memory.current", "memory.events")
_SAMPLE = ("cpu.stat", "pids.current")
_SAMPLE_LIMITS = ("memory.max",)
_DETAIL = ("memory.swap.current", "io.stat", "cpu.pressure", "memory.pressure", "io.pressure")
_DETAIL_LIMITS = ("cpu.max", "cpu.stat", "pids.max")
#: crun makes a folder of its own below what systemd made, and limits are set on either of them (containers/crun#954).
_CRUN = "container"


class V2:
    """After the files above come those of limits: of the container's folder, then of crun's, where there is one."""

    threads_file = "cgroup.threads"

    def __init__(self, root: str) -> None:
        self.tree = root

    def locate(self, memberships: Mapping[str, str]) -> Cgroup | None:
        return self.locate_at(memberships[""]) if "" in memberships else None

    def locate_at(self, place: str) -> Cgroup:
        folder = f"{self.tree}/{place}"
        below = f"{folder}/{_CRUN}"
        is_crun = place.rpartition("/")[2].startswith("libpod-") and os.path.isdir(below)  # noqa: PTH112 - as a text
        limited = (folder, below) if is_crun else (folder,)
        return Cgroup(
            folder=folder,
            memory=_in(folder, _MEMORY),
            sample=(*_in(folder, _SAMPLE), *(path for each in limited for path in _in(each, _SAMPLE_LIMITS))),
            detail=(*_in(folder, _DETAIL), *(path for each in limited for path in _in(each, _DETAIL_LIMITS))),
        )

    def sample(self, memory: Contents, contents: Contents) -> CgroupSample:
        stat, usage, events = memory
        cpu, pids, *limits = contents
        cpu_us = field(cpu, b"usage_usec")
        return CgroupSample(
            anon=field(stat, b"anon"),
            shmem=field(stat, b"shmem"),
            usage=number(usage),
            limit=tightest([limit(each) for each in limits]),
            oom_kills=field(events, b"oom_kill"),
            cpu_seconds=None if cpu_us is None else cpu_us / 1e6,
            pids=number(pids),
        )

    def detail(self, memory: Contents, contents: Contents) -> CgroupDetail:
        swap, io, cpu_pressure, memory_pressure, io_pressure, *limits = contents
        return CgroupDetail(
            cpu=_cpu(limits[0::3], limits[1::3]),
            memory=_memory(memory, swap),
            io=io_stat(io),
            pressure=pressure(cpu_pressure, memory_pressure, io_pressure),
            pids_limit=tightest([limit(each) for each in limits[2::3]]),
        )


def _in(folder: str, files: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{folder}/{name}" for name in files)


def _cpu(quotas: Contents, stats: Contents) -> Cpu:
    limits = [cores(each) for each in quotas]
    # Periods are counted where the quota was set.
    limited = next((index for index, each in enumerate(limits) if each), 0)
    stat = stats[limited]
    throttled_us = field(stat, b"throttled_usec")
    return Cpu(
        limit_cores=limits[limited],
        periods=field(stat, b"nr_periods"),
        throttled_periods=field(stat, b"nr_throttled"),
        throttled_seconds=None if throttled_us is None else throttled_us / 1e6,
    )


def _memory(memory: Contents, swap: bytes | None) -> Memory:
    stat, usage, events = memory
    used, inactive_file = number(usage), field(stat, b"inactive_file")
    return Memory(
        file=field(stat, b"file"),
        kernel=field(stat, b"slab_unreclaimable"),
        working_set=None if used is None or inactive_file is None else max(used - inactive_file, 0),
        swap=number(swap),
        high_events=field(events, b"high"),
        max_events=field(events, b"max"),
        oom_events=field(events, b"oom"),
    )
