"""What all formats hold their edits to: the data afterwards is the data before with that one change."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, time
from math import isnan
from typing import cast

from homeostat.configfiles.errors import CannotEdit, NotParsed
from homeostat.configfiles.formats.base import MAX_DEPTH, Parsed
from homeostat.explain import KeyPath, dotted

#: Of data that a format can be given; what each can hold is its own matter.
_SCALARS = (str, int, float, bool, type(None), date, datetime, time)


def has(data: object, path: KeyPath) -> bool:
    """Whether ``path`` is there. CannotEdit when what should hold its last part is not there, or is no mapping."""
    if not path:
        raise CannotEdit("no key is named; name one")
    node = data
    for depth, part in enumerate(path[:-1]):
        _check_part(node, path[: depth + 1])
        if not _holds(node, part):
            raise CannotEdit(f"{dotted(path[: depth + 1])}: not there; set the whole of it to add it")
        node = cast("dict[str | int, object]", node)[part]
    _check_part(node, path)
    return _holds(node, path[-1])


def has_value(data: object, path: KeyPath, value: object) -> bool:
    """Whether ``value`` is what is there: then nothing has to be changed, not even how it is written."""
    if not has(data, path):
        return False
    for part in path:
        data = cast("dict[str | int, object]", data)[part]
    return is_same(data, value)


def must_have(data: object, path: KeyPath) -> None:
    """Raises CannotEdit when ``path`` is not there."""
    if not has(data, path):
        raise CannotEdit(f"{dotted(path)}: not there")


def _check_part(node: object, path: KeyPath) -> None:
    part = path[-1]
    is_index = isinstance(part, int) and not isinstance(part, bool)
    if isinstance(node, list) and is_index:
        return
    if isinstance(node, list):
        raise CannotEdit(f"{dotted(path)}: {dotted(path[:-1])} is a list; name an item by its number, from 0")
    if not isinstance(node, dict):
        raise CannotEdit(f"{dotted(path)}: {dotted(path[:-1])} is no mapping; set the whole of it")
    if not isinstance(part, str):
        raise CannotEdit(f"{dotted(path)}: {dotted(path[:-1]) or 'this'} is a mapping; name a key by its text")


def _holds(node: object, part: str | int) -> bool:
    if isinstance(node, list) and isinstance(part, int):
        return 0 <= part < len(node)
    return isinstance(node, dict) and part in node


def with_change(data: object, path: KeyPath, value: object) -> object:
    """A copy of ``data`` with ``value`` at ``path``. CannotEdit for an item of a list that is beyond the next one."""
    if not path:
        return value
    part = path[0]
    if isinstance(data, list) and isinstance(part, int):
        if not 0 <= part <= len(data):
            raise CannotEdit(f"no such item; the next one is {len(data)}")
        inner = data[part] if part < len(data) else None
        return [*data[:part], with_change(inner, path[1:], value), *data[part + 1 :]]
    held = cast("dict[str | int, object]", data)
    return {**held, part: with_change(held.get(part), path[1:], value)}


def without(data: object, path: KeyPath) -> object:
    """A copy of ``data`` without ``path``, which is there."""
    part = path[0]
    if len(path) > 1:
        return with_change(data, path[:1], without(cast("dict[str | int, object]", data)[part], path[1:]))
    if isinstance(data, list) and isinstance(part, int):
        return [*data[:part], *data[part + 1 :]]
    return {key: inner for key, inner in cast("dict[str | int, object]", data).items() if key != part}


def is_same(one: object, other: object) -> bool:
    """Equal, and of the same types: to a program that reads it 1 is neither true nor 1.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same(inner, other[key]) for key, inner in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return one == other or (isnan(one) and isnan(other))
    return one == other


def check_value(value: object, depth: int = 0) -> None:
    """Raises CannotEdit for what no format can hold: other types, half characters, keys that are no text, too deep."""
    if depth > MAX_DEPTH:
        raise CannotEdit(f"a value nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        for key in value:
            _check_key(key)
    elif isinstance(value, str) and has_half_character(value):
        raise CannotEdit("a text with half a character (a surrogate); UTF-8 cannot hold it")
    elif not isinstance(value, (*_SCALARS, list)):
        raise CannotEdit(f"a value of type {type(value).__name__}; allowed: text, numbers, booleans, lists, mappings")
    for inner in _inner(value):
        check_value(inner, depth + 1)


def _check_key(key: object) -> None:
    if not isinstance(key, str):
        raise CannotEdit("a key within the value is no text; quote it")
    check_value(key)


def _inner(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def has_half_character(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text)


@contextmanager
def naming(path: KeyPath) -> Iterator[None]:
    """CannotEdit from within names ``path``. LookupError becomes one: no span of the text is that key's alone."""
    try:
        yield
    except CannotEdit as err:
        raise CannotEdit(f"{dotted(path)}: {err}") from None
    except LookupError:
        raise CannotEdit(f"{dotted(path)}: has no place of its own in the text; edit the file by hand") from None


def verified(read: Callable[[str], Parsed], text: str, data: object, path: KeyPath) -> str:
    """``text``, if it reads as ``data``. Raises CannotEdit otherwise."""
    try:
        after = read(text).data
    except NotParsed as err:
        raise CannotEdit(f"{dotted(path)}: cannot be changed in place: {err.words}; edit the file by hand") from None
    if not is_same(after, data):
        raise CannotEdit(
            f"{dotted(path)}: this value cannot stand there, or other keys depend on it; edit the file by hand"
        )
    return text


def mapping(data: object, kind: str) -> Mapping[str, object]:
    """``data``, which has to be a mapping. ``kind``: what the format calls one. Raises NotParsed."""
    if isinstance(data, dict):
        return data
    found = "a list" if isinstance(data, list) else "a single value"
    raise NotParsed(f"must be {kind} of keys, found {found}")
