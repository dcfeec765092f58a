"""How a workload is, as one word with its reason: decided from what is known of it, and of what it depends on.

What leads to a repair are the alert rules, not this: it is what people look at first, and what tells a cause from its
consequences.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from homeostat.workloads import ProbeRole


class State(StrEnum):
    """``UNKNOWN`` is neither good nor bad: nothing was measured, or nothing is to be expected of it now."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why, in one word."""

    NONE = ""
    LABELS_INVALID = "labels_invalid"
    NOT_MEASURED = "not_measured"
    MISSING = "missing"
    STOPPED = "stopped_by_request"
    NOT_RUNNING = "not_running"
    CRASH_LOOPING = "crash_looping"
    PAUSED = "paused"
    STARTING = "starting"
    PROBE_FAILING = "probe_failing"
    NOT_READY = "not_ready"
    DOCKER_UNHEALTHY = "docker_unhealthy"
    DEPENDENCY = "dependency_unhealthy"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class Health:
    """``source``: the container, process, probe or workload that the reason is about."""

    state: State
    reason: Reason = Reason.NONE
    source: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """What one probe says after its thresholds; None before its first result. ``name``: of the probe."""

    name: str
    role: ProbeRole
    is_good: bool | None


@dataclass(frozen=True, slots=True)
class Instance:
    """One container or process, with the probes that go to it alone.

    ``docker``: what its own health check says: none, starting, healthy, unhealthy. ``is_starting``: within its grace.
    """

    name: str
    is_running: bool
    is_stopped: bool | None = False
    is_paused: bool = False
    is_crash_looping: bool = False
    is_starting: bool = False
    docker: str = "none"
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """All about one workload. ``instances`` is None when it could not be measured. ``checks``: probes of the whole."""

    are_labels_valid: bool
    instances: tuple[Instance, ...] | None
    checks: tuple[Check, ...] = ()


_HEALTHY = Health(State.HEALTHY)
_FROM_WORST = (State.UNHEALTHY, State.DEGRADED, State.UNKNOWN, State.HEALTHY)


def judge(facts: Facts) -> Health:
    """The workload by itself.

    - ``unhealthy``: it runs nowhere although nobody stopped it, or every instance is paused, crash-looping or fails a
      liveness probe (Docker's own health check, where no probe speaks for it);
    - ``degraded``: some instance does, a readiness probe fails, or Docker disagrees with the probes;
    - ``unknown``: not measured, stopped on purpose, still starting, or nothing checks it;
    - ``healthy``: it runs, something checks it, and every check is good.
    """
    if not facts.are_labels_valid:
        return Health(State.UNKNOWN, Reason.LABELS_INVALID)
    if facts.instances is None:
        return Health(State.UNKNOWN, Reason.NOT_MEASURED)
    if not facts.instances:
        return Health(State.UNHEALTHY, Reason.MISSING)
    wanted = [instance for instance in facts.instances if not instance.is_stopped]
    if not wanted:
        return Health(State.UNKNOWN, Reason.STOPPED)
    # A probe of the whole workload speaks for each of its instances.
    each = [_judge_instance(instance, (*instance.checks, *facts.checks)) for instance in wanted]
    worst = min(each, key=lambda health: _FROM_WORST.index(health.state))
    if worst.state is State.UNHEALTHY and any(health.state is not State.UNHEALTHY for health in each):
        return Health(State.DEGRADED, worst.reason, worst.source)
    return worst


def with_dependencies(own: Mapping[str, Health], depends_on: Mapping[str, Sequence[str]]) -> dict[str, Health]:
    """``own`` with what dependencies do to it: a healthy or unchecked workload that needs an unhealthy one, however
    far away, is degraded by it. Its own trouble is told before that of others.
    """
    return {workload: _blamed(workload, health, own, depends_on) for workload, health in own.items()}


def _blamed(
    workload: str, health: Health, own: Mapping[str, Health], depends_on: Mapping[str, Sequence[str]]
) -> Health:
    if health.state is not State.HEALTHY and health.reason is not Reason.UNCHECKED:
        return health
    for dependency in _reachable(workload, depends_on):
        if dependency in own and own[dependency].state is State.UNHEALTHY:
            return Health(State.DEGRADED, Reason.DEPENDENCY, dependency)
    return health


def _reachable(workload: str, depends_on: Mapping[str, Sequence[str]]) -> Iterable[str]:
    """Everything that it needs, the nearest first; a circle ends."""
    seen = {workload}
    pending = list(depends_on.get(workload, ()))
    while pending:
        dependency = pending.pop(0)
        if dependency not in seen:
            seen.add(dependency)
            yield dependency
            pending += depends_on.get(dependency, ())


def _judge_instance(instance: Instance, checks: Iterable[Check]) -> Health:
    name = instance.name
    if instance.is_crash_looping:
        return Health(State.UNHEALTHY, Reason.CRASH_LOOPING, name)
    if not instance.is_running:
        return Health(State.UNHEALTHY, Reason.NOT_RUNNING, name)
    if instance.is_paused:  # its health check and a TCP probe would still call it well
        return Health(State.UNHEALTHY, Reason.PAUSED, name)
    probed = _by_checks(checks)
    is_bad = probed.state is State.UNHEALTHY or instance.docker == "unhealthy"
    if instance.docker == "starting" or (instance.is_starting and is_bad):
        return Health(State.UNKNOWN, Reason.STARTING, name)
    if probed.state in (State.UNHEALTHY, State.DEGRADED):
        return probed
    if instance.docker == "unhealthy":
        state = State.DEGRADED if probed.state is State.HEALTHY else State.UNHEALTHY
        return Health(state, Reason.DOCKER_UNHEALTHY, name)
    return _HEALTHY if instance.docker == "healthy" and probed.reason is Reason.UNCHECKED else probed


def _by_checks(checks: Iterable[Check]) -> Health:
    """Liveness first: a restart mends it, and it is what the alert rules look at."""
    ordered = sorted(checks, key=lambda check: (check.role is not ProbeRole.LIVENESS, check.name))
    for check in ordered:
        if check.is_good is False:
            if check.role is ProbeRole.LIVENESS:
                return Health(State.UNHEALTHY, Reason.PROBE_FAILING, check.name)
            return Health(State.DEGRADED, Reason.NOT_READY, check.name)
    unmeasured = next((check for check in ordered if check.is_good is None), None)
    if unmeasured is not None:
        return Health(State.UNKNOWN, Reason.NOT_MEASURED, unmeasured.name)
    return _HEALTHY if ordered else Health(State.UNKNOWN, Reason.UNCHECKED)
