"""`.env` text as lines that lose nothing: their spans, joined, are the text again. A line that is wrong hides no other.

The grammar is compose-go's (dotenv/parser.go, v2.0.2), proven by tests/integration/test_env_as_compose.py. Stricter on
purpose, where compose takes what nobody meant:

- A name is of ASCII letters, digits, ``_ . - [ ]`` and begins with a letter, a digit or ``_``. Compose takes letters of
  any script, tabs within a name, and no name at all (``=value``).
- After a closing quote comes nothing but a comment. Compose takes the rest as the next key: ``A="x" B=y``, ``A="x"y``.
- A name alone needs its line end: at the very end of a file compose reads it as the value of a key without a name.
- ``export`` alone is no line.
- No NUL in a value, and the bounds of envtemplate.py.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

from homeostat.configfiles.errors import NotParsed, Place
from homeostat.configfiles.formats.envtemplate import Pieces
from homeostat.configfiles.formats.envvalues import DOUBLE, SINGLE, pieces_of

#: Go's unicode.IsSpace without the newline; Python's isspace knows more.
SPACE = "\t\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
#: The parser's own isSpace: what may stand around names and delimiters.
INLINE = "\t\v\f\r \x85\xa0"

_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.\[\]-]*"
_WHOLE_NAME = re.compile(_NAME)
_INDENT = re.compile(f"[{SPACE}]*+")
_EXPORT = re.compile(rf"export(?=[\t\f\r\n ])[{INLINE}]*+")
_KEY = re.compile(rf"({_NAME}+)[{INLINE}]*+([=:]|\n|\Z)")
_PADDING = re.compile(f"[{INLINE}]*+")
_QUOTED = {
    SINGLE: re.compile(r"'([^'\\]*+(?:\\.[^'\\]*+)*+)'", re.DOTALL),
    DOUBLE: re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"', re.DOTALL),
}
_REST = re.compile(rf"[{SPACE}]*+(?:#[^\n]*)?(?:\n|\Z)")
#: After a value without a closing quote: a comment, or a key with a value. The end of base64 text is neither.
_RESUMED = re.compile(rf"^[{SPACE}]*+(?:#|(?:export[ \t]+)?{_NAME}[{INLINE}]*+=(?!=?[{SPACE}]*$))", re.MULTILINE)

_NO_NAMES = ("=", ":", "\n", "")
_NOT_A_LINE = "not NAME=value; a name is of letters, digits, _ . - [ ], and begins with a letter, a digit or _"
_NO_NAME = "no name before the value; write NAME=value"
_BARE_AT_END = "a name alone as the last line without a line end; end the line, or write NAME=value"
_NOT_CLOSED = "no closing quote; end the value with {}"
_AFTER_QUOTE = "text after the closing quote; allowed: a comment. A quote within a value needs a backslash before it"


class Kind(Enum):
    BLANK = "blank"
    COMMENT = "comment"
    ENTRY = "entry"
    #: A name alone: its value comes from the environment, if it is there.
    BARE = "bare"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Line:
    """``start``, ``end``: its span with its line end; several lines, if a quoted value has them. ``number``: of the
    first one.

    Of entries: ``name_at`` to ``name_end``, ``value_at`` to ``value_end`` with the quotes, ``pieces``: what it means.
    Of malformed ones: ``fault`` in words, and ``fault_at``.
    """

    kind: Kind
    start: int
    end: int
    number: int
    name: str = ""
    name_at: int = 0
    value_at: int = 0
    value_end: int = 0
    quote: str = ""
    pieces: Pieces = ()
    fault: str = ""
    fault_at: int = 0

    @property
    def place(self) -> Place:
        """Where the name is, or the fault."""
        at = self.fault_at if self.kind is Kind.MALFORMED else max(self.name_at, self.start)
        return Place(self.number, at - self.start + 1)

    @property
    def name_end(self) -> int:
        return self.name_at + len(self.name)

    @property
    def is_key(self) -> bool:
        return self.kind in {Kind.ENTRY, Kind.BARE}


def scan(text: str) -> Iterator[Line]:
    """All of ``text``, in time that grows as it does."""
    at, number = 0, 1
    while at < len(text):
        line = _line(text, at, number)
        yield line
        number += text.count("\n", at, line.end)
        at = line.end


def is_name(name: str) -> bool:
    """Of a key, as this dialect has them."""
    return _WHOLE_NAME.fullmatch(name) is not None


def _line(text: str, start: int, number: int) -> Line:
    end = text.find("\n", start) + 1 or len(text)
    first = _skip(_INDENT, text, start)
    if first == len(text) or text[first] == "\n":
        return Line(Kind.BLANK, start, end, number)
    if text[first] == "#":
        return Line(Kind.COMMENT, start, end, number)
    exported = _EXPORT.match(text, first)
    name_at = exported.end() if exported else first
    line = Line(Kind.BARE, start, end, number, name_at=name_at)
    key = _KEY.match(text, name_at)
    if key is None:
        return _malformed(line, _NO_NAME if text[name_at : name_at + 1] in _NO_NAMES else _NOT_A_LINE, name_at)
    if key[2] == "":
        return _malformed(line, _BARE_AT_END, name_at)
    line = replace(line, name=key[1])
    return line if key[2] == "\n" else _entry(text, line, key.end())


def _entry(text: str, head: Line, at: int) -> Line:
    """``head``: its first line as far as the delimiter, which ends before ``at``."""
    value_at = _skip(_PADDING, text, at)
    quote = text[value_at : value_at + 1]
    if quote not in _QUOTED:
        raw = text[value_at : head.end].removesuffix("\n").partition(" #")[0].rstrip(SPACE)
        value_at = value_at if raw else at
        return _meaning(replace(head, value_at=value_at, value_end=value_at + len(raw)), raw)
    quoted = _QUOTED[quote].match(text, value_at)
    if quoted is None:
        return _malformed(_unclosed(text, head), _NOT_CLOSED.format(quote), value_at)
    rest = _REST.match(text, quoted.end())
    if rest is None:
        broken = head if quoted.end() <= head.end else _unclosed(text, head)
        return _malformed(broken, _AFTER_QUOTE, value_at)
    return _meaning(replace(head, end=rest.end(), value_at=value_at, value_end=quoted.end(), quote=quote), quoted[1])


def _unclosed(text: str, head: Line) -> Line:
    """With all lines that are the rest of its value by their look: a key that was cut off is no list of names."""
    found = _RESUMED.search(text, head.end)
    return replace(head, end=found.start() if found else len(text))


def _meaning(line: Line, raw: str) -> Line:
    try:
        return replace(line, kind=Kind.ENTRY, pieces=pieces_of(raw, line.quote))
    except NotParsed as err:
        return _malformed(line, err.words, line.value_at)


def _malformed(line: Line, fault: str, at: int) -> Line:
    return Line(Kind.MALFORMED, line.start, line.end, line.number, fault=fault, fault_at=at)


def _skip(what: re.Pattern[str], text: str, at: int) -> int:
    found = what.match(text, at)
    return at if found is None else found.end()
