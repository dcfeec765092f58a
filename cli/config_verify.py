"""``homeostat config verify``: whether files are good, and whether what would be put back is whole."""

import sys
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path

import click

from cli.common import SETTINGS, console
from cli.config_common import look, opened, told
from homeostat.configfiles.integrity import State
from homeostat.configfiles.managed import ConfigFiles
from homeostat.configfiles.showing.diff import printable
from homeostat.configfiles.versions import Origin, Versions


class _Outcome(IntEnum):
    """Exit codes; the highest counts."""

    GOOD = 0
    CHANGED = 1
    DAMAGED = 4


_OF = {State.GOOD: _Outcome.GOOD, State.CHANGED: _Outcome.CHANGED, State.DAMAGED: _Outcome.DAMAGED}
_STYLES = {_Outcome.GOOD: "green", _Outcome.CHANGED: "yellow", _Outcome.DAMAGED: "red"}


@click.command()
@SETTINGS
@click.argument("names", nargs=-1, metavar="[NAME]...")
def verify(path: Path, names: tuple[str, ...]) -> None:
    """Check files and all versions kept of them.

    Whether files are as they were last known to be good, and their versions whole. Without NAME, all.

    Exit code 1 when one was changed by others and is valid, 4 when one, or a version that is kept of it, is damaged.
    """
    with told():
        files = opened(path, names[0] if len(names) == 1 else "")
        worst = _Outcome.GOOD
        for name in names or sorted(files.specs):
            for outcome, line in (*_file(files, name), *_versions(files, name)):
                console.print(printable(line), style=_STYLES[outcome], markup=False, soft_wrap=True)
                worst = max(worst, outcome)
        for outcome, line in _unfinished(files):
            console.print(printable(line), style=_STYLES[outcome], markup=False, soft_wrap=True)
            worst = max(worst, outcome)
    sys.exit(worst)


def _file(files: ConfigFiles, name: str) -> Iterator[tuple[_Outcome, str]]:
    spec, found = files.spec(name), look(files, name)
    outcome = _OF[found.state]
    for flaw in found.flaws:
        # What cannot be read says itself where.
        yield outcome, flaw.words if flaw.words.startswith(f"{spec.path}:") else flaw.of(spec.path)
    match found.state:
        case State.GOOD:
            yield outcome, f"{spec.path}: good"
        case State.CHANGED:
            words = f"valid, but changed by others; config diff {name} shows what, config accept {name} keeps it"
            yield outcome, f"{spec.path}: {words}"
        case State.DAMAGED if all(flaw.rule == "mode" for flaw in found.flaws):
            yield outcome, f"{spec.path}: only its mode is wrong: chmod it, or set max_mode in the settings"
        case State.DAMAGED if files.last_good(name) is not None:
            yield outcome, f"{spec.path}: damaged; config restore {name} puts the last good version back"
        case State.DAMAGED:
            yield outcome, f"{spec.path}: damaged, and no good version is kept; mend it with config edit {name}"


def _versions(files: ConfigFiles, name: str) -> Iterator[tuple[_Outcome, str]]:
    versions = files.place.versions(name)
    every = files.history(name)
    for version in every:
        if not versions.has(version.digest):
            yield _Outcome.DAMAGED, f"{versions.folder}: version {version.number}: its content is gone or damaged"
    stray = sum(version.origin is Origin.REBUILT for version in every)
    for problem in _of_manifest(versions, has_versions=bool(every)):
        yield (
            _Outcome.DAMAGED,
            f"{problem}; {_count(stray, 'content')} kept of which it is not known who made them, and why",
        )
    yield _Outcome.GOOD, f"{name}: {_count(len(every), 'version')}, looked at one by one"


def _of_manifest(versions: Versions, *, has_versions: bool) -> Iterator[str]:
    if versions.manifest.exists():
        yield from (f"{versions.manifest}:{number}: is damaged" for number in versions.damaged_lines())
    elif has_versions:
        yield f"{versions.manifest}: is gone"


def _unfinished(files: ConfigFiles) -> Iterator[tuple[_Outcome, str]]:
    pending = files.place.folder / "pending"
    for path in sorted(pending.glob("*.json")):
        yield _Outcome.CHANGED, f"{path}: a change was cut off; the next change, or the responder's start, completes it"
    for path in sorted(pending.glob("*.damaged")):
        yield (
            _Outcome.DAMAGED,
            f"{path}: a change was cut off and cannot be completed; look at its files, then remove it",
        )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
