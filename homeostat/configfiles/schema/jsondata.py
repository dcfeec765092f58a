"""Data of any format as JSON has it: what JSON Schema is about."""

from collections.abc import Mapping
from datetime import date, time

from homeostat.explain import KeyPath


def as_json(value: object) -> object:
    """Dates and times are ISO text, tuples are lists. Keys are text, and depth is bounded, by the format."""
    match value:
        case Mapping():
            return {key: as_json(item) for key, item in value.items()}
        case list() | tuple():
            return [as_json(item) for item in value]
        case date() | time():
            return value.isoformat()
        case bytes():
            return value.decode("latin-1")
        case _:
            return value


def positions(value: object) -> Mapping[KeyPath, int]:
    """Each key path and its place in the order of the file."""
    found: dict[KeyPath, int] = {}
    stack: list[tuple[KeyPath, object]] = [((), value)]
    while stack:
        path, item = stack.pop()
        found[path] = len(found)
        if isinstance(item, dict):
            stack.extend(((*path, key), each) for key, each in reversed(item.items()))
        elif isinstance(item, list):
            stack.extend(((*path, index), item[index]) for index in range(len(item) - 1, -1, -1))
    return found
