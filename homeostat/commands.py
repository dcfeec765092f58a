"""Running other programs: the only importer of subprocess. No shell ever sees an argument.

``run`` for short commands, whose output is drained always and kept in part; ``spawn`` for processes
that are supervised and outlive us, whose output goes to a file.
"""

import asyncio
import contextlib
import os
import random
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, cast

from homeostat.clock import Clock, SystemClock
from homeostat.commandaccounts import Account, account
from homeostat.commandexecutor import CommandResult, Executor
from homeostat.commandlaunch import Command
from homeostat.commandoutput import TAIL_BYTES
from homeostat.commandstart import check_batch_file, start_error
from homeostat.errors import Temporary
from homeostat.platforms import Platform, System, detect
from homeostat.processes import Processes, ProcessId, system_processes
from homeostat.processtrees import end_tree
from homeostat.winjobs import (
    CREATE_NEW_PROCESS_GROUP,
    CREATE_NO_WINDOW,
    CREATE_SUSPENDED,
    Job,
    Jobs,
    contained,
    system_jobs,
)
from homeostat.wslpaths import DISTRO_VARIABLE, local_path, local_program

if sys.platform == "win32":
    from asyncio.windows_utils import Popen as _Popen  # the loop can read its pipes
else:
    from subprocess import Popen as _Popen

__all__ = [
    "TAIL_BYTES",
    "Account",
    "Child",
    "CommandResult",
    "SpawnSpec",
    "StartedProcess",
    "Suspended",
    "SystemLauncher",
    "account",
    "run",
    "spawn",
    "system_launcher",
    "taskkill",
]

_CLOCK: Final = SystemClock()
# POSIX has the session for it, and refuses flags.
_FLAGS = CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP if sys.platform == "win32" else 0
_SUSPENDED = CREATE_SUSPENDED if sys.platform == "win32" else 0


@dataclass(frozen=True, slots=True)
class SpawnSpec:
    """A process to start; what it writes is appended to ``log``. ``env`` is its whole environment."""

    argv: Sequence[str]
    log: Path
    env: Mapping[str, str]
    cwd: Path | None = None
    account: Account | None = None


@dataclass(frozen=True, slots=True)
class Child:
    """A process that we started, leader of its own session. Only its parent learns its exit code."""

    id: ProcessId
    _popen: subprocess.Popen[bytes] = field(repr=False)

    def exit_code(self) -> int | None:
        """None while it runs; 128 + n for signal n. Takes the zombie away. Does not block."""
        code = self._popen.poll()
        return None if code is None else _shell_code(code)

    def let_go(self) -> None:
        """It will outlive us: nobody asks for its exit code any more."""
        self._popen.returncode = self._popen.poll() or 0  # Popen warns of children left running


async def run(
    argv: Sequence[str],
    timeout_s: float,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    clock: Clock = _CLOCK,
) -> CommandResult:
    """Run a command to its end. Past ``timeout_s``, and when cancelled, its whole tree is ended.

    The tree is every descendant and all of the command's session; on Windows, all of its job. Not reached: a daemon,
    that is one with a session of its own whose parent has ended before; in WSL, what a Windows program started there.

    A failed command is a result. Starting is tried again, for at most 1.6 s within ``timeout_s``, when the system's
    reason may pass (commandstart.py lists those); what has started is never run again. Raises NotFound without such
    a program or folder, Temporary for want of resources, Permanent for what else keeps it from starting.
    """
    launcher = system_launcher(detect())
    return await Executor(launcher, clock, random.random).run(Command(argv, cwd, env), timeout_s)


