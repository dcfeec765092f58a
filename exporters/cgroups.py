"""Memory, CPU and process counts of containers from cgroup v2 or v1: found by the container's id, never by a
fixed path (drivers and parents differ), and never through the storage driver or the engine's stats call.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog

from exporters.rawfiles import field, number, read
from homeostat.clock import Clock

log = structlog.get_logger()

#: v1 spells "no limit" as the largest page count in bytes; nobody has limited a container to 4 EiB.
_UNLIMITED = 2**62
#: A search for containers whose process tells nothing is a walk: at most this often.
_SEARCH_EVERY_S = 60.0
#: Deepest parent seen: rootless Docker below a user's slice, docker in docker one level more.
_SEARCH_DEPTH = 7
_CONTAINER_ID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class CgroupSample:
    """One container now. Bytes and seconds; ``limit`` 0 means none. None: this kernel or container does not tell."""

    anon: int | None
    shmem: int | None
    usage: int | None
    limit: int | None
    oom_kills: int | None
    cpu_seconds: float | None
    pids: int | None


class Layout(Protocol):
    """A version of cgroups: where a container's files are, and what they say."""

    @property
    def tree(self) -> str:
        """The hierarchy to search."""
        ...

    def folders(self, memberships: bytes, container_id: str) -> tuple[str, ...] | None:
        """The container's folders, from its process's /proc/PID/cgroup."""
        ...

    def folders_at(self, relative: str) -> tuple[str, ...]:
        """The container's folders, from its place in ``tree``."""
        ...

    def sample(self, folders: tuple[str, ...]) -> CgroupSample: ...


class V2:
    """One hierarchy. Files: kernel, Documentation/admin-guide/cgroup-v2.rst."""

    def __init__(self, root: str) -> None:
        self.tree = root

    def folders(self, memberships: bytes, container_id: str) -> tuple[str, ...] | None:
        for line in memberships.decode(errors="replace").splitlines():
            hierarchy, _, path = line.split(":", 2)
            if hierarchy == "0" and (relative := up_to_id(path, container_id)):
                return self.folders_at(relative)
        return None

    def folders_at(self, relative: str) -> tuple[str, ...]:
        return (f"{self.tree}/{relative.lstrip('/')}",)

    def sample(self, folders: tuple[str, ...]) -> CgroupSample:
        (folder,) = folders
        stat = read(f"{folder}/memory.stat")
        limit = read(f"{folder}/memory.max")
        cpu_us = field(read(f"{folder}/cpu.stat"), b"usage_usec")
        return CgroupSample(
            anon=field(stat, b"anon"),
            shmem=field(stat, b"shmem"),
            usage=number(read(f"{folder}/memory.current")),
            limit=None if limit is None else number(limit) or 0,
            oom_kills=field(read(f"{folder}/memory.events"), b"oom_kill"),
            cpu_seconds=None if cpu_us is None else cpu_us / 1e6,
            pids=number(read(f"{folder}/pids.current")),
        )


class V1:
    """A hierarchy per controller. Files: kernel, Documentation/admin-guide/cgroup-v1/memory.rst."""

    _CONTROLLERS = ("memory", "cpuacct", "pids")

    def __init__(self, root: str) -> None:
        self._root = root
        self.tree = f"{root}/memory"

    def folders(self, memberships: bytes, container_id: str) -> tuple[str, ...] | None:
        found: dict[str, str] = {}
        for line in memberships.decode(errors="replace").splitlines():
            _, controllers, path = line.split(":", 2)
            if relative := up_to_id(path, container_id):
                found |= dict.fromkeys(controllers.split(","), relative)
        if not found:
            return None
        # A controller that is not in use has no line: its folder is then not there, which is an answer.
        place = found.get("memory") or next(iter(found.values()))
        return tuple(f"{self._root}/{name}/{found.get(name, place).lstrip('/')}" for name in self._CONTROLLERS)

    def folders_at(self, relative: str) -> tuple[str, ...]:
        return tuple(f"{self._root}/{name}/{relative.lstrip('/')}" for name in self._CONTROLLERS)

    def sample(self, folders: tuple[str, ...]) -> CgroupSample:
        memory, cpu, pids = folders
        stat = read(f"{memory}/memory.stat")
        limit = number(read(f"{memory}/memory.limit_in_bytes"))
        cpu_ns = number(read(f"{cpu}/cpuacct.usage"))
        return CgroupSample(
            anon=field(stat, b"total_rss"),
            shmem=field(stat, b"total_shmem"),
            usage=number(read(f"{memory}/memory.usage_in_bytes")),
            limit=0 if limit is not None and limit >= _UNLIMITED else limit,
            oom_kills=field(read(f"{memory}/memory.oom_control"), b"oom_kill"),
            cpu_seconds=None if cpu_ns is None else cpu_ns / 1e9,
            pids=number(read(f"{pids}/pids.current")),
        )


