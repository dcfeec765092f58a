"""The PostgreSQL probe against the real server, judged by the server's own view and log."""

import asyncio
import contextlib
import dataclasses
import re
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import asyncpg
import pytest
from fakes.databases import OWNER, Postgres, until
from fakes.listeners import listener

from exporters.catalog import Entry
from exporters.collectors.databases import DatabasesCollector
from exporters.collectors.probes import ProbesCollector
from exporters.probing import Prober
from homeostat.clock import SystemClock
from homeostat.encoder import render
from homeostat.probes import ProbeContext, open_probe, run_probe
from homeostat.workloads import Kind, PostgresOptions, ProbeRole, ProbeSpec, Workload

PASSWORD = "pr0be-Pa55"
MAX_CONNECTIONS = 10
RESERVED = 3


@pytest.fixture(scope="module")
def server(database_programs):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="hs-postgres-") as folder:
        server = Postgres(database_programs, Path(folder), port)
        start(server)
        asyncio.run(prepare(server))
        yield server
        server.stop()


def start(server, **more):
    server.start(
        max_connections=str(MAX_CONNECTIONS),
        superuser_reserved_connections=str(RESERVED),
        log_connections="on",
        log_disconnections="on",
        log_line_prefix="%m [%p] %u ",
        **more,
    )


async def prepare(server):
    owner = await server.connect()
    for role in ("probe", "app"):
        await owner.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
    await owner.execute("GRANT pg_monitor TO probe")
    await owner.execute("CREATE TABLE stock (id int PRIMARY KEY)")
    await owner.execute("GRANT ALL ON stock TO probe, app")
    await owner.close()


@pytest.fixture
def password_file(tmp_path):
    path = tmp_path / "password"
    path.write_text(PASSWORD + "\n")
    return path


@pytest.fixture
def spec(server, password_file):
    options = PostgresOptions(user="probe", password_file=password_file)
    return ProbeSpec("postgres", f"{server.address}/postgres", 1.0, 2.0, options=options)


def asking(spec, query):
    return dataclasses.replace(spec, options=dataclasses.replace(spec.options, query=query))


@pytest.fixture
def context():
    return ProbeContext(None, SystemClock())


@pytest.fixture
async def probe(spec, context):
    probe = open_probe(spec, context)
    yield probe
    await probe.close()


@pytest.fixture
async def owner(server):
    connection = await server.connect()
    yield connection
    await connection.close()


async def backends(owner):
    """Of the probe: by its role, as the name of a connection comes with it."""
    return await owner.fetch("SELECT pid, state, application_name FROM pg_stat_activity WHERE usename = 'probe'")


async def none_left(owner):
    return await until(lambda: _is_gone(owner), within_s=3)


async def _is_gone(owner):
    return not await backends(owner)


async def test_one_connection_is_kept_and_known_by_its_name(probe, owner):
    results = [await probe.check() for _ in range(5)]
    found = await backends(owner)
    await probe.close()

    assert all(result.ok for result in results)
    assert [row["application_name"] for row in found] == ["homeostat"]
    assert await none_left(owner)


async def test_it_tells_how_full_the_server_is(probe, owner, server):
    async with contextlib.AsyncExitStack() as exits:
        idle, open_ = [await connected(exits, server) for _ in range(2)]
        await open_.execute("BEGIN")
        await open_.execute("LOCK TABLE stock")
        waiting = asyncio.create_task(idle.fetch("SELECT * FROM stock"))
        await asyncio.sleep(0.2)
        result = await probe.check()
        since = result.measured.idle_in_transaction_since
        await open_.execute("ROLLBACK")
        await waiting
        after = (await probe.check()).measured

    assert result.measured.connections == {"idle in transaction": 1, "active": 2, "idle": 1}
    assert result.measured.connections_max == MAX_CONNECTIONS - RESERVED
    assert result.measured.lock_waits == 1
    assert since == pytest.approx(time.time(), abs=2)
    assert (after.lock_waits, after.idle_in_transaction_since) == (0, None)


async def connected(exits, server, user="app"):
    connection = await server.connect(user, PASSWORD)
    exits.push_async_callback(connection.close)
    return connection


async def test_without_the_rights_of_a_monitor_the_states_of_others_are_unknown(server, context, password_file):
    options = PostgresOptions(user="app", password_file=password_file)
    spec = ProbeSpec("postgres", f"{server.address}/postgres", 1.0, 2.0, options=options)
    other = await server.connect()
    result = await run_probe(spec, context)
    await other.close()

    assert result.measured.connections == {"active": 1, "unknown": 1}


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("SELECT 1", ""),
        ("SELECT true", ""),
        ("SELECT false, 1", ""),
        ("SELECT false", "the query returned false"),
        ("SELECT 1 WHERE false", "the query returned no row"),
        ("SELECT * FROM generate_series(1, 1000000)", ""),
        ("SELECT nonsense", "SQLSTATE 42703"),
        ("SELECT 1; SELECT 2", "SQLSTATE 42601"),
        ("SELECT pg_sleep(60)", "the query was not done in time"),
    ],
)
async def test_the_owners_query_decides(spec, context, query, reason):
    result = await run_probe(asking(spec, query), context)

    assert (result.ok, result.reason) == (not reason, reason)


