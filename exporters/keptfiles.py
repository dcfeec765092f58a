"""Kernel files that are read again and again, kept open: 1 us a read instead of 8, most of which is finding the file.

For cgroupfs, whose files tell the present whenever they are read from their start, and fail once their folder is gone.
What they describe is not held by that: a container can be removed meanwhile.
"""

import os
import sys

from exporters.rawfiles import MOST, read

if sys.platform != "win32":
    import resource

#: About 20 a container; the kernel has 4 KiB of memory for each that is open.
_MOST_KEPT = 4096
#: The rest of what a process may have open is for connections.
_SHARE = 2


class KeptFiles:
    """At most ``most`` of them; the others are opened for each read. Not for several threads at once.

    Whoever reads tells with :meth:`end_pass` when all has been read once: what was not read in it is closed.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[str, int] = {}
        self._read: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._kept) + len(self._read)

    def read(self, path: str) -> bytes | None:
        """The file's content, or None when it is not there."""
        descriptor = self._kept.pop(path, None)
        if descriptor is not None:
            try:
                content = os.pread(descriptor, MOST, 0)
            except OSError:  # gone; there may be another one by its name
                os.close(descriptor)
            else:
                self._read[path] = descriptor
                return content
        return self._open(path) if len(self) < self._most and path not in self._read else read(path)

    def end_pass(self) -> None:
        """Close what was not read since the last one."""
        for descriptor in self._kept.values():
            os.close(descriptor)
        self._kept, self._read = self._read, {}

    def close(self) -> None:
        """Close all."""
        self.end_pass()
        self.end_pass()

    def _open(self, path: str) -> bytes | None:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            content = os.pread(descriptor, MOST, 0)
        except OSError:
            os.close(descriptor)
            return None
        self._read[path] = descriptor
        return content


def spare_files() -> int:
    """How many files this process may keep open for this."""
    if sys.platform == "win32":
        return 0
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST_KEPT if soft == resource.RLIM_INFINITY else min(soft // _SHARE, _MOST_KEPT)
