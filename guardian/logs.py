"""One log file for each process, bounded in size. Files, not pipes: a process has to outlive the guardian."""

import contextlib
import os
from pathlib import Path
from typing import BinaryIO

MAX_BYTES = 10 * 2**20
_CHUNK_BYTES = 64 * 1024


def folder(state_dir: Path) -> Path:
    return state_dir / "logs"


def log_path(state_dir: Path, name: str) -> Path:
    return folder(state_dir) / f"{name}.log"


def rotate(path: Path, max_bytes: int = MAX_BYTES) -> None:
    """Before a start, when nobody writes: a file that is too large becomes ``.1``."""
    if _size(path) > max_bytes:
        path.replace(_previous(path))


def bound(state_dir: Path, max_bytes: int = MAX_BYTES) -> list[Path]:
    """While processes write: cut all logs that are too large; which ones."""
    too_large = [path for path in folder(state_dir).glob("*.log") if _size(path) > max_bytes]
    for path in too_large:
        copy_truncate(path, max_bytes)
    return too_large


def copy_truncate(path: Path, max_bytes: int = MAX_BYTES) -> None:
    """Move the newest ``max_bytes`` to ``.1``, drop the rest.

    The writer appends, so it goes on at the new end. What it writes in between is lost (as with
    logrotate's copytruncate). On Windows appending is the writer's own affair: it may leave a gap.
    """
    with path.open("rb+") as source:
        try:
            source.seek(-min(_size(path), max_bytes), os.SEEK_END)
            descriptor = os.open(_previous(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as kept:
                _copy(source, kept, max_bytes)
        finally:
            source.truncate(0)  # above all on a full disk


def _copy(source: BinaryIO, target: BinaryIO, size: int) -> None:
    # By size, not to the end: a fast writer has no end.
    while size > 0 and (chunk := source.read(min(_CHUNK_BYTES, size))):
        target.write(chunk)
        size -= len(chunk)


def _previous(path: Path) -> Path:
    return path.with_name(f"{path.name}.1")


def _size(path: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_size
    return 0
