"""What the ledger says of one recovery so far. Pure: entries in, answers out, so a crash loses nothing."""

from collections.abc import Sequence

from homeostat.steps import Step, Tier
from homeostat.structure import stored
from responder.engine import Status
from responder.ledger import Entry, EntryKind
from responder.verify import Verdict


def tried_rungs(entries: Sequence[Entry]) -> frozenset[int]:
    """Rungs that were started in this episode, whatever became of them."""
    return frozenset(int(str(entry.data["rung"])) for entry in entries if entry.kind is EntryKind.STARTED)


def unjudged_step(entries: Sequence[Entry]) -> Entry | None:
    """The started entry of the last step, unless it is known not to have helped: only then the next one may follow."""
    started = next((entry for entry in reversed(entries) if entry.kind is EntryKind.STARTED), None)
    if started is None or any(e.id > started.id and _rules_out(e, started) for e in entries):
        return None
    return started


def _rules_out(entry: Entry, started: Entry) -> bool:
    if entry.kind is EntryKind.JUDGED:
        return entry.data["verdict"] == Verdict.NOT_RECOVERED
    if entry.kind is not EntryKind.FINISHED:
        return False
    # A soft step that failed has changed nothing worth waiting for; a hard one may have worked all the same.
    is_soft_failure = entry.data["status"] == Status.FAILED and started.data["tier"] != Tier.HARD
    return entry.data["status"] == Status.SKIPPED or is_soft_failure


def waiting_since(entries: Sequence[Entry], reason: str) -> float | None:
    """When the wait for this reason began, if it still goes on."""
    since: float | None = None
    for entry in reversed(entries):
        if entry.kind in (EntryKind.WAITING, EntryKind.REFUSED) and entry.data["reason"] == reason:
            since = entry.at
        elif entry.kind not in (EntryKind.JUDGED, EntryKind.RESOLVED):
            break
    return since


def parse_step(data: object) -> Step:
    """A step as it was written to the ledger; today's settings may have another one there."""
    step: Step = stored(Step, data)  # type: ignore[arg-type]  # mypy has no type of union types yet
    return step
