"""What a probe needs of Redis's protocol, RESP2: commands out, short replies in.

Not redis-py: importing it takes 7.5 MB for PING and INFO, and a check that is cancelled must be sure of what is left.
"""

import re
import socket

from homeostat.probes.channels import Clear
from homeostat.probes.model import Bad

#: INFO with all sections of a large server is some 20 KB.
_REPLY_MAX_BYTES = 1024 * 1024
_LINE = re.compile(rb"([-+:$])([^\r\n]*)\r\n")
# The first words of error replies that Redis and Valkey have. Others are not repeated: they may be anything.
_CODES = frozenset(
    {"BUSY", "CLUSTERDOWN", "DENIED", "ERR", "LOADING", "MASTERDOWN", "MISCONF", "NOAUTH", "NOPERM", "OOM", "WRONGPASS"}
)


class Refused(Exception):
    """An error reply. ``code``: its first word, where that is one of Redis's own; ``str()`` never holds the rest."""

    def __init__(self, text: str) -> None:
        word = text.partition(" ")[0]
        self.code = word if word in _CODES else ""
        self.is_full = "max number of clients reached" in text
        super().__init__(self.code)


class Link:
    """One connection. Not to be used again after anything but Refused was raised in the middle of a call."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._channel = Clear(sock)
        self._received = bytearray()

    async def call(self, *words: str) -> str:
        """The reply, as text. Raises Refused, OSError, Bad for what is no reply."""
        parts = [word.encode() for word in words]
        await self._channel.send(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
        while (reply := self._take_reply()) is None:
            data = await self._channel.receive()
            if not data:
                raise ConnectionResetError
            self._received += data
            if len(self._received) > _REPLY_MAX_BYTES:
                raise Bad("the answer is not Redis's")
        return reply

    def close(self) -> None:
        self._sock.close()

    def _take_reply(self) -> str | None:
        """None while it is not all there."""
        line = _LINE.match(self._received)
        if line is None:
            if self._received and self._received[0] not in b"-+:$":
                raise Bad("the answer is not Redis's")
            return None
        kind, text = line[1], line[2].decode(errors="replace")
        end = line.end()
        if kind == b"$":
            if not text.isdecimal() or int(text) > _REPLY_MAX_BYTES:
                raise Bad("the answer is not Redis's")
            start, end = end, end + int(text) + 2
            if len(self._received) < end:
                return None
            text = self._received[start : end - 2].decode(errors="replace")
        del self._received[:end]
        if kind == b"-":
            raise Refused(text)
        return text
