"""``homeostat``: start, stop, look, check. One command a function; the table is click's.

Exit codes: 0 good; 1 something is not well; 2 wrong settings or arguments; 3 it could not be started or stopped.
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from cli import compose, native, report, validate
from cli import escalate as escalation
from cli.ready import Part, reload, wait_until_ready
from cli.token import ensure_token
from homeostat import log, settings
from homeostat.errors import HomeostatError, Permanent, SettingsError
from homeostat.service import DEFAULT_FILE
from homeostat.settings import Settings

EXIT_NOT_WELL = 1
EXIT_SETTINGS = 2
EXIT_FAILED = 3

console = Console(stderr=False, highlight=False)
errors = Console(stderr=True, highlight=False, soft_wrap=True)

SETTINGS = click.option(
    "--settings",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=DEFAULT_FILE,
    show_default=True,
    help="What to watch and repair.",
)
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
    with _explained():
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
    with _explained():
        loaded = settings.load(path)
        is_compose = asyncio.run(_is_compose(mode, loaded))
        asyncio.run(compose.down(loaded, path, errors) if is_compose else native.down(loaded, path, errors))
        console.print("homeostat is stopped")


@main.command()
@SETTINGS
def status(path: Path) -> None:
    """Whether homeostat runs, what it watches, what is wrong. Exit code 1 when something is."""
    with _explained():
        is_well = asyncio.run(report.status(settings.load(path), console))
    sys.exit(0 if is_well else EXIT_NOT_WELL)


@main.command()
@SETTINGS
def check(path: Path) -> None:
    """Validate homeostat.yml, the labels of running containers, rules and routes together."""
    with _explained():
        asyncio.run(validate.check(path, console))


@main.command()
@SETTINGS
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.argument("recovery", type=click.IntRange(1), required=False)
def recoveries(path: Path, limit: int, recovery: int | None) -> None:
    """What was repaired, newest first; with a number, the whole story of one."""
    with _explained():
        asyncio.run(report.recoveries(settings.load(path), console, limit, recovery))


@main.command()
@SETTINGS
@click.option(
    "--test", "is_test", is_flag=True, help="Call whoever is on call now, with an alert that says it is a test."
)
@click.option("--wait", type=click.IntRange(1, 300), default=60, show_default=True, help="Seconds, at most.")
def escalate(path: Path, is_test: bool, wait: int) -> None:
    """Prove that people are reached when a repair fails. Exit code 1 when they are not."""
    if not is_test:
        raise click.UsageError("only --test is there: the responder escalates by itself")
    with _explained():
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


class _explained:  # noqa: N801 - reads as a word in `with`
    """Turns our errors into a message and an exit code; a traceback is for defects only."""

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, err: BaseException | None, _trace: object) -> None:
        if isinstance(err, SettingsError):
            errors.print(str(err), style="red", markup=False)
            sys.exit(EXIT_SETTINGS)
        if isinstance(err, HomeostatError):
            errors.print(str(err), style="red", markup=False)
            sys.exit(EXIT_FAILED)
