"""The Redis probe against the real server, judged by the server's own view."""

import asyncio
import contextlib
import time

import pytest
from fakes.databases import Redis, until

from exporters.catalog import Entry
from exporters.collectors.databases import DatabasesCollector
from exporters.collectors.probes import ProbesCollector
from exporters.probing import Prober
from homeostat.clock import SystemClock
from homeostat.encoder import render
from homeostat.probes import ProbeContext, open_probe, run_probe
from homeostat.workloads import Kind, ProbeSpec, RedisOptions, Workload

PASSWORD = "pr0be-Pa55"


@pytest.fixture
def server(database_programs, tmp_path, free_port):
    server = Redis(database_programs, tmp_path, free_port())
    server.start()
    yield server
    server.stop()


@pytest.fixture
def spec(server):
    return ProbeSpec("redis", server.address, 1.0, 1.0, options=RedisOptions())


@pytest.fixture
def context():
    return ProbeContext(None, SystemClock())


@pytest.fixture
async def probe(spec, context):
    probe = open_probe(spec, context)
    yield probe
    await probe.close()


def ours(server, *login):
    with server.connection(*login) as connection:
        return connection.clients()


async def test_one_connection_is_kept_and_known_by_its_name(probe, server):
    results = [await probe.check() for _ in range(5)]
    kept = ours(server)
    await probe.close()

    assert all(result.ok for result in results)
    assert [client["name"] for client in kept] == ["homeostat"]
    assert await until(lambda: not ours(server), within_s=2)


async def test_it_tells_how_full_the_server_is(probe, server):
    with server.connection() as other, server.connection() as blocked:
        other.call("CONFIG", "SET", "maxclients", "50")
        other.call("CONFIG", "SET", "maxmemory", "64mb")
        waiting = asyncio.create_task(asyncio.to_thread(blocked.call, "BLPOP", "nothing", "1"))
        await asyncio.sleep(0.2)
        measured = (await probe.check()).measured
        await waiting

    assert (measured.clients, measured.clients_max, measured.clients_blocked) == (3, 50, 1)
    assert 100_000 < measured.memory_bytes < 64 * 2**20
    assert measured.memory_max_bytes == 64 * 2**20
    assert (measured.is_replica, measured.replicas, measured.link_up) == (False, 0, None)


async def test_a_replica_tells_of_its_link(database_programs, server, tmp_path, free_port, context):
    folder = tmp_path / "replica"
    folder.mkdir()
    replica = Redis(database_programs, folder, free_port())
    replica.start("--replicaof", "127.0.0.1", str(server.port))
    probe = open_probe(ProbeSpec("redis", replica.address, 1.0, 1.0), context)
    primary = open_probe(ProbeSpec("redis", server.address, 1.0, 1.0), context)

    async def is_linked(up):
        return (await probe.check()).measured.link_up is up

    try:
        assert await until(lambda: is_linked(True))
        linked, source = (await probe.check()).measured, (await primary.check()).measured
        server.stop()
        assert await until(lambda: is_linked(False))
    finally:
        await probe.close()
        await primary.close()
        replica.stop()

    assert linked.is_replica
    assert 0 <= linked.last_io_s <= 11
    assert (source.is_replica, source.replicas) == (False, 1)


async def test_after_a_restart_of_the_server_the_next_check_is_good(probe, server):
    assert (await probe.check()).ok
    server.stop()
    down = await probe.check()
    server.start()
    up = await probe.check()

    assert (down.ok, down.reason) == (False, "Connection refused")
    assert up.ok


async def test_a_connection_that_the_server_ended_is_made_anew_in_the_same_check(probe, server):
    results = []
    for _ in range(3):
        results.append(await probe.check())
        with server.connection() as other:
            other.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        await asyncio.sleep(0.02)

    assert [result.ok for result in results] == [True] * 3


async def test_a_server_that_hangs_is_no_answer_and_then_good_again(probe, server):
    assert (await probe.check()).ok
    server.pause()
    hung = [await probe.check() for _ in range(2)]
    server.resume()
    after = await probe.check()

    assert [(result.ok, result.reason) for result in hung] == [(False, "no answer within 1 s")] * 2
    assert after.ok
    assert await until(lambda: len(ours(server)) == 1, within_s=3)


