"""The seam of all schemas: data in, violations out."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol

from homeostat.configfiles.errors import Place
from homeostat.explain import KeyPath, dotted

#: More than anybody reads at once.
MOST_VIOLATIONS = 50
_END = Place(sys.maxsize)


@dataclass(frozen=True, slots=True)
class Violation:
    """``words``: what is wrong and what is allowed, never a value of the file. ``rule``: the keyword of the schema."""

    path: KeyPath
    words: str
    rule: str
    place: Place | None = None

    @property
    def text(self) -> str:
        """One line: ``server.port: must be integer, found string``."""
        return f"{dotted(self.path)}: {self.words}" if self.path else self.words


class Schema(Protocol):
    """Pure and bounded: the same for the same data, whatever the data."""

    def check(self, data: Mapping[str, object]) -> Sequence[Violation]:
        """All that is wrong, the first :data:`MOST_VIOLATIONS` of it, without places. Raises nothing."""
        ...


def bounded(violations: Iterable[Violation]) -> tuple[Violation, ...]:
    """The first of them, each told once."""
    return tuple(islice(_once(violations), MOST_VIOLATIONS))


def _once(violations: Iterable[Violation]) -> Iterator[Violation]:
    seen: set[Violation] = set()
    for violation in violations:
        if violation not in seen:
            seen.add(violation)
            yield violation


def placed(violations: Sequence[Violation], places: Mapping[KeyPath, Place]) -> tuple[Violation, ...]:
    """With their places, in the order of the file. What is missing is placed at the section where it should be; what is
    about the whole file has no place, and comes last.
    """
    found = [replace(violation, place=nearest(violation.path, places)) for violation in violations]
    return tuple(sorted(found, key=lambda violation: violation.place or _END))


def nearest(path: KeyPath, places: Mapping[KeyPath, Place]) -> Place | None:
    """Of the key, or of the part of its path that is there."""
    for length in range(len(path), 0, -1):
        if (place := places.get(path[:length])) is not None:
            return place
    return None
