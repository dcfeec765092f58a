"""The texts of a compose file in which compose replaces variables: all values; neither keys nor comments.

Read as events: that tells where each text ends, and costs no recursion.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import yaml

from homeostat.configfiles.errors import NotParsed
from homeostat.configfiles.formats.base import MAX_DEPTH, MAX_KEYS
from homeostat.configfiles.formats.spans import Lines
from homeostat.configfiles.formats.yamlwords import said

#: Of a mapping two belong to a value, its key and itself; a collection ends, too.
_MAX_EVENTS = 3 * MAX_KEYS


@dataclass(frozen=True, slots=True)
class Scalar:
    """``value``: what YAML makes of the characters from ``start`` to ``end`` of the file."""

    value: str
    start: int
    end: int


class _Mark(Protocol):
    """PyYAML's, of whichever of its parsers."""

    index: int


@dataclass(slots=True)
class _Level:
    """An open collection, or the document itself, which has no keys."""

    is_mapping: bool = False
    is_at_key: bool = False

    def next_is_key(self) -> bool:
        """Whether the part that comes now is a key."""
        self.is_at_key = self.is_mapping and not self.is_at_key
        return self.is_at_key


def scalars(text: str, lines: Lines) -> Iterator[Scalar]:
    """Those with a `$`, in the order of the file. Raises NotParsed."""
    try:
        yield from _values(text, lines)
    except yaml.MarkedYAMLError as err:
        raise NotParsed(said(err), lines.place(_index(err.problem_mark)) if err.problem_mark else None) from None
    except yaml.reader.ReaderError as err:
        words = f"the character #x{err.character:02x} is not allowed in YAML; take it out"
        raise NotParsed(words, lines.place(err.position)) from None
    except (ValueError, OverflowError):  # "\UFFFFFFFF"
        raise NotParsed("not valid YAML: an escape that is no character; correct it") from None


def _values(text: str, lines: Lines) -> Iterator[Scalar]:
    levels = [_Level()]
    for count, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        if count == _MAX_EVENTS or len(levels) > MAX_DEPTH:
            # Deep brackets cost PyYAML the square of their number.
            bounds = f"more than {MAX_KEYS} values or {MAX_DEPTH} levels; allowed: a compose file"
            raise NotParsed(bounds, lines.place(_index(event.start_mark)))
        if isinstance(event, yaml.CollectionEndEvent):
            levels.pop()
        elif isinstance(event, yaml.NodeEvent):
            is_key = levels[-1].next_is_key()
            if isinstance(event, yaml.CollectionStartEvent):
                levels.append(_Level(is_mapping=isinstance(event, yaml.MappingStartEvent)))
            elif isinstance(event, yaml.ScalarEvent) and not is_key and "$" in event.value:
                yield Scalar(event.value, _index(event.start_mark), _index(event.end_mark))


def _index(mark: _Mark | None) -> int:
    return mark.index if mark is not None else 0
