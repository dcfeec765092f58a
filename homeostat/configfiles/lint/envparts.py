"""The lines of a `.env` text while it is being fixed: each with its own text."""

from dataclasses import dataclass

from homeostat.configfiles.formats.envscan import Line, scan


@dataclass(frozen=True, slots=True)
class Part:
    """``number``: in the old text. ``line``: of ``text`` alone."""

    number: int
    text: str
    line: Line


#: What was done to which line, by its number in the old text.
Done = list[tuple[int, str]]


def part_of(number: int, text: str) -> Part:
    """``text``: of one line, or of one that a quoted value makes several of."""
    return Part(number, text, next(scan(text)))
