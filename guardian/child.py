"""One run of one process: started by us or adopted from a guardian before us."""

import asyncio
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from homeostat import commands
from homeostat.clock import Clock
from homeostat.processes import Processes, ProcessId, is_alive
from homeostat.settings import ProcessSpec

#: Every process carries it and hands it down, so that its tree is found again without a state file.
MARK = "HOMEOSTAT_PROCESS"
#: Where the kernel does not tell: late enough to cost nothing, soon enough to restart at once.
_POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class Running:
    """``started_at`` epoch, ``started`` monotonic. ``child`` is None when adopted: no exit code then."""

    id: ProcessId
    started_at: float
    started: float
    child: commands.Child | None


@dataclass(frozen=True, slots=True)
class Launcher:
    """Starts and adopts processes. ``environ``: what all of them inherit."""

    processes: Processes
    clock: Clock
    state_dir: Path
    environ: Mapping[str, str]

    def mark(self, name: str) -> str:
        """Value of :data:`MARK`: no process of another guardian has it."""
        return f"{hashlib.sha256(str(self.state_dir.resolve()).encode()).hexdigest()[:16]}:{name}"

    async def start(self, name: str, spec: ProcessSpec, log: Path) -> Running:
        """Raises what commands.spawn raises."""
        account = commands.account(spec.user) if spec.user else None
        identity = (
            {"HOME": account.home, "USER": account.name, "LOGNAME": account.name}
            if account
            else {}
        )
        spawn_spec = commands.SpawnSpec(
            argv=spec.command,
            log=log,
            env={MARK: self.mark(name), **self.environ, **identity, **spec.env},
            cwd=spec.cwd,
            account=account,
        )
        child = await asyncio.to_thread(commands.spawn, spawn_spec, self.processes)
        return Running(child.id, self.clock.now(), self.clock.monotonic(), child)

    async def adopt(self, process: ProcessId) -> Running:
        """A process that runs already."""
        age_s = await asyncio.to_thread(self.processes.age_s, process)
        return Running(process, self.clock.now() - age_s, self.clock.monotonic() - age_s, None)

    async def marked(self, name: str) -> set[ProcessId]:
        """Everything that carries the mark of this process."""
        found = await asyncio.to_thread(self.processes.marked, MARK)
        return {process for process, value in found.items() if value == self.mark(name)}
