"""One HTTP/1.1 response as it comes in (RFC 9112): pure, fed with bytes.

A probe needs a status, a body and the moments when they came, on a connection of its own each time. aiohttp's client
does far more, and costs twice as much (``python -m benchmarks.probes``).
"""

import re
from dataclasses import dataclass, field

#: More of head, or of a line within a chunked body, is no answer to a probe.
_LINES_MAX_BYTES = 64 * 1024
_STATUS = re.compile(rb"HTTP/1\.[0-9] ([1-9][0-9]{2})(?:[ \t][^\r\n]*)?(?:\r?\n|\Z)")
#: What says where the body ends (RFC 9112, 6).
_FRAMING = re.compile(rb"\n(content-length|transfer-encoding):[ \t]*([^\r\n]*)", re.IGNORECASE)
# A lone LF ends a line, too: RFC 9112, 2.2.
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?")
_LENGTH = re.compile(rb"[0-9]{1,18}")
_SWITCHING = 101
_BODILESS = (_SWITCHING, 204, 304)


class NotHttp(ValueError):
    """What came is no HTTP/1.1 response."""


@dataclass(slots=True)
class Response:
    """``status`` is 0 until the final head has come. ``body``: what has come, without the chunks' framing."""

    status: int = 0
    body: bytearray = field(default_factory=bytearray)
    is_complete: bool = False
    _pending: bytearray = field(default_factory=bytearray)
    _is_chunked: bool = False
    #: Of the body, or of the chunk; None for a body that ends with the connection.
    _left: int | None = None
    _is_trailer: bool = False

    def feed(self, data: bytes) -> None:
        """Take what came. Raises NotHttp."""
        self._pending += data
        while not self.status and self._take_head():
            pass
        if not self.status or self.is_complete:
            return
        if self._is_chunked:
            while self._take_of_chunks():
                pass
        else:
            self._move()
            self.is_complete = self._left == 0

    def end(self) -> None:
        """The server has closed. Raises NotHttp when that is too early."""
        if self.is_complete:
            return
        if not self.status and not self._pending:
            raise NotHttp("closed without an answer")
        if not self.status or self._is_chunked or self._left is not None:
            raise NotHttp("closed within the answer")
        self.is_complete = True

    def _take_head(self) -> bool:
        """Whether a head was there."""
        end = _HEAD_END.search(self._pending)
        if end is None or end.end() > _LINES_MAX_BYTES:
            if len(self._pending) > _LINES_MAX_BYTES or not _could_be_http(self._pending):
                raise NotHttp("the answer is not HTTP")
            return False
        head = bytes(self._pending[: end.start()])
        del self._pending[: end.end()]
        match = _STATUS.match(head)
        if match is None:
            raise NotHttp("the answer is not HTTP")
        status = int(match[1])
        if status >= 200 or status == _SWITCHING:  # noqa: PLR2004 - others below only announce (RFC 9110, 15.2)
            self._take_framing(status, head)
        return True

    def _take_framing(self, status: int, head: bytes) -> None:
        fields = {name.lower(): value.rstrip() for name, value in _FRAMING.findall(head)}
        self.status = status
        self._is_chunked = fields.get(b"transfer-encoding", b"").lower().endswith(b"chunked")
        length = fields.get(b"content-length")
        if status in _BODILESS:
            self._is_chunked, self._left, self.is_complete = False, 0, True
        elif self._is_chunked:
            self._left = 0
        elif length is not None:
            if not _LENGTH.fullmatch(length):
                raise NotHttp("the answer is not HTTP")
            self._left = int(length)

    def _move(self) -> int:
        """Of what has come, all that belongs to the body, or to this chunk of it; how much that was."""
        count = len(self._pending) if self._left is None else min(self._left, len(self._pending))
        self.body += self._pending[:count]
        del self._pending[:count]
        if self._left is not None:
            self._left -= count
        return count

    def _take_of_chunks(self) -> bool:
        """Whether there was something to take."""
        if self.is_complete:
            return False
        if self._left:
            return self._move() > 0
        line = self._take_line()
        if line is None:
            return False
        if self._is_trailer:
            self.is_complete = not line
        elif line:  # an empty one ends the chunk before
            match = _CHUNK_SIZE.fullmatch(line)
            if match is None:
                raise NotHttp("the answer is not HTTP")
            self._left = int(match[1], 16)
            self._is_trailer = self._left == 0
        return True

    def _take_line(self) -> bytes | None:
        end = self._pending.find(b"\n")
        if end < 0:
            if len(self._pending) > _LINES_MAX_BYTES:
                raise NotHttp("the answer is not HTTP")
            return None
        line = bytes(self._pending[:end]).removesuffix(b"\r")
        del self._pending[: end + 1]
        return line


def _could_be_http(begun: bytearray) -> bool:
    return b"HTTP/1.".startswith(begun[:7])
