"""``homeostat``: start, stop, look, check. One command a function; the table is click's.

Exit codes: 0 good; 1 something is not well; 2 wrong settings or arguments; 3 it could not be started or stopped.
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from cli import compose, native, report, validate
from cli import escalate as escalation
from cli.common import EXIT_NOT_WELL, SETTINGS, console, errors, explained
from cli.config import config
from cli.leaks import leaks
from cli.ledger import recoveries
from cli.maintenance import maintenance
from cli.operate import approve, hold, plan, reject, release
from cli.ready import Part, reload, wait_until_ready
from cli.token import ensure_token
from homeostat import log, settings
from homeostat.errors import Permanent
from homeostat.settings import Settings

MODE = click.option(
    "--mode",
    type=click.Choice(["auto", "compose", "native"]),
    default="auto",
    show_default=True,
    help="compose: in containers; native: supervised by the guardian; auto: compose where a Docker Engine answers.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="homeostat")
def main() -> None:
    """Keeps a Docker Compose application alive: measures, detects, repairs, verifies, calls a person."""
    log.configure()


@main.command()
@SETTINGS
@MODE
def up(path: Path, mode: str) -> None:
    """Start homeostat and wait until it is ready. Harmless when it runs already."""
    with explained():
        loaded = settings.load(path)
        ensure_token(loaded.responder.token_files[0])
        is_compose = asyncio.run(_is_compose(mode, loaded))
        parts = asyncio.run(compose.up(loaded, path, errors) if is_compose else native.up(loaded, path, errors))
        asyncio.run(_settle(parts))
        for part in parts:
            console.print(f"{part.name:<14} http://{part.listen}")


@main.command()
@SETTINGS
@MODE
def down(path: Path, mode: str) -> None:
    """Stop homeostat. What it measured and recorded is kept."""
    with explained():
        loaded = settings.load(path)
        is_compose = asyncio.run(_is_compose(mode, loaded))
        asyncio.run(compose.down(loaded, path, errors) if is_compose else native.down(loaded, path, errors))
        console.print("homeostat is stopped")


@main.command()
@SETTINGS
def status(path: Path) -> None:
    """Whether homeostat runs, what it watches, what is wrong. Exit code 1 when something is."""
    with explained():
        is_well = asyncio.run(report.status(settings.load(path), console))
    sys.exit(0 if is_well else EXIT_NOT_WELL)


@main.command()
@SETTINGS
def check(path: Path) -> None:
    """Validate homeostat.yml, the labels of running containers, rules and routes together."""
    with explained():
        asyncio.run(validate.check(path, console))


@main.command()
@SETTINGS
@click.option(
    "--test", "is_test", is_flag=True, help="Call whoever is on call now, with an alert that says it is a test."
)
@click.option("--wait", type=click.IntRange(1, 240), default=60, show_default=True, help="Seconds, at most.")
def escalate(path: Path, is_test: bool, wait: int) -> None:
    """Prove that people are reached when a repair fails. Exit code 1 when they are not."""
    if not is_test:
        raise click.UsageError("only --test is there: the responder escalates by itself")
    with explained():
        is_reached = asyncio.run(escalation.call_people(settings.load(path), console, wait))
    sys.exit(0 if is_reached else EXIT_NOT_WELL)


async def _settle(parts: Sequence[Part]) -> None:
    await wait_until_ready(parts, console)
    await reload(parts)


async def _is_compose(mode: str, loaded: Settings) -> bool:
    """What runs natively already stays native, and so do settings with processes: containers have no guardian."""
    if mode == "compose" and loaded.processes:
        raise Permanent("processes: need the guardian, which runs natively only; use --mode native, or take them out")
    if mode == "auto":
        return not loaded.processes and not await native.runs(loaded) and await compose.is_possible()
    return mode == "compose"


for command in (recoveries, leaks, config, hold, release, approve, reject, plan, maintenance):
    main.add_command(command)
