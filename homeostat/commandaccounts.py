"""Whom a process runs as."""

import os
import sys
from dataclasses import dataclass

from homeostat.errors import NotFound, NotSupported


@dataclass(frozen=True, slots=True)
class Account:
    """A POSIX user to run as."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str


def account(name: str) -> Account | None:
    """The user to switch to; None when we are that user. Raises NotFound, NotSupported."""
    if sys.platform == "win32":
        raise NotSupported(f"user {name!r}: processes run as the guardian's own user on Windows")
    import pwd  # noqa: PLC0415 - POSIX only

    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise NotFound(f"user {name!r}: no such user") from None
    if entry.pw_uid == os.geteuid():
        return None
    if os.geteuid() != 0:
        raise NotSupported(f"user {name!r}: only root may start processes of other users")
    groups = tuple(os.getgrouplist(name, entry.pw_gid))
    return Account(name, entry.pw_uid, entry.pw_gid, groups, entry.pw_dir)
