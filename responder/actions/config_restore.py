"""Put the last good version of a configuration file back."""

import asyncio
from collections.abc import Sequence

from homeostat.configfiles.integrity import State
from homeostat.configfiles.managed import ConfigFiles
from homeostat.configfiles.validation import Flaw
from homeostat.errors import Temporary
from homeostat.steps import Step
from homeostat.workloads import Kind
from responder.actions.base import Applied, Skipped, Tools
from responder.actions.deadline import Deadline
from responder.targets import Target

_LOOK_EVERY_S = 0.5
#: What is left of the step's time when it writes.
_TO_WRITE_S = 5.0
#: Flaws that are told of: a file may have thousands.
_TOLD = 5
_WHO = "homeostat responder"


class ConfigRestore:
    """Never against somebody who is at work on the file: it has to be still for its settling time."""

    async def apply(self, step: Step, target: Target, tools: Tools) -> Applied | Skipped:
        if target.workload.kind is not Kind.FILE:
            return Skipped("is no configuration file")
        _, _, name = target.workload.id.partition("/")
        files = tools.files()
        await _still(name, files, tools, Deadline.of_step(step.timeout, tools.clock))
        found = await asyncio.to_thread(files.look, name)
        if found.state is not State.DAMAGED:
            return Skipped(f"the file is {found.state} now")
        version = await asyncio.to_thread(files.restore, name, _WHO, f"it was damaged: {_words(found.flaws)}")
        return Applied(f"version {version.number} of {name} holds the last good content ({version.digest[:12]}) again")


async def _still(name: str, files: ConfigFiles, tools: Tools, deadline: Deadline) -> None:
    """Raises Temporary when it is not still in time. By the file's own time, or by what is seen here: by a clock that
    was set back it may have been changed in the future.
    """
    settle_s = files.spec(name).settle
    last, since = await asyncio.to_thread(files.changed_at, name), tools.clock.monotonic()
    while (left_s := settle_s - max(_age_s(last, tools.clock.now()), tools.clock.monotonic() - since)) > 0:
        if deadline.left_s < min(left_s, _LOOK_EVERY_S) + _TO_WRITE_S:
            raise Temporary(f"{name} is being changed by somebody: it was not still for {settle_s:g} s")
        await tools.clock.sleep(min(left_s, _LOOK_EVERY_S))
        if (now := await asyncio.to_thread(files.changed_at, name)) != last:
            last, since = now, tools.clock.monotonic()


def _age_s(changed_at: float | None, now: float) -> float:
    """Since bytes, mode or owner last changed; infinite where there is no file that could change."""
    return float("inf") if changed_at is None else now - changed_at


def _words(flaws: Sequence[Flaw]) -> str:
    words = [flaw.words for flaw in flaws[:_TOLD]]
    return "; ".join([*words, f"and {len(flaws) - _TOLD} more"] if len(flaws) > _TOLD else words)
