"""``homeostat config edit``: a private copy in an editor; what was written there is never lost."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from cli.common import SETTINGS, console, errors
from cli.config_common import WHO, WHY, opened, tell, told
from homeostat.configfiles.changes import Invalid
from homeostat.configfiles.managed import ConfigFiles, Snapshot
from homeostat.configfiles.text import MAX_BYTES
from homeostat.configfiles.versions import Version
from homeostat.errors import Permanent


@dataclass(frozen=True, slots=True)
class _Reason:
    who: str
    why: str


@click.command()
@SETTINGS
@WHO
@WHY
@click.argument("name")
def edit(path: Path, who: str, why: str, name: str) -> None:
    """Change NAME in an editor.

    $VISUAL or $EDITOR gets a copy, which takes the file's place when it is valid and nobody else has changed the file
    meanwhile. A text that is not taken is kept, and said where.
    """
    with told():
        files = opened(path, name)
        snapshot = files.read(name)
        before = snapshot.found.raw if snapshot.found else b""
        with _private_copy(snapshot, before) as copy:
            done = _until_valid(files, snapshot, copy, _Reason(who, why))
        if done is None:
            console.print(f"{name}: nothing was changed", markup=False)
        else:
            tell(name, files.spec(name), done, "changed")


def _until_valid(files: ConfigFiles, snapshot: Snapshot, copy: Path, reason: _Reason) -> Version | None:
    """None when the editor left it as it was. Raises Invalid when it is not to be edited again."""
    while True:
        _run_editor(copy)
        raw = _read(copy)
        if raw == (snapshot.found.raw if snapshot.found else b""):
            return None
        try:
            return files.write({snapshot.name: raw}, reason.who, reason.why, {snapshot.name: snapshot.digest})[0]
        except Invalid as err:
            errors.print(str(err), style="red", markup=False)
            if not _wants_again():
                raise Permanent(f"{snapshot.target}: what was written is not valid; nothing was changed") from err


@contextlib.contextmanager
def _private_copy(snapshot: Snapshot, raw: bytes) -> Iterator[Path]:
    """For us alone, under the file's own name, by which editors know its kind. What is not taken stays there."""
    folder = Path(tempfile.mkdtemp(prefix="homeostat-edit-"))
    copy = folder / snapshot.target.name
    descriptor = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(raw)
    try:
        yield copy
    except BaseException:
        if copy.exists() and copy.read_bytes() != raw:
            errors.print(
                f"what you wrote is kept in {copy}: remove it when it is of no use", style="yellow", markup=False
            )
            raise
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def _run_editor(copy: Path) -> None:
    try:
        click.edit(filename=str(copy))
    except click.ClickException as err:
        raise Permanent(f"{err.message}; set VISUAL or EDITOR to one that runs here; nothing was changed") from err


def _read(copy: Path) -> bytes:
    try:
        with copy.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise Permanent(f"{copy}: the editor took it away; nothing was changed") from None


def _wants_again() -> bool:
    try:
        return click.confirm("edit again?", default=True, err=True)
    except click.Abort:
        return False
