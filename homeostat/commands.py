"""Running other programs: the only importer of subprocess. No shell ever sees an argument.

``run`` for short commands, whose output is drained always and kept in part; ``spawn`` for processes
that are supervised and outlive us, whose output goes to a file.
"""

import asyncio
import contextlib
import errno
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from homeostat.clock import Clock, SystemClock
from homeostat.errors import NotFound, NotSupported, Permanent, Temporary
from homeostat.platforms import detect
from homeostat.processes import Processes, ProcessId, system_processes
from homeostat.processtrees import end_tree
from homeostat.winjobs import CREATE_NEW_PROCESS_GROUP, CREATE_NO_WINDOW, CREATE_SUSPENDED

#: Of a command's output: enough for the error at the end of any compiler or compose run.
TAIL_BYTES = 64 * 1024
#: For a command past its timeout, between SIGTERM and SIGKILL.
_END_GRACE_S = 2.0
#: A descendant that stays in the background holds our pipe open; it is not waited for longer.
_DRAIN_S = 1.0
_SHORTAGES = frozenset({errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE})
_CLOCK: Final = SystemClock()
# POSIX has the session for it, and refuses flags.
_FLAGS = CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP if sys.platform == "win32" else 0
_SUSPENDED = CREATE_SUSPENDED if sys.platform == "win32" else 0


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a command ended. ``exit_code``: 128 + n for signal n, None when ended at its timeout.

    ``output``: the last bytes of stdout and stderr together, as text; ``is_truncated``: more came before.
    """

    exit_code: int | None
    output: str
    is_truncated: bool


@dataclass(frozen=True, slots=True)
class Account:
    """A POSIX user to run as."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str


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

    A failed command is a result. Raises NotFound without such a program or folder, Temporary for want of
    resources, Permanent for what else keeps it from starting.
    """
    loop = asyncio.get_running_loop()
    with _start_errors(argv):
        transport, drain = await loop.subprocess_exec(
            _Drain,
            *argv,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=env,
            start_new_session=True,
            creationflags=_FLAGS,
        )
    exit_code: int | None = None
    try:
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.shield(drain.exited)
            exit_code = _shell_code(transport.get_returncode() or 0)
        except TimeoutError:
            await _end(transport.get_pid(), _END_GRACE_S, clock)
    except asyncio.CancelledError:
        await _end(transport.get_pid(), 0, clock)
        raise
    finally:
        await asyncio.wait([drain.exited, drain.drained], timeout=_DRAIN_S)
        transport.close()
    return CommandResult(exit_code, drain.text(), drain.is_truncated)


def spawn(spec: SpawnSpec, processes: Processes) -> Child:
    """Start a process that outlives us. Blocks until its program is loaded: call it in a thread.

    Raises as :func:`run`; OSError when the log cannot be written.
    """
    account = spec.account
    descriptor = os.open(spec.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        with _start_errors(spec.argv):
            popen = subprocess.Popen(  # noqa: S603 - a list from the owner's settings, no shell
                spec.argv,
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                cwd=spec.cwd,
                env=spec.env,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=account.groups if account else None,
                start_new_session=True,
                creationflags=_FLAGS | _SUSPENDED,
            )
    finally:
        os.close(descriptor)
    row = processes.row(popen.pid)  # not waited for yet, so the pid is surely still its own
    if row is None:
        popen.kill()
        popen.wait()
        raise Temporary(f"{spec.argv[0]}: the system does not show its process {popen.pid}")
    processes.contain(row.id, int(getattr(popen, "_handle", 0)))
    return Child(row.id, popen)


def account(name: str) -> Account | None:
    """The user to switch to; None when we are that user. Raises NotFound, NotSupported."""
    if sys.platform == "win32":
        raise NotSupported(f"user {name!r}: processes run as the guardian's own user on Windows")
    import pwd  # noqa: PLC0415 - POSIX only

    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise NotFound(f"user {name!r}: no such user") from None
    if entry.pw_uid == os.geteuid():
        return None
    if os.geteuid() != 0:
        raise NotSupported(f"user {name!r}: only root may start processes of other users")
    groups = tuple(os.getgrouplist(name, entry.pw_gid))
    return Account(name, entry.pw_uid, entry.pw_gid, groups, entry.pw_dir)


def taskkill(pid: int) -> None:
    """Windows' own way to end a process and its children by force."""
    argv = ["taskkill", "/T", "/F", "/PID", str(pid)]
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(  # noqa: S603 - constant but for a number
            argv, check=False, capture_output=True, timeout=10, creationflags=_FLAGS
        )


class _Drain(asyncio.SubprocessProtocol):
    """Takes all output as it comes, keeps the tail. Knows no lines, so none can be too long."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.exited = loop.create_future()
        self.drained = loop.create_future()
        self.is_truncated = False
        self._tail = bytearray()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        del fd
        self._tail += data
        # Cut at twice the size: cutting at every chunk would copy the tail each time.
        if len(self._tail) > 2 * TAIL_BYTES:
            self._cut()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        del fd, exc
        self.drained.set_result(None)

    def process_exited(self) -> None:
        self.exited.set_result(None)

    def text(self) -> str:
        self._cut()
        return self._tail.decode(errors="replace")

    def _cut(self) -> None:
        if len(self._tail) > TAIL_BYTES:
            self.is_truncated = True
            del self._tail[:-TAIL_BYTES]


@contextlib.contextmanager
def _start_errors(argv: Sequence[str]) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as err:
        # The system names the folder when it is that which is missing.
        raise NotFound(f"{argv[0]}: cannot be started: no {err.filename or argv[0]}") from err
    except OSError as err:
        kind = Temporary if err.errno in _SHORTAGES else Permanent
        raise kind(f"{argv[0]}: cannot be started: {err.strerror}") from err
    except ValueError as err:
        raise Permanent(f"{argv[0]}: cannot be started: {err}") from err


async def _end(pid: int | None, grace_s: float, clock: Clock) -> None:
    processes = system_processes(detect())
    row = await asyncio.to_thread(processes.row, pid or 0)
    if row is not None:
        await end_tree(row.id, grace_s, clock, processes)


def _shell_code(returncode: int) -> int:
    """Popen's -9 is the shell's and Docker's 137: one convention for containers and processes."""
    return returncode if returncode >= 0 else 128 - returncode
