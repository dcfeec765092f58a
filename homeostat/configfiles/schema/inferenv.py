"""The schema of a `.env` file that fits its values."""

import re
from collections.abc import Mapping

from homeostat.configfiles.schema.valuetypes import TYPES
from homeostat.configfiles.secrets import has_userinfo, is_placeholder, is_secret_name

#: The first that fits. What could be one or the other (10m: minutes, or mebibytes?) stays text: a wrong guess would
#: refuse a good change.
_GUESSES: Mapping[str, re.Pattern[str]] = {
    "port": re.compile(r"[0-9]+"),
    "integer": re.compile(r"-?(?:0|[1-9][0-9]*)"),
    "number": re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+"),
    "boolean": re.compile(r"true|false|yes|no|on|off", re.IGNORECASE),
    "url": re.compile(r"[a-z][a-z0-9+.-]*://.*"),
    "email": re.compile(r"[^/]*"),
    "duration": re.compile(r"(?:[0-9]+(?:ms|[shdw]))+"),
    "size": re.compile(r"[0-9]+(?:[kKMGT]i?[bB]?|g)"),
    "path": re.compile(r"\.{0,2}/.*"),
}
_OF_PORT = re.compile(r"(?:^|_)port$", re.IGNORECASE)


def env_schema(data: Mapping[str, object]) -> dict[str, object]:
    """As YAML has it."""
    return {"extra": "allow", "keys": {name: _key(name, str(value or "")) for name, value in data.items()}}


def _key(name: str, value: str) -> dict[str, object]:
    key: dict[str, object] = {"type": "string", "required": value != ""}
    if is_secret_name(name):
        # Said only where it holds: a schema that its own file breaks is of no use.
        if is_placeholder(value):
            return {**key, "description": "Holds a placeholder: put the secret there, then say secret: true here."}
        return {**key, "secret": True}
    if has_userinfo(value):
        return {**key, "type": _type(name, value), "secret": True}
    return {**key, "type": _type(name, value)}


def _type(name: str, value: str) -> str:
    for kind, form in _GUESSES.items():
        if kind == "port" and not _OF_PORT.search(name):
            continue
        if form.fullmatch(value) and TYPES[kind].fits(value):
            return kind
    return "string"
