"""`.env` files as docker compose reads them.

Stricter on purpose: what envscan.py lists, and a key that is given twice is an error (compose takes the last one).

A name alone (``KEY``) has a place and no value: it comes from the environment, which nobody here reads.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from homeostat.configfiles.errors import CannotEdit, NotParsed, Place
from homeostat.configfiles.formats.base import MAX_KEYS, Parsed
from homeostat.configfiles.formats.envscan import Kind, Line, is_name, scan
from homeostat.configfiles.formats.envtemplate import NAME_SHOWN, Scope, expand, referred
from homeostat.configfiles.formats.envvalues import writings
from homeostat.configfiles.text import newline_of
from homeostat.explain import KeyPath

_CHANGES_OTHERS = "other keys take their values from it: {}; change the file by hand"
#: Halves of characters: no file can hold them.
_SURROGATE = re.compile("[\ud800-\udfff]")
#: Of keys, in a message.
_NAMED = 5


class Env:
    """A :class:`~homeostat.configfiles.formats.base.Format`. All values are text."""

    def read(self, text: str) -> Parsed:
        return evaluate(text)

    def set(self, text: str, path: KeyPath, value: object) -> str:
        """Keeps ``export``, the quotes if they can hold the value, the comment and the line end. Values that refer to
        the key follow it: that is what they refer to it for.
        """
        name = _name(path)
        written = _text_of(value)
        before = evaluate(text)
        if before.data.get(name) == written:
            return text
        line = _line_of(text, name)
        after = _added(text, name, written) if line is None else _changed(text, line, written)
        return _alone(after, {**before.data, name: written}, may_follow=_referring(text, name))

    def unset(self, text: str, path: KeyPath) -> str:
        name = _name(path)
        before = evaluate(text)
        line = _line_of(text, name)
        if line is None:
            raise CannotEdit(f"{name:.{NAME_SHOWN}}: no such key in this file")
        data = {key: value for key, value in before.data.items() if key != name}
        return _alone(text[: line.start] + text[line.end :], data)


def evaluate(text: str, environ: Mapping[str, str] | None = None) -> Parsed:
    """``environ`` goes before the file's own keys in references, as in compose. Raises NotParsed with the place."""
    scope = Scope(environ or {})
    places: dict[KeyPath, Place] = {}
    for line in keys(text):
        places[line.name,] = line.place
        try:
            apply(line, scope)
        except NotParsed as err:
            raise NotParsed(err.words, line.place) from None
    return Parsed(scope.values, places)


def apply(line: Line, scope: Scope) -> None:
    """Gives ``scope`` what the line sets. Raises NotParsed without a place."""
    if line.kind is Kind.ENTRY:
        scope.values[line.name] = expand(line.pieces, scope)
    elif (value := scope.environ.get(line.name)) is not None:
        scope.values[line.name] = value


def keys(text: str) -> Iterator[Line]:
    """The lines that have a key. Raises NotParsed for the first that is malformed, or gives a key again."""
    first: dict[str, int] = {}
    for line in scan(text):
        if line.kind is Kind.MALFORMED:
            raise NotParsed(line.fault, line.place)
        if not line.is_key:
            continue
        if line.name in first:
            raise NotParsed(
                f"{line.name:.{NAME_SHOWN}} is given before, in line {first[line.name]}; keep one", line.place
            )
        if len(first) == MAX_KEYS:
            raise NotParsed(f"more than {MAX_KEYS} keys; use fewer", line.place)
        first[line.name] = line.number
        yield line


def names(text: str) -> tuple[str, ...]:
    """Of the keys, in their order; those whose value comes from the environment, too. Malformed lines have none."""
    return tuple(dict.fromkeys(line.name for line in scan(text) if line.is_key))


def references(text: str) -> tuple[str, ...]:
    """The variables that values refer to, in the order in which they first are. Malformed lines have none."""
    return tuple(dict.fromkeys(name for line in scan(text) for name in referred(line.pieces)))


def rewritten(text: str, line: Line, value: str) -> str | None:
    """The line with another value, and nothing else of it changed. None: no way of writing can hold the value here."""
    if line.kind is Kind.BARE:
        at = end = line.name_end
        before, quote = "=", None
    else:
        at, end = line.value_at, line.value_end
        before, quote = "", line.quote
    has_lines = "\n" in text[at:end]
    wanted = (value,) if value else ()
    for writing in writings(value, quote, has_lines=has_lines):
        candidate = text[line.start : at] + before + writing + text[end : line.end]
        if says(candidate, replace(line, kind=Kind.ENTRY, pieces=wanted)):
            return candidate
    return None


def says(text: str, line: Line) -> bool:
    """``text`` is one line that means what ``line`` does, whatever the environment is."""
    found = next(scan(text), None)
    return found is not None and found.end == len(text) and _sense(found) == _sense(line)


def _sense(line: Line) -> tuple[object, ...]:
    return line.kind, line.name, line.pieces


def _line_of(text: str, name: str) -> Line | None:
    return next((line for line in scan(text) if line.is_key and line.name == name), None)


def _changed(text: str, line: Line, value: str) -> str:
    if (written := rewritten(text, line, value)) is None:
        raise CannotEdit(f"{line.name:.{NAME_SHOWN}}: no way of writing holds this value; NUL is not allowed")
    return text[: line.start] + written + text[line.end :]


def _added(text: str, name: str, value: str) -> str:
    newline = newline_of(text)
    head = text if not text or text.endswith("\n") else text + newline
    bare = f"{name}{newline}"
    return head + _changed(bare, next(scan(bare)), value)


def _referring(text: str, name: str) -> frozenset[str]:
    """Keys whose values come from that of ``name``, by however many others."""
    found = {name}
    for line in scan(text):
        if line.is_key and not found.isdisjoint(referred(line.pieces)):
            found.add(line.name)
    return frozenset(found - {name})


def _alone(after: str, wanted: Mapping[str, object], may_follow: frozenset[str] = frozenset()) -> str:
    """``after``, if its data are the wanted ones; those of ``may_follow`` may be others."""
    try:
        data = evaluate(after).data
    except NotParsed as err:
        raise CannotEdit(f"the file would not be valid then: {err.words}") from err
    others = [key for key in {**wanted, **data} if key not in may_follow and data.get(key) != wanted.get(key)]
    if others:
        raise CannotEdit(_CHANGES_OTHERS.format(", ".join(f"{key:.{NAME_SHOWN}}" for key in others[:_NAMED])))
    return after


def _name(path: KeyPath) -> str:
    match path:
        case (str(name),) if is_name(name):
            return name
        case _:
            raise CannotEdit("not a key of a .env file; allowed: one name of letters, digits, _ . - [ ]")


def _text_of(value: object) -> str:
    match value:
        case str() if _SURROGATE.search(value) is None:
            return value
        case bool() | int() | float():
            return str(value)
        case _:
            raise CannotEdit("a .env file holds text; allowed: a string of Unicode characters, a number or a boolean")
