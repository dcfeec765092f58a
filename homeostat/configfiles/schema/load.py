"""Reading a schema file: an error is one line with path, line, what is wrong and what to do."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from homeostat.configfiles.errors import FileRefused, NotParsed, Place, located
from homeostat.configfiles.formats.base import Parsed
from homeostat.configfiles.formats.json import Json
from homeostat.configfiles.formats.yaml import Yaml
from homeostat.configfiles.reading import read
from homeostat.configfiles.schema.base import Schema, nearest
from homeostat.configfiles.schema.envschema import EnvSchema
from homeostat.configfiles.schema.jsondata import as_json
from homeostat.configfiles.text import decode
from homeostat.explain import Invalid, KeyPath, dotted
from homeostat.structure import written

#: In one line; the rest is found when these are mended.
_MOST_TOLD = 3


def load_schema(path: Path, format: str) -> Schema:  # noqa: A002 - as `format` of a managed file
    """The schema for a managed file of that format: an :class:`EnvSchema` for ``env``, a JSON Schema for others; both
    written in YAML or, by the file's name, in JSON. Raises FileRefused.
    """
    parsed = _parsed(path)
    if format != "env":
        return _json_schema(path, parsed)
    try:
        return written(EnvSchema, parsed.data)
    except Invalid as err:
        raise _refused(path, parsed.places, ((problem.path, problem.text) for problem in err.problems)) from None


def _json_schema(path: Path, parsed: Parsed) -> Schema:
    # A process that checks no structured files does not pay for what these import.
    from homeostat.configfiles.schema.dialects import prepared, problems_of  # noqa: PLC0415
    from homeostat.configfiles.schema.jsonschemas import JsonSchema  # noqa: PLC0415

    schema = {key: as_json(value) for key, value in parsed.data.items()}
    if problems := problems_of(schema):
        raise _refused(path, parsed.places, ((problem.path, problem.words) for problem in problems))
    return JsonSchema(prepared(schema))


def _parsed(path: Path) -> Parsed:
    found = read(path)
    if found is None:
        raise FileRefused(f"{path}: no such file; create it, or take `schema` of the managed file out of the settings")
    try:
        return (Json() if path.suffix == ".json" else Yaml()).read(decode(found.raw).content)
    except NotParsed as err:
        raise FileRefused(err.of(path)) from None


def _refused(path: Path, places: Mapping[KeyPath, Place], problems: Iterable[tuple[KeyPath, str]]) -> FileRefused:
    told = [f"{located(path, nearest(at, places))}: {dotted(at) or 'the schema'}: {words}" for at, words in problems]
    more = f"; and {len(told) - _MOST_TOLD} more" if len(told) > _MOST_TOLD else ""
    return FileRefused("; ".join(told[:_MOST_TOLD]) + more)
