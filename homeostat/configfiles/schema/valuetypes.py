"""Types of text values: what an environment variable, or a string of a structured file, may have to be.

Each check takes time in proportion to the text.
"""

import ipaddress
import math
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from urllib.parse import urlsplit

from homeostat.quantities import is_port, parse_duration

_INTEGER = re.compile(r"[+-]?[0-9]{1,300}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,300}(?:\.[0-9]{0,300})?|\.[0-9]{1,300})(?:[eE][+-]?[0-9]{1,4})?")
_BOOLEANS = frozenset({"true", "false", "yes", "no", "on", "off", "1", "0"})
#: Docker's own 512m, Kubernetes's 1Gi, and 4MiB as homeostat has it.
_SIZE = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,6})?\s?(?:[kmgtp]?i?b?)", re.IGNORECASE)
_EMAIL = re.compile(r"(?:[^\s@<>\"]{1,64}|\"[^\"\s]{1,62}\")@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})")
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOSTNAME = re.compile(rf"(?=.{{1,253}}\.?\Z){_LABEL}(?:\.{_LABEL})*\.?")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://")
#: An ISO date or an address is short; what is longer is none, and is not looked at.
_LONGEST = 64

_LONGEST_REGEX = 4096


@dataclass(frozen=True, slots=True)
class ValueType:
    """``allowed``: ends the sentence "must be ..."."""

    fits: Callable[[str], bool]
    allowed: str


def as_number(text: str) -> float | None:
    """None for what is no finite number in decimal digits."""
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def _is_integer(text: str) -> bool:
    return _INTEGER.fullmatch(text) is not None


def _is_number(text: str) -> bool:
    return as_number(text) is not None


def _is_boolean(text: str) -> bool:
    return text.lower() in _BOOLEANS


def _is_url(text: str) -> bool:
    if not _SCHEME.match(text) or not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        _ = parts.port  # looked at only when asked
    except ValueError:
        return False
    # sqlite:///file.db and unix:///run/x.sock have no host.
    return bool(parts.netloc or parts.path.strip("/"))


def _is_duration(text: str) -> bool:
    try:
        parse_duration(text)
    except ValueError:
        return False
    return True


def is_regex(text: str) -> bool:
    """Whether Python's `re` takes it."""
    if len(text) > _LONGEST_REGEX:
        return False
    try:
        re.compile(text)
    # The last two: nested deeper than it reads, and counting higher.
    except (re.error, RecursionError, OverflowError):
        return False
    return True


def _is_path(text: str) -> bool:
    return bool(text) and text.isprintable() and text == text.strip()


def _reads(parse: Callable[[str], object]) -> Callable[[str], bool]:
    """Whether ``parse`` takes it: ValueError is its no."""

    def fits(text: str) -> bool:
        if len(text) > _LONGEST:
            return False
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return fits


def _matches(form: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: form.fullmatch(text) is not None


#: Of `.env` files. Adding one: a row here, its name in envschema.TypeName, docs/config-files.md.
TYPES: Mapping[str, ValueType] = {
    "string": ValueType(lambda _: True, "text"),
    "integer": ValueType(_is_integer, "an integer"),
    "number": ValueType(_is_number, "a number, for example 0.5"),
    "boolean": ValueType(_is_boolean, "true or false (or yes, no, on, off, 1, 0)"),
    "url": ValueType(_is_url, "a URL, for example https://example.org/path"),
    "port": ValueType(is_port, "a port, 1 to 65535"),
    "duration": ValueType(_is_duration, "a duration like 500ms, 10s, 5m or 1h30m"),
    "size": ValueType(_matches(_SIZE), "a size in bytes, or like 512m, 4MiB or 1Gi"),
    "path": ValueType(_is_path, "a path, without spaces around it"),
    "email": ValueType(_matches(_EMAIL), "an e-mail address, for example ops@example.org"),
}

#: Of JSON Schema's ``format``; others are words for people, as the standard has it.
FORMATS: Mapping[str, ValueType] = {
    "email": TYPES["email"],
    "uri": TYPES["url"],
    "hostname": ValueType(_matches(_HOSTNAME), "a host name"),
    "ipv4": ValueType(_reads(ipaddress.IPv4Address), "an IPv4 address"),
    "ipv6": ValueType(_reads(ipaddress.IPv6Address), "an IPv6 address"),
    "date": ValueType(_reads(date.fromisoformat), "a date, for example 2030-12-31"),
    "time": ValueType(_reads(time.fromisoformat), "a time of day, for example 02:30:00Z"),
    "date-time": ValueType(_reads(datetime.fromisoformat), "a date and time, for example 2030-12-31T02:30:00Z"),
    "regex": ValueType(is_regex, "a regular expression, as Python's re has it"),
    "uuid": ValueType(_reads(uuid.UUID), "a UUID"),
}
