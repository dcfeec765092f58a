"""One process of this host: whether it is the one that is meant, whether it listens to a signal, and sending that."""

import contextlib
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path

from homeostat.processes import Processes

#: A process's start as its guardian noted it and as the system tells it: apart by what loading a program takes.
_START_TOLERANCE_S = 2.0


class Delivery(StrEnum):
    """What became of a signal."""

    SENT = "sent"
    DEAF = "deaf"  # not sent: it would end the process, or do nothing
    UNKNOWN = "unknown"  # not sent: the process is gone, is another one, or cannot be seen from here
    FORBIDDEN = "forbidden"


def deliver(pid: int, number: signal.Signals, is_meant: Callable[[], bool]) -> Delivery:
    """Send it to ``pid``, provided that ``is_meant()`` while nobody else can have that pid. Blocks for some reads."""
    if pid < 1:  # kill(2) means groups by these
        return Delivery.UNKNOWN
    try:
        with _held(pid) as send:
            if not is_meant():
                return Delivery.UNKNOWN
            if not _is_heard(pid, number):
                return Delivery.DEAF
            send(number)
    except ProcessLookupError:
        return Delivery.UNKNOWN
    except PermissionError:
        return Delivery.FORBIDDEN
    return Delivery.SENT


def is_in_container(pid: int, container_id: str, proc: str = "/proc") -> bool:
    """Whether the process is of this container. In another pid namespace (WSL 2, an engine on another machine, a
    responder in a container without the host's) the same pid is somebody else's.
    """
    try:
        return bool(container_id) and container_id in Path(f"{proc}/{pid}/cgroup").read_text(errors="replace")
    except OSError:
        return False


def is_as_started(processes: Processes, pid: int, started_at: float | None, now: float) -> bool:
    """Whether the process was started when its guardian says so (epoch seconds), so that it is not the next one with
    this pid. Also false when the wall clock was set meanwhile: a signal to the wrong process is worse than none.
    """
    row = processes.row(pid)
    if row is None or row.is_zombie or started_at is None:
        return False
    return abs(now - processes.age_s(row.id) - started_at) <= _START_TOLERANCE_S


def listens(status: str, number: int) -> bool:
    """Whether a process catches a signal, or has it blocked for signalfd(2) or another thread.

    ``status``: /proc/PID/status. By default HUP and USR1 end a process; pid 1 of a container never notices them.
    """
    masks = re.findall(r"^Sig(?:Cgt|Blk):\s*([0-9a-f]+)$", status, re.MULTILINE)
    return any(int(mask, 16) >> (number - 1) & 1 for mask in masks)


def _is_heard(pid: int, number: signal.Signals) -> bool:
    if number == signal.SIGCONT or sys.platform != "linux":  # the kernel itself acts on it; nobody tells
        return True
    if listens(_read(pid, "status"), number):
        return True
    # In sigwait(3) nothing shows as blocked. What waits so and has children is an init (tini, dumb-init): it hands the
    # signal on to them.
    children = _read(pid, f"task/{pid}/children").split()
    return "sigtimedwait" in _read(pid, "wchan") and all(_is_heard(int(child), number) for child in children)


def _read(pid: int, name: str) -> str:
    """Empty when it is gone, or not ours to see."""
    try:
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except OSError:
        return ""


@contextlib.contextmanager
def _held(pid: int) -> Iterator[Callable[[signal.Signals], None]]:
    """How to signal what has this pid now: by its descriptor, which no later user of the pid shares, where there are
    any. Raises ProcessLookupError.
    """
    handle = _open(pid)
    if handle is None:
        yield lambda number: os.kill(pid, number)
        return
    try:
        yield lambda number: signal.pidfd_send_signal(handle, number)
    finally:
        os.close(handle)


def _open(pid: int) -> int | None:
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        raise
    except OSError:  # an old kernel, or a seccomp profile
        return None
