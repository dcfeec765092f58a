"""Edits of single keys, each looked at afterwards: what a format promises about them is checked before it is
believed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from homeostat.configfiles.errors import CannotEdit
from homeostat.configfiles.formats.base import Format
from homeostat.configfiles.formats.edits import is_same
from homeostat.configfiles.formats.table import FORMATS
from homeostat.explain import KeyPath, dotted


@dataclass(frozen=True, slots=True)
class Set:
    """``value``: a scalar, or lists and mappings of them where the format has those."""

    path: KeyPath
    value: object


@dataclass(frozen=True, slots=True)
class Unset:
    """Nothing is left of the key."""

    path: KeyPath


Edit = Set | Unset


def edited(format_name: str, text: str, edits: Sequence[Edit]) -> str:
    """``text`` with the edits, one after the other. Raises CannotEdit or NotParsed."""
    if format_name not in FORMATS:
        raise CannotEdit(f"a {format_name} file has no keys; write the whole file instead (config apply)")
    format_ = FORMATS[format_name]
    for edit in edits:
        text = _one(format_, text, edit, is_literal=format_name != "env")
    return text


def _one(format_: Format, text: str, edit: Edit, *, is_literal: bool) -> str:
    """``is_literal``: no value depends on another one, as they do by interpolation."""
    before = format_.read(text)
    new = format_.set(text, edit.path, edit.value) if isinstance(edit, Set) else format_.unset(text, edit.path)
    after = format_.read(new)
    if not _is_only_change(before.data, after.data, edit) and is_literal:
        raise CannotEdit(f"{dotted(edit.path)}: changing it would change other keys, too; edit the file by hand")
    return new


def _is_only_change(before: Mapping[str, object], after: Mapping[str, object], edit: Edit) -> bool:
    if isinstance(edit, Set):
        return is_same(_without(before, edit.path), _without(after, edit.path))
    # Mappings and lists that are left without anything may stay or go.
    return is_same(_without_empty(_without(before, edit.path)), _without_empty(after))


def _without(data: object, path: KeyPath) -> object:
    """``data`` without what is at ``path``; what is behind it in a list moves up."""
    first, rest = path[0], path[1:]
    if isinstance(data, dict):
        if first not in data:
            return data
        others = {key: value for key, value in data.items() if key != first}
        return {**others, first: _without(data[first], rest)} if rest else others
    if isinstance(data, list) and isinstance(first, int) and first < len(data):
        changed = [_without(data[first], rest)] if rest else []
        return [*data[:first], *changed, *data[first + 1 :]]
    return data


def _without_empty(data: object) -> object:
    """Mappings without those of their keys under which nothing is."""
    if isinstance(data, dict):
        kept = {key: _without_empty(value) for key, value in data.items()}
        return {key: value for key, value in kept.items() if value not in ({}, [], None)}
    return [_without_empty(each) for each in data] if isinstance(data, list) else data
