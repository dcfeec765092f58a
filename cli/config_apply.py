"""``homeostat config apply``: whole contents of one or several files, all or nothing; or only what would come of it."""

import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from cli.common import EXIT_NOT_WELL, SETTINGS, console
from cli.config_common import WHO, WHY, opened, tell, told
from cli.config_diff import print_diff
from homeostat.configfiles import reading
from homeostat.configfiles.changes import Wanted
from homeostat.configfiles.checks import WholeCheck
from homeostat.configfiles.errors import Conflict
from homeostat.configfiles.managed import ConfigFiles
from homeostat.configfiles.showing.diff import Side
from homeostat.configfiles.showing.drift import secret_test
from homeostat.configfiles.text import MAX_BYTES
from homeostat.configfiles.validation import format_name
from homeostat.errors import NotFound

_STDIN = "-"
_DIGEST = re.compile("[0-9a-f]{64}|")


@click.command()
@SETTINGS
@WHO
@WHY
@click.option(
    "--expect",
    "expected",
    multiple=True,
    metavar="[NAME=]DIGEST",
    help="The SHA-256 that the file must have now, else nothing is done; empty: there must be no file.",
)
@click.option("--dry-run", is_flag=True, help="Validate, and show what would change. Exit code 1 when something would.")
@click.argument("pairs", nargs=-1, required=True, metavar="NAME=FILE...")
def apply(path: Path, who: str, why: str, expected: tuple[str, ...], dry_run: bool, pairs: tuple[str, ...]) -> None:
    """Replace whole files: all of them, or none.

    NAME gets the content of FILE ('-': standard input).
    """
    wanted = _pairs(pairs)
    digests = _digests(expected, tuple(wanted))
    with told():
        files = opened(path, next(iter(wanted)) if len(wanted) == 1 else "")
        for name in wanted:
            files.spec(name)
        contents = {name: _content(source) for name, source in wanted.items()}
        if not dry_run:
            done = files.write(contents, who, why, digests)
            for name, version in zip(contents, done, strict=True):
                tell(name, files.spec(name), version, "applied")
            return
        is_different = _would(files, contents, digests)
    sys.exit(EXIT_NOT_WELL if is_different else 0)


def _pairs(pairs: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, source = pair.partition("=")
        if not (name and equals and source):
            raise click.BadParameter(f"{pair!r}: allowed: NAME=FILE, or NAME=- for standard input")
        if name in found:
            raise click.BadParameter(f"{name}: is named twice; allowed: each file once")
        found[name] = source
    if list(found.values()).count(_STDIN) > 1:
        raise click.BadParameter("standard input is one file; allowed: one NAME=-")
    return found


def _digests(expected: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in expected:
        name, equals, digest = each.rpartition("=")
        name = name if equals or len(names) > 1 else names[0]
        if name not in names or not _DIGEST.fullmatch(digest):
            raise click.BadParameter(
                f"--expect {each!r}: allowed: NAME=DIGEST, or DIGEST where one file is changed; in hex"
            )
        found[name] = digest
    return found


def _content(source: str) -> bytes:
    """Bounded: what is larger is refused when it is validated."""
    if source == _STDIN:
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    found = reading.read(Path(source))
    if found is None:
        raise NotFound(f"{source}: no such file; allowed: a file, or - for standard input")
    return found.raw


def _would(files: ConfigFiles, contents: Mapping[str, bytes], digests: Mapping[str, str]) -> bool:
    """Whether something would change. Raises as writing it would."""
    wanted = []
    is_different = False
    for name, raw in contents.items():
        spec, now = files.spec(name), files.read(name)
        if digests.get(name, now.digest) != now.digest:
            raise Conflict(f"{now.target}: is not as --expect says; read it again; nothing was changed")
        wanted.append(Wanted(name, spec, now.target, raw, now.digest))
        old = Side(f"{now.target} (now)", now.found.raw if now.found else None)
        new = Side(f"{now.target} (would be)", raw)
        is_different |= print_diff(old, new, format_name(spec), secret_test(files, name), console)
    _validate(files, wanted)
    console.print("valid; nothing was changed", style="green")
    return is_different


def _validate(files: ConfigFiles, wanted: Sequence[Wanted]) -> None:
    """With the check programs, which get files under their own names, elsewhere."""
    with tempfile.TemporaryDirectory(prefix="homeostat-dry-run-") as folder:
        staged = {}
        for number, each in enumerate(wanted):
            staged[each.name] = Path(folder, str(number), each.target.name)
            staged[each.name].parent.mkdir()
            staged[each.name].write_bytes(each.raw)
        WholeCheck(files.specs, files.run_check, files.schema_of)(wanted, staged)
