"""One log file for each process, bounded in size. Files, not pipes: a process has to outlive the guardian."""

import contextlib
import os
from pathlib import Path
from typing import BinaryIO

MAX_BYTES = 10 * 2**20
_CHUNK_BYTES = 64 * 1024


def log_path(state_dir: Path, name: str) -> Path:
    return state_dir / "logs" / f"{name}.log"


def rotate(path: Path, max_bytes: int = MAX_BYTES) -> bool:
    """Before a start, when nobody writes: a file that is too large becomes ``.1``; whether it did."""
    if _size(path) <= max_bytes:
        return False
    path.replace(_previous(path))
    return True


def copy_truncate(path: Path, max_bytes: int = MAX_BYTES) -> bool:
    """While the process writes: the newest ``max_bytes`` of a file that is too large go to ``.1``; whether they did.

    The writer appends, so it goes on at the new end. What it writes in between is lost (as with
    logrotate's copytruncate); so is what is older than the kept part.
    """
    size = _size(path)
    if size <= max_bytes:
        return False
    with path.open("rb+") as source:
        try:
            with _previous(path).open("wb", opener=_private) as kept:
                source.seek(size - max_bytes)
                _copy(source, kept, max_bytes)
        finally:
            source.truncate(0)  # above all on a full disk
    return True


def _copy(source: BinaryIO, target: BinaryIO, size: int) -> None:
    # By size, not to the end: a fast writer has no end.
    while size > 0 and (chunk := source.read(min(_CHUNK_BYTES, size))):
        target.write(chunk)
        size -= len(chunk)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _previous(path: Path) -> Path:
    return path.with_name(f"{path.name}.1")


def _size(path: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_size
    return 0
