"""Processes through psutil: macOS and, with job objects and taskkill, Windows."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import psutil

from homeostat.processes import Processes, ProcessId, ProcessRow
from homeostat.winjobs import Jobs, system_jobs


class Trees(Protocol):
    """How a process and what it starts are held together and ended; as in Processes."""

    @property
    def can_ask(self) -> bool: ...

    def contain(self, root: ProcessId, handle: int) -> None: ...

    def end(self, root: ProcessId, members: Iterable[ProcessId], *, force: bool) -> None: ...


class PsutilProcesses:
    """Reading by psutil; what differs between systems by ``trees``."""

    def __init__(self, trees: Trees) -> None:
        self._trees = trees
        self.can_ask = trees.can_ask
        self.contain = trees.contain
        self.end = trees.end

    def rows(self) -> Mapping[int, ProcessRow]:
        rows = (self.row(pid) for pid in psutil.pids())
        return {row.id.pid: row for row in rows if row is not None}

    def row(self, pid: int) -> ProcessRow | None:
        try:
            process = psutil.Process(pid)
            with process.oneshot():
                return _row(process)
        except (psutil.NoSuchProcess, ProcessLookupError):
            return None

    def age_s(self, process: ProcessId) -> float:
        # By the clock that the start was taken from, not by a Clock.
        return max(time.time() - process.start, 0.0)  # noqa: TID251

    def open_fds(self, pid: int) -> int:
        try:
            process = psutil.Process(pid)
            if sys.platform == "win32":
                return process.num_handles()
            return process.num_fds()
        except psutil.Error:
            return 0

    def marked(self, variable: str) -> Mapping[ProcessId, str]:
        found: dict[ProcessId, str] = {}
        for pid in psutil.pids():
            with contextlib.suppress(psutil.Error, OSError):
                process = psutil.Process(pid)
                value = process.environ().get(variable)
                if value is not None:
                    found[ProcessId(pid, process.create_time())] = value
        return found


class SignalledTrees:
    """POSIX: the session holds them together; signals end them."""

    can_ask = True

    def contain(self, root: ProcessId, handle: int) -> None:
        """The session does."""

    def end(self, root: ProcessId, members: Iterable[ProcessId], *, force: bool) -> None:
        del root
        for member in members:
            with contextlib.suppress(psutil.AccessDenied):
                signal_one(member, signal.SIGKILL if force else signal.SIGTERM)


class WindowsTrees:
    """A job object each. Nothing there asks a process without a window to end: always forced.

    ``terminate`` and ``resume`` act on one process and may raise psutil errors; ``taskkill`` ends a
    process and its children, and says nothing.
    """

    can_ask = False

    def __init__(
        self,
        jobs: Jobs,
        terminate: Callable[[ProcessId], None],
        resume: Callable[[ProcessId], None],
        taskkill: Callable[[int], None],
    ) -> None:
        self._jobs = jobs
        self._terminate = terminate
        self._resume = resume
        self._taskkill = taskkill
        self._held: dict[ProcessId, int] = {}

    def contain(self, root: ProcessId, handle: int) -> None:
        """Put the suspended process into a job, then let it run; without a job where there can be none."""
        job = None
        try:
            job = self._jobs.create()
            self._jobs.assign(job, handle)
            self._held[root] = job
        except OSError:  # in a job already that allows no other: it is ended process by process
            if job is not None:
                self._jobs.close(job)
        finally:
            self._resume(root)

    def end(self, root: ProcessId, members: Iterable[ProcessId], *, force: bool) -> None:
        del force
        job = self._held.pop(root, None)
        if job is not None:
            with contextlib.suppress(OSError):  # what it left is met below
                self._jobs.terminate(job)
            self._jobs.close(job)
        for member in members:
            try:
                self._terminate(member)
            except (psutil.AccessDenied, PermissionError):
                # Another integrity level, or a debugger holds it: taskkill may do more.
                self._taskkill(member.pid)


def posix_processes() -> Processes:
    return PsutilProcesses(SignalledTrees())


def windows_processes() -> Processes:
    from homeostat.commands import taskkill  # noqa: PLC0415 - commands is above this module

    trees = WindowsTrees(
        system_jobs(),
        terminate=lambda process: signal_one(process, signal.SIGTERM),  # TerminateProcess there
        resume=lambda process: psutil.Process(process.pid).resume(),
        taskkill=taskkill,
    )
    return PsutilProcesses(trees)


def signal_one(process: ProcessId, number: signal.Signals) -> None:
    """Signal one process, unless it is gone or its pid is somebody else's. Raises psutil.AccessDenied."""
    with contextlib.suppress(psutil.NoSuchProcess):
        target = psutil.Process(process.pid)
        if target.create_time() == process.start:
            target.send_signal(number)


def _row(process: psutil.Process) -> ProcessRow:
    cpu_seconds, rss_bytes = 0.0, 0
    with contextlib.suppress(psutil.AccessDenied):  # another user's: known, but not measured
        times = process.cpu_times()
        cpu_seconds = times.user + times.system + getattr(times, "children_user", 0.0)
        cpu_seconds += getattr(times, "children_system", 0.0)
        rss_bytes = process.memory_info().rss
    return ProcessRow(
        id=ProcessId(process.pid, process.create_time()),
        ppid=process.ppid(),
        session=0 if sys.platform == "win32" else os.getsid(process.pid),
        is_zombie=process.status() == psutil.STATUS_ZOMBIE,
        cpu_seconds=cpu_seconds,
        rss_bytes=rss_bytes,
    )
