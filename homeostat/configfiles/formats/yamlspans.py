"""PyYAML's nodes -> where each of them really ends: to PyYAML a block ends where the next token begins."""

from collections.abc import Mapping

import yaml

from homeostat.configfiles.formats.spans import Entry, Node, Style

#: (parent, key node or index) of every alias -> where it stands.
Aliases = dict[tuple[yaml.Node | None, object], tuple[int, int]]

_STYLES: Mapping[str | None, Style] = {None: "plain", "'": "single", '"': "double", "|": "literal", ">": "literal"}


def spanned(text: str, node: yaml.Node, aliases: Aliases) -> Node:
    """Recursion is bounded: the loader bounds depth, and aliases are not followed."""
    start, end = node.start_mark.index, node.end_mark.index
    if isinstance(node, yaml.ScalarNode):
        style = _STYLES[node.style]
        return Node(start, _written_end(text, start, end) if style == "literal" else end, None, style)
    if isinstance(node, yaml.MappingNode):
        entries = dict(_of_mapping(text, node, aliases))
    else:
        entries = dict(_of_list(text, node, aliases))
    if isinstance(node, yaml.CollectionNode) and node.flow_style:
        return Node(start, end, entries, "flow")
    last = max((entry.end for entry in entries.values()), default=end)
    return Node(start, last, entries, "block")


def _of_mapping(text: str, node: yaml.Node, aliases: Aliases) -> list[tuple[str | int, Entry]]:
    found: list[tuple[str | int, Entry]] = []
    for key, value in node.value:
        alias = aliases.get((node, key))
        inner = Node(*alias, None, "alias") if alias else spanned(text, value, aliases)
        found.append((str(key.value), Entry(key.start_mark.index, key.end_mark.index, inner)))
    return found


def _of_list(text: str, node: yaml.Node, aliases: Aliases) -> list[tuple[str | int, Entry]]:
    found: list[tuple[str | int, Entry]] = []
    for index, value in enumerate(node.value):
        alias = aliases.get((node, index))
        inner = Node(*alias, None, "alias") if alias else spanned(text, value, aliases)
        found.append((index, Entry(inner.start, inner.start, inner)))
    return found


def _written_end(text: str, start: int, end: int) -> int:
    """Of a block scalar: the end of its last line that is not blank, so that blank lines before the next key stay."""
    last = start + len(text[start:end].rstrip())
    line = text.find("\n", last, end)
    if line < 0:
        return end
    return line - 1 if text[line - 1] == "\r" else line
