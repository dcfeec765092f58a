"""JSON with the place of every key and item, which the standard library does not tell; its errors in words for people.

Source: RFC 8259. Depth is bounded, so recursion is.
"""

import json
import re
from dataclasses import dataclass

from homeostat.configfiles.errors import NotParsed
from homeostat.configfiles.formats.base import MAX_DEPTH, MAX_KEYS
from homeostat.configfiles.formats.edits import has_half_character, mapping
from homeostat.configfiles.formats.spans import Entry, Node
from homeostat.configfiles.text import place_at
from homeostat.explain import KeyPath, dotted

_BLANKS = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?P<part>\.[0-9]+)?(?P<power>[eE][+-]?[0-9]+)?(?![0-9A-Za-z.+_-])")
_WORD = re.compile(r"-?[A-Za-z_]+")
_WORDS: dict[str, object] = {"true": True, "false": False, "null": None}
_VALUES = "allowed: text in double quotes, numbers, true, false, null, [...], {...}"


@dataclass(frozen=True, slots=True)
class Scanned:
    data: dict[str, object]
    root: Node


def scan(text: str) -> Scanned:
    """Raises NotParsed."""
    scanner = _Scanner(text)
    scanner.skip()
    if scanner.at == len(text):
        raise NotParsed("empty; the least that is JSON is {}")
    data, root = scanner.value(())
    scanner.skip()
    if scanner.at < len(text):
        raise scanner.error("more after the end; keep one object")
    return Scanned(dict(mapping(data, "an object")), root)


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._seen = 0
        self.at = 0

    def error(self, words: str, at: int | None = None) -> NotParsed:
        return NotParsed(words, place_at(self._text, self.at if at is None else at))

    def skip(self) -> None:
        self.at = _BLANKS.match(self._text, self.at).end()  # type: ignore[union-attr]  # matches nothing, too
        if self._text.startswith(("//", "/*", "#"), self.at):
            raise self.error("a comment; JSON has none: take it out")

    def value(self, path: KeyPath) -> tuple[object, Node]:
        start = self.at
        self._seen += 1
        if len(path) > MAX_DEPTH:
            raise self.error(f"nested deeper than {MAX_DEPTH} levels")
        if self._seen > MAX_KEYS + 1:
            raise self.error(f"more than {MAX_KEYS} values")
        match self._text[start : start + 1]:
            case "{":
                return self._object(path)
            case "[":
                return self._list(path)
            case '"':
                data: object = self._string()
            case _:
                data = self._word() if (data := self._number()) is None else data
        return data, Node(start, self.at)

    def _object(self, path: KeyPath) -> tuple[object, Node]:
        start = self.at
        data: dict[str, object] = {}
        entries: dict[str | int, Entry] = {}
        while self._goes_on("}", is_first=not entries):
            at = self.at
            if not self._text.startswith('"', at):
                raise self.error("a key in double quotes was expected")
            key = self._string()
            if key in entries:
                first = place_at(self._text, entries[key].start).line
                raise self.error(f"{dotted((*path, key))}: given twice, first on line {first}; keep one", at)
            key_end = self.at
            self._colon()
            data[key], node = self.value((*path, key))
            entries[key] = Entry(at, key_end, node)
        return data, Node(start, self.at, entries)

    def _list(self, path: KeyPath) -> tuple[object, Node]:
        start = self.at
        data: list[object] = []
        entries: dict[str | int, Entry] = {}
        while self._goes_on("]", is_first=not data):
            value, node = self.value((*path, len(data)))
            entries[len(data)] = Entry(node.start, node.start, node)
            data.append(value)
        return data, Node(start, self.at, entries)

    def _goes_on(self, closing: str, *, is_first: bool) -> bool:
        """Over the opening bracket or a comma; False at the end, behind ``closing``."""
        if is_first:
            self.at += 1
        self.skip()
        found = self._text[self.at : self.at + 1]
        if found == closing:
            self.at += 1
            return False
        if is_first:
            return True
        if found != ",":
            raise self.error(f"a comma or {closing} was expected" if found else f"the end, before {closing}")
        comma = self.at
        self.at += 1
        self.skip()
        if self._text.startswith(closing, self.at):
            raise self.error(f"a comma before {closing}; take it out", comma)
        return True

    def _colon(self) -> None:
        self.skip()
        if not self._text.startswith(":", self.at):
            raise self.error("a colon after the key was expected")
        self.at += 1
        self.skip()

    def _string(self) -> str:
        found = _STRING.match(self._text, self.at)
        if not found:
            raise self.error(
                "a text without its closing quote, or with a line end, a tab or a wrong \\ in it; escape those"
            )
        text = str(json.loads(found[0]))
        if has_half_character(text):
            raise self.error("half a character (\\ud800 to \\udfff alone); write both halves, or the character itself")
        self.at = found.end()
        return text

    def _number(self) -> object:
        found = _NUMBER.match(self._text, self.at)
        if not found:
            return None
        try:
            number = float(found[0]) if found["part"] or found["power"] else int(found[0])
        except ValueError:  # more digits than Python reads
            raise self.error("a number too long; put it into quotes") from None
        if number in (float("inf"), float("-inf")):
            raise self.error("a number too large; put it into quotes")
        self.at = found.end()
        return number

    def _word(self) -> object:
        found = _WORD.match(self._text, self.at)
        if found and found[0] in _WORDS:
            self.at = found.end()
            return _WORDS[found[0]]
        if self.at == len(self._text):
            raise self.error("the end, where a value was expected")
        raise self.error(f"no value of JSON; {_VALUES}")
