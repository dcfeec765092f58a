"""YAML text -> data and spans. Every key is a text, as it is written: ``on`` and ``8080`` are no booleans and numbers.

Read as YAML 1.1 by PyYAML's safe loader within the bounds of :mod:`homeostat.yamlfile`. A program's own tags
(``!reset``, ``!vault``) are read as what they stand before; ``!!set``, ``!!omap`` and ``!!pairs`` are refused.
"""

from collections.abc import Hashable
from dataclasses import dataclass

import yaml

from homeostat.configfiles.errors import NotParsed, Place
from homeostat.configfiles.formats.edits import mapping
from homeostat.configfiles.formats.spans import Lines, Node
from homeostat.configfiles.formats.yamlplaces import indexed
from homeostat.configfiles.formats.yamlspans import Aliases, spanned
from homeostat.configfiles.formats.yamlwords import said
from homeostat.explain import KeyPath
from homeostat.yamlfile import BoundedLoader


@dataclass(frozen=True, slots=True)
class Loaded:
    """``root``: None when there is nothing but comments."""

    data: dict[str, object]
    places: dict[KeyPath, Place]
    root: Node | None


def load(text: str) -> Loaded:
    """Raises NotParsed."""
    lines = Lines(text)
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        if root is None:
            return Loaded({}, {}, None)
        places = indexed(root, lines)
        # Before the data is made: PyYAML moves merged keys in the nodes.
        spans = spanned(text, root, loader.aliases)
        data = loader.construct_document(root)
    except yaml.MarkedYAMLError as err:
        mark = err.problem_mark
        raise NotParsed(said(err), lines.place(mark.index) if mark else None) from err
    except yaml.reader.ReaderError as err:
        words = f"the character #x{err.character:02x} is not allowed in YAML; take it out"
        raise NotParsed(words, lines.place(err.position)) from err
    if data is None:
        return Loaded({}, {}, None)
    return Loaded(dict(mapping(data, "a mapping")), places, spans)


class _Loader(BoundedLoader):
    """Knows where aliases stand: to PyYAML they are the nodes that they refer to."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.aliases: Aliases = {}

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]  # as above
            self.aliases[parent, index] = (event.start_mark.index, event.end_mark.index)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:
        self.flatten_mapping(node)
        return {str(key.value): self.construct_object(value, deep=deep) for key, value in node.value}

    def misfit(self, node: yaml.Node) -> str:
        return f"no {node.tag.rpartition(':')[2]}, though it looks like one; quote it if it is text"


def _content(loader: _Loader, _suffix: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)  # type: ignore[arg-type]  # there is no third kind


def _undefined(loader: _Loader, node: yaml.Node) -> object:
    return loader.construct_undefined(node)


_Loader.add_multi_constructor("!", _content)
for _tag in ("set", "omap", "pairs"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _undefined)
