"""Where every key of YAML stands. What is merged or behind an alias has the place of its anchor."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from homeostat.configfiles.errors import NotParsed, Place
from homeostat.configfiles.formats.base import MAX_DEPTH, MAX_KEYS
from homeostat.configfiles.formats.spans import Lines
from homeostat.explain import KeyPath, dotted

_MERGE = "tag:yaml.org,2002:merge"


@dataclass(frozen=True, slots=True)
class _Visit:
    """``taken``: of a mapping that is merged into another, the keys that the other has. ``depth``: merges count."""

    node: yaml.Node
    at: KeyPath
    depth: int
    taken: frozenset[str] | None = None


@dataclass(slots=True)
class _Walk:
    lines: Lines
    places: dict[KeyPath, Place] = field(default_factory=dict)
    seen: int = 0


def indexed(root: yaml.Node, lines: Lines) -> dict[KeyPath, Place]:
    """Raises NotParsed: a key that is given twice or is no scalar, more than the bounds once aliases are followed."""
    walk = _Walk(lines)
    # In the order of the text, as the first of several merges counts. Explicit stack: an alias is walked wherever it
    # stands, so depth and number are the file's choice until here.
    stack = [_Visit(root, (), 0)]
    while stack:
        visit = stack.pop()
        walk.seen += 1
        # The root is none of the values.
        if walk.seen > MAX_KEYS + 1 or visit.depth > MAX_DEPTH:
            bounds = f"{MAX_KEYS} values and {MAX_DEPTH} levels"
            raise NotParsed(
                f"more than {bounds} once aliases are followed; keep them few", lines.place(visit.node.start_mark.index)
            )
        if isinstance(visit.node, yaml.MappingNode):
            stack.extend(reversed(list(_in_mapping(visit.node, visit, walk))))
        elif isinstance(visit.node, yaml.SequenceNode):
            stack.extend(reversed(list(_in_list(visit.node, visit, walk))))
    return walk.places


def _in_list(node: yaml.SequenceNode, visit: _Visit, walk: _Walk) -> Iterator[_Visit]:
    for index, item in enumerate(node.value):
        if visit.taken is None:
            walk.places[*visit.at, index] = walk.lines.place(item.start_mark.index)
            yield _Visit(item, (*visit.at, index), visit.depth + 1)
        else:
            yield _Visit(item, visit.at, visit.depth + 1, visit.taken)


def _in_mapping(node: yaml.MappingNode, visit: _Visit, walk: _Walk) -> Iterator[_Visit]:
    own: dict[str, yaml.Node] = {}
    merged = []
    for key, value in node.value:
        name = _name(key, walk)
        if name in own:
            first = walk.lines.place(own[name].start_mark.index).line
            words = f"{dotted((*visit.at, name))}: given twice, first on line {first}; keep one"
            raise NotParsed(words, walk.lines.place(key.start_mark.index))
        own[name] = key
        if key.tag == _MERGE:
            merged.append(value)
        elif (path := (*visit.at, name)) not in walk.places and name not in (visit.taken or ()):
            walk.places[path] = walk.lines.place(key.start_mark.index)
            yield _Visit(value, path, visit.depth + 1)
    taken = frozenset(own) | (visit.taken or frozenset())
    for value in merged:
        yield _Visit(value, visit.at, visit.depth + 1, taken)


def _name(key: yaml.Node, walk: _Walk) -> str:
    if not isinstance(key, yaml.ScalarNode):
        raise NotParsed("a list or mapping as a key; allowed: text", walk.lines.place(key.start_mark.index))
    return str(key.value)
