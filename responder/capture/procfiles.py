"""Files of /proc and cgroups, read with a bound. All calls block: use a thread."""

import os
from pathlib import Path

_MOST_BYTES = 64 * 1024


def read(path: Path, most: int = _MOST_BYTES) -> bytes | None:
    """Its content, at most about ``most`` of it; None when it is gone or not ours to see."""
    try:
        with path.open("rb", buffering=0) as file:
            parts, length = [], 0
            while length < most and (part := file.read(_MOST_BYTES)):
                parts.append(part)
                length += len(part)
            return b"".join(parts)
    except OSError:
        return None


def names_in(folder: Path, most: int) -> list[str] | None:
    """Names in a folder, at most ``most``; None when it is gone or not ours to see."""
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry, _ in zip(entries, range(most), strict=False)]
    except OSError:
        return None


def fields(content: bytes | None) -> dict[str, int]:
    """``name 1``, ``name: 1 kB`` a line: the numbers by name, kB as bytes."""
    found: dict[str, int] = {}
    for line in (content or b"").decode(errors="replace").splitlines():
        name, *rest = line.split() or [""]
        if rest and rest[0].isdecimal():
            found[name.rstrip(":")] = int(rest[0]) * (1024 if rest[1:] == ["kB"] else 1)
    return found


def number(content: bytes | None) -> int | None:
    """The content as one number; None for ``max`` and for nothing."""
    text = (content or b"").strip()
    return int(text) if text.isdigit() else None
