"""Text of YAML with one entry replaced, added or removed."""

import re

from homeostat.configfiles.errors import CannotEdit
from homeostat.configfiles.formats import inline
from homeostat.configfiles.formats.spans import Entry, Node, line_end, line_start, next_line, walked
from homeostat.configfiles.formats.yamlwrite import flow, key, literal, scalar
from homeostat.configfiles.text import newline_of
from homeostat.explain import KeyPath, dotted

#: An anchor or a tag, and what may stand between them and the value.
_PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*[ \t]*)+")
_ANCHOR = re.compile(r"&([^\s,\[\]{}]+)")
_COLON = re.compile(r"\s*:")
_COMMENT = re.compile(r"[ \t]*(?:#.*)?\r?$")
_BY_HAND = "edit the file by hand"


def check_alone(text: str, root: Node, path: KeyPath) -> None:
    """Raises CannotEdit when an alias elsewhere says that what is at ``path``, or around it, is there, too."""
    node = root
    anchors = set()
    for part in path:
        entry = (node.entries or {}).get(part)
        if entry is None:
            break
        node = entry.node
        anchors.update(_ANCHOR.findall(text, node.start, _content_start(text, node)))
    if not anchors:
        return
    for at, entry in walked(root):
        if entry.node.style == "alias" and text[entry.node.start + 1 : entry.node.end] in anchors:
            raise CannotEdit(f"the alias (*) at {dotted(at)} refers to it and would change, too; {_BY_HAND}")


def _content_start(text: str, node: Node) -> int:
    """Behind an anchor and a tag."""
    named = _PROPERTIES.match(text, node.start) if node.style != "alias" else None
    return named.end() if named else node.start


def first(text: str, part: str | int, value: object) -> str:
    """A key in a file of nothing but comments."""
    newline = newline_of(text)
    lead = newline if text and not text.endswith("\n") else ""
    return f"{text}{lead}{_pair(part, value)}{newline}"


def replaced(text: str, entry: Entry, value: object) -> str:
    node = entry.node
    start = _content_start(text, node)
    if "!" in text[node.start : start]:
        raise CannotEdit(f"its value has a tag (!); {_BY_HAND}")
    if node.start == node.end:
        return _after_colon(text, entry, node.end, node.end, value)
    # A block below its key may stand where a value on one line may not: at the indent of the key.
    if node.style == "block" and entry.key_end != entry.start:
        head = len(text[:start].rstrip()) if start != node.start else _colon_end(text, entry)
        return _after_colon(text, entry, head, node.end, value)
    if start >= node.end:
        raise CannotEdit(f"its value is empty but for an anchor; {_BY_HAND}")
    return text[:start] + _written(text, entry, value) + text[node.end :]


def _after_colon(text: str, entry: Entry, start: int, end: int, value: object) -> str:
    if text[start - 1 : start] not in {":", "-"} and start == end:
        raise CannotEdit(f"its value is empty, without a colon; {_BY_HAND}")
    return f"{text[:start]} {_written(text, entry, value)}{text[end:]}"


def _colon_end(text: str, entry: Entry) -> int:
    colon = _COLON.match(text, entry.key_end)
    if not colon:
        raise CannotEdit(f"a comment stands between the key and its colon; {_BY_HAND}")
    return colon.end()


def _written(text: str, entry: Entry, value: object) -> str:
    if isinstance(value, dict | list):
        return flow(value)
    if isinstance(value, str) and entry.node.style == "literal":
        block = literal(value, _indent(text, entry), newline_of(text))
        return block or scalar(value, "double")
    style = entry.node.style if entry.node.style in {"plain", "single", "double"} else "plain"
    return scalar(value, style)


def _indent(text: str, entry: Entry) -> str:
    """Of the mapping or list that ``entry`` is in, as blanks: its key or its dash may stand behind other dashes."""
    before = text[line_start(text, entry.start) : entry.start]
    is_item = entry.key_end == entry.start
    return " " * len(before.rstrip().removesuffix("-") if is_item else before)


def _pair(part: str | int, value: object) -> str:
    return f"{key(part)}: {flow(value)}" if isinstance(part, str) else flow(value)


def added(text: str, node: Node, part: str | int, value: object) -> str:
    if node.style == "flow":
        return inline.added(text, node, _pair(part, value))
    last = list((node.entries or {}).values())[-1]
    if text[last.start : last.start + 1] == "?" or _is_kept(text, last.node):
        raise CannotEdit(f"what stands before it ends in a way that cannot be added to; {_BY_HAND}")
    newline = newline_of(text)
    mark = "" if isinstance(part, str) else "- "
    end = line_end(text, last.end)
    if not _COMMENT.match(text[last.end : end]):
        raise CannotEdit(f"something else stands on the last line; {_BY_HAND}")
    return f"{text[:end]}{newline}{_column(text, node, part)}{mark}{_pair(part, value)}{text[end:]}"


def _column(text: str, node: Node, part: str | int) -> str:
    """The blanks before an entry of ``node``: an inner block may begin behind the dash of an outer list."""
    start = next(iter((node.entries or {}).values())).start if isinstance(part, str) else node.start
    before = text[line_start(text, start) : start]
    if before.strip(" -"):
        raise CannotEdit(f"the first of those beside it does not begin its line; {_BY_HAND}")
    return " " * len(before)


def _is_kept(text: str, node: Node) -> bool:
    """Whether blank lines that follow belong to the value (``|+``)."""
    while node.entries:
        node = list(node.entries.values())[-1].node
    return node.style == "literal" and "+" in text[node.start : line_end(text, node.start)].partition("#")[0]


def removed(text: str, parent: Entry | None, node: Node, entry: Entry) -> str:
    """``parent``: the entry whose value ``node`` is; None for the top."""
    if node.style == "flow":
        return inline.removed(text, node, entry, trailing_comma=True)
    entries = list((node.entries or {}).values())
    if len(entries) == 1 and parent:
        return replaced(text, parent, {} if entry.key_end != entry.start else [])
    if len(entries) == 1 and text[: line_start(text, entry.start)].rstrip().endswith("---"):
        raise CannotEdit(f"it is the last one; {_BY_HAND}")
    end = line_end(text, entry.end)
    if not _COMMENT.match(text[entry.end : end]):
        raise CannotEdit(f"something else stands on its line; {_BY_HAND}")
    before = text[line_start(text, entry.start) : entry.start]
    if not before.strip() or (entry.key_end == entry.start and before.strip() == "-"):
        return text[: line_start(text, entry.start)] + text[next_line(text, entry.end) :]
    # The first key behind a dash: the next one takes its place.
    if len(entries) == 1 or entry is not entries[0] or text[end : entries[1].start].strip():
        raise CannotEdit(f"it does not begin its line; {_BY_HAND}")
    return text[: entry.start] + text[entries[1].start :]
