"""The seam between running a command (commandexecutor.py) and the operating system (commands.py)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from homeostat.clock import Clock


@dataclass(frozen=True, slots=True)
class Command:
    """A program and its arguments. ``env`` is its whole environment; None: ours."""

    argv: Sequence[str]
    cwd: Path | None = None
    env: Mapping[str, str] | None = None


class Started(Protocol):
    """A command that runs."""

    @property
    def output(self) -> IO[bytes]:
        """What it writes to stdout and stderr: a pipe that an event loop can read."""
        ...

    def wait(self) -> int:
        """Block until it has ended; the exit code, 128 + n for signal n."""
        ...

    async def end(self, grace_s: float, clock: Clock) -> None:
        """End it with all that it started: asked first where that can be, forced after ``grace_s``."""
        ...

    def let_go(self) -> None:
        """Give back what holds its tree together. What it left in the background goes on."""
        ...


class Launcher(Protocol):
    """Starts commands. Tests put one here that refuses as Windows does."""

    def start(self, command: Command) -> Started:
        """Blocks until the program is loaded.

        Raises OSError or ValueError, as the system does, and HomeostatError: nothing has run then.
        """
        ...
