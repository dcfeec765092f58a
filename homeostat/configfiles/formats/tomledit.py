"""Text of TOML with one key replaced, added or removed. LookupError: no span belongs to that key alone."""

from homeostat.configfiles.errors import CannotEdit
from homeostat.configfiles.formats import inline
from homeostat.configfiles.formats.spans import Node, found, indent_of, line_end, line_start, next_line
from homeostat.configfiles.formats.tomlscan import Statement
from homeostat.configfiles.formats.tomlwrite import key, written
from homeostat.configfiles.text import newline_of
from homeostat.explain import KeyPath

_BY_HAND = "edit the file by hand"

Statements = tuple[Statement, ...]


def replaced(text: str, statements: Statements, path: KeyPath, value: object) -> str:
    node = _node(statements, path)
    return text[: node.start] + written(value, text[node.start : node.end], newline_of(text)) + text[node.end :]


def _node(statements: Statements, path: KeyPath) -> Node:
    if any(_is_below(one, path) for one in statements):
        raise CannotEdit("a table; set its keys one by one, or take it out first")
    for statement in statements:
        depth = len(statement.path)
        if statement.entry and statement.path == path[:depth]:
            if depth == len(path):
                return statement.entry.node
            _, entry = found(statement.entry.node, path[depth:])
            if entry:
                return entry.node
    raise LookupError(path)


def _is_below(statement: Statement, path: KeyPath) -> bool:
    """Whether it says that ``path`` is a table: opens it, or something in it."""
    is_longer = not statement.entry or len(statement.path) > len(path)
    return is_longer and statement.path[: len(path)] == path


def added(text: str, statements: Statements, path: KeyPath, value: object) -> str:
    newline = newline_of(text)
    plain = written(value, "", newline)
    part = path[-1]
    if any(one.entry and one.path == path[: len(one.path)] for one in statements if len(one.path) < len(path)):
        pair = f"{key(part)} = {plain}" if isinstance(part, str) else plain
        return inline.added(text, _node(statements, path[:-1]), pair)
    if isinstance(part, int):
        raise CannotEdit(f"one more [[table]]; {_BY_HAND}")
    if len(path) == 1:
        return _at_top(text, statements, f"{key(part)} = {plain}", newline)
    beside = [one for one in statements if _is_beside(one, path)]
    if not beside:
        name = ".".join(key(str(one)) for one in path[:-1])
        lead = newline if text and not text.endswith("\n") else ""
        return f"{text}{lead}{newline}[{name}]{newline}{key(part)} = {plain}{newline}"
    last = beside[-1]
    table = len(last.path) - last.keys if last.entry else len(last.path)
    dotted_name = ".".join(key(str(name)) for name in path[table:])
    return _behind(text, last, f"{dotted_name} = {plain}", newline)


def _is_beside(statement: Statement, path: KeyPath) -> bool:
    """The header of the table that ``path`` is in, or a key that is in it by a dotted name, too."""
    if not statement.entry:
        return statement.path == path[:-1]
    table = len(statement.path) - statement.keys
    return table < len(path) <= len(statement.path) and statement.path[: len(path) - 1] == path[:-1]


def _behind(text: str, last: Statement, pair: str, newline: str) -> str:
    end = line_end(text, last.end)
    return f"{text[:end]}{newline}{indent_of(text, last.start)}{pair}{text[end:]}"


def _at_top(text: str, statements: Statements, pair: str, newline: str) -> str:
    """Before all tables: what stands behind a header belongs to it."""
    header = next((index for index, one in enumerate(statements) if not one.entry), len(statements))
    if header:
        return _behind(text, statements[header - 1], pair, newline)
    if not statements:
        lead = newline if text and not text.endswith("\n") else ""
        return f"{text}{lead}{pair}{newline}"
    start = line_start(text, statements[0].start)
    # Comments right above a table are about the table.
    while start and text[line_start(text, start - 1) : start].lstrip().startswith("#"):
        start = line_start(text, start - 1)
    return f"{text[:start]}{pair}{newline}{newline}{text[start:]}"


def removed(text: str, statements: Statements, path: KeyPath) -> str:
    spans = [_lines(text, statements, index) for index, one in enumerate(statements) if one.path[: len(path)] == path]
    if spans:
        if path[1:] and not any(
            one.path[: len(path) - 1] == path[:-1] and one.path[: len(path)] != path for one in statements
        ):
            raise CannotEdit("the last of its table; take that out as a whole")
        for start, end in reversed(_joined(spans)):
            text = text[:start] + text[end:]
        return text
    holder, parent = _holder(statements, path)
    _, entry = found(holder, parent)
    if not entry:
        raise LookupError(path)
    node = _node(statements, path[:-1])
    return inline.removed(text, node, entry, trailing_comma=text[node.start] == "[")


def _holder(statements: Statements, path: KeyPath) -> tuple[Node, KeyPath]:
    for one in statements:
        if one.entry and one.path == path[: len(one.path)]:
            return one.entry.node, path[len(one.path) :]
    raise LookupError(path)


def _lines(text: str, statements: Statements, index: int) -> tuple[int, int]:
    """A key's own lines; a header's with all that is in its table."""
    statement = statements[index]
    last = statement
    if not statement.entry:
        for other in statements[index + 1 :]:
            if not other.entry:
                break
            last = other
    return line_start(text, statement.start), next_line(text, last.end)


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Without those that lie within the one before."""
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if not joined or start >= joined[-1][1]:
            joined.append((start, end))
    return joined
