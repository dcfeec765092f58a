"""Where the parts of a text stand: what an edit needs in order to leave everything else alone."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from homeostat.configfiles.errors import Place
from homeostat.explain import KeyPath

Style = Literal["", "plain", "single", "double", "literal", "block", "flow", "alias"]


@dataclass(frozen=True, slots=True)
class Node:
    """A value: ``text[start:end]``. ``entries``: by key or index, in order; None for a scalar. ``style``: for YAML."""

    start: int
    end: int
    entries: Mapping[str | int, "Entry"] | None = None
    style: Style = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A key with its value, or a list's item, from ``start``. Its key ends at ``key_end``; an item has none."""

    start: int
    key_end: int
    node: Node

    @property
    def end(self) -> int:
        return self.node.end


class Lines:
    """Places by index, each in logarithmic time: to count from the beginning for each takes the square of the size."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def place(self, index: int) -> Place:
        line = bisect_right(self._starts, index)
        return Place(line, index - self._starts[line - 1] + 1)


def places(root: Node, lines: Lines, at: KeyPath = ()) -> dict[KeyPath, Place]:
    """Of every key and item below ``root``."""
    return {path: lines.place(entry.start) for path, entry in walked(root, at)}


def walked(root: Node, at: KeyPath = ()) -> Iterator[tuple[KeyPath, Entry]]:
    """Every key and item below ``root`` with its path."""
    stack = [(root, at)]
    while stack:
        node, path = stack.pop()
        for key, entry in (node.entries or {}).items():
            yield (*path, key), entry
            stack.append((entry.node, (*path, key)))


def found(root: Node, path: KeyPath) -> tuple[Node, Entry | None]:
    """The node that holds the last part of ``path``, and its entry there. LookupError when the text has no such node:
    behind an alias, say.
    """
    node = root
    for part in path[:-1]:
        node = (node.entries or {})[part].node
    if node.entries is None:
        raise LookupError(path[-1])
    return node, node.entries.get(path[-1])


def line_end(text: str, index: int) -> int:
    """Where the line of ``index`` ends, before its line end."""
    at = text.find("\n", index)
    if at < 0:
        return len(text)
    return at - 1 if at > index and text[at - 1] == "\r" else at


def next_line(text: str, index: int) -> int:
    """Where the line after that of ``index`` begins."""
    return text.find("\n", index) + 1 or len(text)


def line_start(text: str, index: int) -> int:
    return text.rfind("\n", 0, index) + 1


def indent_of(text: str, index: int) -> str:
    """The blanks that the line of ``index`` begins with."""
    start = line_start(text, index)
    end = start
    while end < index and text[end] in " \t":
        end += 1
    return text[start:end]
