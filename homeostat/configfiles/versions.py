"""Versions of one managed file: contents by their SHA-256, and a manifest that says when, who, why, and whether it
was good.

``objects/<sha256>`` is written before anything names it. ``manifest.jsonl`` is only ever appended to, a checksum on
each line; what a crash or a bad disk takes from it is made good from the objects (:attr:`Origin.REBUILT`). Not for
several at once: whoever writes holds the lock of all managed files.
"""

import contextlib
import errno
import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from homeostat import files
from homeostat.configfiles.errors import FileRefused
from homeostat.configfiles.reading import digest_of

#: A line has about 400 bytes: the manifest is looked through for what is to go when it has twice what is kept.
_LINE_BYTES = 400
_SLACK = 2
_DIGEST = re.compile("[0-9a-f]{64}")
_CHECK = 16
_TAIL_BYTES = 1 << 16
#: Not there, or a bad disk.
_LOST = frozenset({errno.ENOENT, errno.EIO})


class Origin(StrEnum):
    """How a version came about."""

    CHANGED = "changed"
    ROLLED_BACK = "rolled_back"
    RESTORED = "restored"
    #: Found valid on disk: the first one, or one that others made.
    SEEN = "seen"
    #: A person said that what others made is right.
    ACCEPTED = "accepted"
    #: What others had made of it, kept when it was replaced.
    FOUND = "found"
    #: The manifest had lost it; whether it is good is to be found out.
    REBUILT = "rebuilt"


@dataclass(frozen=True, slots=True)
class Version:
    """``number``: from 1, in the order of the manifest; 0 for one that is not in it yet. ``is_good``: valid, and
    meant to be so. ``change``: of which change, as several files may change together.
    """

    at: float
    digest: str
    size: int
    mode: int
    origin: Origin
    is_good: bool
    who: str = ""
    why: str = ""
    problems: tuple[str, ...] = ()
    change: str = ""
    number: int = 0
    uid: int = -1
    gid: int = -1
    #: Of :attr:`Origin.FOUND`: since when it was so, as the file's own times say.
    since: float = 0.0
    #: The file itself, where the path is a link; empty where that is not known.
    target: str = ""


