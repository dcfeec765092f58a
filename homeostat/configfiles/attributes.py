"""What a file is besides its bytes: mode, owner, extended attributes (ACLs and SELinux labels among them)."""

import errno
import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from homeostat.configfiles.disk import Disk

#: What a file system answers that has no such attributes, or not for us.
_UNSUPPORTED = frozenset({errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENODATA, errno.EPERM, errno.EACCES, errno.EINVAL})


@dataclass(frozen=True, slots=True)
class Attributes:
    """``mode``: permission bits. ``uid``, ``gid``: -1 where the system has none."""

    mode: int
    uid: int = -1
    gid: int = -1
    xattrs: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))


def read_attributes(descriptor: int) -> Attributes:
    """Of an open file. Raises OSError."""
    status = os.fstat(descriptor)
    if sys.platform == "win32":
        return Attributes(stat.S_IMODE(status.st_mode))
    return Attributes(stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, _xattrs(descriptor))


def _xattrs(descriptor: int) -> Mapping[str, bytes]:
    if sys.platform != "linux":
        return {}
    try:
        return {name: os.getxattr(descriptor, name) for name in os.listxattr(descriptor)}
    except OSError as err:
        if err.errno in _UNSUPPORTED:
            return {}
        raise


def give(attributes: Attributes, descriptor: int, disk: Disk) -> tuple[str, ...]:
    """Make an open file of ours the same. What could not be kept, in words: an owner needs root, a label its right.

    The owner comes first: changing it takes set-id bits from the mode. Raises OSError for the mode.
    """
    if sys.platform == "win32":
        return ()
    lost = []
    now = os.fstat(descriptor)
    if (attributes.uid, attributes.gid) not in {(-1, -1), (now.st_uid, now.st_gid)}:
        try:
            disk.chown(descriptor, attributes.uid, attributes.gid)
        except OSError as err:
            # Of a user namespace that does not have this owner, or a file system without owners, too.
            if err.errno not in _UNSUPPORTED:
                raise
            lost.append(f"owner {attributes.uid}:{attributes.gid} (only root can give a file away)")
    for name, value in attributes.xattrs.items():
        try:
            disk.set_xattr(descriptor, name, value)
        except OSError as err:
            if err.errno not in _UNSUPPORTED:
                raise
            lost.append(f"attribute {name}")
    disk.chmod(descriptor, _mode(attributes, lost))
    return tuple(lost)


def _mode(attributes: Attributes, lost: list[str]) -> int:
    """Without the owner, what group and set-id bits meant is no longer so: they are dropped rather than widened."""
    return attributes.mode & 0o707 if any(each.startswith("owner") for each in lost) else attributes.mode
