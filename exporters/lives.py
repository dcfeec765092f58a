"""Whether the process of a container is still that process, and not the next one that was given its pid.

Descriptors of processes tell without a doubt, those of all containers in one system call (pidfd_open(2), Linux 5.3).
Where there is none, a process is known by its start, which no later user of its pid shares.
"""

import contextlib
import os
import select
import sys
from collections.abc import Collection
from dataclasses import dataclass

from exporters.rawfiles import read

#: A running container's (id, pid).
ProcessKey = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Check:
    """Of running containers: whose process is gone, and whose cannot be seen from here."""

    gone: frozenset[ProcessKey]
    unseen: frozenset[ProcessKey]


class Lives:
    """``proc``: the host's. ``most_open``: descriptors to hold. Blocking; not for several threads at once."""

    def __init__(self, proc: str, most_open: int) -> None:
        self._proc = proc
        self._most_open = most_open
        self._births: dict[ProcessKey, bytes] = {}
        self._handles: dict[ProcessKey, int] = {}

    def check(self, keys: Collection[ProcessKey]) -> Check:
        """The processes as of now. Only one that was once seen can be missed. What else was known is forgotten."""
        wanted = set(keys)
        self._forget(wanted)
        for key in wanted - self._handles.keys() - self._births.keys():
            self._get_to_know(key)
        changed = (key for key, first in self._births.items() if self._birth(key) != first)
        return Check(
            gone=self._ended_now() | frozenset(changed),
            unseen=frozenset(wanted - self._handles.keys() - self._births.keys()),
        )

    def _forget(self, wanted: set[ProcessKey]) -> None:
        for key in self._handles.keys() - wanted:
            os.close(self._handles.pop(key))
        self._births = {key: first for key, first in self._births.items() if key in wanted}

    def _get_to_know(self, key: ProcessKey) -> None:
        container_id, pid = key
        handle = self._open(pid)
        # In another pid namespace (WSL 2, a container without the host's) the same pid is somebody else's.
        if container_id.encode() not in (read(f"{self._proc}/{pid}/cgroup") or b""):
            if handle is not None:
                os.close(handle)
        elif handle is not None:
            self._handles[key] = handle
        elif (first := self._birth(key)) is not None:
            self._births[key] = first

    def _open(self, pid: int) -> int | None:
        # Of this machine, not of a recorded /proc.
        if sys.platform != "linux" or self._proc != "/proc" or len(self._handles) >= self._most_open or pid < 1:
            return None
        with contextlib.suppress(OSError):  # gone, or an old kernel, or not allowed
            return os.pidfd_open(pid)
        return None

    def _ended_now(self) -> frozenset[ProcessKey]:
        if not self._handles:
            return frozenset()
        poll = select.poll()
        for handle in self._handles.values():
            poll.register(handle, select.POLLIN)
        ready = {handle for handle, _ in poll.poll(0)}
        return frozenset(key for key, handle in self._handles.items() if handle in ready)

    def _birth(self, key: ProcessKey) -> bytes | None:
        return birth(read(f"{self._proc}/{key[1]}/stat"))


def birth(stat: bytes | None) -> bytes | None:
    """When a process started, in the kernel's units; None for a dead one.

    ``stat``: /proc/PID/stat (proc_pid_stat(5)); the command in it may hold spaces and brackets.
    """
    fields = (stat or b"").rpartition(b")")[2].split()
    if len(fields) < 20 or fields[0] in (b"Z", b"X"):  # noqa: PLR2004 - field 22 of the file
        return None
    return fields[19]
