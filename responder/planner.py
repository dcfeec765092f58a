"""Which step comes next. Pure: ladder, history and facts in, one decision out."""

from collections.abc import Collection
from dataclasses import dataclass

from homeostat.ladders import Ladder
from homeostat.steps import DegradeStep, EvidenceStep, HookStep, Step
from homeostat.workloads import Workload, is_workload_id
from responder.gates import Facts, Refusal, Then, first_refusal, is_met, unasked


@dataclass(frozen=True, slots=True)
class Act:
    """Take rung ``index``."""

    index: int
    step: Step


@dataclass(frozen=True, slots=True)
class Exhausted:
    """No rung is left (or there never was one)."""

    escalate: bool


Decision = Act | Refusal | Exhausted


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of the planner. ``ladder`` None: no ladder of that name. ``tried``: rungs already taken."""

    workload_id: str
    remedy: str
    ladder: Ladder | None
    tried: Collection[int]


def plan(request: Request, facts: Facts) -> Decision:
    """The next rung not yet tried that applies to the workload and that no gate refuses."""
    if not request.workload_id:
        return Refusal("empty_selector", "the alert names no workload; nothing never means everything", Then.ESCALATE)
    if not is_workload_id(request.workload_id):
        return Refusal("unknown_workload", "the workload label is not PROJECT/NAME", Then.ESCALATE)
    if request.ladder is None:
        return Refusal("unknown_remedy", f"no ladder for remedy {request.remedy!r:.60}", Then.ESCALATE)
    for index, step in enumerate(request.ladder.steps):
        if index not in request.tried and _applies(step, facts.workload) and is_met(facts, index, step):
            return first_refusal(facts, step) or unasked(facts, index, step) or Act(index, step)
    return Exhausted(request.ladder.escalate)


def _applies(step: Step, workload: Workload | None) -> bool:
    # An unknown workload is the gates' matter: they must see the step to refuse it.
    if workload is None or not isinstance(step, HookStep | EvidenceStep | DegradeStep):
        return True
    return step.hook in workload.hooks


@dataclass(frozen=True, slots=True)
class Outlook:
    """What would become of one rung, should those before it not help. ``why`` is empty for one that would be taken."""

    index: int
    step: Step
    is_taken: bool
    why: str


def outlook(request: Request, facts: Facts) -> list[Outlook]:
    """The whole ladder, rung by rung, as things are now. Empty without a ladder."""
    return [_outlook(index, step, facts) for index, step in enumerate(request.ladder.steps if request.ladder else ())]


def _outlook(index: int, step: Step, facts: Facts) -> Outlook:
    if not _applies(step, facts.workload):
        return Outlook(index, step, is_taken=False, why="passed over: the workload does not offer that hook")
    if not is_met(facts, index, step):
        return Outlook(index, step, is_taken=False, why="passed over: its condition is not met")
    refusal = first_refusal(facts, step) or unasked(facts, index, step)
    if refusal is None:
        return Outlook(index, step, is_taken=True, why="")
    then = "then people are called" if refusal.then is Then.ESCALATE else "it waits for that to pass"
    return Outlook(index, step, is_taken=False, why=f"{refusal.reason}: {refusal.detail}; {then}")
