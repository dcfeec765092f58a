"""INI with spans, as the standard library's configparser reads it: full-line comments, values that go on when indented.

Not read by configparser itself: on a long line without = it takes the square of its length. Source: Python 3.11's
configparser, RawConfigParser._read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from homeostat.configfiles.errors import NotParsed, Place
from homeostat.configfiles.formats.base import MAX_KEYS
from homeostat.explain import dotted

_SECTION = re.compile(r"\[(.+)\]")
_DELIMITER = re.compile("[=:]")


@dataclass(slots=True)
class Option:
    """``text[start:name_end]`` is its name; its value begins at ``value_start`` and ends with the last line that is not
    blank.
    """

    place: Place
    start: int
    name_end: int
    value_start: int
    end: int
    lines: list[str]
    more_indent: str = ""

    @property
    def value(self) -> str:
        return "\n".join(self.lines).rstrip()


@dataclass(slots=True)
class Section:
    """``end``: of its header."""

    place: Place
    start: int
    end: int
    options: dict[str, Option] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Line:
    """``value``: without the blanks around it."""

    number: int
    start: int
    value: str
    indent: str

    @property
    def end(self) -> int:
        return self.start + len(self.indent) + len(self.value)

    def place(self) -> Place:
        return Place(self.number, len(self.indent) + 1)


def scan(text: str) -> dict[str, Section]:
    """Raises NotParsed."""
    scanner = _Scanner()
    for line in _lines(text):
        scanner.take(line)
    return scanner.sections


def _lines(text: str) -> Iterator[_Line]:
    start = 0
    for number, line in enumerate(text.split("\n"), start=1):
        value = line.strip()
        yield _Line(number, start, value, line[: len(line) - len(line.lstrip())] if value else "")
        start += len(line) + 1


class _Scanner:
    def __init__(self) -> None:
        self.sections: dict[str, Section] = {}
        self._name = ""
        self._names: dict[str, Option] = {}
        self._option: Option | None = None
        self._indent = 0
        self._seen = 0

    def take(self, line: _Line) -> None:
        if line.value.startswith(("#", ";")):
            return
        if not line.value:
            if self._option:
                self._option.lines.append("")
        elif self._option and len(line.indent) > self._indent:
            self._go_on(self._option, line)
        else:
            self._indent = len(line.indent)
            self._begin(line)

    def _go_on(self, option: Option, line: _Line) -> None:
        option.lines.append(line.value)
        option.end = line.end
        option.more_indent = option.more_indent or line.indent

    def _begin(self, line: _Line) -> None:
        self._seen += 1
        if self._seen > MAX_KEYS:
            raise NotParsed(f"more than {MAX_KEYS} sections and keys", line.place())
        if header := _SECTION.match(line.value):
            self._open(header[1], line)
        elif not self.sections:
            raise NotParsed("a key before the first section; begin with [section]", line.place())
        else:
            self._add(line)

    def _open(self, name: str, line: _Line) -> None:
        if first := self.sections.get(name):
            raise NotParsed(
                f"[{dotted((name,))}]: given twice, first on line {first.place.line}; keep one", line.place()
            )
        self._name, self._names, self._option = name, {}, None
        self.sections[name] = Section(line.place(), line.start + len(line.indent), line.end)

    def _add(self, line: _Line) -> None:
        delimiter = _DELIMITER.search(line.value)
        if not delimiter:
            raise NotParsed("neither a key nor a section; write key = value, or indent what goes on", line.place())
        name = line.value[: delimiter.start()].rstrip()
        if not name:
            raise NotParsed("no key before the =; write key = value", line.place())
        value = line.value[delimiter.end() :].lstrip()
        # Most programs do not tell keys apart by case.
        if first := self._names.get(name.lower()):
            words = f"{dotted((self._name, name))}: given twice, first on line {first.place.line}; keep one"
            raise NotParsed(words, line.place())
        start = line.start + len(line.indent)
        option = Option(line.place(), start, start + len(name), line.end - len(value), line.end, [value])
        self._names[name.lower()] = self.sections[self._name].options[name] = self._option = option
