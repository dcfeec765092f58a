"""All processes of the host as a scan sees them, and the seam to the system that lists them.

Linux reads /proc itself: 10 us for a process that is only looked at, 40 us for one that is measured. Never smaps:
reading it stops the process that it is about. Sources: proc_pid_stat(5), proc_pid_status(5), proc_pid_fd(5).
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from exporters.rawfiles import field, read
from homeostat.platforms import Platform, System


class State(StrEnum):
    """What a process does. ``BLOCKED``: waits in the kernel, and no signal reaches it."""

    RUNNING = "running"
    SLEEPING = "sleeping"
    BLOCKED = "blocked"
    STOPPED = "stopped"
    ZOMBIE = "zombie"


@dataclass(frozen=True, slots=True)
class Usage:
    """What one process uses. ``open_fds`` None: not for us to see. ``max_fds`` None: no limit, or none that is told.

    Context switches are of its main thread: the kernel counts them for each thread by itself.
    """

    cpu_seconds: float
    resident_bytes: int = 0
    anon_bytes: int | None = 0
    threads: int = 0
    open_fds: int | None = 0
    max_fds: int | None = None
    voluntary_switches: int = 0
    involuntary_switches: int = 0


class Process(Protocol):
    """One process at the moment of the scan."""

    @property
    def key(self) -> tuple[int, float]:
        """Pid and start: the pid is given to others again, but never with this start."""
        ...

    @property
    def name(self) -> str: ...

    @property
    def session(self) -> int:
        """Pid of its session's leader; 0 where there are no sessions."""
        ...

    @property
    def state(self) -> State: ...

    @property
    def started_at(self) -> float:
        """Epoch seconds."""
        ...

    def command(self) -> str:
        """Its command line, arguments joined by spaces; empty for a kernel thread, a zombie and one that is gone."""
        ...

    def usage(self) -> Usage | None:
        """None when it is gone. Raises PermissionError when it is not for us to see."""
        ...


class ProcessTable(Protocol):
    """The operating system's. All calls block."""

    def processes(self) -> Iterator[Process]:
        """All there are; those that end meanwhile are left out."""
        ...

    def known_as(self, program: str) -> str:
        """The ``name`` that a process of this program has."""
        ...


def system_table(platform: Platform) -> ProcessTable:
    """The implementation for this machine."""
    if platform.system is System.LINUX:
        return LinuxTable()
    # psutil is 5 MB that Linux need not load.
    from exporters.processtable_portable import PsutilTable  # noqa: PLC0415

    return PsutilTable()


_TICKS_PER_S = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 1
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 1
_NAME_BYTES = 15
_STATES = {
    b"R": State.RUNNING,
    b"D": State.BLOCKED,
    b"T": State.STOPPED,
    b"t": State.STOPPED,
    b"Z": State.ZOMBIE,
    b"X": State.ZOMBIE,
}
#: The kernel tells its start by the wall clock, which is being corrected all the time: by less, it is the same start.
_SAME_BOOT_S = 2.0


class LinuxTable:
    """Raw /proc. ``proc``: the host's; in a container that needs its pid namespace (``pid: host``)."""

    def __init__(self, proc: str = "/proc") -> None:
        self._proc = proc
        self._booted_at = 0.0

    def processes(self) -> Iterator[Process]:
        booted_at = field(read(f"{self._proc}/stat"), b"btime") or 0
        if abs(booted_at - self._booted_at) > _SAME_BOOT_S:
            self._booted_at = booted_at
        for pid in os.listdir(self._proc):  # noqa: PTH208 - hot path
            if pid.isdecimal():
                folder = f"{self._proc}/{pid}"
                stat = read(f"{folder}/stat")
                if stat:
                    yield LinuxProcess(folder, int(pid), stat, self._booted_at)

    def known_as(self, program: str) -> str:
        return program.encode()[:_NAME_BYTES].decode(errors="replace")


class LinuxProcess:
    """From ``/proc/PID/stat``, whose second field is the name, with whatever bytes it likes."""

    __slots__ = ("_booted_at", "_fields", "_folder", "key", "name", "state")

    def __init__(self, folder: str, pid: int, stat: bytes, booted_at: float) -> None:
        head, _, rest = stat.rpartition(b") ")
        self._folder = folder
        self._booted_at = booted_at
        self._fields = fields = rest.split(b" ", 22)
        self.key = (pid, float(fields[19]))
        self.name = head.partition(b" (")[2].decode(errors="replace")
        self.state = _STATES.get(fields[0], State.SLEEPING)

    @property
    def started_at(self) -> float:
        return self._booted_at + self.key[1] / _TICKS_PER_S

    @property
    def session(self) -> int:
        return int(self._fields[3])

    def command(self) -> str:
        arguments = read(f"{self._folder}/cmdline") or b""
        return arguments.rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace")

    def usage(self) -> Usage | None:
        cpu_seconds = (int(self._fields[11]) + int(self._fields[12])) / _TICKS_PER_S
        if self.state is State.ZOMBIE:
            return Usage(cpu_seconds)
        status = read(f"{self._folder}/status")
        limits = read(f"{self._folder}/limits")
        if not status or not limits:
            return None
        resident_bytes = int(self._fields[21]) * _PAGE_BYTES
        anon_kib = _first_number(status, b"\nRssAnon:") if resident_bytes else 0
        return Usage(
            cpu_seconds=cpu_seconds,
            resident_bytes=resident_bytes,
            anon_bytes=None if anon_kib is None else anon_kib * 1024,
            threads=int(self._fields[17]),
            open_fds=_open_fds(f"{self._folder}/fd"),
            max_fds=_first_number(limits, b"\nMax open files"),
            voluntary_switches=_first_number(status, b"\nvoluntary_ctxt_switches:") or 0,
            involuntary_switches=_first_number(status, b"\nnonvoluntary_ctxt_switches:") or 0,
        )


def _first_number(content: bytes, name: bytes) -> int | None:
    """The first word after ``name``; None when it is no number (``unlimited``)."""
    _before, _found, after = content.partition(name)
    words = after.partition(b"\n")[0].split(None, 1)
    return int(words[0]) if words and words[0].isdigit() else None


def _open_fds(folder: str) -> int | None:
    try:
        # Since Linux 6.2 the folder's size is the count, for everybody to see; before, it is 0.
        return os.stat(folder).st_size or len(os.listdir(folder))  # noqa: PTH116, PTH208 - 2 us, not 30
    except PermissionError:
        return None
    except OSError:  # it has just ended
        return 0
