"""Whether a guardian is there: a file system question, and so not one for the event loop at every scrape."""

import asyncio
from pathlib import Path

from homeostat.clock import Clock

_LOOK_S = 10.0


class Presence:
    """Of the guardian's socket. False until :meth:`look` has been awaited for the first time."""

    def __init__(self, socket: Path, clock: Clock) -> None:
        self._socket = socket
        self._clock = clock
        self.is_there = False

    async def look(self) -> None:
        """Once, now."""
        self.is_there = await asyncio.to_thread(self._socket.exists)

    async def run(self) -> None:
        """Again and again, until cancelled."""
        while True:
            await self._clock.sleep(_LOOK_S)
            await self.look()
