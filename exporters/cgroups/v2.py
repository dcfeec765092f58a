"""cgroup v2: one hierarchy. Files: kernel, Documentation/admin-guide/cgroup-v2.rst."""

import os
from collections.abc import Mapping

from exporters.cgroups.find import Folders
from exporters.cgroups.parse import cores, io_stat, limit, pressure, tightest
from exporters.cgroups.samples import CgroupDetail, CgroupSample, Cpu, Memory
from exporters.rawfiles import Read, field, number

#: crun makes a folder of its own below what systemd made, and limits are set on either of them (containers/crun#954).
_CRUN = "container"


class V2:
    """Folders: the container's; then crun's below it, where there is one."""

    threads_file = "cgroup.threads"

    def __init__(self, root: str) -> None:
        self.tree = root

    def folders(self, memberships: Mapping[str, str]) -> Folders | None:
        return self.folders_at(memberships[""]) if "" in memberships else None

    def folders_at(self, place: str) -> Folders:
        folder = f"{self.tree}/{place}"
        below = f"{folder}/{_CRUN}"
        is_crun = place.rpartition("/")[2].startswith("libpod-") and os.path.isdir(below)  # noqa: PTH112 - hot path
        return (folder, below) if is_crun else (folder,)

    def members(self, folders: Folders) -> Folders:
        return folders[:1]

    def sample(self, folders: Folders, read: Read) -> CgroupSample:
        folder = folders[0]
        stat = read(f"{folder}/memory.stat")
        cpu_us = field(read(f"{folder}/cpu.stat"), b"usage_usec")
        return CgroupSample(
            anon=field(stat, b"anon"),
            shmem=field(stat, b"shmem"),
            usage=number(read(f"{folder}/memory.current")),
            limit=tightest([limit(read(f"{each}/memory.max")) for each in folders]),
            oom_kills=field(read(f"{folder}/memory.events"), b"oom_kill"),
            cpu_seconds=None if cpu_us is None else cpu_us / 1e6,
            pids=number(read(f"{folder}/pids.current")),
        )

    def detail(self, folders: Folders, read: Read) -> CgroupDetail:
        folder = folders[0]
        return CgroupDetail(
            cpu=_cpu(folders, read),
            memory=_memory(folder, read),
            io=io_stat(read(f"{folder}/io.stat")),
            pressure=pressure(
                read(f"{folder}/cpu.pressure"), read(f"{folder}/memory.pressure"), read(f"{folder}/io.pressure")
            ),
            pids_limit=tightest([limit(read(f"{each}/pids.max")) for each in folders]),
        )


def _cpu(folders: Folders, read: Read) -> Cpu:
    quotas = [(each, cores(read(f"{each}/cpu.max"))) for each in folders]
    # Periods are counted where the quota was set.
    limited, quota = next((each for each in quotas if each[1]), quotas[0])
    stat = read(f"{limited}/cpu.stat")
    throttled_us = field(stat, b"throttled_usec")
    return Cpu(
        limit_cores=quota,
        periods=field(stat, b"nr_periods"),
        throttled_periods=field(stat, b"nr_throttled"),
        throttled_seconds=None if throttled_us is None else throttled_us / 1e6,
    )


def _memory(folder: str, read: Read) -> Memory:
    stat, events = read(f"{folder}/memory.stat"), read(f"{folder}/memory.events")
    usage, inactive_file = number(read(f"{folder}/memory.current")), field(stat, b"inactive_file")
    return Memory(
        file=field(stat, b"file"),
        kernel=field(stat, b"slab_unreclaimable"),
        working_set=None if usage is None or inactive_file is None else max(usage - inactive_file, 0),
        swap=number(read(f"{folder}/memory.swap.current")),
        high_events=field(events, b"high"),
        max_events=field(events, b"max"),
        oom_events=field(events, b"oom"),
    )
