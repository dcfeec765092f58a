"""A scanned `.env` text, and the ways of writing a line better that its rules and its fixer share.

Every way keeps what the line means, whatever the environment is:
:func:`~homeostat.configfiles.formats.env.says` has looked.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

from homeostat.configfiles.formats.env import says
from homeostat.configfiles.formats.envscan import SPACE, Kind, Line, scan

#: What needs no quotes, in a shell neither.
_PLAIN = re.compile(r"[A-Za-z0-9_./:,@%+-]*")
_WHITE = re.compile(f"[{SPACE}]")
_LINE_END = re.compile(r"\r?\n\Z")


@dataclass(frozen=True, slots=True)
class EnvText:
    text: str
    lines: tuple[Line, ...]
    has_bom: bool = False

    @classmethod
    def of(cls, text: str, *, has_bom: bool = False) -> Self:
        return cls(text, tuple(scan(text)), has_bom)

    @property
    def keys(self) -> Iterator[Line]:
        return (line for line in self.lines if line.is_key)

    @property
    def entries(self) -> Iterator[Line]:
        return (line for line in self.lines if line.kind is Kind.ENTRY)

    @property
    def line_ends(self) -> set[str]:
        """Those that end lines; within a value they are part of it."""
        return {line_end(self.text[line.start : line.end]) for line in self.lines} - {""}

    def value(self, line: Line) -> str:
        """As it is written, with its quotes."""
        return self.text[line.value_at : line.value_end]

    def better(self, line: Line, way: "Way") -> bool:
        """It can be written so, and is not."""
        return way(self.text[line.start : line.end], line) is not None


#: From a line's text, and the line, to the text that is better. None: it is so already, or nothing else means the same.
Way = Callable[[str, Line], str | None]


def line_end(text: str) -> str:
    found = _LINE_END.search(text)
    return found[0] if found else ""


def close_delimiter(text: str, line: Line) -> str | None:
    """From the line's beginning to the value: ``export NAME=``, without any other space, and no colon."""
    at = line.start
    before = "export " if text[: line.name_at - at].strip() else ""
    if line.kind is Kind.ENTRY:
        return _if_same(text, f"{before}{line.name}={text[line.value_at - at :]}", line)
    return _if_same(text, f"{before}{text[line.name_at - at :]}", line)


def no_trailing_space(text: str, line: Line) -> str | None:
    end = line_end(text)
    return _if_same(text, text.removesuffix(end).rstrip(" \t") + end, line)


def with_quotes(text: str, line: Line) -> str | None:
    """Around a value with spaces; what begins with ``#`` was hardly meant to be one."""
    if line.quote or (raw := _raw(text, line)).startswith("#") or not _WHITE.search(raw):
        return None
    ways = (_with_value(text, line, f"{quote}{raw}{quote}") for quote in ("'" if "$" not in raw else '"', '"', "'"))
    return next((better for way in ways if (better := _if_same(text, way, line)) is not None), None)


def without_quotes(text: str, line: Line) -> str | None:
    """Around a value that needs none."""
    if not line.quote or not _PLAIN.fullmatch(raw := _raw(text, line)[1:-1]):
        return None
    return _if_same(text, _with_value(text, line, raw), line)


def _raw(text: str, line: Line) -> str:
    return text[line.value_at - line.start : line.value_end - line.start]


def _with_value(text: str, line: Line, written: str) -> str:
    return text[: line.value_at - line.start] + written + text[line.value_end - line.start :]


def _if_same(text: str, better: str, line: Line) -> str | None:
    return better if better != text and says(better, line) else None
