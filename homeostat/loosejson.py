"""Reading JSON of others, who leave things out or change their kind: what is not as expected is a default. Only what is
required is an error.
"""

from collections.abc import Mapping
from typing import Any


def required(raw: object, what: str) -> Mapping[str, Any]:
    """The object that ``raw`` has to be. Raises ValueError."""
    if not isinstance(raw, dict):
        raise ValueError(f"{what} is no object")  # noqa: TRY004 - not a mistake in this program
    return raw


def required_text(raw: Mapping[str, Any], key: str) -> str:
    """The text that has to be there. Raises ValueError."""
    if not (value := text(raw, key)):
        raise ValueError(f"{key} is missing")
    return value


def part(raw: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The object under ``key``, or an empty one."""
    value = raw.get(key)
    return value if isinstance(value, dict) else {}


def text(raw: Mapping[str, Any], key: str) -> str:
    """The text under ``key``, or an empty one."""
    value = raw.get(key)
    return value if isinstance(value, str) else ""


def texts(raw: object) -> dict[str, str]:
    """The texts of an object."""
    return {key: value for key, value in raw.items() if isinstance(value, str)} if isinstance(raw, dict) else {}


def number(raw: Mapping[str, Any], key: str) -> int:
    """The whole number under ``key``, or 0."""
    value = raw.get(key)
    # A bool is an int to Python; larger than 64 bits is nothing that was measured.
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**64 else 0


def count(raw: Mapping[str, Any], key: str) -> int:
    """The whole number under ``key`` that cannot be below 0, or 0."""
    return max(number(raw, key), 0)


def told(raw: Mapping[str, Any], key: str) -> int | None:
    """As :func:`count`, but None when there is none."""
    return count(raw, key) if isinstance(raw.get(key), int) else None
