"""What the processes of a container hold: how many they are, their threads, and their open files.

The work per container is bounded: processes and threads are counted from at most 256 KiB of ids (some 30,000) in at
most 64 of its own cgroups, open files of at most 512 processes. Where there is more, the figures are of those.
"""

import math
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from exporters.cgroups.find import subfolders
from exporters.cgroups.samples import Processes
from exporters.keptfiles import Contents, ReadTogether
from exporters.rawfiles import read_whole

if sys.platform == "linux":
    import resource

_MOST_IDS = 1 << 18
_MOST_FOLDERS = 64
_MOST_LOOKED_AT = 512
#: Less than that is all there is: the kernel hands ids out a page at a time.
_WHOLE = 4000
#: A folder of cgroups has two links, and one more for each folder in it.
_LINKS_WITHOUT_FOLDERS = 2


@dataclass(frozen=True, slots=True)
class Members:
    """``pids``: of its processes, as they are numbered here; one that cannot be seen from here is 0."""

    pids: list[int]
    threads: int | None


class ProcessReader:
    """``proc``: the host's. Blocking."""

    def __init__(self, proc: str) -> None:
        self._proc = proc
        # Since Linux 6.2 the size of the folder is the count; before, it is 0 and the entries have to be listed.
        self._has_sizes = _size(f"{proc}/self/fd") > 0
        # A system call knows the processes of this machine, not those of a recorded one.
        self._is_live = sys.platform == "linux" and proc == "/proc"

    def sample(self, members: Members, read: ReadTogether) -> Processes:
        """Open files are None when one of the processes may not be looked at: a sum of the others would be a lie."""
        counted = Processes(len(members.pids), members.threads)
        pids = members.pids[:_MOST_LOOKED_AT]
        if not all(pids):
            return counted
        try:
            looks = [look for pid in pids if (look := self._look(pid, read)) is not None]
        except PermissionError:
            return counted
        if not looks:
            return counted
        fds, limit = max(looks, key=_nearness)
        return Processes(
            counted.count,
            counted.threads,
            open_fds=sum(fds for fds, _ in looks),
            worst_fds=fds,
            worst_fd_limit=0 if limit == math.inf else int(limit),
        )

    def _look(self, pid: int, read: ReadTogether) -> tuple[int, float] | None:
        """(open files, their limit); None when it has ended. Raises PermissionError."""
        try:
            fds = self._open_fds(pid)
        except PermissionError:
            raise
        except OSError:
            return None
        soft = self._soft_limit(pid, read)
        return None if soft is None else (fds, soft)

    def _soft_limit(self, pid: int, read: ReadTogether) -> float | None:
        """Of open files; infinite for none, None when the process has ended."""
        if sys.platform == "linux" and self._is_live:
            try:
                soft, _hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            except PermissionError:  # somebody else's process: the file, 10 times as dear, tells everybody
                pass
            except OSError:
                return None
            else:
                return math.inf if soft == resource.RLIM_INFINITY else max(soft, 1)
        return soft_limit(read((f"{self._proc}/{pid}/limits",))[0])

    def _open_fds(self, pid: int) -> int:
        path = f"{self._proc}/{pid}/fd"
        return os.stat(path).st_size if self._has_sizes else len(os.listdir(path))  # noqa: PTH116, PTH208 - hot path


def members(folder: str, threads_file: str, read: ReadTogether) -> Members | None:
    """The processes of a container and of the cgroups in it. None when that cannot be read."""
    tree = _tree(folder)
    files = [f"{each}/{name}" for name in ("cgroup.procs", threads_file) for each in tree]
    contents = read(tuple(files))
    pids, threads = _ids(files[: len(tree)], contents[: len(tree)]), _ids(files[len(tree) :], contents[len(tree) :])
    if pids is None:
        return None
    return Members([int(pid) for pid in pids.split()], None if threads is None else threads.count(b"\n"))


def _nearness(look: tuple[int, float]) -> tuple[float, int]:
    fds, limit = look
    return fds / limit, fds


def _ids(files: Sequence[str], contents: Contents) -> bytes | None:
    """What these files tell, one after the other; None when none does."""
    parts: list[bytes] = []
    length = 0
    for path, content in zip(files, contents, strict=True):
        is_whole = content is None or len(content) < _WHOLE
        # A folder of threads has no processes of its own to tell: the one above does.
        if (part := content if is_whole else read_whole(path, _MOST_IDS - length)) is not None:
            parts.append(part[: part.rfind(b"\n") + 1])
            length += len(part)
        if length >= _MOST_IDS:
            break
    return b"".join(parts) if parts else None


def _tree(folder: str) -> list[str]:
    found = [folder]
    for each in found:  # which grows
        if len(found) >= _MOST_FOLDERS:
            break
        if _links(each) != _LINKS_WITHOUT_FOLDERS:
            found += [f"{each}/{name}" for name in subfolders(each)[: _MOST_FOLDERS - len(found)]]
    return found


def _links(folder: str) -> int:
    try:
        return os.stat(folder).st_nlink  # noqa: PTH116 - hot path
    except OSError:
        return _LINKS_WITHOUT_FOLDERS


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - as above
    except OSError:
        return 0


def soft_limit(limits: bytes | None) -> float | None:
    """Of open files, from /proc/PID/limits (proc_pid_limits(5)); infinite for none, None when that cannot be read."""
    words = (limits or b"").partition(b"Max open files")[2].split(None, 1)
    if not words:
        return None
    return max(int(words[0]), 1) if words[0].isdigit() else math.inf
