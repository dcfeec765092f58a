"""Containers, as often as rules look at them: state as the engine tells it, memory and CPU as their cgroups do."""

from collections.abc import Callable
from dataclasses import dataclass

from exporters.cgroups import CgroupSample
from exporters.containerlabels import HEALTHS, STATES, LabelCache, RenderedLabels
from exporters.meter import Meter
from exporters.sources import Sources
from exporters.together import Together
from exporters.watch import Seen
from homeostat import names
from homeostat.containers import Container
from homeostat.families import Family, Metric, counter, gauge


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


def _failing_streak(reading: Reading) -> int | None:
    container = reading.container
    return None if container.health == "none" else container.health_failing_streak


def _oom_kills(reading: Reading) -> int:
    # The kernel's count starts over with the container, the engine's events may be dropped: the larger is nearer.
    in_this_life = reading.cgroup.oom_kills if reading.cgroup else None
    return max(reading.seen.oom_kills, in_this_life or 0)


def _memory_limit(reading: Reading) -> int:
    # Podman's runtime may set it on a cgroup below, and an engine that measures by itself does not tell it.
    return (reading.cgroup.limit if reading.cgroup else None) or reading.container.memory_limit


def _cgroup(value: Callable[[CgroupSample], float | None]) -> Value:
    return lambda reading: None if reading.cgroup is None else value(reading.cgroup)


_OWN = (names.WORKLOAD, names.CONTAINER)
_IDENTITY = ("image", "id", "compose_project", "compose_service", "restart_policy")
_INFO = gauge(names.CONTAINER_INFO, "Identity of the container.", *_OWN, *_IDENTITY)
_STATE = gauge(names.CONTAINER_STATE, "1 for the state that the engine tells.", *_OWN, "state")
_HEALTH = gauge(
    names.CONTAINER_HEALTH, "1 for what its own health check says; a paused one keeps its last.", *_OWN, "health"
)


def _gauge(name: str, help_text: str) -> Metric:
    return gauge(name, help_text, *_OWN)


def _counter(name: str, help_text: str) -> Metric:
    return counter(name, help_text, *_OWN)


#: One row per metric of one value. Adding one is adding a row. What no rule rests on belongs to container_resources.
VALUES: tuple[tuple[Metric, Value], ...] = (
    (_gauge(names.CONTAINER_RUNNING, "Whether its process exists; a paused one does."), lambda r: r.seen.is_running),
    (
        _gauge(names.CONTAINER_STOPPED, "Whether its end was asked for through the engine's API."),
        lambda r: r.seen.stopped_by_request,
    ),
    (
        _gauge(
            "homeostat_container_health_failing_streak",
            "How often in a row its own health check has failed, up to a minute ago while it counts as healthy; absent "
            "without a health check.",
        ),
        _failing_streak,
    ),
    (_gauge(names.CONTAINER_EXIT_CODE, "How it ended; absent while it runs."), _exit_code),
    (_gauge(names.CONTAINER_OOM_KILLED, "Whether the OOM killer ended it."), lambda r: r.container.oom_killed),
    (_counter(names.CONTAINER_OOM_KILLS, "OOM kills in it, of any of its processes."), _oom_kills),
    (_counter(names.CONTAINER_RESTARTS, "Restarts by its restart policy."), lambda r: r.container.restart_count),
    (_gauge(names.CONTAINER_STARTED, "When it last started."), lambda r: r.container.started_at),
    (_gauge(names.CONTAINER_FINISHED, "When it last ended."), lambda r: r.container.finished_at),
    (_gauge(names.CONTAINER_MEMORY_LIMIT, "Memory that it may use; 0 means no limit."), _memory_limit),
    (
        _gauge(names.CONTAINER_MEMORY_ANON, "Anonymous memory: what leaks. No page cache."),
        _cgroup(lambda c: c.anon),
    ),
    (
        _gauge(names.CONTAINER_MEMORY_SHMEM, "Shared memory and tmpfs: not reclaimable either."),
        _cgroup(lambda c: c.shmem),
    ),
    (_gauge(names.CONTAINER_MEMORY_USAGE, "All memory, with page cache."), _cgroup(lambda c: c.usage)),
    (_counter(names.CONTAINER_CPU, "CPU time used since it started."), _cgroup(lambda c: c.cpu_seconds)),
    (
        _gauge(names.CONTAINER_PIDS, "Tasks that count against its limit: every thread of every process, zombies too."),
        _cgroup(lambda c: c.pids),
    ),
)
METRICS: tuple[Metric, ...] = (_INFO, _STATE, _HEALTH, *(metric for metric, _ in VALUES))


def make(sources: Sources) -> "ContainersCollector | None":
    if sources.look is None or sources.watcher is None or not sources.watcher.is_wanted:
        return None
    return ContainersCollector(sources.look, sources.meter, sources.label_cache)


@dataclass(frozen=True, slots=True)
class ContainersCollector:
    """Every container that the engine has, also ended ones until they are removed."""

    look: Together[list[Seen]]
    meter: Meter
    label_cache: LabelCache

    @property
    def name(self) -> str:
        return "containers"

    async def collect(self) -> list[Family]:
        seen = await self.look()
        samples = await self.meter.samples([each.container for each in seen if each.is_running])
        readings = [Reading(each, samples.get(each.container.id)) for each in seen]
        rendered = self.label_cache.render(each.container for each in seen)
        return families(list(zip(rendered, readings, strict=True)))


def families(rows: list[tuple[RenderedLabels, Reading]]) -> list[Family]:
    """All families over all containers."""
    info, state, health = _INFO.family(), _STATE.family(), _HEALTH.family()
    for rendered, reading in rows:
        info.add(rendered.info, 1)
        container = reading.container
        state.samples += [
            (labels_, value == container.status) for value, labels_ in zip(STATES, rendered.states, strict=True)
        ]
        health.samples += [
            (labels_, value == container.health) for value, labels_ in zip(HEALTHS, rendered.healths, strict=True)
        ]
    return [info, state, health] + [
        metric.family(
            [(rendered.plain, number) for rendered, reading in rows if (number := value_of(reading)) is not None]
        )
        for metric, value_of in VALUES
    ]
