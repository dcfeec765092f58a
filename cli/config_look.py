"""``homeostat config list``, ``get``, ``history``, ``diff``: what is there. Nothing is changed."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from cli.common import EXIT_NOT_WELL, SETTINGS, console
from cli.config_common import SHOW_SECRETS, look, opened, told
from cli.config_contents import contents, leaves, masked, shown, value_at
from cli.config_diff import print_diff
from cli.config_keys import FLAT, inner, written
from cli.leakwords import Unit, lasting, moment, quantity, table
from homeostat.clock import SystemClock
from homeostat.configfiles.integrity import State
from homeostat.configfiles.managed import ConfigFiles
from homeostat.configfiles.showing.diff import Side, printable
from homeostat.configfiles.showing.drift import secret_test
from homeostat.configfiles.validation import format_name
from homeostat.configfiles.versions import Version
from homeostat.errors import Permanent

STYLES = {State.GOOD: "green", State.CHANGED: "yellow", State.DAMAGED: "red"}


@click.command("list")
@SETTINGS
@click.option("--json", "as_json", is_flag=True, help="JSON Lines instead of a table: each file on a line.")
def list_(path: Path, as_json: bool) -> None:
    """List the files and their states.

    Exit code 1 when one is damaged.
    """
    with told():
        files = opened(path)
        rows = [_row(files, name) for name in sorted(files.specs)]
    if as_json:
        for row in rows:
            click.echo(json.dumps(row))
    else:
        to = table("name", "path", "format", "state", "last good (UTC)", "versions")
        for row in rows:
            state = State(str(row["state"]))
            to.add_row(
                str(row["name"]),
                _plain(str(row["path"])),
                str(row["format"]),
                f"[{STYLES[state]}]{state}",
                moment(row["last_good_at"] if isinstance(row["last_good_at"], float) else None),
                str(row["versions"]),
            )
        console.print(to)
    sys.exit(EXIT_NOT_WELL if any(row["state"] == State.DAMAGED for row in rows) else 0)


def _row(files: ConfigFiles, name: str) -> dict[str, object]:
    spec = files.spec(name)
    good = files.last_good(name)
    return {
        "name": name,
        "path": str(spec.path),
        "format": format_name(spec),
        "state": str(look(files, name).state),
        "last_good": good.number if good else None,
        "last_good_at": float(good.at) if good else None,
        "versions": len(files.history(name)),
    }


@click.command()
@SETTINGS
@SHOW_SECRETS
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.argument("name")
@click.argument("key", required=False)
def get(path: Path, show_secrets: bool, as_json: bool, name: str, key: str | None) -> None:
    """Print the value of KEY in NAME, or all keys.

    KEY is as in services.web.ports.0, with quotes where a part has a dot: '"a.b".c'. Of .env files, the plain name.
    """
    with told():
        files = opened(path, name)
        found = contents(files, name)
        data = found.parsed.data
        where = value_at(found, key)[0] if key is not None else ()
        if not show_secrets:
            data = masked(data, secret_test(files, name))
    value: object = data
    for part in where:
        value = inner(value, part)
    if as_json:
        click.echo(json.dumps(value, ensure_ascii=False, default=str))
    elif key is not None:
        click.echo(shown(value))
    else:
        for leaf, text in leaves(value):
            label = str(leaf[0]) if found.format_name in FLAT and leaf else written(leaf)
            click.echo(printable(f"{label}={shown(text)}"))


@click.command()
@SETTINGS
@click.option("--json", "as_json", is_flag=True, help="JSON Lines instead of a table: each version on a line.")
@click.argument("name")
def history(path: Path, as_json: bool, name: str) -> None:
    """List the versions of NAME, newest first."""
    with told():
        versions = opened(path, name).history(name)[::-1]
    if as_json:
        for version in versions:
            click.echo(json.dumps(asdict(version)))
        return
    if not versions:
        console.print(f"{name}: no versions yet; the first one is kept with the first change", markup=False)
        return
    now = SystemClock().now()
    to = table("version", "when (UTC)", "who", "what", "why", "size", "good")
    for version in versions:
        to.add_row(*_version_row(version, now))
    console.print(to)


def _version_row(version: Version, now: float) -> list[str]:
    return [
        str(version.number),
        f"{moment(version.at)} ({lasting(max(0.0, now - version.at))} ago)",
        _plain(version.who or "-"),
        str(version.origin),
        _plain(version.why or "-"),
        quantity(version.size, Unit.BYTES),
        "[green]yes" if version.is_good else "[yellow]no",
    ]


def _plain(words: str) -> str:
    """Not for rich to read as markup."""
    return printable(words).replace("[", r"\[")


@click.command()
@SETTINGS
@SHOW_SECRETS
@click.argument("name")
@click.argument("version", required=False, type=int)
@click.argument("other", required=False, type=int, metavar="[VERSION]")
def diff(path: Path, show_secrets: bool, name: str, version: int | None, other: int | None) -> None:
    """Show what has changed in NAME.

    From its last good version to now; from VERSION to now; or from one VERSION to another. Exit code 1 when
    there are differences.
    """
    with told():
        files = opened(path, name)
        is_secret = None if show_secrets else secret_test(files, name)
        old = _version_side(files, name, version if version is not None else _last_good(files, name))
        new = _version_side(files, name, other) if other is not None else _side_now(files, name)
    is_different = print_diff(old, new, format_name(files.spec(name)), is_secret, console)
    sys.exit(EXIT_NOT_WELL if is_different else 0)


def _last_good(files: ConfigFiles, name: str) -> int:
    good = files.last_good(name)
    if good is None:
        raise Permanent(f"{name}: no good version is kept yet; config accept {name} keeps what is there")
    return good.number


def _version_side(files: ConfigFiles, name: str, number: int) -> Side:
    return Side(f"{files.spec(name).path} (version {number})", files.content(name, number))


def _side_now(files: ConfigFiles, name: str) -> Side:
    snapshot = files.read(name)
    if snapshot.found is None:
        return Side(f"{snapshot.target} (no file)", None)
    return Side(f"{snapshot.target} (now)", snapshot.found.raw)
