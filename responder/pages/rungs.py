"""A recovery's ladder: what became of each step taken, and what is planned for the others. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from responder.gates import Approval
from responder.history import approvals, is_look
from responder.ledger import Entry, EntryKind
from responder.pages.lines import joined, status, verdict
from responder.pages.view import Rung, Tone
from responder.pages.words import shown, text_of

_PASSED_OVER = "passed over"
_GATE = re.compile("[a-z_]+")
_WORDS = {
    Approval.PENDING: (Tone.BUSY, "waits for approval"),
    Approval.APPROVED: (Tone.GOOD, "approved"),
    Approval.REJECTED: (Tone.BAD, "rejected"),
    Approval.EXPIRED: (Tone.BAD, "nobody answered in time"),
}


@dataclass(frozen=True, slots=True)
class Planned:
    """One rung as the responder would decide on it now (responder/rehearsal.py)."""

    index: int
    action: str
    is_taken: bool
    why: str

    @property
    def is_passed_over(self) -> bool:
        return self.why.startswith(_PASSED_OVER)


def planned(plan: Mapping[str, object]) -> tuple[Planned, ...]:
    """The ladder of a rehearsal."""
    ladder = plan.get("ladder")
    rows = ladder if isinstance(ladder, list) else []
    return tuple(
        Planned(int(str(row["rung"])), shown(row["action"]), bool(row["taken"]), _plain(shown(row["why"])))
        for row in rows
    )


def _plain(why: str) -> str:
    """Without the gate's name, which is for metrics."""
    gate, _, detail = why.partition(": ")
    return detail if _GATE.fullmatch(gate) else why


def rungs(plan: Sequence[Planned], entries: Sequence[Entry], now: float) -> tuple[Rung, ...]:
    """All of the ladder; only the steps that the ledger tells of while the plan is not known."""
    taken, answers = _taken(entries), approvals(entries, now)
    asked = {_index(e): _asked(e, entries, answers) for e in entries if e.kind is EntryKind.PENDING}
    known = {row.index: row for row in plan}
    return tuple(
        taken.get(index) or asked.get(index) or _expected(known[index]) for index in sorted({*known, *taken, *asked})
    )


def upcoming(plan: Sequence[Planned], entries: Sequence[Entry]) -> Planned | None:
    """The step after those that were taken, should they not have helped."""
    started = {_index(entry) for entry in entries if entry.kind is EntryKind.STARTED}
    return next((row for row in plan if row.index not in started and not row.is_passed_over), None)


def _taken(entries: Sequence[Entry]) -> dict[int, Rung]:
    """The last time counts."""
    starts = [entry for entry in entries if entry.kind is EntryKind.STARTED]
    ends = [entry.id for entry in starts[1:]] + [entries[-1].id + 1 if entries else 0]
    return {
        _index(start): _outcome(start, [e for e in entries if start.id < e.id < end])
        for start, end in zip(starts, ends, strict=False)
    }


def _outcome(start: Entry, after: Sequence[Entry]) -> Rung:
    rung = Rung(_index(start) + 1, text_of(start.data, "action"), Tone.BUSY, "under way", "", is_current=True)
    if judged := next((e for e in after if e.kind is EntryKind.JUDGED), None):
        tone, word = verdict(judged.data)
        return replace(rung, tone=tone, state=word, why=text_of(judged.data, "reason"), is_current=False)
    finished = next((e for e in after if e.kind is EntryKind.FINISHED), None)
    if finished is None:
        return rung
    tone, word = status(finished.data)
    if tone is Tone.BUSY and not is_look(start):
        return replace(rung, state="being verified", why=text_of(finished.data, "detail"))
    return replace(rung, tone=tone, state=word, why=text_of(finished.data, "detail"), is_current=False)


def _asked(asked: Entry, entries: Sequence[Entry], answers: Mapping[int, Approval]) -> Rung:
    index = _index(asked)
    tone, word = _WORDS[answers[index]]
    told = (e for e in reversed(entries) if e.kind in (EntryKind.APPROVED, EntryKind.REJECTED) and _index(e) == index)
    person = next((joined(f"by {text_of(e.data, 'by')}", text_of(e.data, "reason")) for e in told), "")
    is_open = answers[index] is Approval.PENDING
    return Rung(index + 1, text_of(asked.data, "action"), tone, word, "" if is_open else person, is_current=is_open)


def _expected(row: Planned) -> Rung:
    if row.is_passed_over:
        why = row.why.removeprefix(f"{_PASSED_OVER}: ")
        return Rung(row.index + 1, row.action, Tone.UNKNOWN, _PASSED_OVER, why, is_current=False)
    word = "planned" if row.is_taken else "held back"
    return Rung(row.index + 1, row.action, Tone.UNKNOWN, word, row.why, is_current=False)


def _index(entry: Entry) -> int:
    return int(str(entry.data["rung"]))
