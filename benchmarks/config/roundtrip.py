"""Real configuration files, each scalar in them changed and changed back: what was not meant to change does not."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.progress import Progress

from homeostat.configfiles import text
from homeostat.configfiles.edits import Set, edited
from homeostat.configfiles.errors import CannotEdit, NotParsed
from homeostat.configfiles.formats.table import FORMATS, format_of
from homeostat.explain import KeyPath, dotted

CORPUS = Path(__file__).parents[2] / "tests" / "unit" / "configfiles" / "corpus"
#: By folder, where the name does not say.
_FOLDERS = frozenset(FORMATS)


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
    return format_of(path) or next((part for part in reversed(path.parts) if part in _FOLDERS), None)


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
    if _far(content, changed):
        figures.other_lines.append(where)
    if FORMATS[name].read(back).data != FORMATS[name].read(content).data:
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


def _far(before: str, after: str) -> bool:
    """Whether more changed than one stretch of the value's own lines: what is before and after it must be the same."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    while old and new and old[0] == new[0]:
        old, new = old[1:], new[1:]
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    return len(new) > 1