class Cgroups:
    """Finds and reads the cgroups of containers. ``system``, ``proc``: the host's. Blocking: call it in a thread."""

    def __init__(self, clock: Clock, system: Path = Path("/sys/fs/cgroup"), proc: Path = Path("/proc")) -> None:
        self._clock = clock
        self._proc = str(proc)
        self._layout: Layout = V2(str(system)) if (system / "cgroup.controllers").exists() else V1(str(system))
        self._known: dict[tuple[str, int], tuple[str, ...]] = {}
        self._searched_at: float | None = None
        self._is_told = False

    def sample_all(self, containers: Iterable[tuple[str, int]]) -> dict[str, CgroupSample]:
        """Samples by id of those that tell anything; ``containers``: (id, pid) of running ones."""
        running = set(containers)
        self._known = {key: folders for key, folders in self._known.items() if key in running}
        self._find(running - self._known.keys())
        samples = {key[0]: self._layout.sample(folders) for key, folders in list(self._known.items())}
        if running and not samples and not self._is_told:
            self._is_told = True
            log.warning(
                "cgroups.not_found", searched=self._layout.tree, hint="run with the host's pid and cgroup namespaces"
            )
        return {container_id: sample for container_id, sample in samples.items() if sample != _NOTHING}

    def _find(self, missing: set[tuple[str, int]]) -> None:
        for key in missing:
            if folders := self._from_process(*key):
                self._known[key] = folders
        lost = missing - self._known.keys()
        if not lost or not self._may_search():
            return
        places = search(self._layout.tree)
        self._known |= {key: self._layout.folders_at(places[key[0]]) for key in lost if key[0] in places}

    def _from_process(self, container_id: str, pid: int) -> tuple[str, ...] | None:
        memberships = read(f"{self._proc}/{pid}/cgroup") if pid else None
        folders = self._layout.folders(memberships, container_id) if memberships else None
        # Seen from another cgroup namespace, paths start somewhere else: believe only what is there.
        return folders if folders and os.path.isdir(folders[0]) else None  # noqa: PTH112 - hot path

    def _may_search(self) -> bool:
        now = self._clock.monotonic()
        if self._searched_at is not None and now - self._searched_at < _SEARCH_EVERY_S:
            return False
        self._searched_at = now
        return True


_NOTHING = CgroupSample(None, None, None, None, None, None, None)


def up_to_id(path: str, container_id: str) -> str | None:
    """``path`` down to the part that names the container (``ID``, ``docker-ID.scope``), without its own children."""
    parts = path.split("/")
    for index, part in enumerate(parts):
        if container_id in part:
            return "/".join(parts[: index + 1])
    return None


def search(tree: str) -> dict[str, str]:
    """Container id -> place below ``tree``, over all containers there. A walk: rare, and bounded in depth."""
    found: dict[str, str] = {}
    pending = [("", 0)]
    while pending:
        relative, depth = pending.pop()
        for name in _subfolders(f"{tree}/{relative}"):
            place = f"{relative}/{name}".lstrip("/")
            if match := _CONTAINER_ID.search(name):
                found.setdefault(match[0], place)
            elif depth < _SEARCH_DEPTH:
                pending.append((place, depth + 1))
    return found


def _subfolders(path: str) -> list[str]:
    try:
        with os.scandir(path) as entries:
            return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:  # removed since its parent was read
        return []
