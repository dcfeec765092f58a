"""Reading a managed file: what is there, of what kind, with what attributes; never more than a configuration has."""

import hashlib
import os
import stat
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from homeostat.configfiles.attributes import Attributes, read_attributes
from homeostat.configfiles.errors import FileRefused
from homeostat.configfiles.text import MAX_BYTES

_CHUNK = 1 << 16
#: A FIFO would wait for its writer.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class Symlinks(StrEnum):
    """What a symbolic link at the path means: the file that it leads to is managed, or nothing is."""

    FOLLOW = "follow"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Found:
    """A file as it was at one moment. ``raw`` is cut one byte after :data:`MAX_BYTES`."""

    raw: bytes
    attributes: Attributes
    #: When bytes, mode or owner last changed (ctime; who changes mtime cannot change this), Unix time.
    changed_at: float = 0.0

    @property
    def digest(self) -> str:
        return digest_of(self.raw)


def digest_of(raw: bytes) -> str:
    """SHA-256 in hex: the name of a content."""
    return hashlib.sha256(raw).hexdigest()


def resolve(path: Path, symlinks: Symlinks) -> Path:
    """The file that is to be read and replaced. Raises FileRefused; a link is never replaced by a file."""
    if not path.is_symlink():
        return path
    if symlinks is Symlinks.REFUSE:
        raise FileRefused(f"{path}: is a symbolic link, and symlinks is refuse; name the file itself, or allow follow")
    try:
        return path.resolve(strict=True)
    except (OSError, RuntimeError) as err:
        problem = getattr(err, "strerror", None) or "goes round in a circle"
        raise FileRefused(f"{path}: the symbolic link leads nowhere ({problem}); mend the link") from None


def read(target: Path) -> Found | None:
    """None when there is no file. Raises FileRefused: no plain file, or not readable by us."""
    try:
        descriptor = os.open(target, _FLAGS)
    except FileNotFoundError:
        return None
    except IsADirectoryError:
        raise _no_file(target, "a folder") from None
    except OSError as err:
        # Windows refuses to open a folder as if it were a matter of rights.
        if target.is_dir():
            raise _no_file(target, "a folder") from None
        raise FileRefused(f"{target}: cannot be read: {err.strerror}; let homeostat's user read it") from None
    try:
        return _read_open(target, descriptor)
    except OSError as err:
        raise FileRefused(f"{target}: cannot be read: {err.strerror}") from None
    finally:
        os.close(descriptor)


def hash_of(path: str) -> int | None:
    """Of its bytes, to compare with an earlier one of the same process; None when they cannot be read.

    SipHash with a key of this process's own, which Python has for its dictionaries: a third of the time of SHA-256, and
    nobody who does not know the key can make other bytes of the same hash (Aumasson, Bernstein 2012).
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError:
        return None
    try:
        status = os.fstat(descriptor)
        return hash(os.read(descriptor, min(status.st_size, MAX_BYTES) + 1)) if stat.S_ISREG(status.st_mode) else None
    except OSError:
        return None
    finally:
        os.close(descriptor)


def read_bytes(path: Path) -> bytes | None:
    """Of a file that another one must fit; None when there is none. Raises FileRefused."""
    found = read(path)
    return found.raw if found else None


def _read_open(target: Path, descriptor: int) -> Found:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise _no_file(target, "a folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "no plain file")
    raw = bytearray()
    while len(raw) <= MAX_BYTES and (chunk := os.read(descriptor, _CHUNK)):
        raw += chunk
    return Found(bytes(raw[: MAX_BYTES + 1]), read_attributes(descriptor), os.fstat(descriptor).st_ctime)


def _no_file(target: Path, what: str) -> FileRefused:
    return FileRefused(f"{target}: is {what}; allowed: a plain file (move it away, then restore the last good version)")
