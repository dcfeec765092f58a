"""What judges are made of. Pure: observations in; None where all is well, else a verdict that says why."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tests.conformance.observations import Observations

#: A receiver may look before it acts, and look again some seconds later; after this it has not acted.
ACT_WITHIN_S = 15.0
#: Finals that say: it is well again.
_RECOVERED = ("verified", "self_resolved")


class Outcome(StrEnum):
    """``not_applicable``: the scenario could not show anything of this receiver."""

    PASS = "pass"
    FAIL = "fail"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one scenario. ``reason`` is empty when it passed."""

    outcome: Outcome
    reason: str = ""


Judge = Callable[[Observations], Verdict]


def first_of(*findings: Verdict | None) -> Verdict:
    """The first failure, else the first other finding: what did not arise never hides a failure."""
    found = [finding for finding in findings if finding is not None]
    failures = [finding for finding in found if finding.outcome is Outcome.FAIL]
    return next(iter((*failures, *found)), Verdict(Outcome.PASS))


def fail(reason: str) -> Verdict:
    return Verdict(Outcome.FAIL, reason)


def arose(situation: object, what: str) -> Verdict | None:
    """Without the situation that a scenario is about, keeping still proves nothing."""
    return None if situation else Verdict(Outcome.NOT_APPLICABLE, f"the situation did not arise: {what}")


def acted(seen: Observations, workload: str, times: int = 1, *, since: str = "", until: str = "") -> Verdict | None:
    """Exactly so often, no more and no less."""
    found = seen.actions_on(workload, since, until)
    if len(found) == times:
        return None
    window = " and".join(f" {word} {mark}" for word, mark in (("after", since), ("before", until)) if mark)
    if not found:
        return fail(f"did not act on {workload}{window}{_refusals(seen)}")
    start = seen.marks[since] if since else min(each.at for each in seen.deliveries or found)
    when = ", ".join(f"{action.at - start:.1f} s" for action in found)
    return fail(f"acted {_times(len(found))} on {workload}{window} (at {when}); allowed: {_times(times)}")


def _times(count: int) -> str:
    return {0: "never", 1: "once"}.get(count, f"{count} times")


def acted_once(seen: Observations, *workloads: str) -> Verdict | None:
    """On each of them."""
    return next((found for workload in workloads if (found := acted(seen, workload))), None)


def kept_still(seen: Observations, workload: str, since: str, until: str = "") -> Verdict | None:
    """Nothing was done to it between two marks."""
    return acted(seen, workload, 0, since=since, until=until)


def unclaimed(seen: Observations, workload: str, until: str = "") -> Verdict | None:
    """The ledger never said that it is well again while its trouble lasted. Nothing to say without a ledger."""
    end = seen.marks[until] if until else float("inf")
    for claim in seen.claims or ():
        if claim.workload == workload and claim.at < end and (claim.final in _RECOVERED or claim.is_closed):
            said = claim.final if claim.final in _RECOVERED else "closed"
            return fail(f"claimed that {workload} is well again ({said}) while its trouble lasted")
    return None


def ledger_knows(seen: Observations, workload: str) -> Verdict | None:
    """The scenario is about what the receiver claims: without a ledger there is nothing to judge."""
    if seen.claims is None:
        return Verdict(Outcome.NOT_APPLICABLE, "needs the receiver's ledger: give --ledger-url")
    if any(claim.workload == workload for claim in seen.claims):
        return None
    return fail(f"the ledger has no recovery of {workload}")


def _refusals(seen: Observations) -> str:
    answers = Counter("no answer" if each.answer is None else str(each.answer) for each in seen.deliveries)
    refused = [f"{answer} ({count})" for answer, count in answers.items() if not answer.startswith("2")]
    if not seen.deliveries:
        return "; Alertmanager delivered nothing"
    return f"; it answered {', '.join(sorted(refused))}" if refused else ""
