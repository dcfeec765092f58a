"""TOML text -> data, places and statements."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

from homeostat.configfiles.errors import NotParsed, Place
from homeostat.configfiles.formats.spans import Lines, walked
from homeostat.configfiles.formats.tomlscan import Statement, scan
from homeostat.configfiles.text import place_at
from homeostat.explain import KeyPath

#: ``... (at line 3, column 7)``, ``... (at end of document)``: 3.14 has attributes, older Pythons only this.
_WHERE = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")
_DIGITS = re.compile(r"[0-9_]{1000,}+")
#: What tomllib says too briefly, by how it begins.
_WORDS = {
    "Invalid value": "no value of TOML; put text into quotes",
    "Invalid statement": "no key, no [table]; write key = value",
    "Cannot overwrite a value": "given twice, once as a value; keep one",
    "Expected newline or end of document after a statement": "no value of TOML; put text, dates and all into quotes",
    "Cannot declare": "a table that is given twice; keep one",
    "Cannot mutate": "a table that is whole already; write it in one place",
    "Cannot redefine": "a key or table that is given twice; keep one",
    "Duplicate inline": "a key that is given twice within braces; keep one",
    "Escaped character": "half a character (\\ud800 to \\udfff); write the character itself",
    "Unescaped": "a wrong \\ in a text; write \\\\, or use single quotes",
    "Invalid date or datetime": "no date or time, though it looks like one; put text into quotes",
}


@dataclass(frozen=True, slots=True)
class Loaded:
    data: dict[str, object]
    statements: tuple[Statement, ...]


def load(text: str) -> Loaded:
    """Raises NotParsed."""
    statements = scan(text)
    try:
        return Loaded(tomllib.loads(text), statements)
    except tomllib.TOMLDecodeError as err:
        raise _refused(str(err)) from None
    except ValueError:  # Python reads no more than some thousands of digits
        long = _DIGITS.search(text)
        raise NotParsed("a number too long; allowed: 64 bits", long and place_at(text, long.start())) from None


def _refused(said: str) -> NotParsed:
    where = _WHERE.search(said)
    words = said[: where.start()] if where else said
    place = Place(int(where["line"]), int(where["column"])) if where and where["line"] else None
    for beginning, ours in _WORDS.items():
        if words.startswith(beginning):
            return NotParsed(ours, place)
    return NotParsed(words, place)


def places(text: str, statements: tuple[Statement, ...]) -> dict[KeyPath, Place]:
    """Of every key and item, but those of dotted keys within braces (``{a.b = 1}``)."""
    lines = Lines(text)
    found: dict[KeyPath, Place] = {}
    for path, index in _starts(statements):
        found.setdefault(path, lines.place(index))
    return found


def _starts(statements: tuple[Statement, ...]) -> Iterator[tuple[KeyPath, int]]:
    for statement in statements:
        for depth in range(1, len(statement.path) + 1):
            yield statement.path[:depth], statement.start
        if statement.entry:
            for path, entry in walked(statement.entry.node, statement.path):
                if not any(isinstance(part, str) and "\0" in part for part in path):
                    yield path, entry.start
