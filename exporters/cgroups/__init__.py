"""What containers use, from cgroup v2 or v1 and their processes: never through the storage driver or the engine.

``find`` knows where a container is, ``v1`` and ``v2`` what its files say; ``processes`` and ``network`` read /proc.
"""

import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

import structlog

from exporters.cgroups import processes
from exporters.cgroups.find import Cgroup, Finder, Key, Places
from exporters.cgroups.network import networks
from exporters.cgroups.processes import ProcessReader
from exporters.cgroups.samples import NO_RESOURCES, NOTHING, CgroupDetail, CgroupSample, ResourceSample
from exporters.cgroups.v1 import V1
from exporters.cgroups.v2 import V2
from exporters.keptfiles import Contents, KeptFiles, ReadTogether
from homeostat.clock import Clock
from homeostat.containerinfo import Container

__all__ = ["CgroupSample", "Cgroups", "ResourceSample"]

log = structlog.get_logger()

#: Both collectors are scraped all the time, one of them every 2 s.
RECENT_S = 2.5


class Layout(Places, Protocol):
    """A version of cgroups: where a container's files are, and what they say."""

    @property
    def threads_file(self) -> str:
        """Where a cgroup tells its threads."""
        ...

    def sample(self, memory: Contents, contents: Contents) -> CgroupSample: ...

    def detail(self, memory: Contents, contents: Contents) -> CgroupDetail: ...


class Cgroups:
    """Finds and reads the cgroups of containers. ``system``, ``proc``: the host's. ``most_open``: files to keep open.

    Blocking: call it in a thread.
    """

    def __init__(
        self, clock: Clock, system: Path = Path("/sys/fs/cgroup"), proc: Path = Path("/proc"), *, most_open: int = 0
    ) -> None:
        self._proc = str(proc)
        is_v2 = (system / "cgroup.controllers").exists()
        self._layout: Layout = V2(str(system)) if is_v2 else V1(str(system))
        self._finder = Finder(self._layout, clock, str(proc))
        self._processes = ProcessReader(str(proc))
        # What is read every other second comes first; the rest is twice as much.
        self._sampled, self._measured = KeptFiles(most_open // 3), KeptFiles(most_open - most_open // 3)
        self._sampling, self._measuring = threading.Lock(), threading.Lock()
        self._memories = _Memories(clock)
        self._is_told = False

    def sample_all(self, containers: Iterable[Key]) -> dict[str, CgroupSample]:
        """Samples by id of those that tell anything; ``containers``: (id, pid) of all that run."""
        running = list(containers)
        found = self._finder.find(running)
        if running and not found and not self._is_told:
            self._is_told = True
            log.warning(
                "cgroups.not_found", searched=self._layout.tree, hint="run with the host's pid and cgroup namespaces"
            )
        with self._sampling, self._sampled.one_pass() as read:
            memories = {key: read(cgroup.memory) for key, cgroup in found.items()}
            samples = {key[0]: self._layout.sample(memories[key], read(cgroup.sample)) for key, cgroup in found.items()}
            self._memories.put(memories)
        return {container_id: sample for container_id, sample in samples.items() if sample != NOTHING}

    def resources_all(self, containers: Iterable[Container]) -> dict[str, ResourceSample]:
        """The rest by id, of those that tell anything; ``containers``: all that run."""
        running = {(container.id, container.pid): container for container in containers}
        found: Mapping[Key, Cgroup] = self._finder.find(running)
        with self._measuring, self._measured.one_pass() as read:
            memories = self._memories.recent()
            samples = {
                key[0]: self._resources(running[key], cgroup, memories.get(key), read) for key, cgroup in found.items()
            }
        return {container_id: sample for container_id, sample in samples.items() if sample != NO_RESOURCES}

    def close(self) -> None:
        """Close what is open."""
        for lock, files in ((self._sampling, self._sampled), (self._measuring, self._measured)):
            with lock:
                files.close()

    def _resources(
        self, container: Container, cgroup: Cgroup, memory: Contents | None, read: ReadTogether
    ) -> ResourceSample:
        contents = read(cgroup.detail)
        if contents.count(None) == len(contents):  # removed meanwhile
            return NO_RESOURCES
        detail = self._layout.detail(memory or read(cgroup.memory), contents)
        members = processes.members(cgroup.folder, self._layout.threads_file, read)
        if members is None:
            return ResourceSample(detail)
        # The engine's pid may be of another namespace: only a member of the cgroup is surely the container's.
        pid = container.pid if container.pid in members.pids else next(iter(members.pids), 0)
        return ResourceSample(
            detail,
            processes=self._processes.sample(members, read),
            networks=networks(self._proc, pid) if pid and container.has_own_network else (),
        )


class _Memories:
    """What was last read of memory, for both kinds of sample: memory.stat is the dearest file of all."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: tuple[float, Mapping[Key, Contents]] = (0.0, {})

    def put(self, memories: Mapping[Key, Contents]) -> None:
        self._last = (self._clock.monotonic(), memories)

    def recent(self) -> Mapping[Key, Contents]:
        """What is not older than a little more than one scrape interval."""
        at, memories = self._last
        return memories if self._clock.monotonic() - at <= RECENT_S else {}
