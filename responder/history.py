"""What the ledger says of one recovery so far. Pure: entries in, answers out, so a crash loses nothing."""

from collections.abc import Sequence

from homeostat.steps import Step, Tier
from homeostat.structure import stored
from responder.engine import Status
from responder.gates import Approval
from responder.ledger import Entry, EntryKind
from responder.verify import Verdict

_WORDS = (EntryKind.PENDING, EntryKind.APPROVED, EntryKind.REJECTED)
#: Lines that do not end a wait.
_BESIDES = (EntryKind.JUDGED, EntryKind.RESOLVED, EntryKind.PENDING, EntryKind.APPROVED)

#: Actions that change nothing.
_LOOKS = frozenset({"evidence", "config_diff"})


def tried_rungs(entries: Sequence[Entry]) -> frozenset[int]:
    """Rungs that were started in this episode, whatever became of them."""
    return frozenset(_rung(entry) for entry in entries if entry.kind is EntryKind.STARTED)


def _rung(entry: Entry) -> int:
    return int(str(entry.data["rung"]))


def is_look(started: Entry) -> bool:
    """Whether that step only asked for evidence: it changes nothing, so whatever became of it, nothing is judged."""
    return started.data["action"] in _LOOKS


def unjudged_step(entries: Sequence[Entry]) -> Entry | None:
    """The started entry of the last step, unless it is known not to have helped: only then the next one may follow."""
    started = next((entry for entry in reversed(entries) if entry.kind is EntryKind.STARTED), None)
    if started is None or is_look(started) or any(e.id > started.id and _rules_out(e, started) for e in entries):
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


def undo_due(entries: Sequence[Entry]) -> Entry | None:
    """The started entry of a step that did not help, can be put back, and was not yet."""
    started = next((entry for entry in reversed(entries) if entry.kind is EntryKind.STARTED), None)
    if started is None or "memo" not in started.data or unjudged_step(entries) is not None:
        return None
    statuses = [e.data["status"] for e in entries if e.kind is EntryKind.FINISHED and e.data["token"] == started.id]
    is_undone = any(e.kind is EntryKind.UNDONE and e.data["token"] == started.id for e in entries)
    return None if is_undone or Status.SKIPPED in statuses else started


def unjudged_undo(entries: Sequence[Entry]) -> Entry | None:
    """The entry of the last step's undoing, unless its effect was looked at since."""
    last = next((e for e in reversed(entries) if e.kind in (EntryKind.STARTED, EntryKind.UNDONE)), None)
    if last is None or last.kind is not EntryKind.UNDONE:
        return None
    return None if any(e.kind is EntryKind.JUDGED and e.id > last.id for e in entries) else last


def approvals(entries: Sequence[Entry], now: float) -> dict[int, Approval]:
    """What people said of each rung that they were asked about; the last word counts. A yes is good for as long as the
    question was.
    """
    found: dict[int, Approval] = {}
    asked_for_s: dict[int, float] = {}
    for entry in entries:
        if entry.kind is EntryKind.PENDING:
            expires_at = float(str(entry.data["expires_at"]))
            asked_for_s[_rung(entry)] = expires_at - entry.at
            found[_rung(entry)] = Approval.EXPIRED if now >= expires_at else Approval.PENDING
        elif entry.kind is EntryKind.APPROVED:
            is_over = now >= entry.at + asked_for_s.get(_rung(entry), 0.0)
            found[_rung(entry)] = Approval.EXPIRED if is_over else Approval.APPROVED
        elif entry.kind is EntryKind.REJECTED:
            found[_rung(entry)] = Approval.REJECTED
    return found


def pending(entries: Sequence[Entry]) -> Entry | None:
    """The question that people have not answered yet."""
    last = next((e for e in reversed(entries) if e.kind in _WORDS), None)
    return last if last is not None and last.kind is EntryKind.PENDING else None


def waiting_since(entries: Sequence[Entry], reason: str) -> float | None:
    """When the wait for this reason began, if it still goes on."""
    since: float | None = None
    for entry in reversed(entries):
        if entry.kind in (EntryKind.WAITING, EntryKind.REFUSED) and entry.data["reason"] == reason:
            since = entry.at
        elif entry.kind not in _BESIDES:
            break
    return since


def parse_step(data: object) -> Step:
    """A step as it was written to the ledger; today's settings may have another one there."""
    step: Step = stored(Step, data)  # type: ignore[arg-type]  # mypy has no type of union types yet
    return step
