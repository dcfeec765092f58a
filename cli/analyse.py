"""``homeostat leaks analyse``: what the detector that the exporter runs finds in anybody's traces."""

import contextlib
import json
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import click
from rich.markup import escape

from cli import leakplot, leakwords, replay
from cli.common import console, errors, explained
from cli.leakwords import Unit
from cli.replay import Change, Replay
from cli.traces import Trace
from exporters.leaks import reasons
from homeostat.clock import SystemClock
from homeostat.errors import SettingsError
from homeostat.quantities import parse_size


@dataclass(frozen=True, slots=True)
class _Wanted:
    """How ``analyse`` tells what it finds."""

    unit: Unit
    as_json: bool
    with_plot: bool


def _limit(_context: click.Context, _parameter: click.Parameter, value: str | None) -> float | None:
    if value is None:
        return None
    try:
        limit = float(value) if value.isdecimal() else float(parse_size(value))
    except ValueError as err:
        raise click.BadParameter(f"{value!r}: {err}, or a whole number of base units") from None
    if limit == 0.0:
        raise click.BadParameter(f"{value!r}: must be more than 0")
    return limit


@click.command()
@click.option("--json", "as_json", is_flag=True, help="JSON Lines instead of a table: each change on a line.")
@click.option(
    "--plot/--no-plot", "with_plot", default=None, help="Draw floor, slope and forecast. Without either: on a terminal."
)
@click.option("--limit", callback=_limit, metavar="QUANTITY", help="For files without: 512MiB, or 1024 of what counts.")
@click.option(
    "--unit",
    type=click.Choice([each.value for each in Unit]),
    default=Unit.BYTES.value,
    show_default=True,
    help="Of the values.",
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
def analyse(as_json: bool, with_plot: bool | None, limit: float | None, unit: str, files: tuple[str, ...]) -> None:
    """Replay traces through the detector that the exporter runs, and tell each change of its verdict.

    FILE ('-' for standard input) is CSV: timestamp,value[,limit] without a header, or with one that may also name
    started_at and work. Timestamps are seconds since 1970 or RFC 3339, values bytes or counts.
    """
    if as_json and with_plot:
        raise click.UsageError("--plot is for people, --json for programs; allowed: one of them")
    wanted = _Wanted(Unit(unit), as_json, console.is_terminal if with_plot is None else with_plot)
    with explained():
        for name in files:
            with _opened(name) as (file, size):
                _analyse(Trace(name, file, limit), size, wanted)


def _analyse(trace: Trace, size: int | None, wanted: _Wanted) -> None:
    played = Replay(replay.new_detector())
    table = leakwords.table(
        "time (UTC)", "verdict", "slope (90 %)", "exhausted (UTC)", "reasons", title=escape(trace.name)
    )
    with contextlib.closing(replay.with_progress(trace, size, errors, SystemClock())) as samples:
        for change in played.changes(samples):
            if wanted.as_json:
                click.echo(_line(trace.name, change))
            else:
                table.add_row(*_row(change, wanted.unit))
    if trace.steps_back:
        told = f"{trace.name}:{trace.first_step_back}: time goes back; lines where it does: {trace.steps_back}"
        errors.print(told, style="yellow", markup=False)
    if wanted.as_json:
        return
    console.print(table)
    if played.last is None:
        return
    at, said = played.last.at, played.last.assessment
    if reasons.NO_LIMIT in said.reasons:
        told = f"{trace.name}: has no limit, and leaks are judged against one; tell it with --limit"
        errors.print(told, style="yellow", markup=False)
    end = f"at the end, {leakwords.moment(at)}, after {trace.samples} samples: {leakwords.styled(said.verdict)}"
    console.print(end, soft_wrap=True)
    if wanted.with_plot:
        leakplot.show(played.detector.history(), said, wanted.unit, console)


def _line(name: str, change: Change) -> str:
    return json.dumps({"file": name, "at": change.at} | leakwords.as_json(change.assessment))


def _row(change: Change, unit: Unit) -> tuple[str, ...]:
    said = change.assessment
    return (
        leakwords.moment(change.at),
        leakwords.styled(said.verdict),
        leakwords.slope_per_hour(said, unit),
        leakwords.exhausted(said, change.at),
        escape(", ".join(said.reasons)) or "-",
    )


@contextlib.contextmanager
def _opened(name: str) -> Iterator[tuple[BinaryIO, int | None]]:
    """The file, and its bytes where a regular file has them. Raises SettingsError."""
    if name == "-":
        yield sys.stdin.buffer, None
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115 - closed below; only opening is explained here
    except OSError as err:
        raise SettingsError([f"{name}: cannot be read: {err.strerror}; allowed: a CSV file, or - for stdin"]) from err
    with file:
        about = os.fstat(file.fileno())
        yield file, about.st_size if stat.S_ISREG(about.st_mode) else None
