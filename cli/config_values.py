"""Values as people write them on a command line, and from standard input, where no shell's history sees them."""

import json
import math
import re
import sys
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from enum import StrEnum
from typing import Never

import click

from homeostat.configfiles.text import MAX_BYTES

#: Formats whose values are all text.
_TEXT_ONLY = frozenset({"env", "ini"})
_WORDS: Mapping[str, object] = {"true": True, "false": False, "null": None}
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
#: More digits are no number that anybody means, and Python does not read them.
_LONGEST_NUMBER = 300


class Type(StrEnum):
    AUTO = "auto"
    STRING = "string"
    INT = "int"
    BOOL = "bool"
    JSON = "json"


def typed(text: str, kind: Type, before: object, format_name: str) -> object:
    """``before``: the key's present value. Raises BadParameter, without the value: it may be a secret."""
    match kind:
        case Type.AUTO:
            return text if format_name in _TEXT_ONLY else _as_before(text, before)
        case Type.STRING:
            return text
        case Type.INT:
            return _read(_integer, text, "a whole number")
        case Type.BOOL:
            return _read({"true": True, "false": False}.__getitem__, text, "true or false")
        case Type.JSON:
            return _read(_json, text, "JSON")


def standard_input() -> str:
    """All of it without the line end at its end; on a terminal, one line that is not shown while it is typed."""
    if sys.stdin.isatty():
        return str(click.prompt("value", hide_input=True, default="", show_default=False, err=True))
    raw = sys.stdin.buffer.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise click.BadParameter(f"standard input has more than {MAX_BYTES} bytes")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise click.BadParameter("standard input is not UTF-8") from None
    return text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text


def _as_before(text: str, before: object) -> object:
    """Text stays text, also when it looks like a number: a version, a phone number. Else what it looks like."""
    if isinstance(before, str):
        return text
    if isinstance(before, date | datetime | time):
        try:
            return type(before).fromisoformat(text)
        except ValueError:
            return text
    return _scalar(text)


def _scalar(text: str) -> object:
    """As YAML 1.2's core and JSON have it: neither `no` nor 0123 nor 12:30 is anything but text."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) <= _LONGEST_NUMBER and _NUMBER.fullmatch(text):
        number = int(text) if _INTEGER.fullmatch(text) else float(text)
        return number if math.isfinite(number) else text
    if text.startswith('"'):
        try:
            return _json(text)
        except ValueError:
            return text
    return text


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueError
    return int(text)


def _json(text: str) -> object:
    found: object = json.loads(text, parse_constant=_refuse)
    return found


def _refuse(_name: str) -> Never:
    raise ValueError


def _read(read: Callable[[str], object], text: str, allowed: str) -> object:
    try:
        return read(text)
    except (ValueError, LookupError, RecursionError):
        raise click.BadParameter(f"a value is not what --type says; allowed: {allowed}") from None