@pytest.mark.parametrize(("role", "ok"), [(ProbeRole.LIVENESS, None), (ProbeRole.READINESS, False)])
async def test_a_server_that_starts_is_not_ready_and_not_dead(context, password_file, role, ok):
    """A restart would make it begin its recovery anew. The packets are the server's own: length, E, fields."""
    fields = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0"

    async def starting(reader, writer):
        request = await reader.readexactly(8)
        if request[4:] == (80877103).to_bytes(4, "big"):  # asks for TLS
            writer.write(b"N")
            return
        writer.write(b"E" + (len(fields) + 4).to_bytes(4, "big") + fields)

    async with listener(starting) as address:
        options = PostgresOptions(user="probe", password_file=password_file)
        spec = ProbeSpec("postgres", f"{address}/shop", 1.0, 2.0, role=role, options=options)
        probe = open_probe(spec, context)
        await probe.check()
        result = await probe.check()
        await probe.close()

    assert (result.ok, result.reason) == (ok, "the server is starting up or shutting down")


async def test_a_database_that_is_not_there_says_nothing_of_the_server(spec, context):
    result = await run_probe(dataclasses.replace(spec, target=spec.target.replace("/postgres", "/nowhere")), context)

    assert (result.ok, result.reason) == (None, "no such database")


async def test_a_query_that_fails_costs_no_connection(spec, context, owner, server):
    probe = open_probe(asking(spec, "SELECT nonsense"), context)
    before = server.log().count("connection authorized: user=probe")
    for _ in range(3):
        await probe.check()
    authorized = server.log().count("connection authorized: user=probe") - before
    await probe.close()

    assert authorized == 1


async def test_a_query_that_hangs_on_a_lock_ends_on_the_server_and_leaves_nothing(spec, context, owner, server):
    locker = await server.connect()
    await locker.execute("BEGIN")
    await locker.execute("LOCK TABLE stock")
    probe = open_probe(asking(spec, "SELECT count(*) FROM stock"), context)
    held = await probe.check()
    waiting = await owner.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted")
    await locker.close()
    freed = await probe.check()
    await probe.close()

    assert (held.ok, held.reason) == (False, "a lock was not granted in time")
    assert waiting == 0
    assert freed.ok
    assert await none_left(owner)


@pytest.mark.parametrize("query", ["SELECT pg_sleep(60)", "SELECT count(*) FROM stock"])
async def test_a_cancelled_check_leaves_no_backend(spec, context, owner, server, query):
    locker = await server.connect()
    await locker.execute("BEGIN")
    await locker.execute("LOCK TABLE stock")
    probe = open_probe(asking(spec, query), context)
    check = asyncio.create_task(probe.check())
    assert await until(lambda: _is_there(owner))
    check.cancel()
    with pytest.raises(asyncio.CancelledError):
        await check
    await probe.close()

    # The server notices at the statement's own end: within the check's timeout.
    assert await none_left(owner)
    await locker.close()


async def _is_there(owner):
    return bool(await backends(owner))


@pytest.mark.parametrize("after_s", [0.0, 0.001, 0.003, 0.006, 0.01, 0.02])
async def test_cancelled_while_it_connects_it_leaves_no_backend(spec, context, owner, after_s):
    for _ in range(5):
        probe = open_probe(spec, context)
        check = asyncio.create_task(probe.check())
        await asyncio.sleep(after_s)
        check.cancel()
        await asyncio.wait([check])
        await probe.close()

    assert await none_left(owner)


async def test_a_server_that_hangs_is_no_answer_and_then_good_again(probe, owner, server):
    assert (await probe.check()).ok
    server.pause()
    try:
        hung = [await probe.check() for _ in range(2)]
    finally:
        server.resume()
    after = await probe.check()
    left = await until(lambda: _is_one(owner), within_s=5)

    assert [(result.ok, result.reason) for result in hung] == [(False, "no answer within 2 s")] * 2
    assert after.ok
    assert left


async def _is_one(owner):
    return len(await backends(owner)) == 1


async def test_after_a_restart_of_the_server_the_next_check_is_good(probe, server):
    assert (await probe.check()).ok
    server.stop()
    down = await probe.check()
    start(server)
    async with asyncio.timeout(20):  # it takes connections before it is up, and says so
        while (up := await probe.check()).reason == "the server is starting up or shutting down":
            await asyncio.sleep(0.1)

    assert (down.ok, down.reason) == (False, "Connection refused")
    assert up.ok


async def test_a_connection_that_the_server_ended_is_made_anew_in_the_same_check(probe, owner):
    results = []
    for _ in range(3):
        results.append(await probe.check())
        await owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'probe'")
        await asyncio.sleep(0.05)

    assert [result.ok for result in results] == [True] * 3


