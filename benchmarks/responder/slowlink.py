"""A slow network: a relay between two processes that passes bytes on late, or for a time not at all."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

_CHUNK = 64 * 1024
#: Chunks under way in one direction; beyond them the sender has to wait.
_MOST = 64


@dataclass(slots=True)
class SlowLink:
    """To ``target_port`` on loopback. A chunk is ``delay_s`` under way, and up to ``jitter_s`` more; order is kept."""

    target_port: int
    delay_s: float
    jitter_s: float
    rng: random.Random
    port: int = field(default=0, init=False)
    _is_open: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["SlowLink"]:
        """``port`` is where it listens meanwhile."""
        self._is_open.set()
        async with asyncio.TaskGroup() as connections:
            tasks: set[asyncio.Task[None]] = set()

            def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                task = connections.create_task(self._connect(reader, writer))
                tasks.add(task)
                task.add_done_callback(tasks.discard)

            server = await asyncio.start_server(accept, "127.0.0.1", self.port, limit=_CHUNK)
            self.port = server.sockets[0].getsockname()[1]
            try:
                yield self
            finally:
                server.close()
                for task in tasks:
                    task.cancel()

    async def stall(self, seconds: float) -> None:
        """Nothing passes meanwhile, in either direction; nothing is lost either."""
        self._is_open.clear()
        try:
            await asyncio.sleep(seconds)
        finally:
            self._is_open.set()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            try:
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target_port, limit=_CHUNK)
            except OSError:
                return
            with contextlib.closing(far_writer):
                try:
                    async with asyncio.TaskGroup() as group:
                        group.create_task(self._pass(reader, far_writer))
                        group.create_task(self._pass(far_reader, writer))
                except* OSError:
                    pass  # one side is gone: both connections end

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until the end of the stream, which is passed on, too."""
        chunks: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_MOST)

        async def read() -> None:
            data = b"."
            while data:
                try:
                    data = await reader.read(_CHUNK)
                except OSError:  # reset: for the other side it is an end
                    data = b""
                await chunks.put((time.perf_counter() + self.delay_s + self.rng.uniform(0, self.jitter_s), data))

        async def write() -> None:
            while True:
                due, data = await chunks.get()
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                await self._is_open.wait()
                if not data:
                    break
                writer.write(data)
                await writer.drain()
            writer.write_eof()

        async with asyncio.TaskGroup() as group:
            reading = group.create_task(read())
            try:
                await write()
            finally:
                reading.cancel()
