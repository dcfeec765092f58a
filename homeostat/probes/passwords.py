"""Passwords out of files, read anew for each connection: who rotates one changes the file only."""

import asyncio
from pathlib import Path

from homeostat.probes.model import CannotLook

_MAX_BYTES = 4096


async def read_password(path: Path | None) -> str:
    """Without the line's end; empty without a file. Raises CannotLook."""
    if path is None:
        return ""
    try:
        return await asyncio.to_thread(_read, path)
    except (OSError, UnicodeDecodeError):
        raise CannotLook("the password file cannot be read") from None


def _read(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_MAX_BYTES).decode().rstrip("\r\n")
