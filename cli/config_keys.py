"""Keys of managed files as people write them on a command line: ``services.web.image``, ``ports.0``, ``"a.b".c``."""

import re
from collections.abc import Mapping

import click

from homeostat.explain import KeyPath

#: Whose keys are plain names, dots or not.
FLAT = frozenset({"env"})
_PART = r'(?:"(?:[^"\\]|\\.)*+"|[^."=]++)'
_KEY = re.compile(rf"{_PART}(?:\.{_PART})*+")
_PARTS = re.compile(_PART)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
#: No list is longer.
_LONGEST_INDEX = 9
_ALLOWED = (
    """allowed: parts with dots between them, in double quotes where a part has a dot itself: services.web, '"a.b".c'"""
)


def key_path(text: str, data: object, format_name: str) -> KeyPath:
    """The path that ``text`` means in ``data``: a number is an index where a list is. Raises BadParameter."""
    if format_name in FLAT:
        return (text,)
    if _KEY.fullmatch(text) is None:
        raise click.BadParameter(f"{text!r} is no key; {_ALLOWED}")
    path: list[str | int] = []
    for written in _PARTS.findall(text):
        part = _part(written, data)
        path.append(part)
        data = inner(data, part)
    return tuple(path)


def assignment(text: str, format_name: str) -> tuple[str, str]:
    """``KEY=VALUE`` -> both. Raises BadParameter, which does not repeat ``text``: it may be a secret."""
    if format_name in FLAT:
        key, equals, value = text.partition("=")
    else:
        found = _KEY.match(text)
        key = found[0] if found else ""
        equals, value = text[len(key) : len(key) + 1], text[len(key) + 1 :]
    if not key or equals != "=":
        raise click.BadParameter(f"an argument is not KEY=VALUE; of the KEY, {_ALLOWED}")
    return key, value


def written(path: KeyPath) -> str:
    """``path`` as :func:`key_path` takes it."""
    return ".".join(str(part) if _PARTS.fullmatch(str(part)) else _quoted(str(part)) for part in path)


def inner(data: object, part: str | int) -> object:
    """What is there, None for nothing."""
    if isinstance(data, Mapping):
        return data.get(part)
    return data[part] if isinstance(data, list) and isinstance(part, int) and part < len(data) else None


def _part(written: str, data: object) -> str | int:
    if written.startswith('"'):
        return _ESCAPED.sub(r"\1", written[1:-1])
    is_index = isinstance(data, list) and written.isascii() and written.isdecimal() and len(written) <= _LONGEST_INDEX
    return int(written) if is_index else written


def _quoted(part: str) -> str:
    return '"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"'
