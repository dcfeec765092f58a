"""``homeostat config set``, ``unset``, ``rollback``, ``restore``, ``accept``: changes, each kept as a version."""

from pathlib import Path

import click

from cli.common import SETTINGS, console
from cli.config_common import WHO, WHY, opened, tell, told
from cli.config_contents import Contents, contents, value_at
from cli.config_keys import assignment, inner, key_path
from cli.config_values import Type, standard_input, typed
from homeostat.configfiles.edits import Edit, Set, Unset
from homeostat.configfiles.errors import CannotEdit
from homeostat.configfiles.managed import ConfigFiles
from homeostat.configfiles.versions import Origin, Version
from homeostat.errors import NotFound, Permanent
from homeostat.explain import KeyPath

#: Of keys, in the history.
_NAMED = 5
_STDIN = "-"
_CAME_BACK = frozenset({Origin.ROLLED_BACK, Origin.RESTORED})


@click.command("set")
@SETTINGS
@WHO
@WHY
@click.option(
    "--type",
    "kind",
    type=click.Choice([each.value for each in Type]),
    default=Type.AUTO.value,
    show_default=True,
    help="auto: text where text is now, or all values are (.env, INI); else true, false, null and numbers are what "
    "they look like, and all others are text.",
)
@click.option("--stdin", "stdin_key", metavar="KEY", help="The value of this key is what standard input says.")
@click.argument("name")
@click.argument("assignments", nargs=-1, metavar="[KEY=VALUE]...")
def set_(
    path: Path, who: str, why: str, kind: str, stdin_key: str | None, name: str, assignments: tuple[str, ...]
) -> None:
    """Set keys of NAME; all else stays byte for byte.

    A VALUE of - is read from standard input, so that a secret is in no shell's history: on a terminal it is asked for.
    """
    with told():
        files = opened(path, name)
        found = contents(files, name)
        pairs = [assignment(text, found.format_name) for text in assignments]
        edits = [_set(found, key, value, Type(kind)) for key, value in _with_stdin(pairs, stdin_key)]
        _edit(files, found, edits, who, why or f"set {_named([edit.path for edit in edits])}")


@click.command()
@SETTINGS
@WHO
@WHY
@click.argument("name")
@click.argument("keys", nargs=-1, required=True, metavar="KEY...")
def unset(path: Path, who: str, why: str, name: str, keys: tuple[str, ...]) -> None:
    """Take keys out of NAME."""
    with told():
        files = opened(path, name)
        found = contents(files, name)
        # A list's later items first: taking one out moves those behind it.
        paths = sorted((value_at(found, key)[0] for key in keys), key=_order, reverse=True)
        _edit(files, found, [Unset(each) for each in paths], who, why or f"unset {_named(paths)}")


@click.command()
@SETTINGS
@WHO
@WHY
@click.argument("name")
@click.argument("version", required=False, type=int)
def rollback(path: Path, who: str, why: str, name: str, version: int | None) -> None:
    """Go back to an earlier VERSION of NAME.

    Without one: to the good one before the last good one. It is validated as any change is.
    """
    with told():
        files = opened(path, name)
        number = version if version is not None else _before_last_good(files, name).number
        done = files.rollback(name, number, who, why or f"back to version {number}")
        tell(name, files.spec(name), done, f"back to version {number}")


@click.command()
@SETTINGS
@WHO
@WHY
@click.argument("name")
def restore(path: Path, who: str, why: str, name: str) -> None:
    """Put the last good version of NAME back.

    With its mode and owner, whatever is there now.
    """
    with told():
        files = opened(path, name)
        good = files.last_good(name)
        done = files.restore(name, who, why)
        tell(name, files.spec(name), done, f"restored{f' version {good.number}' if good else ''}")


@click.command()
@SETTINGS
@WHO
@WHY
@click.argument("name")
def accept(path: Path, who: str, why: str, name: str) -> None:
    """Say that NAME is right as it is now.

    If it is valid, it is the last good version from here on.
    """
    with told():
        files = opened(path, name)
        done = files.accept(name, who, why)
        console.print(f"{name}: accepted as it is; version {done.number}", style="green", markup=False)


def _with_stdin(pairs: list[tuple[str, str]], stdin_key: str | None) -> list[tuple[str, str]]:
    pairs = [*pairs, (stdin_key, _STDIN)] if stdin_key is not None else pairs
    if not pairs:
        raise click.UsageError("nothing to set; allowed: KEY=VALUE..., KEY=- or --stdin KEY")
    if sum(value == _STDIN for _, value in pairs) > 1:
        raise click.UsageError("standard input is one value; allowed: one KEY=- or --stdin KEY")
    return [(key, standard_input() if value == _STDIN else value) for key, value in pairs]


def _set(found: Contents, key: str, value: str, kind: Type) -> Set:
    path = key_path(key, found.parsed.data, found.format_name)
    before: object = found.parsed.data
    for part in path:
        before = inner(before, part)
    return Set(path, typed(value, kind, before, found.format_name))


def _edit(files: ConfigFiles, found: Contents, edits: list[Edit] | list[Set] | list[Unset], who: str, why: str) -> None:
    name = found.snapshot.name
    try:
        # Of a list's items those that were seen are meant; keys are themselves, whoever changes others meanwhile.
        has_items = any(not isinstance(part, str) for edit in edits for part in edit.path)
        done = files.edit(name, edits, who, why, found.snapshot.digest if has_items else None)
    except CannotEdit as err:
        raise CannotEdit(f"{found.snapshot.target}: {err}; nothing was changed") from None
    if done is None:
        console.print(f"{name}: that is so already; nothing was changed", markup=False)
        return
    tell(name, files.spec(name), done, f"{len(edits)} {'key' if len(edits) == 1 else 'keys'} changed")


def _named(paths: list[KeyPath]) -> str:
    named = ", ".join(".".join(map(str, path)) for path in paths[:_NAMED])
    return f"{named}, ..." if len(paths) > _NAMED else named


def _order(path: KeyPath) -> list[tuple[int, int, str]]:
    return [(1, part, "") if isinstance(part, int) else (0, 0, part) for part in path]


def _before_last_good(files: ConfigFiles, name: str) -> Version:
    """The newest good version before it with another content; where none is known to be good, the newest one."""
    history = files.history(name)
    good = files.last_good(name)
    if good is None:
        raise Permanent(f"{name}: no good version is kept; allowed: a VERSION of config history {name}")
    limit = _first_made(good, history).number
    earlier = [version for version in reversed(history) if version.number < limit and version.digest != good.digest]
    before = next((version for version in earlier if version.is_good), None) or next(iter(earlier), None)
    if before is None:
        raise NotFound(f"{name}: no version before {limit}; allowed: a VERSION of config history {name}")
    return before


def _first_made(version: Version, history: list[Version]) -> Version:
    """The version whose content came back: going back twice goes back two, not there and back again."""
    while version.origin in _CAME_BACK:
        same = [each for each in history if each.number < version.number and each.digest == version.digest]
        if not same:
            break
        version = same[-1]
    return version
