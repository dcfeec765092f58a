"""The way to where a restored file belongs: what stands in it is moved aside for people to look at, never written
through.

A symbolic link that leads elsewhere than when the last good version was accepted may be anybody's: who may write in the
folder could have the file of his choice overwritten by who restores.
"""

import time
from pathlib import Path

from homeostat.configfiles.disk import Disk
from homeostat.configfiles.errors import FileRefused
from homeostat.configfiles.reading import read
from homeostat.configfiles.spec import ManagedFile
from homeostat.configfiles.text import MAX_BYTES
from homeostat.configfiles.versions import Version


def clear_way(spec: ManagedFile, good: Version, now: float, disk: Disk) -> Path:
    """Where the good version belongs; nothing but a plain file that can be read is there afterwards. Raises
    FileRefused.
    """
    target = Path(good.target or spec.path)
    if target != spec.path and not _leads_to(spec.path, target):
        _move_aside(spec.path, now, disk)
        spec.path.symlink_to(target)
    if _is_in_the_way(target):
        _move_aside(target, now, disk)
    return target


def _leads_to(link: Path, target: Path) -> bool:
    try:
        return link.is_symlink() and link.resolve() == target
    except (OSError, RuntimeError):  # in a circle
        return False


def _is_in_the_way(target: Path) -> bool:
    """A folder, a link, a pipe; a file that cannot be read, or is too large to be kept as a version."""
    if target.is_symlink():
        return True
    try:
        found = read(target)
    except FileRefused:
        return True
    return found is not None and len(found.raw) > MAX_BYTES


def _move_aside(path: Path, now: float, disk: Disk) -> None:
    aside = path.with_name(f"{path.name}.homeostat-aside-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}")
    try:
        disk.rename(path, aside)
    except FileNotFoundError:
        return
    except OSError as err:
        raise FileRefused(f"{path}: is in the way, and cannot be moved aside: {err.strerror or err}") from err
