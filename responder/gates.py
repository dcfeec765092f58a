"""Reasons not to act now. Pure: facts in, the first refusal out.

Adding a gate: a function and a line in ``GATES``. The order is the order of asking.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from homeostat.alertmanager_api import AlertState
from homeostat.sections import Cap
from homeostat.steps import Step, Tier
from homeostat.workloads import Workload


class Then(StrEnum):
    """What a refusal leads to."""

    ESCALATE = "escalate"  # a person has to decide
    WAIT = "wait"  # it may pass by itself


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a step is not taken. ``reason`` is a metric label: one word of a small set."""

    reason: str
    detail: str
    then: Then


@dataclass(frozen=True, slots=True)
class AlertView:
    """The alert as Alertmanager holds it now. ``state`` None without a ``problem``: it no longer holds it."""

    state: AlertState | None
    muted_by: str
    problem: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known just before a rung. ``workload`` None: ``workload_problem`` says why, and ``is_unreadable`` that it
    may be known later. ``still_true``: whether the alert's rule is true now, None when that cannot be told.
    """

    workload: Workload | None
    workload_problem: str
    alert: AlertView
    hard_steps: tuple[float, ...]
    caps: tuple[Cap, ...]
    dry_run: bool
    now: float
    is_unreadable: bool = False
    still_true: bool | None = True
    rule_detail: str = ""


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


def caps_used_up(facts: Facts, step: Step) -> Refusal | None:
    if step.tier is not Tier.HARD:
        return None
    for cap in facts.caps:
        used = sum(1 for at in facts.hard_steps if at > facts.now - cap.window)
        if used >= cap.count:
            detail = f"{used} hard steps in the last {cap.window:g} s, allowed {cap.count}: repeating is no repair"
            return Refusal("cap", detail, Then.ESCALATE)
    return None


def dry_run(facts: Facts, step: Step) -> Refusal | None:
    if facts.dry_run:
        return Refusal("dry_run", f"would have taken the step {step.action!r}", Then.ESCALATE)
    return None


GATES: tuple[Callable[[Facts, Step], Refusal | None], ...] = (
    not_enabled,
    on_hold,
    not_active,
    workload_unreadable,
    unknown_workload,
    alertmanager_unreadable,
    muted,
    unprocessed,
    rule_unreadable,
    rule_not_true,
    caps_used_up,
    dry_run,
)


def first_refusal(facts: Facts, step: Step) -> Refusal | None:
    """The first gate that refuses, or None when the step may be taken."""
    return next((refusal for gate in GATES if (refusal := gate(facts, step))), None)