async def test_a_cancelled_check_leaves_no_connection(spec, context, server):
    server.pause()
    probe = open_probe(spec, context)
    check = asyncio.create_task(probe.check())
    await asyncio.sleep(0.2)
    check.cancel()
    with pytest.raises(asyncio.CancelledError):
        await check
    server.resume()

    assert await until(lambda: not ours(server), within_s=3)


async def test_the_password_is_read_at_each_connect(server, context, tmp_path):
    path = tmp_path / "password"
    path.write_text("wrong\n")
    with server.connection() as admin:
        admin.call("ACL", "SETUSER", "probe", "on", f">{PASSWORD}", "+ping", "+info")
    options = RedisOptions(user="probe", password_file=path)
    probe = open_probe(ProbeSpec("redis", server.address, 1.0, 1.0, options=options), context)
    refused = await probe.check()
    path.write_text(PASSWORD)
    allowed = await probe.check()
    await probe.close()

    # The server is there; whether it is well cannot be seen: no reason to restart it.
    assert (refused.ok, refused.reason) == (None, "Redis says WRONGPASS")
    assert allowed.ok
    assert allowed.measured is not None


async def test_a_server_that_wants_a_password_says_so(server, context, spec):
    with server.connection() as admin:
        admin.call("CONFIG", "SET", "requirepass", PASSWORD)
    result = await run_probe(spec, context)

    assert (result.ok, result.reason) == (None, "Redis says NOAUTH")


async def test_a_password_is_nowhere_in_what_is_written(server, context, tmp_path, capfd):
    wrong = "wr0ng-Pa55word"
    path = tmp_path / "password"
    path.write_text(wrong)
    spec = ProbeSpec("redis", server.address, 1.0, 1.0, options=RedisOptions(user="who", password_file=path))
    entry = Entry(Workload("shop/cache", Kind.CONTAINER, enabled=True, probes=(spec,)), ())
    prober = Prober(lambda: (entry,), context)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(prober.run())
        await until(lambda: last(prober) is not None)
        families = [*await ProbesCollector(prober).collect(), *await DatabasesCollector(prober).collect()]
        running.cancel()
    page = render(families).decode()
    probe = open_probe(spec, context)
    result = await probe.check()
    out, err = capfd.readouterr()

    assert 'reason="Redis says WRONGPASS"' in page
    for text in (page, out, err, repr(result), repr(probe), repr(vars(probe)), repr(vars(vars(probe)["_look"]))):
        assert wrong not in text


def last(prober):
    return next((seen.result for seen in prober.observations().values()), None)


@pytest.mark.timeout(180)
async def test_a_server_out_of_clients_is_not_made_worse(server, spec, context):
    """All connections are taken by others, for 30 s; then one of them goes."""
    interval_s, full_s, most = 1.0, 30.0, 8
    entry = Entry(Workload("shop/cache", Kind.CONTAINER, enabled=True, probes=(spec,)), ())
    with server.connection() as admin, contextlib.ExitStack() as exits:
        admin.call("CONFIG", "SET", "maxclients", str(most))
        first = contextlib.ExitStack()
        first.enter_context(server.connection())
        for _ in range(most - 2):
            exits.enter_context(server.connection())
        prober = Prober(lambda: (entry,), context)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(prober.run())
            await until(lambda: last(prober) is not None)
            rejected, start_s = number(admin, "rejected_connections"), time.monotonic()
            results, held = [], []
            while time.monotonic() - start_s < full_s:
                held.append(sum(client["name"] == "homeostat" for client in admin.clients()))
                results.append(last(prober))
                await asyncio.sleep(0.02)
            attempts = number(admin, "rejected_connections") - rejected
            first.close()
            freed_s = time.monotonic()
            good = await until(lambda: last(prober).ok, within_s=10)
            took_s = time.monotonic() - freed_s
            running.cancel()

    print(
        f"{attempts} attempts in {full_s:g} s; held at most {max(held)} in {len(held)} looks; good {took_s:.2f} s after"
    )
    assert {result.ok for result in results} == {False}
    assert {result.reason for result in results} <= {"max number of clients reached", "connection lost"}
    assert max(held) == 0
    assert full_s / interval_s - 2 <= attempts <= full_s / interval_s + 1
    assert good
    assert took_s < 2 * interval_s


def number(admin, name):
    fields = dict(line.split(":", 1) for line in admin.call("INFO").splitlines() if ":" in line)
    return int(fields[name])
