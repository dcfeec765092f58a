"""HTTP/1.1 by hand: a client that sends whatever bytes it is given and reads one answer."""

import contextlib
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass

#: Nothing that homeostat answers may take longer.
WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Answer:
    """``status`` 0: the connection was closed without one."""

    status: int
    head: bytes
    body: bytes
    seconds: float


@dataclass(frozen=True, slots=True)
class Client:
    """One connection for each request. ``headers``: lines that go with every request."""

    host: str
    port: int
    headers: tuple[bytes, ...] = ()

    def send(self, method: bytes, path: bytes, body: bytes = b"", *headers: bytes) -> Answer:
        """With the body's length in the head."""
        length = b"Content-Length: %d" % len(body)
        return self.send_raw(head(method, path, *self.headers, *headers, length), body)

    def send_raw(self, *pieces: bytes, pause_s: float = 0.0, hangs_up: bool = False) -> Answer:
        """Raises TimeoutError when no answer begins and ends in time. ``hangs_up``: nothing more comes from here."""
        start = time.monotonic()
        with socket.create_connection((self.host, self.port), timeout=WITHIN_S) as connection:
            _send(connection, pieces, pause_s)
            if hangs_up:
                with contextlib.suppress(OSError):  # the other side was faster
                    connection.shutdown(socket.SHUT_WR)
            found, content = _receive(connection)
        words = found.split(b" ", 2)
        return Answer(int(words[1]) if len(words) > 1 else 0, found, content, time.monotonic() - start)


def head(method: bytes, path: bytes, *headers: bytes) -> bytes:
    """Up to and with the empty line."""
    lines = (method + b" " + path + b" HTTP/1.1", b"Host: x", b"Connection: close", *headers)
    return b"\r\n".join((*lines, b"", b""))


def chunked(pieces: Iterable[bytes], extension: bytes = b"") -> list[bytes]:
    """A body in chunks, and the chunk that ends it."""
    return [b"%x%s\r\n%s\r\n" % (len(piece), extension, piece) for piece in pieces if piece] + [b"0\r\n\r\n"]


def _send(connection: socket.socket, pieces: tuple[bytes, ...], pause_s: float) -> None:
    for piece in pieces:
        try:
            connection.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):  # answered before all of it was sent
            return
        time.sleep(pause_s)


def _receive(connection: socket.socket) -> tuple[bytes, bytes]:
    """Head and body of the first answer that is not 1xx; what there is of them when the other side closes."""
    data = b""
    while True:
        found, end, rest = data.partition(b"\r\n\r\n")
        if end and found.startswith(b"HTTP/1.1 1"):
            data = rest
        elif end and len(rest) >= _length(found):
            return found, rest[: _length(found)]
        else:
            try:
                more = connection.recv(65536)
            except ConnectionResetError:
                more = b""
            if not more:
                return found, rest
            data += more


def _length(found: bytes) -> int:
    lines = found.lower().split(b"\r\n")
    return next((int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:")), 0)