def spawn(spec: SpawnSpec, processes: Processes) -> Child:
    """Start a process that outlives us. Blocks until its program is loaded: call it in a thread.

    Raises as :func:`run`, after one attempt; OSError when the log cannot be written.
    """
    descriptor = os.open(spec.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    if sys.platform == "win32":  # O_APPEND is the C library's there; what the child gets is a position
        os.lseek(descriptor, 0, os.SEEK_END)
    try:
        popen = _popen(Command(spec.argv, spec.cwd, spec.env), detect(), descriptor, spec.account)
    except (OSError, ValueError) as err:
        raise start_error(err, spec.argv, spec.cwd) from err
    finally:
        os.close(descriptor)
    row = processes.row(popen.pid)  # not waited for yet, so the pid is surely still its own
    if row is None:
        popen.kill()
        popen.wait()
        raise Temporary(f"{spec.argv[0]}: the system does not show its process {popen.pid}")
    processes.contain(row.id, _handle(popen))
    return Child(row.id, popen)


@dataclass(frozen=True, slots=True)
class Suspended:
    """Windows' way: a process is started suspended, put into a job by its handle, and resumed by its pid."""

    jobs: Jobs
    resume: Callable[[int], None]


@dataclass(frozen=True, slots=True)
class SystemLauncher:
    """Launcher on this machine. ``suspended`` is of Windows; elsewhere the session holds a tree together."""

    platform: Platform
    processes: Processes
    suspended: Suspended | None = None

    def start(self, command: Command) -> "StartedProcess":
        """As Launcher."""
        popen = _popen(command, self.platform, subprocess.PIPE)
        try:
            return StartedProcess(popen, self._identity(popen.pid), self.processes, self._resumed(popen))
        except BaseException as err:
            popen.kill()
            popen.wait()
            cast("IO[bytes]", popen.stdout).close()
            if isinstance(err, OSError | ValueError):  # these are of a start that failed, which may be tried again
                raise Temporary(f"{command.argv[0]}: started, but it cannot be followed: {err}") from err
            raise

    def _identity(self, pid: int) -> ProcessId:
        row = self.processes.row(pid)  # not waited for yet, so the pid is surely still its own
        # Not seen: it has ended already (macOS), and what it left is found by its session.
        return row.id if row is not None else ProcessId(pid, 0.0)

    def _resumed(self, popen: subprocess.Popen[bytes]) -> Job | None:
        if self.suspended is None:
            return None
        job = contained(self.suspended.jobs, _handle(popen))
        try:
            self.suspended.resume(popen.pid)
        except BaseException:
            if job is not None:
                job.close()
            raise
        return job


@dataclass(frozen=True, slots=True)
class StartedProcess:
    """Started by :class:`SystemLauncher`."""

    popen: subprocess.Popen[bytes]
    id: ProcessId
    processes: Processes
    job: Job | None

    @property
    def output(self) -> IO[bytes]:
        """As Started."""
        return cast("IO[bytes]", self.popen.stdout)

    def wait(self) -> int:
        """As Started."""
        return _shell_code(self.popen.wait())

    async def end(self, grace_s: float, clock: Clock) -> None:
        """As Started."""
        if self.job is not None:  # nothing there asks a process to end
            await asyncio.to_thread(self.job.terminate)
        await end_tree(self.id, grace_s, clock, self.processes)

    def let_go(self) -> None:
        """As Started."""
        if self.job is not None:
            self.job.close()


def system_launcher(platform: Platform) -> SystemLauncher:
    """The implementation for this machine."""
    suspended = Suspended(system_jobs(), _resume) if platform.system is System.WINDOWS else None
    return SystemLauncher(platform, system_processes(platform), suspended)


def taskkill(pid: int) -> None:
    """Windows' own way to end a process and its children by force."""
    # By its path: Windows looks in the current folder before its own.
    program = Path(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32", "taskkill.exe")
    argv = [str(program), "/T", "/F", "/PID", str(pid)]
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(  # noqa: S603 - constant but for a number
            argv, check=False, capture_output=True, timeout=10, creationflags=_FLAGS
        )


def _popen(
    command: Command, platform: Platform, stdout: int, account: Account | None = None
) -> subprocess.Popen[bytes]:
    if platform.system is System.WINDOWS:
        check_batch_file(command.argv)
    distro = os.environ.get(DISTRO_VARIABLE, "")
    return _Popen(  # noqa: S603 - a list from the owner's settings, no shell
        [local_program(command.argv[0], platform, distro), *command.argv[1:]],
        bufsize=0,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.STDOUT,
        cwd=None if command.cwd is None else local_path(command.cwd, platform, distro),
        env=command.env,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=account.groups if account else None,
        start_new_session=True,
        creationflags=_FLAGS | _SUSPENDED,
    )


def _handle(popen: subprocess.Popen[bytes]) -> int:
    return int(getattr(popen, "_handle", 0))  # Windows; asyncio takes it there, too


def _resume(pid: int) -> None:
    import psutil  # noqa: PLC0415 - 5 MB that Linux need not load

    try:
        psutil.Process(pid).resume()
    except psutil.Error as err:
        raise Temporary(f"process {pid} cannot be resumed: {err}") from err


def _shell_code(returncode: int) -> int:
    """Popen's -9 is the shell's and Docker's 137: one convention for containers and processes."""
    return returncode if returncode >= 0 else 128 - returncode
