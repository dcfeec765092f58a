"""Kernel files that are read again and again, kept open: 1 us a read instead of 8, most of which is finding the file.

For cgroupfs and /proc/PID, whose files tell the present whenever they are read from their start, and fail once what
they tell of is gone. They do not hold it: a container can be removed meanwhile.
"""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence

from exporters.rawfiles import MOST, read

if sys.platform != "win32":
    import resource

#: Of files that belong together, in the order of their paths; None for one that is not there.
Contents = Sequence[bytes | None]
ReadTogether = Callable[[tuple[str, ...]], Contents]

#: About 20 a container, so for 400; the kernel has 4 KiB of memory for each that is open.
_MOST_KEPT = 8192
#: The rest of what a process may have open is for connections.
_SHARE = 2
#: In the place of a file that cannot be read.
_NONE = -1


class KeptFiles:
    """At most ``most`` of them; the others are opened for each read. Not for several threads at once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = 0
        self._kept: dict[tuple[str, ...], list[int]] = {}
        self._read: dict[tuple[str, ...], list[int]] = {}

    def __len__(self) -> int:
        return self._count

    @contextlib.contextmanager
    def one_pass(self) -> Iterator[ReadTogether]:
        """Reads contents by paths while the block runs. What was not read in it is closed after it.

        What is not there at first is not looked for again as long as the rest of the same paths is.
        """
        try:
            yield self._read_together
        finally:
            self._close_unread()

    def _read_together(self, paths: tuple[str, ...]) -> Contents:
        descriptors = self._kept.pop(paths, None)
        if descriptors is not None:
            try:
                contents = [None if each == _NONE else os.pread(each, MOST, 0) for each in descriptors]
            except OSError:  # gone; there may be others by the same names
                self._close(descriptors)
            else:
                self._read[paths] = descriptors
                return contents
        if self._count + len(paths) > self._most or paths in self._read:
            return [read(path) for path in paths]
        return self._open(paths)

    def close(self) -> None:
        """Close all."""
        self._close_unread()
        self._close_unread()

    def _close_unread(self) -> None:
        for descriptors in self._kept.values():
            self._close(descriptors)
        self._kept, self._read = self._read, {}

    def _open(self, paths: tuple[str, ...]) -> Contents:
        opened = [_open(path) for path in paths]
        contents = [content for _, content in opened]
        descriptors = [descriptor for descriptor, _ in opened]
        self._count += _held(descriptors)
        if _held(descriptors):
            self._read[paths] = descriptors
        return contents

    def _close(self, descriptors: list[int]) -> None:
        self._count -= _held(descriptors)
        for each in descriptors:
            if each != _NONE:
                os.close(each)


def _held(descriptors: list[int]) -> int:
    return len(descriptors) - descriptors.count(_NONE)


def _open(path: str) -> tuple[int, bytes | None]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return _NONE, None
    try:
        return descriptor, os.pread(descriptor, MOST, 0)
    except OSError:
        os.close(descriptor)
        return _NONE, None


def spare_files() -> int:
    """How many files this process may keep open for this. Raises its soft limit where the hard one lets it: the usual
    1,024 would be enough for 25 containers.
    """
    if sys.platform == "win32":
        return 0
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _MOST_KEPT
    wanted = _SHARE * _MOST_KEPT
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return min(soft // _SHARE, _MOST_KEPT)
