"""Edits between brackets, where commas separate: JSON, YAML's flow style, TOML's arrays and inline tables."""

import re

from homeostat.configfiles.errors import CannotEdit
from homeostat.configfiles.formats.spans import Entry, Node, indent_of, line_end, line_start, next_line

#: What may follow an entry on its line: its comma, a comment.
_REST = re.compile(r"[ \t]*,?[ \t]*(?:#[^\n]*)?\r?$")


def added(text: str, node: Node, entry: str) -> str:
    """``entry`` as the last one of ``node``, on a line of its own where the others have one."""
    entries = list((node.entries or {}).values())
    if not entries:
        return _filled(text, node, entry)
    last = entries[-1]
    before = text[entries[-2].end if len(entries) > 1 else node.start + 1 : last.start]
    if "\n" not in before:
        is_spaced = before[-1] == " " if len(entries) > 1 else _is_spaced(text, last)
        blank = " " if is_spaced else ""
        return f"{text[: last.end]},{blank}{entry}{text[last.end :]}"
    newline = "\r\n" if "\r\n" in before else "\n"
    # A comment behind the last entry stays with it.
    end = min(line_end(text, last.end), node.end - 1)
    rest = text[last.end : end]
    has_comma = rest.lstrip().startswith(",")
    if end == node.end - 1 and not has_comma:
        rest = ""
        end = last.end
    line = f"{newline}{indent_of(text, last.start)}{entry}"
    return f"{text[: last.end]}{'' if has_comma else ','}{rest}{line}{',' if has_comma else ''}{text[end:]}"


def _is_spaced(text: str, only: Entry) -> bool:
    """Whether whoever wrote a container with one entry puts blanks: seen after its colon, for lack of commas."""
    return only.key_end == only.start or " " in text[only.key_end : only.node.start]


def _filled(text: str, node: Node, entry: str) -> str:
    if text[node.start + 1 : node.end - 1].strip():
        raise CannotEdit("nothing but a comment stands between the brackets; edit the file by hand")
    return f"{text[: node.start + 1]}{entry}{text[node.end - 1 :]}"


def removed(text: str, node: Node, entry: Entry, *, trailing_comma: bool) -> str:
    """Without ``entry``; with its lines, where it has them to itself. ``trailing_comma``: the last may keep one."""
    entries = list((node.entries or {}).values())
    at = entries.index(entry)
    if trailing_comma and _has_own_lines(text, node, entry):
        return text[: line_start(text, entry.start)] + text[next_line(text, entry.end) :]
    if len(entries) == 1:
        start, end = node.start + 1, node.end - 1
    elif at == 0:
        start, end = entry.start, entries[1].start
    else:
        start, end = entries[at - 1].end, entry.end
    if "#" in text[start : entry.start] + text[entry.end : end]:
        raise CannotEdit("a comment stands between it and its neighbours; edit the file by hand")
    return text[:start] + text[end:]


def _has_own_lines(text: str, node: Node, entry: Entry) -> bool:
    before = text[line_start(text, entry.start) : entry.start]
    end = text.find("\n", entry.end)
    return not before.strip() and 0 <= end < node.end and _REST.match(text[entry.end : end]) is not None
