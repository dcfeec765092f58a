"""Real configuration files, each scalar in them changed and changed back: what was not meant to change does not."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.progress import Progress

from homeostat.configfiles import text
from homeostat.configfiles.edits import Set, edited
from homeostat.configfiles.errors import CannotEdit, NotParsed
from homeostat.configfiles.formats.base import Parsed
from homeostat.configfiles.formats.table import FORMATS, format_of
from homeostat.explain import KeyPath, dotted

CORPUS = Path(__file__).parents[2] / "tests" / "unit" / "configfiles" / "corpus"


@dataclass(slots=True)
class Figures:
    """``edits``: keys that were set to something else and back. ``refused``: said that it cannot edit them.
    ``written_anew``: came back with the same data in another notation (quotes, a number's zeros).
    """

    files: int = 0
    keys: int = 0
    edits: int = 0
    refused: int = 0
    written_anew: list[str] = field(default_factory=list)
    not_identical: list[str] = field(default_factory=list)
    other_lines: list[str] = field(default_factory=list)
    not_undone: list[str] = field(default_factory=list)


def roundtrip(progress: Progress, folder: Path = CORPUS) -> Figures:
    figures = Figures()
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and _format(path) is not None)
    task = progress.add_task("roundtrip: files", total=len(paths))
    for path in paths:
        _one(path, str(_format(path)), figures)
        progress.advance(task)
    return figures


def _format(path: Path) -> str | None:
    return format_of(path) or (path.parent.name if path.parent.name in FORMATS else None)


def _one(path: Path, name: str, figures: Figures) -> None:
    raw = path.read_bytes()
    try:
        decoded = text.decode(raw)
        parsed = FORMATS[name].read(decoded.content)
    except NotParsed as err:
        print(err.of(path), file=sys.stderr)
        return
    figures.files += 1
    if decoded.encode() != raw:
        figures.not_identical.append(path.name)
    for key, value in _scalars(parsed.data, ()):
        figures.keys += 1
        _key(name, decoded.content, key, value, f"{name}/{path.name}: {dotted(key)}", figures)


def _scalars(data: object, at: KeyPath) -> Iterator[tuple[KeyPath, object]]:
    match data:
        case Mapping():
            for key, value in data.items():
                yield from _scalars(value, (*at, key))
        case list():
            for index, value in enumerate(data):
                yield from _scalars(value, (*at, index))
        case str() | bool() | int() | float():
            yield at, data
        case _:
            pass


def _key(name: str, content: str, key: KeyPath, value: object, where: str, figures: Figures) -> None:
    try:
        same = edited(name, content, [Set(key, value)])
        changed = edited(name, content, [Set(key, _other(value))])
        back = edited(name, changed, [Set(key, value)])
    except CannotEdit:
        figures.refused += 1
        return
    figures.edits += 1
    if same != content:
        figures.not_identical.append(where)
    if _is_elsewhere(content, changed, key, FORMATS[name].read(content)):
        figures.other_lines.append(where)
    if repr(FORMATS[name].read(back).data) != repr(FORMATS[name].read(content).data):
        figures.not_undone.append(where)
    elif back != content:
        figures.written_anew.append(where)


def _other(value: object) -> object:
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case _:
            return f"{value}-changed"


def _is_elsewhere(before: str, after: str, key: KeyPath, parsed: Parsed) -> bool:
    """Whether lines changed that are not the key's own: those from where it begins to where the next one does. A key
    that was merged from elsewhere gets a new line.
    """
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    begin = parsed.places[key].line - 1
    end = min((place.line - 1 for place in parsed.places.values() if place.line - 1 > begin), default=len(old))
    is_outside = old[:begin] != new[:begin] or old[end:] != new[len(new) - (len(old) - end) :]
    return is_outside and not _is_one_more(old, new)


def _is_one_more(old: Sequence[str], new: Sequence[str]) -> bool:
    at = next((index for index, (was, now) in enumerate(zip(old, new, strict=False)) if was != now), len(old))
    return list(new[:at]) + list(new[at + 1 :]) == list(old)
