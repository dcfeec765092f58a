"""TOML's statements with their spans, which the standard library does not tell.

Only structure is looked at: keys, brackets, where strings end. Whether values are valid is tomllib's to say, which is
asked afterwards: it recurses, and takes the square of a key's length, so depth is bounded here. Source: TOML 1.0.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

from homeostat.configfiles.errors import NotParsed
from homeostat.configfiles.formats.base import MAX_DEPTH, MAX_KEYS
from homeostat.configfiles.formats.spans import Entry, Node
from homeostat.configfiles.text import place_at
from homeostat.explain import KeyPath

_BLANKS = re.compile(r"[ \t]*")
_VOID = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+")
_END = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\r?\n|\Z)")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_LONG_STRINGS = (
    re.compile(r'"""[^"\\]*+(?:(?:\\[\s\S]|"{1,2}(?!"))[^"\\]*+)*+"{3,5}'),
    re.compile(r"'''[^']*+(?:'{1,2}(?!')[^']*+)*+'{3,5}"),
)
_STRINGS = (
    re.compile(r'"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"'),
    re.compile(r"'[^'\n]*'"),
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9:.Z+-]+")
_BARE = re.compile(r"[^\s,\[\]{}#\"'=]+")


@dataclass(frozen=True, slots=True)
class Statement:
    """``path``: of the table that a header opens, or of the key. ``entry``: of a key; a header has none, and is
    ``text[start:end]``. ``keys``: how many parts of ``path`` the statement itself gives.
    """

    path: KeyPath
    start: int
    end: int
    keys: int
    entry: Entry | None = None


def scan(text: str) -> tuple[Statement, ...]:
    """Raises NotParsed for what has no structure."""
    return tuple(_Scanner(text).statements())


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._seen = 0
        self._last_items: dict[KeyPath, int] = {}

    def statements(self) -> Iterator[Statement]:
        table: KeyPath = ()
        while True:
            self._skip(_VOID)
            if self._at == len(self._text):
                return
            start = self._at
            if self._text.startswith("[", start):
                self._count()
                table, keys = self._header()
                statement = Statement(table, start, self._at, keys)
            else:
                names, entry = self._pair()
                statement = Statement((*table, *names), start, self._at, len(names), entry)
            if len(statement.path) > MAX_DEPTH:
                raise self._error(f"nested deeper than {MAX_DEPTH} levels", start)
            yield statement
            if not self._skip(_END):
                raise self._error("something behind the end of the value; put text into quotes, one key on each line")

    def _header(self) -> tuple[KeyPath, int]:
        marks = 2 if self._text.startswith("[[", self._at) else 1
        self._at += marks
        names = self._names()
        self._expect("]" * marks)
        path: KeyPath = ()
        for name in names[:-1]:
            path = self._item(path, name)
        if marks == 1:
            return self._item(path, names[-1]), len(names)
        self._last_items[*path, names[-1]] = index = self._last_items.get((*path, names[-1]), -1) + 1
        return (*path, names[-1], index), len(names)

    def _item(self, path: KeyPath, name: str) -> KeyPath:
        """A name in a header means the last table of an array of tables."""
        inner = (*path, name)
        return (*inner, self._last_items[inner]) if inner in self._last_items else inner

    def _names(self) -> tuple[str, ...]:
        names = [self._name()]
        while self._text.startswith(".", self._at):
            self._at += 1
            names.append(self._name())
            if len(names) > MAX_DEPTH:
                raise self._error(f"nested deeper than {MAX_DEPTH} levels")
        return tuple(names)

    def _name(self) -> str:
        self._skip(_BLANKS)
        start = self._at
        if found := _BARE_KEY.match(self._text, start):
            self._at = found.end()
            name = found[0]
        elif self._text.startswith(('"', "'"), start) and not self._text.startswith(('"""', "'''"), start):
            self._string()
            name = self._decoded(start)
        else:
            raise self._error("a key was expected; allowed: letters, digits, _ and -, or a text in quotes")
        self._skip(_BLANKS)
        return name

    def _decoded(self, start: int) -> str:
        try:
            return str(tomllib.loads(f"key = {self._text[start : self._at]}")["key"])
        except ValueError:
            raise self._error("a wrong \\ in the key; write \\\\, or use single quotes", start) from None

    def _pair(self, depth: int = 1) -> tuple[tuple[str, ...], Entry]:
        start = self._at
        names = self._names()
        key_end = self._at
        self._expect("=")
        self._skip(_BLANKS)
        return names, Entry(start, key_end, self._value(depth))

    def _value(self, depth: int) -> Node:
        start = self._at
        self._count()
        if depth > MAX_DEPTH:
            raise self._error(f"nested deeper than {MAX_DEPTH} levels")
        entries = None
        match self._text[start : start + 1]:
            case "[":
                entries = self._array(depth + 1)
            case "{":
                entries = self._table(depth + 1)
            case '"' | "'":
                self._string()
            case _:
                self._bare()
        return Node(start, self._at, entries)

    def _bare(self) -> None:
        if not (self._skip(_DATE) or self._skip(_BARE)):
            raise self._error("a value was expected behind =; text is in quotes")

    def _count(self) -> None:
        self._seen += 1
        if self._seen > MAX_KEYS:
            raise self._error(f"more than {MAX_KEYS} values")

    def _array(self, depth: int) -> dict[str | int, Entry]:
        entries: dict[str | int, Entry] = {}
        self._at += 1
        while True:
            self._skip(_VOID)
            if self._skip_mark("]"):
                return entries
            node = self._value(depth)
            entries[len(entries)] = Entry(node.start, node.start, node)
            self._skip(_VOID)
            if not self._skip_mark(","):
                self._expect("]", "a comma or ]")
                return entries

    def _table(self, depth: int) -> dict[str | int, Entry]:
        entries: dict[str | int, Entry] = {}
        self._at += 1
        self._skip(_BLANKS)
        while not self._skip_mark("}"):
            names, entry = self._pair(depth)
            # A dotted key within braces has a span, but no path: no name holds a NUL.
            entries["\0".join(names)] = entry
            self._skip(_BLANKS)
            if not self._skip_mark(","):
                self._expect("}", "a comma or } on the same line")
                break
            self._skip(_BLANKS)
        return entries

    def _string(self) -> None:
        is_long = self._text.startswith(('"""', "'''"), self._at)
        if not any(map(self._skip, _LONG_STRINGS if is_long else _STRINGS)):
            raise self._error("a text without its closing quote; close it, on the same line unless it has three")

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return found is not None

    def _skip_mark(self, mark: str) -> bool:
        has_mark = self._text.startswith(mark, self._at)
        self._at += len(mark) if has_mark else 0
        return has_mark

    def _expect(self, mark: str, words: str = "") -> None:
        if not self._skip_mark(mark):
            raise self._error(f"{words or mark} was expected")

    def _error(self, words: str, at: int | None = None) -> NotParsed:
        return NotParsed(words, place_at(self._text, self._at if at is None else at))
