"""Readings of containers, from their cgroups and processes."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass

from exporters.cgroups import CgroupSample, ResourceSample
from exporters.leakinputs.hostlimits import Limits
from exporters.leakinputs.reading import Bound, Level, Reading, Resource, SeriesKey, level
from exporters.leaks.assessment import Sample
from exporters.meter import Meter
from exporters.together import Together
from exporters.watch import Seen
from homeostat.clock import Clock
from homeostat.containers import Container


@dataclass(frozen=True, slots=True)
class Measured:
    """All that is known of one container now."""

    container: Container
    sample: CgroupSample
    resources: ResourceSample
    host: Limits


def memory(it: Measured) -> Level | None:
    """What only its owner can give back: anonymous, shared, and the kernel's for it (where that is told)."""
    if it.sample.anon is None:
        return None
    value = it.sample.anon + (it.sample.shmem or 0) + (it.resources.cgroup.memory.kernel or 0)
    return level(value, it.sample.limit or it.container.memory_limit, Bound.CGROUP, it.host.memory(value))


def fds(it: Measured) -> Level | None:
    """Of the process that is nearest to its own limit."""
    held = it.resources.processes
    return level(held.worst_fds, held.worst_fd_limit, Bound.RLIMIT)


def threads(it: Measured) -> Level | None:
    """Zombies too: they count against the limit."""
    return level(it.sample.pids, it.resources.cgroup.pids_limit, Bound.CGROUP, it.host.threads)


#: One row per resource. Adding one is adding a row.
LEVELS: Mapping[Resource, Callable[[Measured], Level | None]] = {
    Resource.MEMORY: memory,
    Resource.FDS: fds,
    Resource.THREADS: threads,
}


@dataclass(frozen=True, slots=True)
class Containers:
    """``is_wanted``: whether there is an engine to ask. ``host``: what the machine sets a limit to."""

    is_wanted: Callable[[], bool]
    look: Together[list[Seen]]
    meter: Meter
    host: Callable[[], Awaitable[Limits]]
    clock: Clock

    async def read(self) -> list[Reading]:
        """Of all that run. Raises HomeostatError when the engine has not answered for too long."""
        if not self.is_wanted():
            return []
        running = [seen.container for seen in await self.look() if seen.is_running]
        host, at = await self.host(), self.clock.now()
        # One after the other: what the first has read of memory is not read again.
        samples, resources = await self.meter.samples(running), await self.meter.resources(running)
        found = (
            # One without the other would make a smaller sum than before.
            Measured(each, samples[each.id], resources[each.id], host)
            for each in running
            if each.id in samples and each.id in resources
        )
        return [reading for it in found for reading in readings(it, at)]


def readings(it: Measured, at: float) -> Iterator[Reading]:
    """One for each resource that is told."""
    for resource, level_of in LEVELS.items():
        if (found := level_of(it)) is not None:
            key = SeriesKey(it.container.workload_id, it.container.name, resource)
            sample = Sample(at, found.value, found.limit, it.container.started_at, it.sample.cpu_seconds)
            yield Reading(key, sample, found.bound)
