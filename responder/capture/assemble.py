"""What the sources found -> the evidence that is written down: redacted, searched for causes, cut to size. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from responder.capture.base import CaptureBounds, Section, Source
from responder.capture.causes import find_causes
from responder.capture.fit import fit, newest, size
from responder.capture.redact import redact, redact_all

#: Of the bytes, for causes found.
_CAUSES_SHARE = 0.10
_MOST_CAUSES = 8
#: Of a reason why something is not there.
_LONGEST_REASON = 300
_NO_ROOM = {"not_there": "no room"}
#: For less than that, a log is not begun.
_LEAST_LOG = 200

#: By subject, then source: what was found, or why nothing was.
Findings = Mapping[str, Mapping[str, Section | str]]


def assemble(
    found: Findings, sources: Sequence[Source], secrets: Iterable[str], bounds: CaptureBounds
) -> dict[str, object]:
    """``{"causes": [...], "subjects": {name: {source: data or {"not_there": why}}}}``, at most ``bounds.bytes``."""
    known = {*secrets, *_secrets_met(found)}
    clean = {
        name: {source: _redacted(section, known) for source, section in sections.items()}
        for name, sections in found.items()
    }
    shares = {source.name: source.share for source in sources}
    subjects: dict[str, dict[str, object]] = {
        name: {source: _fitted(data, shares[source], bounds.bytes // len(clean)) for source, data in sections.items()}
        for name, sections in clean.items()
    }
    evidence = {"causes": fit(_causes(clean), round(bounds.bytes * _CAUSES_SHARE)), "subjects": subjects}
    texts = [
        (text, name, source)
        for name, sections in clean.items()
        for source, text in sections.items()
        if shares[source] is None and isinstance(text, str)
    ]
    _fill(subjects, texts, bounds.bytes - size(evidence))
    return evidence if size(evidence) <= bounds.bytes else {"not_there": f"no room in {bounds.bytes} bytes"}


def _secrets_met(found: Findings) -> set[str]:
    sections = (section for sections in found.values() for section in sections.values())
    return {secret for section in sections if isinstance(section, Section) for secret in section.secrets}


def _redacted(section: Section | str, secrets: Iterable[str]) -> object:
    if isinstance(section, str):
        return {"not_there": redact(section, secrets)[:_LONGEST_REASON]}
    return redact_all(section.data, secrets)


def _causes(clean: Mapping[str, Mapping[str, object]]) -> object:
    found = [
        {"cause": finding.cause, "count": finding.count, "line": finding.line}
        for finding in find_causes("\n".join(text for sections in clean.values() for text in _texts(sections)))
    ]
    killed = [name for name, sections in clean.items() if _is_oom_killed(sections.get("state"))]
    if killed and not any(each["cause"] == "oom" for each in found):
        line = f"the engine says that the kernel killed it for its memory: {', '.join(killed)}"
        found.insert(0, {"cause": "oom", "count": len(killed), "line": line})
    return found[:_MOST_CAUSES]


def _texts(value: object) -> Iterable[str]:
    match value:
        case str():
            yield value
        case Mapping() if "not_there" not in value:  # that is our own trouble
            for each in value.values():
                yield from _texts(each)
        case list():
            for each in value:
                yield from _texts(each)
        case _:
            return


def _is_oom_killed(state: object) -> bool:
    return isinstance(state, Mapping) and state.get("oom_killed") is True


def _fitted(data: object, share: float | None, most_bytes: int) -> object:
    """Within the source's share. A text that gets what is left is filled in when it is known how much that is."""
    if share is None:
        return "" if isinstance(data, str) else data
    return fit(data, round(most_bytes * share))


def _fill(subjects: Mapping[str, dict[str, object]], texts: list[tuple[str, str, str]], room: int) -> None:
    """Each text, its subject and source, into an even part of ``room``; what a short one leaves is for the others."""
    ordered = sorted(texts, key=lambda each: len(each[0]))
    for index, (text, name, source) in enumerate(ordered):
        even = room // (len(ordered) - index)
        filled: object = newest(text, even + size("")) if even >= _LEAST_LOG else _NO_ROOM
        subjects[name][source] = filled
        room -= size(filled) - size("")
