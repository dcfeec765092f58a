"""What operators say to the responder: hands off, yes, no; and what it would do."""

import asyncio
import json
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from cli.common import SETTINGS, console, explained
from cli.responder_api import ResponderApi, operator
from homeostat import settings
from homeostat.errors import Permanent, SettingsError
from homeostat.quantities import parse_duration

_REASON = click.option("--reason", default="", help="Goes into the ledger.")


def _seconds(_context: click.Context, _parameter: click.Parameter, value: str | None) -> float | None:
    if value is None:
        return None
    try:
        return parse_duration(value)
    except ValueError as err:
        raise click.BadParameter(str(err)) from None


@click.command()
@SETTINGS
@click.option("--for", "lasts_s", callback=_seconds, metavar="TIME", help="For example 2h; without it, until released.")
@_REASON
@click.argument("pattern", required=False)
def hold(path: Path, lasts_s: float | None, reason: str, pattern: str | None) -> None:
    """Keep homeostat's hands off PATTERN: PROJECT/SERVICE, PROJECT/* or *. Without one, list the holds."""
    with explained():
        api = ResponderApi(settings.load(path))
        if pattern is None:
            _show_holds(asyncio.run(api.get("/api/v1/holds")), console)
            return
        body = {"pattern": pattern, "by": operator(), "reason": reason}
        asyncio.run(api.post("/api/v1/holds", body | ({} if lasts_s is None else {"seconds": lasts_s})))
        console.print(f"hands off {pattern}", markup=False)


@click.command()
@SETTINGS
@click.argument("pattern")
def release(path: Path, pattern: str) -> None:
    """End a hold."""
    with explained():
        asyncio.run(ResponderApi(settings.load(path)).delete("/api/v1/holds", {"pattern": pattern}))
        console.print(f"released {pattern}", markup=False)


@click.command()
@SETTINGS
@_REASON
@click.argument("recovery", type=click.IntRange(1))
def approve(path: Path, reason: str, recovery: int) -> None:
    """Say yes to the step that this recovery waits for."""
    _answer(path, recovery, "approve", reason)


@click.command()
@SETTINGS
@_REASON
@click.argument("recovery", type=click.IntRange(1))
def reject(path: Path, reason: str, recovery: int) -> None:
    """Say no to the step that this recovery waits for: people are called instead."""
    _answer(path, recovery, "reject", reason)


@click.command()
@SETTINGS
@click.argument("alert", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
def plan(path: Path, alert: Path) -> None:
    """What would be done now about the alert in this file ('-' for standard input), and why. Nothing is done.

    The file holds an alert as JSON (only its labels are needed), or a delivery of Alertmanager.
    """
    with explained():
        found = asyncio.run(
            ResponderApi(settings.load(path), timeout_s=20.0).post("/api/v1/plan", _read(alert), with_token=False)
        )
        table = Table("rung", "action", "tier", "what would happen")
        for row in found["ladder"]:
            table.add_row(str(row["rung"]), row["action"], row["tier"], row["why"] or "[green]taken")
        console.print(f"{found['workload'] or '(no workload)'}, remedy {found['remedy'] or '(none)'}", markup=False)
        if found["storm"]:
            console.print(f"storm: {found['storm']} workloads are in trouble; nothing is done now", style="yellow")
        console.print(f"now: {found['decision']}", markup=False)
        if found["ladder"]:
            console.print(table)


def _answer(path: Path, recovery: int, word: str, reason: str) -> None:
    with explained():
        body = {"by": operator(), "reason": reason}
        answer = asyncio.run(ResponderApi(settings.load(path)).post(f"/api/v1/recoveries/{recovery}/{word}", body))
        console.print(f"recovery {recovery}: {answer['word']}", markup=False)


def _read(path: Path) -> object:
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text()
        return json.loads(text)
    except OSError as err:
        raise Permanent(f"cannot read {path}: {err.strerror}") from err
    except ValueError as err:
        raise SettingsError([f"{path}: not JSON: {err}; allowed: an alert with labels, or a delivery"]) from err


def _show_holds(holds: list[dict[str, str | None]], to: Console) -> None:
    table = Table("hands off", "since", "until", "by", "reason")
    for each in holds:
        table.add_row(each["pattern"], each["at"], each["until"] or "released", each["by"], each["reason"])
    to.print(table if holds else "no holds")
