"""YAML: changed in place, so that comments, anchors, order and quoting stay.

A list or mapping that is set is written in flow style (``{a: 1}``), which is right at any indent.
"""

from homeostat.configfiles.errors import CannotEdit
from homeostat.configfiles.formats.base import Parsed
from homeostat.configfiles.formats.edits import (
    check_value,
    has_value,
    must_have,
    naming,
    verified,
    with_change,
    without,
)
from homeostat.configfiles.formats.spans import Entry, Node, found
from homeostat.configfiles.formats.yamledit import added, check_alone, first, removed, replaced
from homeostat.configfiles.formats.yamlload import load
from homeostat.explain import KeyPath


class Yaml:
    """One document, with a mapping at the top (nothing at all is an empty one). Keys are texts. A key that is merged
    (``<<``) can be set, which adds a key of its own, but not taken out.
    """

    def read(self, text: str) -> Parsed:
        loaded = load(text)
        return Parsed(loaded.data, loaded.places)

    def set(self, text: str, path: KeyPath, value: object) -> str:
        loaded = load(text)
        if has_value(loaded.data, path, value):
            return text
        with naming(path):
            check_value(value)
            data = with_change(loaded.data, path, value)
            after = _with(text, loaded.root, path, value)
        return verified(self.read, after, data, path)

    def unset(self, text: str, path: KeyPath) -> str:
        loaded = load(text)
        must_have(loaded.data, path)
        with naming(path):
            after = _without(text, loaded.root, path)
        return verified(self.read, after, without(loaded.data, path), path)


def _with(text: str, root: Node | None, path: KeyPath, value: object) -> str:
    if root is None:
        return first(text, path[-1], value)
    check_alone(text, root, path)
    node, entry = _found(root, path)
    return replaced(text, entry, value) if entry else added(text, node, path[-1], value)


def _without(text: str, root: Node | None, path: KeyPath) -> str:
    if root is None:
        raise LookupError(path)
    check_alone(text, root, path)
    node, entry = _found(root, path)
    if entry is None:
        raise CannotEdit("comes from a merge (<<); take it out where it is merged from")
    parent = _found(root, path[:-1])[1] if path[1:] else None
    return removed(text, parent, node, entry)


def _found(root: Node, path: KeyPath) -> tuple[Node, Entry | None]:
    try:
        return found(root, path)
    except LookupError:
        raise CannotEdit("stands behind an alias (*) or a merge (<<); change it at the anchor, or by hand") from None
