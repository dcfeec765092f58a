"""From ``host:port`` to a connected socket, one step at a time."""

import asyncio
import contextlib
import ipaddress
import socket
from typing import Any

import aiohappyeyeballs

from homeostat.threads import run_in_thread

#: As socket.getaddrinfo gives it.
Address = tuple[int, int, int, str, tuple[Any, ...]]

#: Before the next address of a name is tried beside the one before (RFC 8305, 5).
_NEXT_ADDRESS_S = 0.25
_PORT_MAX = 65535


class Dialer:
    """Connects to one place, anew each time."""

    def __init__(self, host: str, port: int) -> None:
        """``host`` is a name or an address. Raises ValueError for a port that cannot be."""
        if not 0 < port <= _PORT_MAX:
            raise ValueError(f"port {port}: allowed: 1 to {_PORT_MAX}")
        self.host = host
        self.port = port
        self._literal = _literal(host, port)
        self._lookup: asyncio.Future[list[Address]] | None = None

    async def resolve(self) -> list[Address]:
        """All its addresses. Raises OSError (socket.gaierror).

        A name is looked up by a thread that nobody can stop: one at most, and none of the pool that all others need.
        """
        if self._literal is not None:
            return [self._literal]
        if self._lookup is None:
            self._lookup = run_in_thread(self._look_up, self._forget)
            self._lookup.add_done_callback(_consume)
        lookup = self._lookup
        await asyncio.wait([lookup])  # unlike awaiting it, giving up does not cancel it
        return lookup.result()

    async def connect(self, addresses: list[Address]) -> socket.socket:
        """Connected to the first that answers. Raises OSError."""
        loop = asyncio.get_running_loop()
        if len(addresses) > 1:
            return await aiohappyeyeballs.start_connection(
                addresses, happy_eyeballs_delay=_NEXT_ADDRESS_S, interleave=1, loop=loop
            )
        family, kind, protocol, _, address = addresses[0]
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            await loop.sock_connect(sock, address)
        except BaseException:  # cancelled, too
            sock.close()
            raise
        return sock

    def _look_up(self) -> list[Address]:
        return [*socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)]

    def _forget(self) -> None:
        self._lookup = None


def _literal(host: str, port: int) -> Address | None:
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).version == 4:  # noqa: PLR2004 - IPv4
            return socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port)
        return socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port, 0, 0)
    return None


def _consume(lookup: "asyncio.Future[list[Address]]") -> None:
    """Its error is nobody's business once all that waited have given up."""
    if not lookup.cancelled():
        lookup.exception()
