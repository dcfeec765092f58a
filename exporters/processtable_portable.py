"""All processes through psutil: macOS and Windows."""

import contextlib
import os
import sys
from collections.abc import Iterator

import psutil

from exporters.processtable import State, Usage

_STATES = {
    psutil.STATUS_RUNNING: State.RUNNING,
    psutil.STATUS_DISK_SLEEP: State.BLOCKED,
    psutil.STATUS_STOPPED: State.STOPPED,
    psutil.STATUS_TRACING_STOP: State.STOPPED,
    psutil.STATUS_ZOMBIE: State.ZOMBIE,
    psutil.STATUS_DEAD: State.ZOMBIE,
}


class PsutilTable:
    """Names are whole here, and on Windows end in ``.exe``."""

    def processes(self) -> Iterator["PsutilProcess"]:
        for pid in psutil.pids():
            with contextlib.suppress(psutil.Error, ProcessLookupError):
                yield PsutilProcess(psutil.Process(pid))

    def known_as(self, program: str) -> str:
        return program


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return 0


class PsutilProcess:
    """One process; raises psutil.Error when it is gone by now, or when nothing of it may be seen."""

    __slots__ = ("_process", "key", "name", "started_at", "state")

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        with process.oneshot():
            self.started_at = process.create_time()
            self.key = (process.pid, self.started_at)
            self.name = process.name()
            self.state = _STATES.get(process.status(), State.SLEEPING)

    @property
    def session(self) -> int:
        # macOS has sessions; Windows has none.
        return 0 if sys.platform == "win32" else _session(self._process.pid)

    def command(self) -> str:
        try:
            return " ".join(self._process.cmdline())
        except (psutil.Error, OSError):
            return ""

    def usage(self) -> Usage | None:
        try:
            with self._process.oneshot():
                return self._usage()
        except psutil.AccessDenied as err:
            raise PermissionError(str(err)) from err
        except psutil.NoSuchProcess:
            return None

    def _usage(self) -> Usage:
        times, switches = self._process.cpu_times(), self._process.num_ctx_switches()
        return Usage(
            cpu_seconds=times.user + times.system,
            resident_bytes=self._process.memory_info().rss,
            anon_bytes=None,
            threads=self._process.num_threads(),
            open_fds=self._open_fds(),
            voluntary_switches=switches.voluntary,
            involuntary_switches=switches.involuntary,
        )

    def _open_fds(self) -> int:
        if sys.platform == "win32":
            return self._process.num_handles()
        return self._process.num_fds()
