"""One file, staged beside its target and put in its place: a reader sees the old bytes or the new, and so does a
crash.
"""

import contextlib
import errno
import re
import secrets
from dataclasses import dataclass, replace
from pathlib import Path

from homeostat.configfiles.attributes import Attributes, give, read_attributes
from homeostat.configfiles.disk import Disk, write_all
from homeostat.configfiles.errors import FileRefused
from homeostat.files import temp_prefix

#: What a rename answers when the target is mounted by itself.
_MOUNTED = frozenset({errno.EBUSY, errno.EXDEV})
#: How a refusal ends; whoever finds that something was changed all the same takes it off.
UNCHANGED = "; nothing was changed"
#: Nothing of a person's ends like this by chance.
_RANDOM = "[0-9a-f]{16}"


@dataclass(frozen=True, slots=True)
class Staged:
    """Bytes that are on disk under ``temp``. ``lost``: attributes that could not be kept, in words."""

    target: Path
    temp: Path
    lost: tuple[str, ...] = ()


def stage(target: Path, data: bytes, attributes: Attributes, disk: Disk) -> Staged:
    """Durable under another name, in the same folder: a rename never copies. Raises FileRefused, and nothing is
    left.
    """
    temp = target.with_name(f"{temp_prefix(target)}{secrets.token_hex(8)}")
    try:
        descriptor = disk.create(temp)
    except OSError as err:
        raise _refused(target, "no file can be made beside it", err) from err
    try:
        try:
            write_all(disk, descriptor, data)
            lost = give(attributes, descriptor, disk)
            disk.sync(descriptor)
        finally:
            disk.close(descriptor)
    except BaseException as err:
        remove(temp, disk)
        if isinstance(err, OSError):
            raise _refused(target, "cannot be written", err) from err
        raise
    return Staged(target, temp, lost)


def put(staged: Staged, disk: Disk) -> None:
    """In the target's place. Raises FileRefused: the target is as it was, and the staged bytes stay where they are."""
    try:
        disk.rename(staged.temp, staged.target)
    except OSError as err:
        raise _refused(staged.target, "cannot be replaced", err) from err


def overwrite(target: Path, data: bytes, attributes: Attributes, disk: Disk) -> None:
    """In place: for a file that is mounted by itself. A reader can see half of it, and a crash leave half of it: only
    with a copy of the old bytes and of the new ones elsewhere. Raises FileRefused.
    """
    try:
        descriptor = disk.open_to_change(target)
        try:
            _give_if_other(attributes, descriptor, disk)
            write_all(disk, descriptor, data)
            disk.truncate(descriptor, len(data))
            disk.sync(descriptor)
        finally:
            disk.close(descriptor)
    except OSError as err:
        raise _refused(target, "cannot be written in place", err) from err


def _give_if_other(wanted: Attributes, descriptor: int, disk: Disk) -> None:
    """Who may write a file may not always change its mode. Its extended attributes stay with it."""
    wanted = replace(wanted, xattrs={})
    if replace(read_attributes(descriptor), xattrs={}) != wanted:
        give(wanted, descriptor, disk)


def remove(temp: Path, disk: Disk) -> None:
    """What is left is swept at the next change."""
    with contextlib.suppress(OSError):
        disk.unlink(temp)


def sweep(target: Path) -> None:
    """What crashes left beside the target. Only while its lock is held."""
    _remove_like(re.compile(re.escape(temp_prefix(target)) + _RANDOM), target.parent)


def sweep_folder(folder: Path) -> None:
    """What crashes left of any file in a folder of ours."""
    _remove_like(re.compile(r"\..+\.homeostat-" + _RANDOM), folder)


def _remove_like(name: re.Pattern[str], folder: Path) -> None:
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if name.fullmatch(path.name):
                with contextlib.suppress(OSError):
                    path.unlink()


def _refused(target: Path, what: str, err: OSError) -> FileRefused:
    return FileRefused(f"{target}: {what}: {err.strerror or err}; {_advice(err)}{UNCHANGED}")


def _advice(err: OSError) -> str:
    if err.errno in _MOUNTED:
        return "it is mounted by itself: mount its folder instead, or set in_place: true"
    match err.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return "free disk space"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return "let homeostat's user write in its folder"
        case errno.ENOENT | errno.ENOTDIR:
            return "make its folder first"
        case _:
            return "see the system's log for the disk"
