"""The seam of all formats: pure functions on text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from homeostat.configfiles.errors import Place
from homeostat.explain import KeyPath

#: How deep and how many: beyond what people write, and what a hostile file may cost.
MAX_DEPTH = 50
MAX_KEYS = 20_000


@dataclass(frozen=True, slots=True)
class Parsed:
    """``data``: dicts, lists and scalars (of `.env`: key -> value after quotes and interpolation). ``places``: of every
    key and list item, where it begins.
    """

    data: Mapping[str, object]
    places: Mapping[KeyPath, Place]


class Format(Protocol):
    """Pure. Text comes and goes with its own line ends, without a BOM."""

    def read(self, text: str) -> Parsed:
        """Raises NotParsed, with the place, for whatever is not valid; a key that is given twice is not valid."""
        ...

    def set(self, text: str, path: KeyPath, value: object) -> str:
        """``text`` with the key changed, or added where the format says. Reading it gives the old data with this change
        (and what refers to the key follows it, in `.env` files).

        Raises CannotEdit when it cannot (the parent is no mapping, an anchor, a merged key, a value that the format
        cannot hold), NotParsed when ``text`` is not valid.
        """
        ...

    def unset(self, text: str, path: KeyPath) -> str:
        """``text`` without the key (and its own line, where it had one to itself). Raises as :meth:`set`."""
        ...
