"""The system calls that a change of a file makes, one method each: what each of them may do wrong is tested with a disk
that does it.
"""

import os
import sys
from pathlib import Path

from homeostat import files


class Disk:
    """The real one. Every method raises OSError."""

    def create(self, path: Path) -> int:
        """A new file for us alone, from birth."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        return os.open(path, flags, 0o600)

    def open_to_change(self, path: Path) -> int:
        """The file itself, as it is: nothing is cut off yet."""
        return os.open(path, os.O_WRONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0))

    def write(self, descriptor: int, data: memoryview) -> int:
        return os.write(descriptor, data)

    def truncate(self, descriptor: int, size: int) -> None:
        os.ftruncate(descriptor, size)

    def chmod(self, descriptor: int, mode: int) -> None:
        os.fchmod(descriptor, mode)

    def chown(self, descriptor: int, uid: int, gid: int) -> None:
        os.fchown(descriptor, uid, gid)

    def set_xattr(self, descriptor: int, name: str, value: bytes) -> None:
        if sys.platform == "linux":
            os.setxattr(descriptor, name, value)

    def sync(self, descriptor: int) -> None:
        os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        os.close(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        """Outlasts a short-lived reader on Windows."""
        files.replace(source, target)

    def sync_folder(self, folder: Path) -> None:
        files.sync_folder(folder)

    def unlink(self, path: Path) -> None:
        path.unlink()


def write_all(disk: Disk, descriptor: int, data: bytes) -> None:
    """All of it: a call may write less than it was given."""
    rest = memoryview(data)
    while rest:
        written = disk.write(descriptor, rest)
        if written <= 0:
            raise OSError(5, "the system wrote nothing and reported no error")
        rest = rest[written:]
