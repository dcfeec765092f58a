"""Reasons not to act now. Pure: facts in, the first refusal out.

Adding a gate: a function and a line in ``GATES``. The order is the order of asking.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import assert_never

from homeostat.alertmanager_api import AlertState
from homeostat.sections import Cap, MaintenanceWindow, Scope
from homeostat.steps import Step, Tier
from homeostat.workloads import Workload
from responder.ledger import Hold, StepRecord


class Then(StrEnum):
    """What a refusal leads to."""

    ESCALATE = "escalate"  # a person has to decide
    WAIT = "wait"  # it may pass by itself


@dataclass(frozen=True, slots=True)
class Question:
    """What people are asked to approve, and for how long that counts."""

    rung: int
    action: str
    within_s: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a step is not taken. ``reason`` is a metric label: one word of a small set."""

    reason: str
    detail: str
    then: Then
    question: Question | None = None


@dataclass(frozen=True, slots=True)
class AlertView:
    """The alert as Alertmanager holds it now. ``state`` None without a ``problem``: it no longer holds it."""

    state: AlertState | None
    muted_by: str
    problem: str


class Approval(StrEnum):
    """What people said of a step that waits for their word."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Limits:
    """What the settings allow."""

    caps: tuple[Cap, ...] = ()
    cooldown_s: float = 0.0
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known just before a rung. ``workload`` None: ``workload_problem`` says why, and ``is_unreadable`` that it
    may be known later. ``still_true``: whether the alert's rule is true now, None when that cannot be told.
    """

    workload: Workload | None
    workload_problem: str
    alert: AlertView
    limits: Limits
    now: float
    episode_id: int = 0
    is_unreadable: bool = False
    still_true: bool | None = True
    rule_detail: str = ""
    #: Of all workloads, as far back as limits look.
    steps: Sequence[StepRecord] = ()
    #: Operators' word on this workload.
    hold: Hold | None = None
    maintenance: MaintenanceWindow | None = None
    #: Workloads that this one needs and that are in trouble themselves.
    blamed: tuple[str, ...] = ()
    #: By rung: whether its condition is met; a text for what keeps that from being known.
    conditions: Mapping[int, bool | str] = field(default_factory=lambda: MappingProxyType({}))
    #: By rung, of those that people were asked about.
    approvals: Mapping[int, Approval] = field(default_factory=lambda: MappingProxyType({}))


def workload_unreadable(facts: Facts, _step: Step) -> Refusal | None:
    if facts.workload is None and facts.is_unreadable:
        return Refusal("workload_unreadable", facts.workload_problem, Then.WAIT)
    return None


def unknown_workload(facts: Facts, _step: Step) -> Refusal | None:
    if facts.workload is None:
        return Refusal("unknown_workload", facts.workload_problem, Then.ESCALATE)
    return None


def not_enabled(facts: Facts, _step: Step) -> Refusal | None:
    if facts.workload and not facts.workload.enabled:
        return Refusal("not_enabled", "its owner has not opted in (homeostat.enable=true)", Then.ESCALATE)
    return None


def on_hold(facts: Facts, _step: Step) -> Refusal | None:
    if facts.workload and facts.workload.hold:
        return Refusal("hold", "its owner asked for hands off (homeostat.hold=true)", Then.ESCALATE)
    return None


def held_by_operator(facts: Facts, _step: Step) -> Refusal | None:
    if facts.hold is None:
        return None
    detail = f"{facts.hold.by} asked for hands off of {facts.hold.pattern}: {facts.hold.reason or 'no reason given'}"
    return Refusal("operator_hold", detail, Then.WAIT)


def in_maintenance(facts: Facts, _step: Step) -> Refusal | None:
    if facts.maintenance is None:
        return None
    window = facts.maintenance
    return Refusal("maintenance", f"maintenance until {window.end} ({window.timezone})", Then.WAIT)


def alertmanager_unreadable(facts: Facts, _step: Step) -> Refusal | None:
    if facts.alert.problem:
        return Refusal("alertmanager_unreadable", facts.alert.problem, Then.WAIT)
    return None


def muted(facts: Facts, _step: Step) -> Refusal | None:
    if facts.alert.state is AlertState.SUPPRESSED:
        return Refusal("muted", f"muted by {facts.alert.muted_by}", Then.WAIT)
    return None


def unprocessed(facts: Facts, _step: Step) -> Refusal | None:
    if facts.alert.state is AlertState.UNPROCESSED:
        return Refusal("unprocessed", "Alertmanager has not judged yet whether it is muted", Then.WAIT)
    return None


def not_active(facts: Facts, _step: Step) -> Refusal | None:
    if facts.alert.state is None and not facts.alert.problem:
        return Refusal("not_active", "Alertmanager no longer holds the alert", Then.WAIT)
    return None


