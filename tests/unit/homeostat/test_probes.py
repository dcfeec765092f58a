"""Every way a check can go, on real sockets."""

import asyncio
import contextlib

import aiohttp
import pytest

from homeostat.clock import SystemClock
from homeostat.probes import ProbeContext, run_probe
from homeostat.workloads import ProbeSpec


@pytest.fixture
async def context():
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield ProbeContext(session, SystemClock())


@contextlib.asynccontextmanager
async def server(answer):
    """``answer``: bytes to send after the request's head; None for never."""
    writers = []

    async def serve(reader, writer):
        writers.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            if answer is not None:
                writer.write(answer)
                await writer.drain()
                writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()
        for writer in writers:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


def head(status, more=""):
    return f"HTTP/1.1 {status}\r\n{more}Content-Length: 2\r\nConnection: close\r\n\r\nok".encode()


def http(address, timeout_s=2.0):
    return ProbeSpec("http", f"http://{address}/health", 1.0, timeout_s)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (head("200 OK"), ""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", ""),
        (head("302 Found", "Location: http://127.0.0.1:1/\r\n"), ""),
        (head("404 Not Found"), "status 404"),
        (head("503 Service Unavailable"), "status 503"),
        (b"garbage\r\n\r\n", "ClientResponseError"),
        (b"", "ServerDisconnectedError"),
    ],
)
async def test_an_http_check_says_what_it_saw(context, answer, reason):
    async with server(answer) as address:
        result = await run_probe(http(address), context)

    assert (result.ok, result.reason) == (not reason, reason)


async def test_a_server_that_never_answers_fails_within_the_timeout(context):
    async with server(None) as address:
        result = await run_probe(http(address, 0.1), context)

    assert (result.ok, result.reason) == (False, "no answer within 0.1 s")
    assert 0.1 <= result.seconds < 1


async def test_a_body_that_never_comes_fails_within_the_timeout(context):
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
        await writer.drain()
        await reader.read()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    result = await run_probe(http(f"127.0.0.1:{port}", 0.1), context)
    listening.close()
    await asyncio.sleep(0.05)

    assert (result.ok, result.reason) == (False, "no answer within 0.1 s")


@pytest.mark.parametrize("kind", ["http", "tcp"])
async def test_a_refused_connection_is_a_failure(context, free_port, kind):
    address = f"127.0.0.1:{free_port()}"
    spec = http(address) if kind == "http" else ProbeSpec("tcp", address, 1.0, 1.0)
    result = await run_probe(spec, context)

    assert (result.ok, result.reason) == (False, "Connection refused")


@pytest.mark.parametrize("kind", ["http", "tcp"])
async def test_a_port_that_cannot_be_is_a_failure_and_no_exception(context, kind):
    target = "http://127.0.0.1:99999/" if kind == "http" else "127.0.0.1:99999"
    result = await run_probe(ProbeSpec(kind, target, 1.0, 1.0), context)

    assert not result.ok
    assert result.reason


async def test_an_open_port_is_good(context):
    async with server(None) as address:
        result = await run_probe(ProbeSpec("tcp", address, 1.0, 1.0), context)

    assert result.ok


async def test_an_unknown_host_is_a_failure(context):
    result = await run_probe(http("nowhere.invalid:80"), context)

    assert not result.ok
    assert result.reason in ("ClientConnectorDNSError", "gaierror")


async def test_a_server_without_tls_is_a_failure_of_tls(context):
    async with server(None) as address:
        result = await run_probe(ProbeSpec("http", f"https://{address}/", 1.0, 1.0), context)

    assert not result.ok


async def test_a_reason_never_repeats_the_target(context, free_port):
    spec = ProbeSpec("http", f"http://user:secret@127.0.0.1:{free_port()}/?token=secret", 1.0, 1.0)
    result = await run_probe(spec, context)

    assert "secret" not in result.reason
