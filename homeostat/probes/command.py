"""Runs a program of the owner's; exit code 0 is good. Its output is read to keep it going, and never repeated."""

from homeostat.commands import run
from homeostat.errors import HomeostatError
from homeostat.probes.model import Bad, CannotLook, Finding, ProbeContext
from homeostat.workloads import CommandOptions, ProbeSpec

#: A check is cancelled at its timeout, which ends the whole tree at once: run's own, gentler way is never reached.
_NEVER = 2.0


class CommandLook:
    """No shell sees the arguments."""

    def __init__(self, spec: ProbeSpec, context: ProbeContext) -> None:
        if not isinstance(spec.options, CommandOptions) or not spec.options.argv:
            raise ValueError("a command probe has an argv")
        self._argv = spec.options.argv
        self._timeout_s = _NEVER * spec.timeout_s
        self._clock = context.clock

    async def look(self) -> Finding:
        try:
            result = await run(self._argv, self._timeout_s, clock=self._clock)
        except HomeostatError:  # its words name the program
            raise CannotLook("the command cannot be started") from None
        if result.exit_code is None:
            raise TimeoutError
        if result.exit_code:
            raise Bad(f"exit code {result.exit_code}")
        return Finding()

    async def close(self) -> None:
        """Nothing is kept."""
