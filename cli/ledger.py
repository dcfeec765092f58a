"""``homeostat recoveries``: what was repaired, the story of one, whether the ledger is whole, and how repairs fare."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from cli import report
from cli.common import EXIT_NOT_WELL, SETTINGS, console, explained
from cli.responder_api import ResponderApi
from homeostat import settings

#: A ledger of years is read in seconds.
_VERIFY_TIMEOUT_S = 600.0


@click.group(invoke_without_command=True)
@SETTINGS
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.pass_context
def recoveries(context: click.Context, path: Path, limit: int) -> None:
    """What was repaired, newest first."""
    context.obj = path
    if context.invoked_subcommand is None:
        with explained():
            asyncio.run(report.recoveries(settings.load(path), console, limit))


@recoveries.command()
@click.argument("recovery", type=click.IntRange(1))
@click.pass_obj
def show(path: Path, recovery: int) -> None:
    """The whole story of one."""
    with explained():
        asyncio.run(report.story(settings.load(path), console, recovery))


@recoveries.command()
@click.pass_obj
def verify(path: Path) -> None:
    """Whether every line of the ledger is as it was written. Exit code 1 when one is not."""
    with explained():
        api = ResponderApi(settings.load(path), timeout_s=_VERIFY_TIMEOUT_S)
        with console.status("reading the ledger"):
            found = asyncio.run(api.get("/api/v1/ledger/verify"))
    console.print(f"{found['lines']} lines of {found['recoveries']} recoveries; the newest is {found['head'][:12]}")
    for problem in found["problems"]:
        console.print(problem, style="red", markup=False)
    if found["problems"]:
        sys.exit(EXIT_NOT_WELL)
    console.print("every line is as it was written", style="green")


@recoveries.command()
@click.option("--days", type=click.IntRange(1, 3660), default=30, show_default=True)
@click.pass_obj
def stats(path: Path, days: int) -> None:
    """How well repairs work, by action and workload."""
    with explained():
        found = asyncio.run(ResponderApi(settings.load(path)).get("/api/v1/stats", {"days": str(days)}))
    if not found["actions"]:
        console.print(f"nothing has been repaired within {days} d")
        return
    table = Table("workload", "action", "taken", "helped", "of which (95 %)", "came back", "median s", "p95 s")
    for row in found["actions"]:
        table.add_row(*_stats_row(row))
    console.print(table)


def _stats_row(row: dict[str, Any]) -> list[str]:
    low, high = row["success_low"], row["success_high"]
    return [
        row["workload"],
        row["action"],
        str(row["taken"]),
        f"{row['success_ratio']:.0%}",
        f"{low:.0%} to {high:.0%}",
        "-" if row["recurrence_ratio"] is None else f"{row['recurrence_ratio']:.0%}",
        "-" if row["seconds_median"] is None else f"{row['seconds_median']:.1f}",
        "-" if row["seconds_p95"] is None else f"{row['seconds_p95']:.1f}",
    ]
