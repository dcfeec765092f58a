"""Disks that fail at one of their calls, as homeostat.configfiles.disk.Disk says that any of them may."""

import errno
import os
from collections.abc import Callable

from homeostat.configfiles.disk import Disk

#: Of Disk, those that a fault can be wished for.
METHODS = (
    "create",
    "open_to_change",
    "write",
    "truncate",
    "chmod",
    "chown",
    "set_xattr",
    "sync",
    "close",
    "rename",
    "sync_folder",
    "unlink",
)


class FailingDisk(Disk):
    """``at``: which of all calls fails, from 0; or of those to ``only`` some methods. ``lasts``: and each after it."""

    def __init__(
        self, at: int, number: int = errno.EIO, only: tuple[str, ...] = METHODS, *, lasts: bool = False
    ) -> None:
        self._at, self._number, self._only, self._lasts = at, number, only, lasts
        self.calls: list[str] = []

    def __getattribute__(self, name: str) -> object:
        real = super().__getattribute__(name)
        return self._watched(name, real) if name in METHODS else real

    def _watched(self, name: str, real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            if name not in self._only:
                return real(*arguments)
            self.calls.append(name)
            now = len(self.calls) - 1
            if now != self._at and not (self._lasts and now > self._at):
                return real(*arguments)
            if name == "close":
                real(*arguments)
            raise OSError(self._number, os.strerror(self._number))

        return call


class ShortDisk(Disk):
    """Writes three bytes at a time."""

    def write(self, descriptor: int, data: memoryview) -> int:
        return super().write(descriptor, data[:3])
