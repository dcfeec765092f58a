"""Runs commands to their end, on any operating system that a Launcher stands for."""

import asyncio
import contextlib
import errno
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from homeostat.clock import Clock
from homeostat.commandlaunch import Command, Launcher, Started
from homeostat.commandoutput import Output
from homeostat.commandstart import may_pass, start_error, waits_s
from homeostat.errors import HomeostatError
from homeostat.worker import Worker

#: For a command past its timeout, between SIGTERM and SIGKILL.
_END_GRACE_S = 2.0
#: A descendant that stays in the background holds our pipe open; it is not waited for longer.
_DRAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a command ended. ``exit_code``: 128 + n for signal n, None when ended at its timeout.

    ``output``: the last bytes of stdout and stderr together, as text; ``is_truncated``: more came before.
    """

    exit_code: int | None
    output: str
    is_truncated: bool


@dataclass(frozen=True, slots=True)
class _Running:
    started: Started
    exited: "asyncio.Future[int]"


@dataclass(frozen=True, slots=True)
class Executor:
    """Of each command, a thread starts it and waits for its end; the loop reads its output.

    ``random``: in [0, 1), spreads the waits before a retry.
    """

    launcher: Launcher
    clock: Clock
    random: Callable[[], float]

    async def run(self, command: Command, timeout_s: float) -> CommandResult:
        """As :func:`homeostat.commands.run`."""
        deadline = self.clock.monotonic() + timeout_s
        running = await self._start(command, deadline)
        try:
            result = await self._follow(running, deadline)
        except BaseException:
            await asyncio.shield(self._end(running.started))
            raise
        running.started.let_go()
        return result

    async def _start(self, command: Command, deadline: float) -> _Running:
        waits = waits_s(self.random)
        while True:
            try:
                return await self._attempt(command)
            except (OSError, ValueError) as err:
                wait_s = next(waits, None) if may_pass(err) else None
                if wait_s is None or self.clock.monotonic() + wait_s >= deadline:
                    raise start_error(err, command.argv, command.cwd) from err
            await self.clock.sleep(wait_s)

    async def _attempt(self, command: Command) -> _Running:
        worker: Worker[Any] = Worker()
        try:
            starting: asyncio.Future[Started] = worker.run(lambda: self.launcher.start(command))
        except RuntimeError as err:  # no thread: Python keeps the reason to itself
            raise OSError(errno.EAGAIN, str(err)) from err
        try:
            started = await asyncio.shield(starting)
        except asyncio.CancelledError:
            # Its program may be loading just now; that takes longer only from a disk that does not answer.
            ending = asyncio.ensure_future(self._end_late(worker, starting))
            await asyncio.wait([ending], timeout=_DRAIN_S)
            raise
        return _Running(started, worker.run(started.wait))

    async def _follow(self, running: _Running, deadline: float) -> CommandResult:
        output = Output()
        pipe, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: output, running.started.output)
        try:
            exit_code = await self._exit_code(running, deadline)
            ends: tuple[asyncio.Future[Any], ...] = (running.exited, output.ended)
            await asyncio.wait(ends, timeout=_DRAIN_S)
        finally:
            pipe.close()
        return CommandResult(exit_code, output.text(), output.is_truncated)

    async def _exit_code(self, running: _Running, deadline: float) -> int | None:
        try:
            async with asyncio.timeout(deadline - self.clock.monotonic()):
                return await asyncio.shield(running.exited)
        except TimeoutError:
            await asyncio.shield(running.started.end(_END_GRACE_S, self.clock))
            return None

    async def _end_late(self, worker: Worker[Any], starting: "asyncio.Future[Started]") -> None:
        with contextlib.suppress(OSError, ValueError, HomeostatError):  # it was not started: so much the better
            started = await starting
            started.output.close()
            exited = worker.run(started.wait)
            await self._end(started)
            await exited

    async def _end(self, started: Started) -> None:
        try:
            await started.end(0, self.clock)
        finally:
            started.let_go()
