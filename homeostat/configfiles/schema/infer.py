"""A first schema from a file as it is: types and what is there, never a value."""

import json
from collections.abc import Mapping

import yaml

from homeostat.configfiles.schema.inferenv import env_schema
from homeostat.configfiles.schema.inferjson import json_schema
from homeostat.configfiles.schema.jsondata import as_json

_ORIGIN = "Inferred from the file as it was: read it, and correct what it guesses."
_ENV_HINTS = """\
# Types: string, integer, number, boolean, url, port, duration, size, path, email. A key is required, and not empty,
# unless it says `required: false`. Also: enum, pattern, min, max, min_length, max_length, secret, description.
"""


def infer(data: Mapping[str, object], format: str) -> str:  # noqa: A002 - as `format` of a managed file
    """The text of a schema that ``data`` satisfies: for ``json`` as JSON, else as YAML. Loaded again with
    :func:`~homeostat.configfiles.schema.load.load_schema`, it finds nothing wrong with ``data``.
    """
    if format == "env":
        return f"# {_ORIGIN}\n{_ENV_HINTS}{_yaml(env_schema(data))}"
    schema = json_schema(as_json(data))
    if format == "json":
        return json.dumps({"$comment": _ORIGIN, **schema}, indent=2, ensure_ascii=False) + "\n"
    return f"# {_ORIGIN}\n{_yaml(schema)}"


def _yaml(schema: Mapping[str, object]) -> str:
    # One long line for a long key: folded keys are hard to read, and to edit.
    return yaml.dump(schema, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)


class _Dumper(yaml.SafeDumper):
    """Writes the same part twice rather than as an anchor and its aliases."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True
