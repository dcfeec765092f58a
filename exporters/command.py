"""The command line of the exporter. Exit codes: 2 bad settings, 3 cannot listen."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from exporters.app import CannotListen, serve
from homeostat import log, settings
from homeostat.clock import SystemClock
from homeostat.errors import SettingsError

EXIT_SETTINGS = 2
EXIT_CANNOT_LISTEN = 3
_DEFAULT = Path("homeostat.yml")


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m exporters", description=__doc__)
    parser.add_argument("--settings", type=Path, help=f"settings file (default: {_DEFAULT} if there is one)")
    parser.add_argument("--verbose", action="store_true", help="log details")
    given = parser.parse_args(arguments)
    log.configure(verbose=given.verbose)
    try:
        told = _load(given.settings)
        asyncio.run(serve(told, SystemClock()))
    except SettingsError as err:
        print(err, file=sys.stderr)  # noqa: T201 - for the person who started it
        return EXIT_SETTINGS
    except CannotListen as err:
        print(err, file=sys.stderr)  # noqa: T201 - for the person who started it
        return EXIT_CANNOT_LISTEN
    return 0


def _load(path: Path | None) -> settings.Settings:
    if path is None and not _DEFAULT.exists():
        return settings.defaults(Path.cwd())
    return settings.load(path or _DEFAULT)
