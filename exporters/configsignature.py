"""What tells that a managed file or what it is judged by may have changed: without reading anything, or by reading all
of it without understanding any.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from homeostat.configfiles.reading import hash_of
from homeostat.configfiles.spec import ManagedFile

#: What must be the same for a file to be taken for unchanged; an error number alone where it cannot be looked at. Who
#: sets its modification time, changes its ctime.
_Stat = tuple[float] | tuple[float, tuple[float, ...]]
#: Where they begin in a stat result, after mode, inode, device, links, owner, group and size.
_TIMES = 7


class Signature(tuple[_Stat, ...]):
    """Of the files of :func:`watched_paths`, in that order: made and compared for each file every few seconds."""

    __slots__ = ()

    @property
    def changed_at(self) -> float | None:
        """When bytes, mode or owner of the file last changed, epoch seconds; None where there is none."""
        return self[0][0] if len(self[0]) > 1 else None

    @property
    def versions(self) -> _Stat:
        """Of its history."""
        return self[-1]


def watched_paths(spec: ManagedFile, history: Path) -> tuple[str, ...]:
    """The file, what it has to fit, and ``history``, the file that each new version is told in."""
    others = (spec.schema, spec.example, *spec.compose)
    return tuple(str(path) for path in (spec.path, *others, history) if path is not None)


def signature_of(paths: Sequence[str]) -> Signature:
    try:
        return Signature([(found.st_ctime, found[:_TIMES]) for found in map(os.stat, paths)])
    except OSError:
        return Signature([_stat(path) for path in paths])


def fingerprint_of(paths: Sequence[str]) -> tuple[int | None, ...]:
    """Of all their bytes; only of use in this process. None for what cannot be read."""
    return tuple(hash_of(path) for path in paths)


def _stat(path: str) -> _Stat:
    try:
        found = Path(path).stat()
    except OSError as err:
        return (err.errno or 0,)
    return found.st_ctime, found[:_TIMES]
