"""Every way a check by http or tcp can go, on real sockets; and what all kinds have in common."""

import asyncio
import contextlib
import errno
import os
import resource
import socket
from pathlib import Path

import aiohttp
import psutil
import pytest
from blockbuster import blockbuster_ctx
from fakes.listeners import answering, listener, never

from homeostat.clock import SystemClock
from homeostat.probes import LOOKS, ProbeContext, open_probe, run_probe
from homeostat.probes.model import HttpMeasured
from homeostat.workloads import (
    CommandOptions,
    DnsOptions,
    HttpOptions,
    PostgresOptions,
    ProbeSpec,
    PromqlOptions,
    RedisOptions,
)


@pytest.fixture
async def context():
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
        yield ProbeContext(session, SystemClock())


def own_sockets():
    """Inodes of this process's sockets."""
    links = []
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the folder's own
            links.append(str(entry.readlink()))
    return {link for link in links if link.startswith("socket:")}


def ports_of_connections():
    """Local ports of this process's TCP connections."""
    return {each.laddr.port for each in psutil.Process().net_connections("tcp") if each.raddr}


@contextlib.contextmanager
def no_descriptors():
    """As if this process had used up all that it may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.ExitStack() as exits:
        highest = os.open(os.devnull, os.O_RDONLY)
        exits.callback(os.close, highest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, hard))
        exits.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        with contextlib.suppress(OSError):
            while True:  # fill the gaps
                exits.callback(os.close, os.dup(highest))
        yield


def head(status, more=""):
    return f"HTTP/1.1 {status}\r\n{more}Content-Length: 2\r\nConnection: close\r\n\r\nok".encode()


def http(address, timeout_s=2.0, **options):
    return ProbeSpec("http", f"http://{address}/health", 1.0, timeout_s, options=HttpOptions(**options))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (head("200 OK"), ""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", ""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + head("200 OK"), ""),
        (head("302 Found", "Location: http://127.0.0.1:1/\r\n"), ""),
        (head("404 Not Found"), "status 404"),
        (head("503 Service Unavailable"), "status 503"),
        (b"garbage\r\n\r\n", "the answer is not HTTP"),
        (b"", "closed without an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "closed within the answer"),
    ],
)
async def test_an_http_check_says_what_it_saw(context, answer, reason):
    async with listener(answering(answer)) as address:
        result = await run_probe(http(address), context)

    assert (result.ok, result.reason) == (not reason, reason)


@pytest.mark.parametrize(("good", "ok"), [((), False), ((404,), True), ((200, 404), True), ((200, 500), False)])
async def test_only_the_statuses_that_were_named_are_good(context, good, ok):
    async with listener(answering(head("404 Not Found"))) as address:
        result = await run_probe(http(address, status=good), context)

    assert (result.ok, result.reason) == (ok, "" if ok else "status 404")


@pytest.mark.parametrize(
    ("body", "pattern", "ok"),
    [
        (b'{"status": "up"}', '"status": *"up"', True),
        (b'{"status": "down"}', '"status": *"up"', False),
        (b"", "up", False),
        ("Gr\u00fc\u00dfe".encode(), "Gr\u00fc\u00dfe$", True),
        (b"\xff up", "up", True),
        (b"." * 65534 + b"up", "up", True),
        (b"." * 65535 + b"up", "up", False),
        (b"." * 1_000_000, "up", False),
    ],
)
async def test_the_first_64_kib_of_the_body_must_match(context, body, pattern, ok):
    async with listener(answering(b"HTTP/1.1 200 OK\r\n\r\n", body[:7], body[7:])) as address:
        result = await run_probe(http(address, body=pattern), context)

    assert (result.ok, result.reason) == (ok, "" if ok else "the body does not match")


async def test_a_body_that_is_cut_off_is_bad_even_when_its_beginning_matches(context):
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nup"
    async with listener(answering(answer)) as address:
        result = await run_probe(http(address, body="up"), context)

    assert (result.ok, result.reason) == (False, "closed within the answer")


async def test_the_request_is_an_ordinary_one(context):
    heads = []

    async def serve(reader, writer):
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(head("200 OK"))

    async with listener(serve) as address:
        target = f"http://us%40er:p%3Aw@{address}/a b?q=\u00fc#part"
        result = await run_probe(ProbeSpec("http", target, 1.0, 1.0), context)

    assert result.ok
    (sent,) = heads
    assert sent == (
        f"GET /a%20b?q=%C3%BC HTTP/1.1\r\nHost: {address}\r\nUser-Agent: homeostat\r\nAccept: */*\r\n"
        "Accept-Encoding: identity\r\nConnection: close\r\nAuthorization: Basic dXNAZXI6cDp3\r\n\r\n"
    )


async def test_the_phases_say_where_the_time_went(context):
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.2)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nup")
        await asyncio.sleep(0.1)
        writer.write(b"up")

    async with listener(serve) as address:
        result = await run_probe(http(address, body="upup"), context)

    assert isinstance(result.measured, HttpMeasured)
    phases = result.measured.phases
    assert list(phases) == ["resolve", "connect", "processing", "transfer"]
    assert phases["processing"] == pytest.approx(0.2, abs=0.08)
    assert phases["transfer"] == pytest.approx(0.1, abs=0.08)
    assert sum(phases.values()) == pytest.approx(result.seconds, abs=0.02)
    assert result.measured.status == 200
    assert result.measured.tls_expires_at is None


async def test_each_check_is_a_new_connection_that_is_gone_afterwards(context):
    peers = []

    async def serve(reader, writer):
        peers.append(writer.get_extra_info("peername")[1])
        await answering(head("200 OK"))(reader, writer)

    async with listener(serve) as address:
        probe = open_probe(http(address), context)
        results = [await probe.check() for _ in range(3)]
        left = ports_of_connections() & set(peers)

    assert all(result.ok for result in results)
    assert len(set(peers)) == 3
    assert not left


async def test_a_full_accept_queue_is_noticed(context):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server, contextlib.ExitStack() as exits:
        for _ in range(4):  # the kernel's queue takes one more than was asked for
            sock = exits.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(server.getsockname())
        await asyncio.sleep(0.05)
        host, port = server.getsockname()
        results = [
            await run_probe(spec, context)
            for spec in (http(f"{host}:{port}", 0.3), ProbeSpec("tcp", f"{host}:{port}", 1.0, 0.3))
        ]

    assert [(result.ok, result.reason) for result in results] == [(False, "no answer within 0.3 s")] * 2


async def test_a_body_that_never_comes_fails_within_the_timeout(context):
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
        await reader.read()

    async with listener(serve) as address:
        result = await run_probe(http(address, 0.1), context)

    assert (result.ok, result.reason) == (False, "no answer within 0.1 s")


#: Every kind at an address, asking with one password.
def spec_of(kind, address, timeout_s, password_file=None):
    made = {
        "http": (f"http://{address}/", None),
        "tcp": (address, None),
        "dns": ("db.example", DnsOptions(server=address)),
        "redis": (address, RedisOptions(password_file=password_file)),
        "postgres": (f"{address}/shop", PostgresOptions(user="shop", password_file=password_file)),
        "command": ("sleep", CommandOptions(("sleep", "60"))),
        "promql": ("up", PromqlOptions(f"http://{address}")),
    }
    target, options = made[kind]
    return ProbeSpec(kind, target, 1.0, timeout_s, options=options)


@pytest.mark.parametrize("kind", sorted(LOOKS.keys() - {"tcp"}))
async def test_what_takes_the_connection_and_never_answers_fails_within_the_timeout(context, kind):
    async with listener(never) as address:
        # DNS asks by datagrams, which nobody takes at that port: a socket that does, and says nothing.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", int(address.rpartition(":")[2])))
            with blockbuster_ctx():  # nothing of it may hold up the other checks
                probe = open_probe(spec_of(kind, address, 0.3), context)
                results = [await probe.check() for _ in range(2)]
                await probe.close()

    assert all("no answer within" in result.reason for result in results)
    # Prometheus is not the target: its silence says nothing.
    assert {result.ok for result in results} == {None if kind == "promql" else False}
    assert all(0.25 <= result.seconds < 1 for result in results)


# Nobody refuses a datagram.
@pytest.mark.parametrize("kind", sorted(LOOKS.keys() - {"command", "dns"}))
async def test_a_refused_connection_is_a_failure(context, free_port, kind):
    result = await run_probe(spec_of(kind, f"127.0.0.1:{free_port()}", 1.0), context)

    expected = (None, "Prometheus does not answer") if kind == "promql" else (False, "Connection refused")
    assert (result.ok, result.reason) == expected


@pytest.mark.parametrize("kind", sorted(LOOKS))
async def test_a_cancelled_check_leaves_no_connection(context, kind):
    gone = asyncio.Event()

    async def serve(reader, writer):
        await never(reader, writer)
        gone.set()

    async with listener(serve) as address:
        probe = open_probe(spec_of(kind, address, 30.0), context)
        before = own_sockets()
        check = asyncio.create_task(probe.check())
        await asyncio.sleep(0.2)
        check.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await check
        await probe.close()
        if kind not in ("command", "dns"):
            async with asyncio.timeout(2):
                await gone.wait()
        await asyncio.sleep(0.05)

        assert not own_sockets() - before


@pytest.mark.parametrize("kind", ["http", "tcp"])
async def test_a_port_that_cannot_be_says_nothing_of_the_target(context, kind):
    target = "http://127.0.0.1:99999/" if kind == "http" else "127.0.0.1:99999"
    result = await run_probe(ProbeSpec(kind, target, 1.0, 1.0), context)

    assert (result.ok, result.reason) == (None, "the target cannot be")


async def test_an_open_port_is_good(context):
    async with listener(never) as address:
        result = await run_probe(ProbeSpec("tcp", address, 1.0, 1.0), context)

    assert (result.ok, result.reason) == (True, "")


async def test_an_unknown_host_is_never_good(context):
    result = await run_probe(http("nowhere.invalid:80"), context)

    # Which of the two depends on whether there is a name server here to ask.
    assert (result.ok, result.reason) in ((False, "no such host"), (None, "the host's name cannot be looked up"))


async def test_a_name_is_looked_up_by_one_thread_however_long_that_takes(context, monkeypatch):
    lookups = []

    def slow(*_args, **_options):
        import time

        lookups.append(1)
        time.sleep(0.5)
        raise socket.gaierror(socket.EAI_AGAIN, "nobody there")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    probe = open_probe(ProbeSpec("tcp", "db.example:5432", 1.0, 0.1), context)
    results = [await probe.check() for _ in range(3)]
    await asyncio.sleep(0.4)

    assert [result.reason for result in results] == ["no answer within 0.1 s"] * 3
    assert len(lookups) == 1


async def test_all_addresses_of_a_name_are_tried(context, monkeypatch):
    """As for ``localhost``, whose first address is IPv6's, where nobody may listen."""
    async with listener(never) as address:
        port = int(address.rpartition(":")[2])
        addresses = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port)) for host in ("127.0.0.9", "127.0.0.1")]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: addresses)
        result = await run_probe(ProbeSpec("tcp", f"db.example:{port}", 1.0, 1.0), context)

    assert (result.ok, result.reason) == (True, "")


