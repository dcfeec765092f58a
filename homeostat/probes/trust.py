"""Whose signature on a server's certificate is believed: the system's authorities, or an own file."""

import asyncio
import ssl
from pathlib import Path


class SystemTrust:
    """The system's authorities: read once, by the first that needs them (20 ms and 1 MB)."""

    def __init__(self) -> None:
        self._context: ssl.SSLContext | None = None

    async def context(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = await asyncio.to_thread(ssl.create_default_context)
        return self._context


async def own_trust(ca_file: Path) -> ssl.SSLContext:
    """Only the authorities of ``ca_file``. Raises OSError, also for a file without a certificate."""
    return await asyncio.to_thread(ssl.create_default_context, cafile=str(ca_file))
