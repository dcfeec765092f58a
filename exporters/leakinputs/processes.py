"""Readings of supervised processes: the guardian tells which there are, the system what their sessions use."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from exporters.cgroups.processes import soft_limit
from exporters.leakinputs.hostlimits import Limits
from exporters.leakinputs.reading import Bound, Level, Reading, Resource, SeriesKey, level
from exporters.leaks.assessment import Sample
from exporters.processgroups import GroupSample
from exporters.rawfiles import read
from homeostat.clock import Clock
from homeostat.guardian_client import ProcessStatus


@dataclass(frozen=True, slots=True)
class Measured:
    """All that is known of one process. ``session``: what it uses with all that it started. ``file_limit``: its own
    soft one, which those inherit.
    """

    status: ProcessStatus
    session: GroupSample | None
    file_limit: float | None
    host: Limits


def memory(it: Measured) -> Level | None:
    """Anonymous, where the system tells it; else all that is resident."""
    told = None if it.session is None else it.session.anon_bytes
    value = it.status.rss_bytes if told is None else told
    return level(value, it.status.memory_limit_bytes, Bound.SETTINGS, it.host.memory(value))


def fds(it: Measured) -> Level | None:
    """Of the one that is nearest to its own limit."""
    ratio = None if it.session is None else it.session.worst_fd_ratio
    if ratio is None or it.file_limit is None:
        return None
    return level(ratio * it.file_limit, it.file_limit, Bound.RLIMIT)


def threads(it: Measured) -> Level | None:
    return level(None if it.session is None else it.session.threads, None, Bound.HOST, it.host.threads)


#: One row per resource. Adding one is adding a row.
LEVELS: Mapping[Resource, Callable[[Measured], Level | None]] = {
    Resource.MEMORY: memory,
    Resource.FDS: fds,
    Resource.THREADS: threads,
}


@dataclass(frozen=True, slots=True)
class Processes:
    """``is_wanted``: whether there is a guardian, or has to be. ``host``: what the machine sets a limit to."""

    is_wanted: Callable[[], bool]
    supervised: Callable[[], Awaitable[list[ProcessStatus]]]
    sessions: Callable[[Mapping[int, str]], Awaitable[Mapping[str, GroupSample]]]
    host: Callable[[], Awaitable[Limits]]
    clock: Clock

    async def read(self) -> list[Reading]:
        """Of all that run. Raises Unreachable when no guardian answers."""
        if not self.is_wanted():
            return []
        running = [process for process in await self.supervised() if process.pid]
        host, at = await self.host(), self.clock.now()
        sessions = await self.sessions({process.pid: process.workload for process in running})
        limits = await asyncio.to_thread(file_limits, [process.pid for process in running])
        found = (Measured(each, _measured(sessions.get(each.workload)), limits.get(each.pid), host) for each in running)
        return [reading for it in found for reading in readings(it, at)]


def _measured(session: GroupSample | None) -> GroupSample | None:
    """None for one in which nobody was found: where there are no sessions, nobody ever is."""
    return session if session is not None and session.processes else None


def readings(it: Measured, at: float) -> Iterator[Reading]:
    """One for each resource that is told."""
    for resource, level_of in LEVELS.items():
        if (found := level_of(it)) is not None:
            key = SeriesKey(it.status.workload, "", resource)
            sample = Sample(at, found.value, found.limit, it.status.started_at, it.status.cpu_seconds)
            yield Reading(key, sample, found.bound)


def file_limits(pids: Iterable[int]) -> dict[int, float]:
    """Soft limits of open files, from /proc; who is not to be seen is left out. Blocking."""
    found = ((pid, soft_limit(read(f"/proc/{pid}/limits"))) for pid in pids)
    return {pid: limit for pid, limit in found if limit is not None}
