"""``systemctl restart`` of a unit of this host. Which one stands in homeostat.yml, never in an alert or a label."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from homeostat.commands import CommandResult, run
from homeostat.errors import NotFound, NotSupported, Permanent, Temporary
from homeostat.steps import RestartUnitStep, Step
from responder.actions.base import Applied, Skipped, Tools
from responder.targets import Target

#: There when, and only when, systemd is this system's first process: sd_booted(3).
_BOOTED = Path("/run/systemd/system")
#: What systemctl is asked answers at once or never.
_ASK_TIMEOUT_S = 5.0
#: For systemctl to end after its time is over, before the engine gives up.
_MARGIN_S = 3.0
_REASON = 300


class RestartUnit:
    """A unit that somebody stopped stays stopped; one that failed is started."""

    def __init__(self, booted: Path = _BOOTED) -> None:
        self._booted = booted

    async def apply(self, step: Step, target: Target, tools: Tools) -> Applied | Skipped:  # noqa: ARG002 - the unit is not the target's
        assert isinstance(step, RestartUnitStep)  # noqa: S101 - the table pairs them
        if not await asyncio.to_thread(self._booted.is_dir):
            raise NotSupported(f"there is no systemd here (no {self._booted}): run the responder on the host itself")
        state = await _state(step.unit, min(_ASK_TIMEOUT_S, step.timeout / 2))
        if state["LoadState"] == "not-found":
            raise NotFound(f"systemd has no unit {step.unit}")
        if state["LoadState"] != "loaded":
            raise NotSupported(f"{step.unit} is {state['LoadState']}")
        if state["ActiveState"] in ("inactive", "deactivating"):
            return Skipped(f"{step.unit} is {state['ActiveState']}: somebody stopped it, or nobody started it")
        await _systemctl(["restart", "--no-ask-password", step.unit], max(step.timeout - _MARGIN_S, step.timeout / 2))
        return Applied(f"restarted {step.unit}, which was {state['ActiveState']}")


async def _state(unit: str, timeout_s: float) -> Mapping[str, str]:
    """``LoadState`` and ``ActiveState``, in systemd's words."""
    result = await _systemctl(["show", "--property=LoadState,ActiveState", unit], timeout_s)
    told = dict(line.split("=", 1) for line in result.output.splitlines() if "=" in line)
    return {key: told.get(key, "unknown") for key in ("LoadState", "ActiveState")}


async def _systemctl(words: list[str], timeout_s: float) -> CommandResult:
    try:
        result = await run(["systemctl", *words], timeout_s)
    except NotFound as err:
        raise NotSupported("there is no systemctl program on PATH") from err
    if result.exit_code is None:
        raise Temporary(f"systemctl {words[0]} was not done within {timeout_s:g} s; systemd goes on with what it began")
    if result.exit_code:
        lines = [line.strip() for line in result.output.splitlines() if line.strip()]
        # The first line says what failed, those after it where one may read more.
        raise Permanent(f"systemctl {words[0]}: {lines[0] if lines else result.exit_code!s:.{_REASON}}")
    return result
