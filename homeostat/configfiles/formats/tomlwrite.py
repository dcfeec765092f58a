"""Values as TOML has them. Source: TOML 1.0."""

import re
from datetime import date, datetime, time

from homeostat.configfiles.errors import CannotEdit

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
#: What a text between three single quotes cannot hold.
_UNLIKE_RAW = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]|'''|'$")
_SPECIAL = re.compile(r'[\x00-\x1f\x7f"\\]')
_LONGEST_INT = 1 << 63


def written(value: object, old: str, newline: str) -> str:
    """``old``: the value as it was written; a text keeps its quotes, where they can hold it. Raises CannotEdit."""
    match value:
        case str():
            return _text(value, old, newline)
        case bool():
            return str(value).lower()
        case int() if -_LONGEST_INT <= value < _LONGEST_INT:
            return str(value)
        case float():
            return repr(value)
        case datetime() | date() | time():
            return value.isoformat()
        case list() | dict():
            return _container(value, newline)
        case None:
            raise CannotEdit("TOML has no empty value; take the key out")
        case _:
            raise CannotEdit("TOML has no such value; allowed: text, 64-bit numbers, booleans, dates, lists, tables")


def _container(value: list[object] | dict[str, object], newline: str) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(written(inner, "", newline) for inner in value) + "]"
    pairs = (f"{key(name)} = {written(inner, '', newline)}" for name, inner in value.items())
    return "{ " + ", ".join(pairs) + " }" if value else "{}"


def key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _basic(name)


def _text(value: str, old: str, newline: str) -> str:
    if old.startswith("'''") and not _UNLIKE_RAW.search(value):
        return "'''" + newline + value.replace("\n", newline) + "'''"
    if old.startswith(('"""', "'''")) and "\n" in value and "\r" not in value:
        return _lines(value, newline)
    if old.startswith("'") and "'" not in value and not _CONTROL.search(value):
        return f"'{value}'"
    return _basic(value)


def _basic(value: str) -> str:
    return f'"{_SPECIAL.sub(_escaped, value)}"'


def _lines(value: str, newline: str) -> str:
    lines = (_SPECIAL.sub(_escaped, line) for line in value.split("\n"))
    return '"""' + newline + newline.join(lines) + '"""'


def _escaped(found: re.Match[str]) -> str:
    return _ESCAPES.get(found[0]) or f"\\u{ord(found[0]):04x}"
