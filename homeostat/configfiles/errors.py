"""What goes wrong with managed files: always which file, where in it, and what to do."""

from dataclasses import dataclass
from pathlib import Path

from homeostat.errors import Permanent, Temporary


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where in a text: both from 1, the column in characters."""

    line: int
    column: int = 1


class NotParsed(Permanent):
    """Text that is not of its format. ``words``: what is wrong and what is allowed, never a value of the file."""

    def __init__(self, words: str, place: Place | None = None) -> None:
        self.words = words
        self.place = place
        super().__init__(words)

    def of(self, path: Path) -> str:
        """One line: ``.env:3:7: no closing quote; end the value with "``."""
        return f"{located(path, self.place)}: {self.words}"


class CannotEdit(Permanent):
    """The key is not there, or this format cannot hold the value there: the text is as it was."""


class FileRefused(Permanent):
    """A managed file that cannot be read or written, in one line: path, what, and what to do."""


class Conflict(Permanent):
    """Somebody else has changed the file since it was read: nothing was written."""


class Busy(Temporary):
    """Somebody else is changing the file, for longer than was to be waited."""


def located(path: Path, place: Place | None) -> str:
    """``path``, ``path:line`` or ``path:line:column``, as editors and compilers have it."""
    return str(path) if place is None else f"{path}:{place.line}:{place.column}"
