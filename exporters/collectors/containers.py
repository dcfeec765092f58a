"""Containers: state as inspect tells it, resources as their cgroups tell them."""

import asyncio
from collections.abc import Callable, Iterable
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


#: What a metric says of one container; None when there is nothing to say.
Value = Callable[[Reading], float | None]


def _exit_code(reading: Reading) -> int | None:
    # The engine forgets it at the next start and then says 0, which would look like a good end.
    container = reading.container
    return None if container.is_running or container.finished_at is None else container.exit_code


def _oom_kills(reading: Reading) -> int:
    # The kernel's count starts over with the container, the engine's events may be dropped: the larger is nearer.
    in_this_life = reading.cgroup.oom_kills if reading.cgroup else None
    return max(reading.seen.oom_kills, in_this_life or 0)


def _memory_limit(reading: Reading) -> int:
    limit = reading.cgroup.limit if reading.cgroup else None
    return reading.container.memory_limit if limit is None else limit


def _cgroup(value: Callable[[CgroupSample], float | None]) -> Value:
    return lambda reading: None if reading.cgroup is None else value(reading.cgroup)


_GAUGE, _COUNTER = MetricType.GAUGE, MetricType.COUNTER
#: One row per metric. Adding one: a name in homeostat.names and a row here.
METRICS: tuple[tuple[str, MetricType, str, Value], ...] = (
    (names.CONTAINER_RUNNING, _GAUGE, "Whether its process exists; a paused one does.", lambda r: r.seen.is_running),
    (
        names.CONTAINER_STOPPED,
        _GAUGE,
        "Whether its end was asked for through the engine's API.",
        lambda r: r.seen.stopped_by_request,
    ),
    (names.CONTAINER_EXIT_CODE, _GAUGE, "How it ended; absent while it runs.", _exit_code),
    (names.CONTAINER_OOM_KILLED, _GAUGE, "Whether the OOM killer ended it.", lambda r: r.container.oom_killed),
    (names.CONTAINER_OOM_KILLS, _COUNTER, "OOM kills in it, of any of its processes.", _oom_kills),
    (names.CONTAINER_RESTARTS, _COUNTER, "Restarts by its restart policy.", lambda r: r.container.restart_count),
    (names.CONTAINER_STARTED, _GAUGE, "When it last started.", lambda r: r.container.started_at),
    (names.CONTAINER_FINISHED, _GAUGE, "When it last ended.", lambda r: r.container.finished_at),
    (names.CONTAINER_MEMORY_LIMIT, _GAUGE, "Memory that it may use; 0 means no limit.", _memory_limit),
    (names.CONTAINER_MEMORY_ANON, _GAUGE, "Anonymous memory: what leaks. No page cache.", _cgroup(lambda c: c.anon)),
    (
        names.CONTAINER_MEMORY_SHMEM,
        _GAUGE,
        "Shared memory and tmpfs: not reclaimable either.",
        _cgroup(lambda c: c.shmem),
    ),
    (names.CONTAINER_MEMORY_USAGE, _GAUGE, "All memory, with page cache.", _cgroup(lambda c: c.usage)),
    (names.CONTAINER_CPU, _COUNTER, "CPU time used since it started.", _cgroup(lambda c: c.cpu_seconds)),
    (names.CONTAINER_PIDS, _GAUGE, "Processes and threads in it.", _cgroup(lambda c: c.pids)),
)


@dataclass(frozen=True, slots=True)
class RenderedLabels:
    """The label sets of one container. ``states`` and ``healths`` are in the order of the tables above."""

    info: str
    plain: str
    states: tuple[str, ...]
    healths: tuple[str, ...]


class LabelCache:
    """Label sets of the containers that there are: rendering them would be most of the cost of a scrape."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], RenderedLabels] = {}

    def render(self, containers: Iterable[Container]) -> list[RenderedLabels]:
        """In the same order. What else was known is forgotten."""
        # All other label values come from what an id never changes.
        keyed = {(c.id, c.name, c.restart_policy): c for c in containers}
        self._known = {key: self._known.get(key) or _render(container) for key, container in keyed.items()}
        return list(self._known.values())


def _render(container: Container) -> RenderedLabels:
    own = {names.WORKLOAD: container.workload_id, names.CONTAINER: container.name}
    identity = {
        "image": container.image,
        "id": container.id[:12],
        "compose_project": container.labels.get(names.COMPOSE_PROJECT, ""),
        "compose_service": container.labels.get(names.COMPOSE_SERVICE, ""),
        "restart_policy": container.restart_policy,
    }
    return RenderedLabels(
        info=labels(own | identity),
        plain=labels(own),
        states=tuple(labels(own | {"state": state}) for state in STATES),
        healths=tuple(labels(own | {"health": health}) for health in HEALTHS),
    )


@dataclass(frozen=True, slots=True)
class ContainersCollector:
    """Every container that the engine has, also ended ones until they are removed."""

    watcher: Watcher
    cgroups: Cgroups
    label_cache: LabelCache

    @property
    def name(self) -> str:
        return "containers"

    async def collect(self) -> list[Family]:
        seen = await self.watcher.look()
        running = [(each.container.id, each.container.pid) for each in seen if each.is_running]
        samples = await asyncio.to_thread(self.cgroups.sample_all, running)
        readings = [Reading(each, samples.get(each.container.id)) for each in seen]
        rendered = self.label_cache.render(each.container for each in seen)
        return families(list(zip(rendered, readings, strict=True)))


def families(rows: list[tuple[RenderedLabels, Reading]]) -> list[Family]:
    """All families over all containers."""
    info = gauge(names.CONTAINER_INFO, "Identity of the container.")
    state = gauge(names.CONTAINER_STATE, "1 for the state that the engine tells.")
    health = gauge(names.CONTAINER_HEALTH, "1 for what its own health check says; a paused one keeps its last.")
    for rendered, reading in rows:
        info.add(rendered.info, 1)
        for value, labels_ in zip(STATES, rendered.states, strict=True):
            state.add(labels_, value == reading.container.status)
        for value, labels_ in zip(HEALTHS, rendered.healths, strict=True):
            health.add(labels_, value == reading.container.health)
    found = [info, state, health]
    for name, type_, help_text, value_of in METRICS:
        family = Family(name, type_, help_text)
        for rendered, reading in rows:
            if (number := value_of(reading)) is not None:
                family.add(rendered.plain, number)
        found.append(family)
    return found
