"""``homeostat config lint``: what is wrong, risky or untidy in files, managed or not; and mending what can be."""

import itertools
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
from rich.progress import track

from cli.common import EXIT_FAILED, EXIT_NOT_WELL, SETTINGS, console, errors
from cli.config_common import WHO, told
from cli.config_findings import findings
from cli.config_targets import FORMAT, Target, known, target
from homeostat.configfiles import reading, staging, text
from homeostat.configfiles.disk import Disk
from homeostat.configfiles.errors import Conflict, NotParsed, located
from homeostat.configfiles.lint.base import Finding, Severity
from homeostat.configfiles.lint.fix import fix_env
from homeostat.configfiles.managed import ConfigFiles
from homeostat.configfiles.showing.diff import printable
from homeostat.errors import HomeostatError

_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.STYLE: "cyan"}
#: From here on one waits.
_MANY = 20


@dataclass(slots=True)
class _Count:
    """``refused``: files that could not be looked at, or not mended."""

    files: int = 0
    findings: int = 0
    serious: int = 0
    fixable: int = 0
    refused: int = 0

    @property
    def exit_code(self) -> int:
        if self.refused:
            return EXIT_FAILED
        return EXIT_NOT_WELL if self.serious else 0


@click.command()
@SETTINGS
@WHO
@FORMAT
@click.option(
    "--fix", is_flag=True, help="Mend what can be without changing what is read (.env files); a copy is kept."
)
@click.option("--json", "as_json", is_flag=True, help="JSON Lines: each finding on a line.")
@click.argument("words", nargs=-1, metavar="[NAME|PATH]...")
def lint(path: Path, who: str, format_: str | None, fix: bool, as_json: bool, words: tuple[str, ...]) -> None:
    """Tell what is wrong, risky or untidy.

    In files, managed or not; without NAME or PATH, in all that are managed.

    Exit code 1 when errors or warnings are left; 3 when a file cannot be read or mended.
    """
    count = _Count()
    with told():
        files = known(path)
        find = partial(target, files=files, format_=format_)
        for word in _with_progress(words or sorted(files.specs)):
            try:
                each = find(word)
                if fix:
                    _tell_done(each, _mend(each, files, who), as_json=as_json)
                    each = find(word)
                found = findings(each, files)
            except HomeostatError as err:
                count.refused += 1
                errors.print(str(err), style="red", markup=False)
                continue
            _tell(each, found, count, as_json=as_json)
    if not as_json:
        console.print(_summary(count), markup=False)
    sys.exit(count.exit_code)


def _with_progress(words: Sequence[str]) -> Iterable[str]:
    is_shown = len(words) >= _MANY and errors.is_terminal
    return track(words, "looking at files", console=errors, transient=True) if is_shown else words


def _mend(each: Target, files: ConfigFiles, who: str) -> list[str]:
    """What was done. The old content stays: as a version of a managed file, as a copy beside another one."""
    if each.format_name != "env":
        return []
    try:
        decoded = text.decode(each.found.raw)
    except NotParsed:
        return []  # no text: there is nothing that could be kept
    fixed = fix_env(decoded.content)
    raw = text.Text(fixed.text, decoded.has_bom).encode()
    if raw == each.found.raw:
        return []
    if each.name:
        version = files.write({each.name: raw}, who, "lint --fix", {each.name: each.found.digest})[0]
        return [*fixed.done, f"version {version.number} of {each.name}"]
    return [*fixed.done, f"as it was, it is kept in {_replaced(each, raw)}"]


def _replaced(each: Target, raw: bytes) -> Path:
    """The copy, which is there before anything is changed. Raises Conflict or FileRefused."""
    disk = Disk()
    copies = (each.path.with_name(f"{each.path.name}.bak{number or ''}") for number in itertools.count())
    copy = next(path for path in copies if not os.path.lexists(path))
    staging.put(staging.stage(copy, each.found.raw, each.found.attributes, disk), disk)
    staged = staging.stage(each.path, raw, each.found.attributes, disk)
    now = reading.read(each.path)
    if now is None or now.digest != each.found.digest:
        staging.remove(staged.temp, disk)
        raise Conflict(f"{each.path}: somebody changed it meanwhile; look at it and try again; nothing was changed")
    staging.put(staged, disk)
    return copy


def _tell_done(each: Target, done: Sequence[str], *, as_json: bool) -> None:
    to = errors if as_json else console
    for words in done:
        to.print(printable(f"{each.path}: {words}"), style="green", markup=False, soft_wrap=True)


def _tell(each: Target, found: Sequence[Finding], count: _Count, *, as_json: bool) -> None:
    count.files += 1
    count.findings += len(found)
    count.fixable += sum(finding.fixable for finding in found)
    count.serious += sum(finding.severity is not Severity.STYLE for finding in found)
    for finding in found:
        if as_json:
            click.echo(_line(each, finding))
        else:
            words = f"{located(each.path, finding.place)}: {finding.severity}: {finding.words} ({finding.rule})"
            console.print(printable(words), style=_STYLES[finding.severity], markup=False, soft_wrap=True)


def _line(each: Target, finding: Finding) -> str:
    return json.dumps(
        {
            "file": str(each.path),
            "line": finding.place.line,
            "column": finding.place.column,
            "severity": finding.severity,
            "rule": finding.rule,
            "words": finding.words,
            "fixable": finding.fixable,
        }
    )


def _summary(count: _Count) -> str:
    return ", ".join(_parts(count))


def _parts(count: _Count) -> Iterator[str]:
    yield f"{count.files} {'file' if count.files == 1 else 'files'}"
    yield f"{count.findings} {'finding' if count.findings == 1 else 'findings'}"
    if count.fixable:
        yield f"{count.fixable} of them can be mended with --fix"
    if count.refused:
        yield f"{count.refused} refused"
