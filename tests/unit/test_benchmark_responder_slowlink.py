"""The benchmark's slow network: everything arrives, in order, late; and while it stalls, nothing does."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from benchmarks.responder.slowlink import SlowLink


@pytest.fixture
async def echo_port() -> AsyncIterator[int]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1000):
            writer.write(data)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


@asynccontextmanager
async def line(port: int) -> AsyncIterator[Callable[[bytes], Awaitable[tuple[bytes, float]]]]:
    """Says something over one connection; what came back, and after how long."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def say(data: bytes) -> tuple[bytes, float]:
        start = time.perf_counter()
        writer.write(data)
        return await reader.readexactly(len(data)), time.perf_counter() - start

    yield say
    writer.close()
    await writer.wait_closed()


async def test_all_of_it_arrives_in_order_and_late(echo_port: int):
    data = bytes(random.Random(1).randrange(256) for _ in range(200_000))
    async with SlowLink(echo_port, 0.05, 0.02, random.Random(1)).serving() as link, line(link.port) as say:
        back, seconds = await asyncio.wait_for(say(data), 10)

    assert back == data
    assert seconds >= 0.1  # there and back


async def test_nothing_passes_while_it_stalls_and_nothing_is_lost(echo_port: int):
    async with SlowLink(echo_port, 0.0, 0.0, random.Random(1)).serving() as link, line(link.port) as say:
        await say(b"before")
        stalling = asyncio.create_task(link.stall(0.3))
        await asyncio.sleep(0)
        back, seconds = await asyncio.wait_for(say(b"meanwhile"), 5)
        await stalling

    assert back == b"meanwhile"
    assert seconds >= 0.29


async def test_an_end_is_passed_on(echo_port: int):
    async with SlowLink(echo_port, 0.01, 0.0, random.Random(1)).serving() as link:
        reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
        writer.write(b"last words")
        writer.write_eof()
        said = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        await writer.wait_closed()

    assert said == b"last words"


async def test_a_target_that_is_not_there_ends_the_connection():
    async with SlowLink(1, 0.0, 0.0, random.Random(1)).serving() as link:
        reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
        said = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        await writer.wait_closed()

    assert said == b""
