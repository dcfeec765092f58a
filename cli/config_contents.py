"""A managed file's content as the commands need it: read once, so that all they do rests on the same bytes."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from cli.config_keys import inner, key_path, written
from homeostat.configfiles import text
from homeostat.configfiles.errors import CannotEdit, FileRefused, NotParsed
from homeostat.configfiles.formats.base import Parsed
from homeostat.configfiles.formats.table import FORMATS
from homeostat.configfiles.managed import ConfigFiles, Snapshot
from homeostat.configfiles.secrets import MASK, mask
from homeostat.configfiles.showing.masked import IsSecret
from homeostat.configfiles.validation import format_name
from homeostat.errors import NotFound
from homeostat.explain import KeyPath


@dataclass(frozen=True, slots=True)
class Contents:
    """``format_name``: one that has keys."""

    snapshot: Snapshot
    format_name: str
    parsed: Parsed


def contents(files: ConfigFiles, name: str) -> Contents:
    """Raises CannotEdit for a file without keys, FileRefused for one that is not valid. No file has no keys yet."""
    name_of_format = format_name(files.spec(name))
    if name_of_format not in FORMATS:
        raise CannotEdit(f"{name}: a {name_of_format} file has no keys; edit or apply it as a whole")
    snapshot = files.read(name)
    try:
        parsed = FORMATS[name_of_format].read(text.decode(snapshot.found.raw if snapshot.found else b"").content)
    except NotParsed as err:
        if snapshot.found is None:
            parsed = Parsed({}, {})  # what no file has may be no valid text, as of JSON
        else:
            fix = f", config lint --fix {name}" if name_of_format == "env" else ""
            advice = f"mend it first: config edit {name}{fix}, or config restore {name}"
            raise FileRefused(f"{err.of(snapshot.target)}; {advice}") from None
    return Contents(snapshot, name_of_format, parsed)


def value_at(found: Contents, key: str) -> tuple[KeyPath, object]:
    """Raises NotFound, with keys that are alike."""
    path = key_path(key, found.parsed.data, found.format_name)
    if path not in found.parsed.places and not _is_there(found.parsed.data, path):
        raise NotFound(f"{found.snapshot.target}: no key {key}; {_alike(found, key)}")
    data: object = found.parsed.data
    for part in path:
        data = inner(data, part)
    return path, data


def leaves(data: object, path: KeyPath = ()) -> Iterator[tuple[KeyPath, object]]:
    """Every scalar, and what is empty."""
    if isinstance(data, Mapping) and data:
        for key, value in data.items():
            yield from leaves(value, (*path, key))
    elif isinstance(data, list) and data:
        for index, value in enumerate(data):
            yield from leaves(value, (*path, index))
    else:
        yield path, data


def masked(data: Mapping[str, object], is_secret: IsSecret) -> Mapping[str, object]:
    """As :func:`~homeostat.configfiles.secrets.mask`; and in lists the values of NAME=VALUE, as in compose files."""
    return {key: _assignments_masked(value, is_secret) for key, value in mask(data, is_secret).items()}


def shown(value: object) -> str:
    """Text as it is, the rest as JSON; dates as text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _assignments_masked(value: object, is_secret: IsSecret) -> object:
    match value:
        case Mapping():
            return {key: _assignments_masked(item, is_secret) for key, item in value.items()}
        case list():
            return [_assignments_masked(item, is_secret) for item in value]
        case str():
            name, equals, rest = value.partition("=")
            return (
                f"{name}={MASK}" if equals and rest and is_secret(name.split()[-1] if name.split() else "") else value
            )
        case _:
            return value


def _is_there(data: object, path: KeyPath) -> bool:
    """Also what has no place of its own, as in dotted keys of TOML."""
    for part in path:
        if isinstance(data, Mapping):
            if part not in data:
                return False
        elif not (isinstance(data, list) and isinstance(part, int) and part < len(data)):
            return False
        data = inner(data, part)
    return True


def _alike(found: Contents, key: str) -> str:
    known = [written(path) if found.format_name != "env" else str(path[0]) for path in found.parsed.places]
    alike = get_close_matches(key, known, n=3)
    if alike:
        return f"is it {' or '.join(alike)}?"
    return f"config get {found.snapshot.name} lists those that are there"
