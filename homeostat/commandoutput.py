"""What a command says: all of it is taken, the end of it is kept."""

import asyncio

#: Of a command's output: enough for the error at the end of any compiler or compose run.
TAIL_BYTES = 64 * 1024


class Output(asyncio.Protocol):
    """The reader of the one pipe that a command's stdout and stderr share: neither fills up, and their order is kept.

    Keeps the last ``TAIL_BYTES`` and no beginning: programs end with what made them fail, and what most of them
    say in all is less. Knows no lines, so none can be too long. ``ended`` is done when nobody holds the pipe any more.
    """

    def __init__(self) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_truncated = False
        self._tail = bytearray()

    def data_received(self, data: bytes) -> None:
        self._tail += data
        # Cut at twice the size: cutting at every chunk would copy the tail each time.
        if len(self._tail) > 2 * TAIL_BYTES:
            self._cut()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.ended.set_result(None)

    def text(self) -> str:
        """What is kept, as text; a character that is cut in two, or none at all, shows as U+FFFD."""
        self._cut()
        return self._tail.decode(errors="replace")

    def _cut(self) -> None:
        if len(self._tail) > TAIL_BYTES:
            self.is_truncated = True
            del self._tail[:-TAIL_BYTES]
