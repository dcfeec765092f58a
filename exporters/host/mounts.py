"""Which filesystems the host has, and where each can be asked from here: also from inside a container.

A container has a mount namespace of its own. The table of process 1 tells the host's mounts to everybody (in a
container: with ``pid: host``), but only root with SYS_PTRACE may walk through ``/proc/1/root``. What is asked is a
filesystem, not a path: any mount of the same device in the own namespace answers for it, such as the settings folder or
``/etc/hosts``, which Docker mounts from its data folder.

Sources: proc_pid_mountinfo(5); kernel, Documentation/filesystems/sharedsubtree.rst.
"""

import os
import re
import select
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from exporters.host.sample import Place

#: On this machine's own disks. Left out: pseudo filesystems, overlay, tmpfs (it is memory: shmem), images that are
#: always full (squashfs, iso9660), and what another machine or process serves (NFS, CIFS, 9p, FUSE): that may hang.
LOCAL = frozenset(
    {"apfs", "bcachefs", "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "hfsplus", "jfs", "msdos"}
    | {"nilfs2", "ntfs", "ntfs3", "reiserfs", "ufs", "vfat", "xfs", "zfs"}
)
#: Mounted per container by Docker's drivers (ZFS, device mapper): told per container, and the names never come again.
_PER_CONTAINER = re.compile(r"[0-9a-f]{32}")
_ESCAPE = re.compile(rb"\\([0-7]{3})")
_PART = 1 << 16


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of mountinfo. ``device``: ``major:minor``, the same in all namespaces. ``root``: of it, what is seen."""

    device: str
    root: str
    mountpoint: str
    fstype: str
    is_readonly: bool


class MountTable:
    """A mountinfo file, read again only when the kernel says that it has changed: it is the longest file of all."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd: int | None = None
        self._changes = select.poll()
        self._mounts: tuple[Mount, ...] | None = None

    def read(self) -> tuple[Mount, ...] | None:
        """The same object while nothing has changed; None when it may not be read."""
        if self._fd is None:
            try:
                self._fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                return None
            self._changes.register(self._fd, select.POLLERR | select.POLLPRI)
        if self._changes.poll(0) or self._mounts is None:
            self._mounts = tuple(parse(self._content(self._fd)))
        return self._mounts

    def _content(self, fd: int) -> bytes:
        os.lseek(fd, 0, os.SEEK_SET)
        return b"".join(iter(lambda: os.read(fd, _PART), b""))


def parse(mountinfo: bytes) -> Iterator[Mount]:
    """Its lines, in order. What cannot be understood is left out."""
    for line in mountinfo.splitlines():
        left, _, right = line.partition(b" - ")
        own, of_filesystem = left.split(b" "), right.split(b" ")
        if len(own) < 6 or len(of_filesystem) < 3:  # noqa: PLR2004 - the fields that are always there
            continue
        yield Mount(
            device=own[2].decode(),
            root=_unescape(own[3]),
            mountpoint=_unescape(own[4]),
            fstype=of_filesystem[0].decode(errors="replace"),
            # The filesystem's, not the mount's: what an error or an administrator made of it, whoever looks.
            is_readonly=b"ro" in of_filesystem[2].split(b","),
        )


def places(host: Iterable[Mount], own: Iterable[Mount], host_root: str) -> tuple[Place, ...]:
    """Each local filesystem of ``host`` once, by the mount that shows most of it.

    ``own``: mounts that can be asked directly. ``host_root``: the host's root folder, as seen from here.
    """
    reachable: dict[str, list[str]] = {}
    for mount in _visible(own):
        reachable.setdefault(mount.device, []).append(mount.mountpoint)
    best: dict[str, Mount] = {}
    for mount in _visible(host):
        if mount.fstype in LOCAL and not _PER_CONTAINER.search(mount.mountpoint):
            best[mount.device] = min(best.get(mount.device, mount), mount, key=_how_partial)
    return tuple(
        Place(
            mount.mountpoint,
            mount.fstype,
            mount.is_readonly,
            (*_nearest(mount, reachable.get(device, [])), f"{host_root}{mount.mountpoint}"),
        )
        for device, mount in best.items()
    )


def _nearest(mount: Mount, here: list[str]) -> list[str]:
    """One of the places ``here`` that show the same filesystem; its own mountpoint when that is among them."""
    return [mount.mountpoint] if mount.mountpoint in here else here[:1]


def _visible(mounts: Iterable[Mount]) -> Iterable[Mount]:
    """Without those that another one was mounted over."""
    return {mount.mountpoint: mount for mount in mounts}.values()


def _how_partial(mount: Mount) -> tuple[bool, int, str]:
    """Least for the whole filesystem at the shortest path: the others are bind mounts and subvolumes of it."""
    return mount.root != "/", len(mount.mountpoint), mount.mountpoint


def _unescape(path: bytes) -> str:
    return os.fsdecode(_ESCAPE.sub(lambda match: bytes([int(match[1], 8)]), path))
