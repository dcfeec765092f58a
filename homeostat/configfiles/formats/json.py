"""JSON as RFC 8259 has it. New keys and values are laid out as their siblings are."""

import json

from homeostat.configfiles.errors import CannotEdit
from homeostat.configfiles.formats import inline
from homeostat.configfiles.formats.base import Parsed
from homeostat.configfiles.formats.edits import (
    check_value,
    has_value,
    must_have,
    naming,
    verified,
    with_change,
    without,
)
from homeostat.configfiles.formats.jsonscan import Scanned, scan
from homeostat.configfiles.formats.spans import Lines, Node, found, indent_of, places
from homeostat.configfiles.text import newline_of
from homeostat.explain import KeyPath


class Json:
    """An object at the top; no comments, no trailing commas, no NaN, no key twice."""

    def read(self, text: str) -> Parsed:
        scanned = scan(text)
        return Parsed(scanned.data, places(scanned.root, Lines(text)))

    def set(self, text: str, path: KeyPath, value: object) -> str:
        scanned = scan(text)
        if has_value(scanned.data, path, value):
            return text
        with naming(path):
            check_value(value)
            data = with_change(scanned.data, path, value)
            node, entry = found(scanned.root, path)
            written = _written(value, _Layout(text, scanned, entry.node.start if entry else _anchor(node)))
            if entry:
                after = text[: entry.node.start] + written + text[entry.end :]
            else:
                after = inline.added(text, node, _key(text, scanned, path[-1]) + written)
        return verified(self.read, after, data, path)

    def unset(self, text: str, path: KeyPath) -> str:
        scanned = scan(text)
        must_have(scanned.data, path)
        with naming(path):
            node, entry = found(scanned.root, path)
            after = inline.removed(text, node, entry, trailing_comma=False) if entry else text
        return verified(self.read, after, without(scanned.data, path), path)


class _Layout:
    """How the file is laid out around ``at``."""

    def __init__(self, text: str, scanned: Scanned, at: int) -> None:
        entries = list((scanned.root.entries or {}).values())
        is_on_lines = bool(entries) and "\n" in text[scanned.root.start : entries[0].start]
        self.step = indent_of(text, entries[0].start) if is_on_lines else None
        self.newline = newline_of(text) + indent_of(text, at)
        self.after_colon = _after_colon(text, scanned.root)


def _anchor(node: Node) -> int:
    """What a new entry will stand under."""
    entries = list((node.entries or {}).values())
    return entries[-1].start if entries else node.start


def _after_colon(text: str, root: Node) -> str:
    for entry in (root.entries or {}).values():
        return " " if text[entry.node.start - 1] == " " else ""
    return " "


def _key(text: str, scanned: Scanned, part: str | int) -> str:
    return f"{json.dumps(part, ensure_ascii=False)}:{_after_colon(text, scanned.root)}" if isinstance(part, str) else ""


def _written(value: object, layout: _Layout) -> str:
    separators = ("," if layout.step is not None or not layout.after_colon else ", ", f":{layout.after_colon}")
    try:
        plain = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=layout.step, separators=separators)
    except (TypeError, ValueError) as err:  # dates; NaN and infinity; numbers of thousands of digits
        raise CannotEdit(
            "JSON has no such value; allowed: text, finite numbers, true, false, null, lists, objects"
        ) from err
    # Line ends within texts are escaped: those that are left are the layout's.
    return plain.replace("\n", layout.newline)
