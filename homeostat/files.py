"""Crash-safe files: a reader sees the old content or the new, never anything else; and one owner per folder.

Temp beside the target, O_EXCL, its final mode from birth, fsync, rename, fsync of the folder: without the
first fsync a power loss leaves an empty file, without the second one the old name (LWN 457667).
"""

import contextlib
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from homeostat.errors import Temporary

#: A virus scanner or an indexer holds the target open; CPython opens without FILE_SHARE_DELETE.
_WINDOWS_BUSY = frozenset({5, 32, 33})
#: About 2.5 s in all: longer than a scanner takes, shorter than anybody waits.
_WINDOWS_DELAYS_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)
#: Windows locks are mandatory: the locked byte lies where nobody reads.
_LOCK_BYTE = 1 << 30


class Locked(Temporary):
    """Somebody else holds the lock; the message names the file and the holder."""


def write_atomic(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Replace ``path`` by ``data`` with exactly ``mode``, durably. A symbolic link is followed, not replaced.

    Raises OSError with the old content intact. Blocks for two fsyncs (1 to 30 ms): call it in a thread.
    """
    target = Path(os.path.realpath(path))
    temp = target.with_name(f"{temp_prefix(target)}{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(temp, flags, mode)
    try:
        try:
            if sys.platform != "win32":
                os.fchmod(descriptor, mode)  # past the umask; never wider than asked before
            write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        replace(temp, target)
    except BaseException:
        with contextlib.suppress(OSError):
            temp.unlink()
        raise
    sync_folder(target.parent)


def remove_stale(path: Path) -> None:
    """Remove what a crash inside :func:`write_atomic` of ``path`` left. Only for the one who may write."""
    target = Path(os.path.realpath(path))
    prefix = temp_prefix(target)
    for temp in target.parent.iterdir():
        if temp.name.startswith(prefix):
            temp.unlink(missing_ok=True)


def replace(
    source: Path,
    target: Path,
    rename: Callable[[Path, Path], None] = os.replace,
    sleep: Callable[[float], None] = time.sleep,  # noqa: TID251 - synchronous, for threads; Clock cannot
) -> None:
    """os.replace that outlasts a short-lived reader on Windows (errors 5, 32 and 33 only, bounded)."""
    for delay_s in _WINDOWS_DELAYS_S:
        try:
            return rename(source, target)
        except OSError as err:
            if getattr(err, "winerror", None) not in _WINDOWS_BUSY:
                raise
            sleep(delay_s)
    return rename(source, target)


@contextlib.contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold ``path`` alone, on this machine, while the block runs; the kernel frees it when we die.

    Raises Locked at once when somebody else holds it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            _lock_now(descriptor)
        except OSError as err:
            holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            raise Locked(f"{path} is held by process {holder}") from err
        os.ftruncate(descriptor, 0)
        write_all(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)


def _lock_now(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - Windows only

        os.lseek(descriptor, _LOCK_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
    else:
        import fcntl  # noqa: PLC0415 - POSIX only

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def temp_prefix(target: Path) -> str:
    """What the names of files begin with that are to replace ``target``."""
    return f".{target.name}.homeostat-"


def write_all(descriptor: int, data: bytes) -> None:
    """All of it: a call may write less than it was given. Raises OSError."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def sync_folder(folder: Path) -> None:
    """Make renames within it outlast a power loss. Raises OSError."""
    if sys.platform == "win32":
        return  # a folder cannot be opened there; NTFS journals the rename itself
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
