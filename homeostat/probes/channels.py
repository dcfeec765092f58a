"""Bytes to and from a connected socket, in the clear or through TLS.

By hand on the loop's socket calls: closing the socket then ends all of it, at any moment, with no goodbye to wait for;
and it costs half of what asyncio's transports do.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")

_READ_BYTES = 64 * 1024


class Channel(Protocol):
    """Both raise OSError. The socket is closed by who opened it."""

    async def send(self, data: bytes) -> None: ...

    async def receive(self) -> bytes:
        """What comes next; empty when the other side has closed."""
        ...


class Clear:
    """No TLS."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._loop = asyncio.get_running_loop()

    async def send(self, data: bytes) -> None:
        await self._loop.sock_sendall(self._sock, data)

    async def receive(self) -> bytes:
        return await self._loop.sock_recv(self._sock, _READ_BYTES)


class Tls:
    """TLS over a channel in the clear. Also raises ssl.SSLError, an OSError."""

    def __init__(self, clear: Clear, context: ssl.SSLContext, host: str) -> None:
        self._clear = clear
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)

    async def shake_hands(self) -> float:
        """When the server's certificate expires, in epoch seconds."""
        await self._drive(self._tls.do_handshake)
        certificate = self._tls.getpeercert() or {}
        return float(ssl.cert_time_to_seconds(str(certificate["notAfter"])))

    async def send(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[await self._drive(lambda: self._tls.write(rest)) :]  # noqa: B023 - called before it changes

    async def receive(self) -> bytes:
        try:
            return await self._drive(lambda: self._tls.read(_READ_BYTES))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):  # closed, with or without a goodbye
            return b""

    async def _drive(self, step: Callable[[], T]) -> T:
        """Repeat ``step`` until it has all that it wants from the other side."""
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                await self._flush()
                if data := await self._clear.receive():
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            else:
                await self._flush()
                return result

    async def _flush(self) -> None:
        if data := self._outgoing.read():
            await self._clear.send(data)
