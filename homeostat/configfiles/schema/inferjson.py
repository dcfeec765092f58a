"""The JSON Schema of a structured file that fits its values."""

from collections.abc import Mapping, Sequence

from homeostat.configfiles.schema.dialects import DEFAULT
from homeostat.configfiles.schema.keywords import type_name

#: A mapping with more keys is a table of names (services, users), not a form: its keys are no rule.
_MOST_KEYS = 100


#: A schema is a file of the same bounds as others, and has two levels for each of its file.
_DEPTHS = (20, 10, 5, 3, 2, 1)
_MOST_VALUES = 5000


def json_schema(data: object) -> dict[str, object]:
    """Draft 2020-12. Other keys are allowed, and other lengths of lists. Of a large file, the upper levels."""
    found = (_schema([data], depth) for depth in _DEPTHS)
    schema = next((schema for schema in found if _size(schema) <= _MOST_VALUES), {"type": "object"})
    return {"$schema": DEFAULT, **schema}


def _size(schema: object) -> int:
    match schema:
        case Mapping():
            return sum(1 + _size(value) for value in schema.values())
        case list():
            return len(schema)
        case _:
            return 0


def _schema(values: Sequence[object], depth: int) -> dict[str, object]:
    """What all of ``values`` fit."""
    names = sorted({type_name(value) for value in values})
    # What is empty now can become anything.
    if depth == 0 or names in ([], ["null"]):
        return {}
    if "number" in names and "integer" in names:
        names.remove("integer")  # every integer is a number
    schema: dict[str, object] = {"type": names[0] if len(names) == 1 else names}
    if mappings := [value for value in values if isinstance(value, Mapping)]:
        schema |= _of_mappings(mappings, depth - 1)
    if items := [item for value in values if isinstance(value, list) for item in value]:
        schema["items"] = _schema(items, depth - 1)
    return schema


def _of_mappings(mappings: Sequence[Mapping[str, object]], depth: int) -> dict[str, object]:
    grouped: dict[str, list[object]] = {}
    for mapping in mappings:
        for key, value in mapping.items():
            grouped.setdefault(key, []).append(value)
    if len(grouped) > _MOST_KEYS:
        return {"additionalProperties": _schema([value for values in grouped.values() for value in values], depth)}
    schema: dict[str, object] = {"properties": {key: _schema(values, depth) for key, values in grouped.items()}}
    if required := [key for key, values in grouped.items() if len(values) == len(mappings)]:
        schema["required"] = required
    return schema
