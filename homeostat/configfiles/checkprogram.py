"""The owner's check program of a managed file, run for callers that are not asynchronous."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from homeostat import commands
from homeostat.commandexecutor import CommandResult
from homeostat.errors import HomeostatError

#: Of what it says: as much as a line of an error can hold.
_LONGEST = 200
_BETWEEN = " | "


def run_check(argv: Sequence[str], timeout_s: float) -> str:
    """A :data:`~homeostat.configfiles.checks.RunCheck`: empty when it ended with 0, else the end of what it said.
    Blocks until it has ended, at most ``timeout_s`` and what ending it by force takes.
    """
    try:
        result = _run(argv, timeout_s)
    except HomeostatError as err:
        return _one_line(str(err))
    match result.exit_code:
        case 0:
            return ""
        case None:
            return f"it did not end within {timeout_s:g} s"
        case code:
            return _one_line(result.output) or f"exit code {code}, and no word why"


def _run(argv: Sequence[str], timeout_s: float) -> CommandResult:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(commands.run(argv, timeout_s))
    # The thread's own loop is taken; whoever calls from it has decided to wait.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(commands.run(argv, timeout_s))).result()


def _one_line(output: str) -> str:
    """As many whole lines from the end as there is room for: programs end with what made them fail."""
    lines = [printed for line in output.splitlines() if (printed := _printed(line))]
    if not lines:
        return ""
    said = lines.pop()[:_LONGEST]
    while lines and len(lines[-1]) + len(_BETWEEN) + len(said) <= _LONGEST:
        said = f"{lines.pop()}{_BETWEEN}{said}"
    return said


def _printed(line: str) -> str:
    """Without what would move a terminal's cursor."""
    return " ".join("".join(char if char.isprintable() else " " for char in line).split())
