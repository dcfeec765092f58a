"""Containers: state as inspect tells it, resources as their cgroups tell them."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from exporters.cgroups import Cgroups, CgroupSample
from exporters.watch import Seen, Watcher
from homeostat import names
from homeostat.containers import Container
from homeostat.exposition import Family, MetricType, gauge, labels

STATES = ("created", "running", "paused", "restarting", "removing", "exited", "dead")
HEALTHS = ("none", "starting", "healthy", "unhealthy")


@dataclass(frozen=True, slots=True)
class Reading:
    """All that is known of one container now. ``cgroup`` is None while it does not run."""

    seen: Seen
    cgroup: CgroupSample | None

    @property
    def container(self) -> Container:
        return self.seen.container


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the table below. ``value`` gives None when there is nothing to say."""

    type: MetricType
    name: str
    help: str
    value: Callable[[Reading], float | None]


def _exit_code(reading: Reading) -> int | None:
    return None if reading.container.finished_at is None else reading.container.exit_code


def _oom_kills(reading: Reading) -> int:
    # The kernel's count starts over with the container, the engine's events may be dropped: the larger is nearer.
    return max(reading.seen.oom_kills, (reading.cgroup and reading.cgroup.oom_kills) or 0)


def _memory_limit(reading: Reading) -> int:
    limit = reading.cgroup.limit if reading.cgroup else None
    return reading.container.memory_limit if limit is None else limit


_GAUGE, _COUNTER = MetricType.GAUGE, MetricType.COUNTER
METRICS = (
    Metric(_GAUGE, names.CONTAINER_RUNNING, "Whether its process exists; a paused one does.", lambda r: r.seen.is_running),
    Metric(
        _GAUGE,
        names.CONTAINER_STOPPED,
        "Whether its end was asked for through the engine's API.",
        lambda r: r.seen.stopped_by_request,
    ),
    Metric(_GAUGE, names.CONTAINER_EXIT_CODE, "How it last ended; absent before the first end.", _exit_code),
    Metric(
        _GAUGE, names.CONTAINER_OOM_KILLED, "Whether its last end was an OOM kill.", lambda r: r.container.oom_killed
    ),
    Metric(_COUNTER, names.CONTAINER_OOM_KILLS, "OOM kills in it, of any of its processes.", _oom_kills),
    Metric(
        _COUNTER, names.CONTAINER_RESTARTS, "Restarts by its restart policy.", lambda r: r.container.restart_count
    ),
    Metric(_GAUGE, names.CONTAINER_STARTED, "When it last started.", lambda r: r.container.started_at),
    Metric(_GAUGE, names.CONTAINER_FINISHED, "When it last ended.", lambda r: r.container.finished_at),
    Metric(_GAUGE, names.CONTAINER_MEMORY_LIMIT, "Memory that it may use; 0 means no limit.", _memory_limit),
    Metric(
        _GAUGE,
        names.CONTAINER_MEMORY_ANON,
        "Anonymous memory: what leaks; page cache is not in it.",
        lambda r: r.cgroup and r.cgroup.anon,
    ),
    Metric(
        _GAUGE,
        names.CONTAINER_MEMORY_SHMEM,
        "Shared memory and tmpfs, which count against the limit like anonymous memory.",
        lambda r: r.cgroup and r.cgroup.shmem,
    ),
    Metric(_GAUGE, names.CONTAINER_MEMORY_USAGE, "All memory, with page cache.", lambda r: r.cgroup and r.cgroup.usage),
    Metric(_COUNTER, names.CONTAINER_CPU, "CPU time used since its start.", lambda r: r.cgroup and r.cgroup.cpu_seconds),
    Metric(_GAUGE, names.CONTAINER_PIDS, "Processes and threads in it.", lambda r: r.cgroup and r.cgroup.pids),
)


@dataclass(frozen=True, slots=True)
class _Rendered:
    """The label sets of one container, rendered once."""

    info: str
    plain: str
    states: tuple[tuple[str, str], ...]
    healths: tuple[tuple[str, str], ...]


class LabelCache:
    """Label sets by container: rendering them is most of the cost of a sample."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], _Rendered] = {}

    def get(self, containers: Iterable[Container]) -> list[_Rendered]:
        """In the same order. Only these are remembered."""
        keys = [(c.id, c.name, c.workload_id, c.restart_policy) for c in containers]
        return keys
