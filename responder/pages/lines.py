"""One line of the ledger -> what it says, in words. Pure.

A kind of line more needs a function and a line in ``_TEXTS``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from responder.ledger import Entry, EntryKind
from responder.pages.view import Fact, Line, Tone
from responder.pages.words import moment, shown, text_of

_Said = tuple[Tone, str]
#: Of one piece of evidence; the ledger has it cut to size already.
_MOST_TEXT = 64 * 1024
_SCALAR = str | int | float | None
_VERDICTS = {
    "verified": (Tone.GOOD, "helped"),
    "not_recovered": (Tone.BAD, "did not help"),
    "inconclusive": (Tone.UNKNOWN, "cannot be told"),
}
_STATUSES = {
    "applied": (Tone.BUSY, "done"),
    "skipped": (Tone.UNKNOWN, "skipped"),
    "failed": (Tone.BAD, "failed"),
    "interrupted": (Tone.UNKNOWN, "interrupted"),
}
FINALS = {
    "verified": (Tone.GOOD, "repaired, verified"),
    "rolled_back": (Tone.GOOD, "step put back, well since"),
    "escalated": (Tone.BAD, "people were called"),
    "self_resolved": (Tone.GOOD, "ended by itself"),
}


def line_of(entry: Entry, now: float) -> Line:
    tone, text = _TEXTS[entry.kind](entry)
    return Line(moment(entry.at, now), tone, text, tuple(details(entry)))


def verdict(data: Mapping[str, object]) -> _Said:
    """Of a judged line; what is not known is told as it stands there."""
    word = text_of(data, "verdict")
    return _VERDICTS.get(word, (Tone.UNKNOWN, word or "was looked at"))


def status(data: Mapping[str, object]) -> _Said:
    """Of a finished line."""
    word = text_of(data, "status")
    return _STATUSES.get(word, (Tone.UNKNOWN, word or "ended"))


def rung_of(data: Mapping[str, object]) -> str:
    """``step 2, restart``: people count from 1."""
    rung = data.get("rung")
    number = rung + 1 if isinstance(rung, int) else "?"
    return f"step {number}, {text_of(data, 'action')}" if "action" in data else f"step {number}"


def joined(*parts: str) -> str:
    """With colons, without the empty ones."""
    return ": ".join(part for part in parts if part)


def details(entry: Entry) -> Iterator[Fact]:
    """What was seen: readings of a verification, or what was captured."""
    for reading in _dicts(entry.data.get("readings")):
        yield Fact(text_of(reading, "source"), joined(_quality(reading), text_of(reading, "detail")))
    if entry.kind is EntryKind.EVIDENCE:
        for cause in causes(entry):
            yield Fact("likely cause", cause)
        yield from _captured("", {k: v for k, v in entry.data.items() if k not in ("rung", "causes")})


def causes(entry: Entry) -> Iterator[str]:
    """What evidence is known to mean."""
    for cause in _dicts(entry.data.get("causes")):
        yield joined(text_of(cause, "cause").replace("_", " "), text_of(cause, "line"))


def _captured(name: str, data: object) -> Iterator[Fact]:
    """Each part under the names that lead to it; what has no parts of its own is one text."""
    if isinstance(data, Mapping) and name and all(isinstance(each, _SCALAR) for each in data.values()):
        yield Fact(name, block("\n".join(f"{str(k).replace('_', ' ')}: {v}" for k, v in data.items())))
    elif isinstance(data, Mapping):
        for key, value in data.items():
            label = shown(str(key).replace("_", " "), 80)
            yield from _captured(label if name in ("", "subjects") else f"{name}, {label}", value)
    elif isinstance(data, list) and any(isinstance(each, Mapping) for each in data):
        rows = [", ".join(f"{k}: {v}" for k, v in each.items()) if isinstance(each, Mapping) else each for each in data]
        yield Fact(name, block("\n".join(map(str, rows))))
    else:
        yield Fact(name, block("\n".join(map(str, data)) if isinstance(data, list) else str(data)))


def block(text: str) -> str:
    """Several lines, otherwise as :func:`shown`."""
    cut = text[:_MOST_TEXT].replace("\t", "    ")
    return "\n".join(shown(line, _MOST_TEXT) for line in cut.split("\n"))


def _dicts(value: object) -> Sequence[Mapping[str, object]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _quality(reading: Mapping[str, object]) -> str:
    return text_of(reading, "quality").replace("_", " ")


def _refused(entry: Entry) -> _Said:
    return Tone.BAD, joined("Not done", text_of(entry.data, "detail") or text_of(entry.data, "reason"))


def _waiting(entry: Entry) -> _Said:
    return Tone.BUSY, joined("Waits", text_of(entry.data, "detail") or text_of(entry.data, "reason"))


def _pending(entry: Entry) -> _Said:
    return Tone.BUSY, f"A person is asked to approve {rung_of(entry.data)}"


def _approved(entry: Entry) -> _Said:
    return Tone.GOOD, joined(f"Approved by {text_of(entry.data, 'by')}", text_of(entry.data, "reason"))


def _rejected(entry: Entry) -> _Said:
    return Tone.BAD, joined(f"Rejected by {text_of(entry.data, 'by')}", text_of(entry.data, "reason"))


def _started(entry: Entry) -> _Said:
    return Tone.BUSY, f"{rung_of(entry.data).capitalize()}, begins"


def _finished(entry: Entry) -> _Said:
    tone, word = status(entry.data)
    return tone, joined(f"{rung_of(entry.data).capitalize()}, {word}", text_of(entry.data, "detail"))


def _judged(entry: Entry) -> _Said:
    tone, word = verdict(entry.data)
    action = text_of(entry.data, "action")
    if action == "none":  # no step was taken: the trouble is said to be over, and that is looked at
        word = {"helped": "it is well", "did not help": "it is not well"}.get(word, word)
        return tone, joined("Looked again", word, text_of(entry.data, "reason"))
    return tone, joined(f"{action.capitalize()} {word}", text_of(entry.data, "reason"))


def _undone(entry: Entry) -> _Said:
    is_back = entry.data.get("status") == "undone"
    word = "was put back" if is_back else "could not be put back"
    return (Tone.BUSY if is_back else Tone.BAD), joined(
        f"{text_of(entry.data, 'action').capitalize()} {word}", text_of(entry.data, "detail")
    )


def _final(entry: Entry) -> _Said:
    word = text_of(entry.data, "final")
    tone, words = FINALS.get(word, (Tone.UNKNOWN, word or "ended"))
    return tone, joined(words.capitalize(), text_of(entry.data, "reason"))


def _closed(entry: Entry) -> _Said:
    return Tone.GOOD, joined("Closed", text_of(entry.data, "reason"))


_TEXTS: Mapping[EntryKind, Callable[[Entry], _Said]] = {
    EntryKind.OPENED: lambda _: (Tone.BUSY, "The alert came in"),
    EntryKind.RESOLVED: lambda _: (Tone.BUSY, "The alert ended; whether all is well is looked at"),
    EntryKind.REFUSED: _refused,
    EntryKind.WAITING: _waiting,
    EntryKind.PENDING: _pending,
    EntryKind.APPROVED: _approved,
    EntryKind.REJECTED: _rejected,
    EntryKind.EVIDENCE: lambda _: (Tone.BUSY, "Evidence was kept"),
    EntryKind.STARTED: _started,
    EntryKind.FINISHED: _finished,
    EntryKind.JUDGED: _judged,
    EntryKind.UNDONE: _undone,
    EntryKind.FINAL: _final,
    EntryKind.DELIVERED: lambda _: (Tone.BUSY, "Alertmanager has taken the call to people"),
    EntryKind.CLOSED: _closed,
}