class Versions:
    """In ``folder``, which is made when the first version is. Raises OSError, and FileRefused where said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._objects = folder / "objects"
        self.manifest = folder / "manifest.jsonl"

    # Contents.

    def keep(self, raw: bytes) -> str:
        """Durable, by its digest."""
        digest = digest_of(raw)
        path = self._objects / digest
        self._objects.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._has(path, digest):
            os.utime(path)  # the newest one counts, should the manifest be lost
            files.sync_folder(self._objects)  # who wrote it may have died before
        else:
            files.write_atomic(path, raw)
        return digest

    def content(self, digest: str) -> bytes:
        """Raises FileRefused when it is gone or no longer what it was."""
        path = self._objects / digest
        try:
            raw = path.read_bytes()
        except OSError as err:
            raise FileRefused(f"{path}: the content of a version cannot be read: {err.strerror}; take another") from err
        if digest_of(raw) != digest:
            raise FileRefused(f"{path}: the content of a version is damaged; take another version")
        return raw

    def has(self, digest: str) -> bool:
        """Whether its content is there, and whole."""
        return self._has(self._objects / digest, digest)

    def _has(self, path: Path, digest: str) -> bool:
        try:
            return digest_of(path.read_bytes()) == digest
        except OSError:
            return False

    # The manifest.

    def append(self, version: Version) -> Version:
        """Durable; returned with its number."""
        numbered = replace(version, number=self._next(version.digest))
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        descriptor = os.open(self.manifest, flags, 0o600)
        try:
            _cut_torn(descriptor)
            files.write_all(descriptor, _line(numbered))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if numbered.number == 1:
            files.sync_folder(self.folder)
        return numbered

    def _next(self, digest: str) -> int:
        """The number of a version of this content. A manifest that is lost is written anew first, of what else is
        left.
        """
        last, damaged_since = self._tail()
        if last is not None:
            return last.number + damaged_since + 1
        lost = [each for each in self.all() if each.digest != digest]
        if lost:
            numbered = [replace(each, number=number) for number, each in enumerate(lost, 1)]
            files.write_atomic(self.manifest, b"".join(_line(each) for each in numbered))
        return len(lost) + 1

    def last(self) -> Version | None:
        """The newest entry that can be read."""
        return self._tail()[0]

    def _tail(self) -> tuple[Version | None, int]:
        """The newest entry, and how many damaged ones follow it."""
        for most in (_TAIL_BYTES, None):
            *lines, _ = self._bytes(most).split(b"\n")
            for damaged, line in enumerate(reversed(lines)):
                if version := _parse(line):
                    return version, damaged
        return None, 0

    def has_change(self, change: str) -> bool:
        """Whether a version of that change is recorded."""
        lines = [line for line in self._bytes().split(b"\n") if change.encode() in line]
        return any(version is not None and version.change == change for version in map(_parse, lines))

    def all(self) -> list[Version]:
        """In order. Where the manifest is damaged, contents that no line names take the numbers that are missing, the
        newest ones first.
        """
        known, is_whole = self._lines()
        if is_whole:
            return known
        lost = self._unnamed({version.digest for version in known})
        named = {version.number for version in known}
        last, damaged_since = self._tail()
        newest = last.number + damaged_since if last else len(lost)
        free = [number for number in range(1, newest + 1) if number not in named]
        found = [replace(each, number=number) for number, each in zip(reversed(free), reversed(lost), strict=False)]
        return sorted(known + found, key=lambda version: version.number)

    def _lines(self) -> tuple[list[Version], bool]:
        """What can be read, and whether that is all. A last line without its end was being written: it says nothing
        yet.
        """
        *lines, _ = self._bytes().split(b"\n")
        found = [_parse(line) for line in lines if line]
        known = [version for version in found if version is not None]
        return known, bool(known) and len(known) == len(found)

    def _bytes(self, most: int | None = None) -> bytes:
        """The manifest, or its end; nothing where it is lost. Raises FileRefused where that is not for us to say."""
        try:
            with self.manifest.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - most) if most else 0)
                return file.read()
        except OSError as err:
            if err.errno in _LOST:
                return b""
            raise FileRefused(
                f"{self.manifest}: cannot be read: {err.strerror or err}; let homeostat's user read it"
            ) from err

    def damaged_lines(self) -> list[int]:
        """Numbers, from 1, of the manifest's lines that are not as they were written. Raises OSError.

        A last line without its end was being written when something died: it said nothing yet.
        """
        *lines, _ = self.manifest.read_bytes().split(b"\n")
        return [number for number, line in enumerate(lines, 1) if line and _body_of(line) is None]

    def _unnamed(self, named: set[str]) -> list[Version]:
        found = []
        with contextlib.suppress(OSError):
            for path in self._objects.iterdir():
                if _DIGEST.fullmatch(path.name) and path.name not in named:
                    status = path.stat()
                    found.append(Version(status.st_mtime, path.name, status.st_size, 0, Origin.REBUILT, is_good=False))
        return sorted(found, key=lambda version: version.at)

    # Retention.

    def prune(self, keep: int, not_before: float) -> None:
        """Forget what is more than ``keep`` ago or older than ``not_before``; never the last good one, nor the
        newest.
        """
        if not self._is_due(keep, not_before):
            return
        every = self.all()
        kept = _kept(every, keep, not_before)
        files.write_atomic(self.manifest, b"".join(_line(version) for version in kept))
        for version in self._unnamed({version.digest for version in kept}):
            with contextlib.suppress(OSError):
                (self._objects / version.digest).unlink()

    def _is_due(self, keep: int, not_before: float) -> bool:
        try:
            with self.manifest.open("rb") as file:
                oldest = _parse(file.readline())
                size = file.seek(0, os.SEEK_END)
        except OSError:
            return False
        return size > keep * _LINE_BYTES * _SLACK or (oldest is not None and oldest.at < not_before)


def _kept(every: Sequence[Version], keep: int, not_before: float) -> list[Version]:
    good = [version for version in every if version.is_good]
    always = {version.number for version in (*good[-1:], *every[-1:])}
    recent = {version.number for version in every[-keep:] if version.at >= not_before}
    return [version for version in every if version.number in always | recent]


def _line(version: Version) -> bytes:
    body = json.dumps(asdict(version), separators=(",", ":")).encode()
    return _check_of(body) + b" " + body + b"\n"


def _check_of(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest()[:_CHECK].encode()


def _parse(line: bytes) -> Version | None:
    """None for what is damaged."""
    if (body := _body_of(line.rstrip(b"\n"))) is None:
        return None
    try:
        return version_of(json.loads(body))
    except (ValueError, LookupError, TypeError):  # whole, but of a later homeostat
        return None


def _body_of(line: bytes) -> bytes | None:
    """What its checksum stands for; None where it does not."""
    check, _, body = line.partition(b" ")
    return body if check == _check_of(body) else None


def version_of(fields: Mapping[str, Any]) -> Version:
    """From what ``asdict`` made of it, by way of JSON. Raises ValueError, LookupError or TypeError."""
    return Version(**{**fields, "origin": Origin(fields["origin"]), "problems": tuple(fields["problems"])})


def _cut_torn(descriptor: int) -> None:
    """A last line without its end: of one who died, and was told nothing, before it was there."""
    size = end = os.lseek(descriptor, 0, os.SEEK_END)
    while end > 0:
        begin = max(0, end - _TAIL_BYTES)
        os.lseek(descriptor, begin, os.SEEK_SET)
        newline = os.read(descriptor, end - begin).rfind(b"\n")
        end = begin + newline + 1
        if newline >= 0:
            break
    if end < size:
        os.ftruncate(descriptor, end)
