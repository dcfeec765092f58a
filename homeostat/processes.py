"""The operating system's processes: who they are, whose children, what they use, and how they are ended.

Linux reads /proc itself: 6 us a process, and a start time that does not move when the wall clock is set
(psutil's does; on WSL2 after every sleep). psutil does the rest (processes_portable.py).
"""

import contextlib
import os
import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from homeostat.platforms import Platform, System

_TICKS_PER_S = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 1
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 1
_STAT_BYTES = 2048
_ENVIRON_BYTES = 1 << 17


@dataclass(frozen=True, slots=True, order=True)
class ProcessId:
    """One process for ever: the system gives ``pid`` to others again, but never with this start.

    ``start``: seconds since boot on Linux, since the epoch elsewhere. Compare only within one boot.
    """

    pid: int
    start: float


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """One process as it is now. ``session``: pid of the leader, 0 where there are no sessions.

    ``cpu_seconds``: its own and of children that it has waited for.
    """

    id: ProcessId
    ppid: int
    session: int
    is_zombie: bool
    cpu_seconds: float
    rss_bytes: int


class Processes(Protocol):
    """What supervising needs of the operating system. All calls block: use a thread."""

    @property
    def can_ask(self) -> bool:
        """Whether a process can be asked to end; else it can only be forced."""
        ...

    def rows(self) -> Mapping[int, ProcessRow]:
        """All processes, by pid."""
        ...

    def row(self, pid: int) -> ProcessRow | None:
        """One process; None when there is none, or when it may not be seen."""
        ...

    def age_s(self, process: ProcessId) -> float:
        """How long ago it was started."""
        ...

    def open_fds(self, pid: int) -> int:
        """File descriptors it holds (handles on Windows); 0 when that may not be seen."""
        ...

    def marked(self, variable: str) -> Mapping[ProcessId, str]:
        """Processes started with this environment variable, and its value."""
        ...

    def contain(self, root: ProcessId, handle: int) -> None:
        """Tie what a new process will start to it. Windows: ``handle`` is of the suspended process, which runs then."""
        ...

    def end(self, root: ProcessId, members: Iterable[ProcessId], *, force: bool) -> None:
        """Ask (SIGTERM) or force (SIGKILL) the members of ``root``'s tree to end.

        Those that are gone, or whose pid is somebody else's by now, are left alone.
        """
        ...


def system_processes(platform: Platform) -> Processes:
    """The implementation for this machine."""
    if platform.system is System.LINUX:
        return LinuxProcesses(has_pidfd=platform.has_pidfd)
    # psutil is 5 MB that Linux need not load.
    from homeostat.processes_portable import posix_processes, windows_processes  # noqa: PLC0415

    return windows_processes() if platform.system is System.WINDOWS else posix_processes()


def is_alive(processes: Processes, process: ProcessId) -> bool:
    """Whether it still runs: neither gone, nor a zombie, nor a newcomer under its pid."""
    row = processes.row(process.pid)
    return row is not None and row.id == process and not row.is_zombie


class LinuxProcesses:
    """Raw /proc."""

    can_ask = True

    def __init__(self, *, has_pidfd: bool, proc: str = "/proc") -> None:
        self._has_pidfd = has_pidfd
        self._proc = proc

    def rows(self) -> Mapping[int, ProcessRow]:
        rows = (self.row(pid) for pid in self._pids())
        return {row.id.pid: row for row in rows if row is not None}

    def row(self, pid: int) -> ProcessRow | None:
        stat = self._read(f"{pid}/stat", _STAT_BYTES)
        return parse_stat(stat) if stat else None

    def age_s(self, process: ProcessId) -> float:
        uptime = self._read("uptime", 64).split()
        return max(float(uptime[0]) - process.start, 0.0)

    def open_fds(self, pid: int) -> int:
        path = f"{self._proc}/{pid}/fd"
        try:
            # Since Linux 6.2 the folder's size is the count; before, it is 0.
            return os.stat(path).st_size or len(os.listdir(path))  # noqa: PTH116, PTH208 - 3 us, not 30
        except OSError:
            return 0

    def marked(self, variable: str) -> Mapping[ProcessId, str]:
        found: dict[ProcessId, str] = {}
        start = f"{variable}=".encode()
        for pid in self._pids():
            environ = self._read(f"{pid}/environ", _ENVIRON_BYTES)
            value = next((v for v in environ.split(b"\0") if v.startswith(start)), None)
            row = self.row(pid) if value is not None else None
            if row is not None and value is not None:
                found[row.id] = os.fsdecode(value.removeprefix(start))
        return found

    def contain(self, root: ProcessId, handle: int) -> None:
        """The session does."""

    def end(self, root: ProcessId, members: Iterable[ProcessId], *, force: bool) -> None:
        del root
        number = signal.SIGKILL if force else signal.SIGTERM
        for member in members:
            # Gone already, or a setuid program that we may not signal: it shows as a survivor.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                self._signal(member, number)

    def _signal(self, member: ProcessId, number: signal.Signals) -> None:
        if not self._has_pidfd:
            if is_alive(self, member):
                os.kill(member.pid, number)
            return
        # The descriptor holds the process: what is checked is what is signalled.
        descriptor = os.pidfd_open(member.pid)
        try:
            if is_alive(self, member):
                signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)

    def _pids(self) -> list[int]:
        return [int(name) for name in os.listdir(self._proc) if name.isdecimal()]  # noqa: PTH208 - hot

    def _read(self, name: str, size: int) -> bytes:
        """Content of a small file of /proc; empty when the process is gone or not ours to see."""
        try:
            descriptor = os.open(f"{self._proc}/{name}", os.O_RDONLY)
        except OSError:
            return b""
        try:
            return os.read(descriptor, size)
        except OSError:
            return b""
        finally:
            os.close(descriptor)


def parse_stat(stat: bytes) -> ProcessRow:
    """``/proc/<pid>/stat`` (proc(5)). The second field is the name, with whatever bytes it likes."""
    pid, _, rest = stat.partition(b" (")
    fields = rest[rest.rindex(b")") + 2 :].split()
    state, ppid, session = fields[0], fields[1], fields[3]
    ticks = sum(int(field) for field in fields[11:15])
    return ProcessRow(
        id=ProcessId(int(pid), int(fields[19]) / _TICKS_PER_S),
        ppid=int(ppid),
        session=int(session),
        is_zombie=state in (b"Z", b"X"),
        cpu_seconds=ticks / _TICKS_PER_S,
        rss_bytes=int(fields[21]) * _PAGE_BYTES,
    )
