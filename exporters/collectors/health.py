"""One word per workload, and why: see exporters/health.py for the rules."""

from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from exporters.catalog import Entry
from exporters.health import Check, Facts, Health, Instance, State, judge, with_dependencies
from exporters.probing import Observation, ProbeKey, Prober
from exporters.sources import Sources
from exporters.watch import Seen
from homeostat import names
from homeostat.errors import HomeostatError
from homeostat.families import Family, Metric, gauge, labels
from homeostat.guardian_client import ProcessStatus
from homeostat.workloads import Kind, Workload

T = TypeVar("T")

_HEALTH = gauge(
    names.WORKLOAD_HEALTH,
    "1 for how the workload is, by its processes, its probes, Docker's health and its dependencies.",
    names.WORKLOAD,
    "state",
)
_REASON = gauge(
    names.WORKLOAD_HEALTH_INFO,
    "Why it is not healthy, and what that is about; both empty when it is.",
    names.WORKLOAD,
    "reason",
    "source",
)
_DEPENDENCY = gauge(
    names.WORKLOAD_DEPENDENCY_INFO, "One per workload that this one needs.", names.WORKLOAD, "dependency"
)
METRICS: tuple[Metric, ...] = (_HEALTH, _REASON, _DEPENDENCY)


def make(sources: Sources) -> "HealthCollector":
    return HealthCollector(sources)


@dataclass(frozen=True, slots=True)
class Measured:
    """What the other sources say now; None for a source that is silent."""

    seen: Mapping[str, Seen] | None
    processes: Mapping[str, ProcessStatus] | None
    observations: Mapping[ProbeKey, Observation] | None
    now: float


@dataclass(frozen=True, slots=True)
class HealthCollector:
    """Every workload of the catalog. A source that is silent makes workloads unknown, never this collector fail."""

    sources: Sources

    @property
    def name(self) -> str:
        return "health"

    async def collect(self) -> list[Family]:
        entries = self.sources.catalog.entries()
        measured = await measure(self.sources)
        own = {entry.workload.id: judge(facts(entry, measured)) for entry in entries}
        depends_on = {entry.workload.id: entry.workload.depends_on for entry in entries}
        return families(with_dependencies(own, depends_on), depends_on)


async def measure(sources: Sources) -> Measured:
    """What is known now, from what the other collectors of the same scrape ask for, too."""
    seen = await _or_none(sources.look()) if sources.look is not None else None
    processes = await _or_none(sources.supervised()) if sources.settings.processes else None
    return Measured(
        seen=None if seen is None else {each.container.id: each for each in seen},
        processes=None if processes is None else {process.workload: process for process in processes},
        observations=_observations(sources.prober),
        now=sources.clock.now(),
    )


async def _or_none(answer: Awaitable[T]) -> T | None:
    try:
        return await answer
    except HomeostatError:  # its own collector says so
        return None


def _observations(prober: Prober) -> Mapping[ProbeKey, Observation] | None:
    try:
        return prober.observations()
    except HomeostatError:
        return None


def facts(entry: Entry, measured: Measured) -> Facts:
    """What is known of one workload."""
    if entry.workload.kind is Kind.PROCESS:
        instances = _process_instances(entry.workload, measured)
    else:
        instances = _container_instances(entry, measured)
    return Facts(not entry.problems, instances, _checks(entry.workload, "", measured))


def _container_instances(entry: Entry, measured: Measured) -> tuple[Instance, ...] | None:
    if measured.seen is None:
        return None
    found = [measured.seen[container.id] for container in entry.containers if container.id in measured.seen]
    return tuple(
        Instance(
            name=seen.container.name,
            is_running=seen.is_running,
            is_stopped=seen.stopped_by_request,
            is_paused=seen.container.status == "paused",
            is_starting=_is_starting(seen.container.started_at, entry.workload, measured.now),
            docker=seen.container.health,
            checks=_checks(entry.workload, seen.container.name, measured),
        )
        for seen in found
    )


def _process_instances(workload: Workload, measured: Measured) -> tuple[Instance, ...] | None:
    process = (measured.processes or {}).get(workload.id)
    if process is None:  # the guardian is silent, or not told of it yet
        return None
    return (
        Instance(
            name=process.name,
            is_running=process.is_running,
            is_stopped=process.stopped_by_request,
            is_crash_looping=process.crash_looping,
            is_starting=_is_starting(process.started_at, workload, measured.now),
        ),
    )


def _is_starting(started_at: float | None, workload: Workload, now: float) -> bool:
    return started_at is not None and now - started_at < workload.start_grace_s


def _checks(workload: Workload, container: str, measured: Measured) -> tuple[Check, ...]:
    """Probes that go to ``container``, or with "" those that go to none."""
    if not workload.enabled:  # then none is run
        return ()
    wanted = [spec for spec in workload.probes if spec.target.startswith(":") == bool(container)]
    last = measured.observations or {}
    return tuple(
        Check(spec.name, spec.role, None if observation is None else observation.healthy)
        for spec in wanted
        for observation in [last.get(ProbeKey(workload.id, container, spec.name))]
    )


def families(healths: Mapping[str, Health], depends_on: Mapping[str, Iterable[str]]) -> list[Family]:
    """All families over all workloads."""
    health, reason, dependency = _HEALTH.family(), _REASON.family(), _DEPENDENCY.family()
    for workload, found in healths.items():
        own = {names.WORKLOAD: workload}
        for state in State:
            health.add(labels(own | {"state": state.value}), state is found.state)
        reason.add(labels(own | {"reason": found.reason.value, "source": found.source}), 1)
        for needed in depends_on[workload]:
            dependency.add(labels(own | {"dependency": needed}), 1)
    return [health, reason, dependency]