def rule_unreadable(facts: Facts, _step: Step) -> Refusal | None:
    if facts.still_true is None:
        return Refusal("rule_unreadable", facts.rule_detail, Then.WAIT)
    return None


def rule_not_true(facts: Facts, _step: Step) -> Refusal | None:
    """Alertmanager holds an alert longer than it is true, and takes alerts from anybody on this host."""
    if facts.still_true is False:
        return Refusal("rule_not_true", "Prometheus no longer finds the alert's rule true", Then.WAIT)
    return None


def dependency_first(facts: Facts, _step: Step) -> Refusal | None:
    if not facts.blamed:
        return None
    return Refusal("dependency", f"it needs {', '.join(facts.blamed)}, in trouble too: that comes first", Then.WAIT)


def cooling_down(facts: Facts, step: Step) -> Refusal | None:
    """Not between the rungs of one trouble: what the one before did not mend is not mended by waiting."""
    if step.tier is not Tier.HARD or facts.workload is None or not facts.limits.cooldown_s:
        return None
    ours = [s.at for s in _hard(facts) if s.workload == facts.workload.id and s.episode_id != facts.episode_id]
    left_s = max(ours, default=float("-inf")) + facts.limits.cooldown_s - facts.now
    if left_s <= 0:
        return None
    return Refusal("cooldown", f"hard step a moment ago; {facts.limits.cooldown_s:g} s have to pass", Then.WAIT)


def caps_used_up(facts: Facts, step: Step) -> Refusal | None:
    if step.tier is not Tier.HARD or facts.workload is None:
        return None
    for cap in facts.limits.caps:
        counted = [s for s in _hard(facts) if s.at > facts.now - cap.window and _counts(cap.per, s, step, facts)]
        if len(counted) >= cap.count:
            where = "" if cap.per is Scope.WORKLOAD else f" ({cap.per.value})"
            detail = f"{len(counted)} hard steps in the last {cap.window:g} s{where}, allowed {cap.count}"
            return Refusal("cap", f"{detail}: repeating is no repair", Then.ESCALATE)
    return None


def _hard(facts: Facts) -> list[StepRecord]:
    return [record for record in facts.steps if record.tier == Tier.HARD]


def _counts(per: Scope, record: StepRecord, step: Step, facts: Facts) -> bool:
    """Whether a step that was taken uses up a cap of this kind for the step in question."""
    workload = facts.workload.id if facts.workload else ""
    match per:
        case Scope.WORKLOAD:
            return record.workload == workload
        case Scope.ACTION:
            return record.action == step.action
        case Scope.PROJECT:
            return record.workload.partition("/")[0] == workload.partition("/")[0]
        case Scope.ALL:
            return True
        case _ as never:
            assert_never(never)


def dry_run(facts: Facts, step: Step) -> Refusal | None:
    if facts.limits.dry_run:
        return Refusal("dry_run", f"would have taken the step {step.action!r}", Then.ESCALATE)
    return None


GATES: tuple[Callable[[Facts, Step], Refusal | None], ...] = (
    not_enabled,
    on_hold,
    held_by_operator,
    not_active,
    workload_unreadable,
    unknown_workload,
    alertmanager_unreadable,
    muted,
    unprocessed,
    rule_unreadable,
    rule_not_true,
    in_maintenance,
    dependency_first,
    cooling_down,
    caps_used_up,
    dry_run,
)


def first_refusal(facts: Facts, step: Step) -> Refusal | None:
    """The first gate that refuses, or None when the step may be taken."""
    return next((refusal for gate in GATES if (refusal := gate(facts, step))), None)


def is_met(facts: Facts, index: int, step: Step) -> bool:
    """Whether the step's own condition lets it be taken; one that cannot be told does not pass it over."""
    return step.when is None or facts.conditions.get(index) is not False


def unasked(facts: Facts, index: int, step: Step) -> Refusal | None:
    """Last of all: what this one rung waits for. People are not asked about what would not be done anyway."""
    condition = facts.conditions.get(index, "its condition was not looked at")
    if step.when is not None and isinstance(condition, str):
        return Refusal("condition_unreadable", condition, Then.WAIT)
    if step.approval is None:
        return None
    match facts.approvals.get(index):
        case Approval.APPROVED:
            return None
        case Approval.REJECTED:
            return Refusal("rejected", f"a person said no to the step {step.action!r}", Then.ESCALATE)
        case Approval.EXPIRED:
            return Refusal("approval_expired", f"nobody approved the step {step.action!r} in time", Then.ESCALATE)
        case _:
            question = Question(index, step.action, step.approval)
            return Refusal("approval", f"a person has to approve the step {step.action!r}", Then.WAIT, question)