@pytest.mark.parametrize("kind", sorted(LOOKS.keys() - {"command"}))
async def test_a_shortage_of_our_own_says_nothing_of_the_target(context, kind):
    """With the exporter out of descriptors, every target would look bad, and all of them would be restarted."""
    async with listener(never) as address:
        await run_probe(spec_of(kind, address, 0.1), context)  # what is imported once needs descriptors, too
        with no_descriptors():
            result = await run_probe(spec_of(kind, address, 0.3), context)

    expected = "Prometheus does not answer" if kind == "promql" else os.strerror(errno.EMFILE)
    assert (result.ok, result.reason) == (None, expected)


SECRET = "s3cret-word"


@pytest.mark.parametrize("kind", sorted(LOOKS))
@pytest.mark.parametrize("answer", [b"", SECRET.encode() + b"\r\n\r\n", b"-ERR " + SECRET.encode() + b"\r\n", None])
async def test_no_secret_is_ever_in_a_result(context, tmp_path, kind, answer):
    password_file = tmp_path / "password"
    password_file.write_text(SECRET)

    async def serve(reader, writer):
        await reader.read(100)
        if answer is None:
            writer.transport.abort()
        else:
            writer.write(answer)

    async with listener(serve) as address:
        spec = spec_of(kind, address, 0.3, password_file)
        if kind == "http":
            spec = ProbeSpec("http", f"http://user:{SECRET}@{address}/?token={SECRET}", 1.0, 0.3)
        probe = open_probe(spec, context)
        result = await probe.check()
        await probe.close()

    assert not result.ok or kind == "tcp"
    assert SECRET not in repr(result) + repr(probe) + repr(vars(probe).get("_look"))


async def test_a_kind_that_needs_a_library_is_imported_only_when_there_is_one():
    import subprocess
    import sys

    code = (
        "import sys, exporters.app, responder.app, guardian.app\n"
        "print(sorted({'asyncpg', 'dns', 'redis'} & {name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
