"""``homeostat leaks``: what leaks, as the running exporter finds."""

import asyncio
import sys
from pathlib import Path

import click

from cli import exporter_api, leaklist, leakplot
from cli.analyse import analyse
from cli.common import EXIT_NOT_WELL, SETTINGS, console, explained
from homeostat import settings
from homeostat.clock import SystemClock
from homeostat.errors import NotFound
from homeostat.workloads import is_workload_id


class _ListsByDefault(click.Group):
    """``leaks shop/web`` is ``leaks list shop/web``: no workload is named like a command, as each has a slash."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in context.help_option_names):
            args = ["list", *args]
        return super().parse_args(context, args)


@click.group(cls=_ListsByDefault)
def leaks() -> None:
    """What leaks: memory, open files and the like that grow until they are exhausted.

    Without a command: list.
    """


def _workload(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is None or is_workload_id(value):
        return value
    commands = ", ".join(sorted(leaks.commands))
    raise click.BadParameter(f"{value!r} is neither a command ({commands}) nor a workload (PROJECT/SERVICE)")


@leaks.command("list")
@SETTINGS
@click.option("--json", "as_json", is_flag=True, help="JSON Lines instead of a table: each series on a line.")
@click.option("--all", "with_all", is_flag=True, help="What is healthy or too young, too.")
@click.argument("workload", required=False, callback=_workload)
def list_(path: Path, as_json: bool, with_all: bool, workload: str | None) -> None:
    """Series with their verdicts, worst first. Exit code 1 when one of them leaks."""
    with explained():
        found = asyncio.run(exporter_api.leaks(settings.load(path).exporter.listen, {}))
        series = leaklist.worst_first(one for one in found if workload in (None, one.workload))
        if workload is not None and not series:
            raise NotFound(f"nothing is known of {workload}; there are: {leaklist.known(found, workload)}")
    shown = leaklist.listed(series, with_all=with_all)
    if as_json:
        for one in shown:
            click.echo(leaklist.as_line(one))
    else:
        if shown:
            console.print(leaklist.table(shown, SystemClock().now()))
        console.print(leaklist.last_line(series, shown))
    sys.exit(EXIT_NOT_WELL if any(one.assessment.verdict.is_alarm for one in series) else 0)


@leaks.command()
@SETTINGS
@click.option("--container", help="Of a workload with several, only this one.")
@click.argument("workload", callback=_workload)
@click.argument("resource")
def show(path: Path, container: str | None, workload: str, resource: str) -> None:
    """Floor, slope and forecast of one RESOURCE against its limit."""
    with explained():
        listen = settings.load(path).exporter.listen
        params = {"history": "1", "workload": workload, "resource": resource}
        found = asyncio.run(exporter_api.leaks(listen, params))
        series = [one for one in found if (one.workload, one.resource) == (workload, resource)]
        series = [one for one in series if container in (None, one.container)]
        if not series:
            what = " ".join(name for name in (workload, container, resource) if name)
            there = leaklist.known(asyncio.run(exporter_api.leaks(listen, {})), workload)
            raise NotFound(f"nothing is known of {what}; there are: {there}")
    now = SystemClock().now()
    for one in leaklist.worst_first(series):
        leaklist.headline(one, now, console)
        leakplot.show(one.history, one.assessment, leaklist.unit_of(one.resource), console)


leaks.add_command(analyse)
