"""Which step comes next. Pure: ladder, history and facts in, one decision out."""

from collections.abc import Collection
from dataclasses import dataclass

from homeostat.ladders import Ladder
from homeostat.steps import HookStep, Step
from homeostat.workloads import Workload, is_workload_id
from responder.gates import Facts, Refusal, Then, first_refusal


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
        if index in request.tried or not _applies(step, facts.workload):
            continue
        return first_refusal(facts, step) or Act(index, step)
    return Exhausted(request.ladder.escalate)


def _applies(step: Step, workload: Workload | None) -> bool:
    # An unknown workload is the gates' matter: they must see the step to refuse it.
    return workload is None or not isinstance(step, HookStep) or step.hook in workload.hooks