async def test_the_password_is_read_at_each_connect(spec, context, server, owner, password_file):
    probe = open_probe(spec, context)
    assert (await probe.check()).ok
    await owner.execute("ALTER ROLE probe PASSWORD 'changed'")
    try:
        kept = await probe.check()
        await owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'probe'")
        await asyncio.sleep(0.05)
        refused = await probe.check()
        password_file.write_text("changed")
        again = await probe.check()
    finally:
        await owner.execute(f"ALTER ROLE probe PASSWORD '{PASSWORD}'")
        await probe.close()

    assert kept.ok
    # The server is there; whether it is well cannot be seen: no reason to restart it.
    assert (refused.ok, refused.reason) == (None, "not authorized")
    assert again.ok


async def test_a_password_is_nowhere_in_what_is_written(spec, context, password_file, capfd):
    wrong = "wr0ng-Pa55word"
    password_file.write_text(wrong)
    entry = Entry(Workload("shop/db", Kind.CONTAINER, enabled=True, probes=(spec,)), ())
    prober = Prober(lambda: (entry,), context)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(prober.run())
        await until(lambda: any(seen.result for seen in prober.observations().values()))
        families = [*await ProbesCollector(prober).collect(), *await DatabasesCollector(prober).collect()]
        running.cancel()
    page = render(families).decode()
    probe = open_probe(spec, context)
    result = await probe.check()
    out, err = capfd.readouterr()

    assert 'reason="not authorized"' in page
    for text in (page, out, err, repr(result), repr(probe), repr(vars(probe)), repr(vars(vars(probe)["_look"]))):
        assert wrong not in text


@pytest.mark.timeout(180)
async def test_a_server_out_of_connections_is_not_made_worse(spec, context, owner, server):
    """All connections are taken by others, for 30 s; then one of them goes."""
    interval_s, full_s = 1.0, 30.0
    entry = Entry(Workload("shop/db", Kind.CONTAINER, enabled=True, probes=(spec,)), ())
    async with contextlib.AsyncExitStack() as exits:
        taken = await taken_all(exits, server)
        prober = Prober(lambda: (entry,), context)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(prober.run())
            await until(lambda: last(prober) is not None)
            log_start, start_s = len(server.log()), time.monotonic()
            results, held = [], []
            while time.monotonic() - start_s < full_s:
                held.append(len(await backends(owner)))
                results.append(last(prober))
                await asyncio.sleep(0.02)
            log = server.log()[log_start:]
            await taken.pop().close()
            freed_s = time.monotonic()
            good = await until(lambda: last(prober).ok, within_s=10)
            took_s = time.monotonic() - freed_s
            running.cancel()

    attempts = len(re.findall(r"connection received", log))
    print(
        f"{attempts} attempts in {full_s:g} s; held at most {max(held)} in {len(held)} looks; good {took_s:.2f} s after"
    )
    assert {(result.ok, result.reason) for result in results} == {(False, "too many connections")}
    assert max(held) <= 1
    assert full_s / interval_s - 2 <= attempts <= full_s / interval_s + 1
    assert good
    assert took_s < 2 * interval_s


async def taken_all(exits, server, user="app"):
    """As many connections as there may be."""
    taken = []
    with contextlib.suppress(asyncpg.TooManyConnectionsError):
        while True:
            taken.append(await connected(exits, server, user))
    return taken


def last(prober):
    return next((seen.result for seen in prober.observations().values()), None)


@pytest.fixture
def tls(server, tmp_path):
    """The server again, with TLS; without it afterwards."""
    data = server.data
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out", "server.crt",
         "-subj", "/CN=db", "-days", "2"],
        cwd=data, check=True, capture_output=True,
    )  # fmt: skip
    server.own(data / "server.key", data / "server.crt")
    (data / "server.key").chmod(0o600)
    before = (data / "pg_hba.conf").read_text()
    server.stop()
    server.allow("hostnossl all probe 127.0.0.1/32 reject")
    start(server, ssl="on")
    yield server
    server.stop()
    (data / "pg_hba.conf").write_text(before)
    start(server)


async def test_tls_is_used_where_the_server_has_it(tls, probe, owner):
    result = await probe.check()
    encrypted = await owner.fetchval(
        "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'probe'"
    )

    assert result.ok
    assert encrypted


async def test_a_full_server_with_tls_is_asked_once_per_check(tls, probe):
    """libpq and asyncpg ask a second time without TLS, unless told otherwise."""
    async with contextlib.AsyncExitStack() as exits:
        # The reserved ones, too: then the server refuses before it asks who is there.
        await taken_all(exits, tls, OWNER)
        start = len(tls.log())
        results = [await probe.check() for _ in range(3)]
        attempts = tls.log()[start:].count("connection received")

    assert {result.reason for result in results} == {"too many connections"}
    assert attempts == 3


async def test_a_server_that_turned_to_tls_is_found_at_the_second_check(spec, context, server, request):
    probe = open_probe(spec, context)
    assert (await probe.check()).ok  # in the clear
    request.getfixturevalue("tls")
    results = [await probe.check() for _ in range(2)]
    await probe.close()

    assert [result.ok for result in results] == [None, True]
