"""One run of one process: started by us or adopted from a guardian before us."""

import asyncio
import hashlib
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from homeostat import commands
from homeostat.clock import Clock
from homeostat.errors import Temporary
from homeostat.processes import Processes, ProcessId, is_alive
from homeostat.processspec import ProcessSpec
from homeostat.processtrees import end_tree

log = structlog.get_logger()

#: Every process carries it and hands it down, so that its tree is found again without a state file.
MARK = "HOMEOSTAT_PROCESS"
#: Where the kernel does not tell of an end: seldom enough to cost nothing, soon enough to restart at once.
_POLL_S = 0.5
#: Of daemons that start daemons while they are ended; a program that does it for ever is not chased for ever.
_MOST_GENERATIONS = 10


@dataclass(frozen=True, slots=True)
class Running:
    """``started_at``: epoch; ``started``: monotonic. ``child`` is None when adopted: no exit code then."""

    id: ProcessId
    started_at: float
    started: float
    child: commands.Child | None


@dataclass(frozen=True, slots=True)
class Launcher:
    """Starts processes, finds those that run already, waits for their end, and ends them.

    ``environ``: what all of them inherit.
    """

    processes: Processes
    clock: Clock
    state_dir: Path
    environ: Mapping[str, str]
    has_pidfd: bool

    async def start(self, name: str, spec: ProcessSpec, log: Path) -> Running:
        """Raises what commands.spawn and commands.account raise."""
        account = commands.account(spec.user) if spec.user else None
        spawn_spec = commands.SpawnSpec(
            argv=spec.command,
            log=log,
            env=self._environment(name, spec, account),
            cwd=spec.cwd,
            account=account,
        )
        child = await asyncio.to_thread(commands.spawn, spawn_spec, self.processes)
        return Running(child.id, self.clock.now(), self.clock.monotonic(), child)

    async def adopt(self, process: ProcessId) -> Running:
        """A process that runs already."""
        age_s = await asyncio.to_thread(self.processes.age_s, process)
        return Running(process, self.clock.now() - age_s, self.clock.monotonic() - age_s, None)

    async def marked(self) -> dict[str, set[ProcessId]]:
        """Everything that processes of this guardian or one before it started, by process name."""
        prefix = f"{self._owner()}:"
        found: dict[str, set[ProcessId]] = {}
        for process, mark in (await asyncio.to_thread(self.processes.marked, MARK)).items():
            if mark.startswith(prefix):
                found.setdefault(mark.removeprefix(prefix), set()).add(process)
        return found

    async def ended(self, running: Running) -> int | None:
        """Wait for its end; the exit code, where it can be known."""
        if self.has_pidfd:
            await self._pidfd_readable(running.id)
        else:
            while await asyncio.to_thread(is_alive, self.processes, running.id):
                await self.clock.sleep(_POLL_S)
        return running.child.exit_code() if running.child else None

    async def end(self, name: str, running: Running, grace_s: float) -> int | None:
        """End the whole tree; the exit code, where it can be known."""
        await self._end_all(name, running.id, await self._marked_by(name), grace_s)
        if await asyncio.to_thread(is_alive, self.processes, running.id):
            return None
        return await self.ended(running)

    async def end_leftovers(self, name: str, grace_s: float, known: Collection[ProcessId] = ()) -> None:
        """See to it that nothing of this process runs, so that it is never started twice.

        ``known``: what was it, even if it does not carry its mark any more.

        Raises Temporary when something outlives SIGKILL.
        """
        leftovers = (await self._marked_by(name)).union(known)
        if not leftovers:
            return
        log.warning("process.leftovers_ended", process=name, pids=_pids(leftovers))
        survivors = await self._end_all(name, min(leftovers), leftovers, grace_s)
        if survivors:
            raise Temporary(f"{name}: processes {_pids(survivors)} outlived SIGKILL")

    async def _end_all(self, name: str, root: ProcessId, also: set[ProcessId], grace_s: float) -> set[ProcessId]:
        survivors = await end_tree(root, grace_s, self.clock, self.processes, also)
        # A daemon born while its parents ended has neither parent nor session in common with them; only its mark.
        for _ in range(_MOST_GENERATIONS):
            born = await self._marked_by(name) - survivors
            if not born:
                break
            survivors |= await end_tree(min(born), 0, self.clock, self.processes, born)
        if survivors:
            log.error("process.survived_sigkill", root=root.pid, pids=_pids(survivors))
        return survivors

    async def _marked_by(self, name: str) -> set[ProcessId]:
        return (await self.marked()).get(name, set())

    async def _pidfd_readable(self, process: ProcessId) -> None:
        try:
            descriptor = os.pidfd_open(process.pid)
        except ProcessLookupError:
            return
        try:
            # Only now is it sure that the descriptor is of this process and no newcomer.
            if await asyncio.to_thread(is_alive, self.processes, process):
                await _readable(descriptor)
        finally:
            os.close(descriptor)

    def _environment(self, name: str, spec: ProcessSpec, account: commands.Account | None) -> dict[str, str]:
        mark = {MARK: f"{self._owner()}:{name}"}
        identity: dict[str, str] = {}
        if account is not None:
            identity = {"HOME": account.home, "USER": account.name, "LOGNAME": account.name}
        # First, so that reading the start of a large environment finds it; last, so that nothing overrides it.
        return {**mark, **self.environ, **identity, **spec.env, **mark}

    def _owner(self) -> str:
        return hashlib.sha256(str(self.state_dir).encode()).hexdigest()[:16]


def _pids(processes: set[ProcessId]) -> list[int]:
    return sorted(process.pid for process in processes)


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    event = asyncio.Event()
    loop.add_reader(descriptor, event.set)
    try:
        await event.wait()
    finally:
        loop.remove_reader(descriptor)
