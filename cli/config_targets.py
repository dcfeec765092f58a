"""What ``config lint`` and ``config infer`` work on: managed files by name, others by path."""

from dataclasses import dataclass
from pathlib import Path

import click

from cli.config_common import opened
from homeostat.configfiles import reading
from homeostat.configfiles.formats.table import FORMATS, format_of
from homeostat.configfiles.managed import ConfigFiles
from homeostat.configfiles.own import OWN
from homeostat.configfiles.reading import Found, Symlinks, resolve
from homeostat.configfiles.validation import format_name
from homeostat.errors import NotFound, Permanent

FORMAT = click.option(
    "--format", "format_", type=click.Choice(sorted(FORMATS)), help="Of files whose names do not tell it."
)


@dataclass(frozen=True, slots=True)
class Target:
    """``name``: empty for a file that is not managed."""

    path: Path
    format_name: str
    found: Found
    name: str = ""


def known(path: Path) -> ConfigFiles:
    """The managed files; none where there are no settings, and of damaged settings only themselves."""
    return opened(path, OWN) if path.exists() else ConfigFiles({}, Path())


def target(word: str, files: ConfigFiles, format_: str | None) -> Target:
    """Raises NotFound, FileRefused or Permanent."""
    name = word if word in files.specs else _managed_as(Path(word), files)
    if name:
        spec = files.spec(name)
        path = resolve(spec.path, spec.symlinks)
        return Target(path, format_name(spec), _found(path, word), name)
    path = resolve(Path(word), Symlinks.FOLLOW)
    found = _found(path, word)
    kind = format_ or format_of(path)
    if kind is None:
        raise Permanent(f"{word}: its name does not tell its format; allowed: --format {'|'.join(sorted(FORMATS))}")
    return Target(path, kind, found)


def _managed_as(path: Path, files: ConfigFiles) -> str:
    absolute = path.absolute()
    return next((name for name, spec in files.specs.items() if spec.path.absolute() == absolute), "")


def _found(path: Path, word: str) -> Found:
    found = reading.read(path)
    if found is None:
        raise NotFound(f"{word}: neither a managed file nor one that is there")
    return found
