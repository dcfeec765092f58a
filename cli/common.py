"""What all commands share: where they print, where the settings are, and how errors become exit codes."""

import sys
from pathlib import Path

import click
from rich.console import Console

from homeostat.errors import HomeostatError, SettingsError
from homeostat.service import DEFAULT_FILE

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


class explained:  # noqa: N801 - reads as a word in `with`
    """Turns our errors into a message and an exit code; a traceback is for defects only."""

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, err: BaseException | None, _trace: object) -> None:
        if isinstance(err, SettingsError):
            errors.print(str(err), style="red", markup=False)
            sys.exit(EXIT_SETTINGS)
        if isinstance(err, HomeostatError):
            errors.print(str(err), style="red", markup=False)
            sys.exit(EXIT_FAILED)
