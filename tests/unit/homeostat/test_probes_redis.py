"""What a Redis check makes of replies; the real server is in tests/integration."""

import asyncio
import dataclasses

import pytest
from fakes.listeners import listener

from homeostat.clock import SystemClock
from homeostat.probes import ProbeContext, open_probe, run_probe
from homeostat.probes.model import RedisMeasured
from homeostat.probes.redis import measured
from homeostat.workloads import ProbeRole, ProbeSpec, RedisOptions

OK, PONG = b"+OK\r\n", b"+PONG\r\n"


def bulk(text):
    return b"$%d\r\n%s\r\n" % (len(text), text.encode())


INFO = bulk("# Clients\r\nconnected_clients:2\r\n")


@pytest.fixture
def context():
    return ProbeContext(None, SystemClock())


def replying(replies, asked=None):
    """Each command gets the next of ``replies``, on every connection anew; then it closes."""

    async def serve(reader, writer):
        for reply in replies:
            count = int((await reader.readline())[1:])
            words = [(await reader.readline(), await reader.readline())[1].strip().decode() for _ in range(count)]
            if asked is not None:
                asked.append(words)
            for start in range(0, len(reply), 5):  # in pieces
                writer.write(reply[start : start + 5])
                await writer.drain()
                await asyncio.sleep(0.001)

    return serve


def spec(address, **options):
    return ProbeSpec("redis", address, 1.0, 1.0, options=RedisOptions(**options))


@pytest.mark.parametrize(
    ("replies", "ok", "reason"),
    [
        ([OK, PONG, INFO], True, ""),
        ([OK, PONG, b"-NOPERM this user has no permissions\r\n"], True, ""),
        ([b"-NOPERM no CLIENT for you\r\n", PONG, INFO], True, ""),
        ([OK, b"-LOADING Redis is loading the dataset in memory\r\n"], None, "Redis says LOADING"),
        ([OK, b"-BUSY Redis is busy running a script\r\n"], False, "Redis says BUSY"),
        ([OK, b"-WHATEVER may stand here\r\n"], False, "Redis answers with an error"),
        ([b"-ERR max number of clients reached\r\n"], False, "max number of clients reached"),
        ([b"-NOAUTH Authentication required.\r\n"], None, "Redis says NOAUTH"),
        ([b"-DENIED Redis is running in protected mode\r\n"], None, "Redis says DENIED"),
        ([b"HTTP/1.1 400 Bad Request\r\n\r\n"], False, "the answer is not Redis's"),
        ([OK, PONG, b"$many\r\n"], False, "the answer is not Redis's"),
        ([OK, PONG, b"$99999999\r\n" + b"x" * 4], False, "the answer is not Redis's"),
        ([OK], False, "connection lost"),
        ([], False, "connection lost"),
    ],
)
async def test_a_check_says_what_redis_said(context, replies, ok, reason):
    async with listener(replying(replies)) as address:
        result = await run_probe(spec(address), context)

    assert (result.ok, result.reason) == (ok, reason)


async def test_a_server_that_loads_is_not_ready(context):
    """A restart would make it load anew; so liveness says neither."""
    async with listener(replying([OK, b"-LOADING Redis is loading the dataset in memory\r\n"])) as address:
        result = await run_probe(dataclasses.replace(spec(address), role=ProbeRole.READINESS), context)

    assert (result.ok, result.reason) == (False, "Redis says LOADING")


async def test_a_connection_that_is_no_longer_allowed_is_made_anew(context):
    """With the password that stands in the file by then."""
    asked = []
    async with listener(replying([OK, b"-NOAUTH Authentication required.\r\n"] + [PONG] * 9, asked)) as address:
        probe = open_probe(spec(address), context)
        for _ in range(2):
            await probe.check()
        await probe.close()

    assert [words[0] for words in asked] == ["CLIENT", "PING"] * 2


@pytest.mark.parametrize(("user", "words"), [("", ["AUTH", "pass word"]), ("probe", ["AUTH", "probe", "pass word"])])
async def test_the_password_goes_out_first_and_the_connection_has_a_name(context, tmp_path, user, words):
    password_file, asked = tmp_path / "password", []
    password_file.write_text("pass word\n")
    async with listener(replying([OK, OK, PONG, INFO], asked)) as address:
        result = await run_probe(spec(address, user=user, password_file=password_file), context)

    assert result.ok
    assert asked == [words, ["CLIENT", "SETNAME", "homeostat"], ["PING"], ["INFO"]]


async def test_a_password_file_that_cannot_be_read_says_nothing_of_the_target(context, tmp_path):
    async with listener(replying([])) as address:
        result = await run_probe(spec(address, password_file=tmp_path / "missing"), context)

    assert (result.ok, result.reason) == (None, "the password file cannot be read")


async def test_a_connection_that_the_server_left_is_made_anew_once_in_the_same_check(context):
    asked = []
    async with listener(replying([OK, PONG, INFO], asked)) as address:  # it closes after each INFO
        probe = open_probe(spec(address), context)
        results = []
        for _ in range(3):
            results.append(await probe.check())
            await asyncio.sleep(0.02)
        await probe.close()

    assert [result.ok for result in results] == [True] * 3
    assert [words[0] for words in asked].count("CLIENT") == 3


async def test_a_late_answer_is_not_taken_for_that_of_the_next_check(context):
    connections = []

    async def serve(reader, writer):
        connections.append(writer)
        first = len(connections) == 1
        await reader.readuntil(b"homeostat\r\n")
        writer.write(OK)
        await reader.readuntil(b"PING\r\n")
        if first:
            await asyncio.sleep(0.3)
        writer.write(PONG)
        await reader.readuntil(b"INFO\r\n")
        writer.write(bulk("connected_clients:7\r\n"))
        await reader.read()

    async with listener(serve) as address:
        probe = open_probe(ProbeSpec("redis", address, 1.0, 0.2, options=RedisOptions()), context)
        late, after = await probe.check(), await probe.check()
        await probe.close()

    assert (late.ok, late.reason) == (False, "no answer within 0.2 s")
    assert after.ok
    assert len(connections) == 2


REPLICA = """# Clients\r
connected_clients:3\r
maxclients:100\r
blocked_clients:1\r
# Memory\r
used_memory:1048576\r
maxmemory:0\r
# Stats\r
rejected_connections:4\r
evicted_keys:5\r
# Replication\r
role:slave\r
master_link_status:down\r
master_last_io_seconds_ago:-1\r
connected_slaves:0\r
"""


def test_a_replica_tells_of_its_link():
    assert measured(REPLICA) == RedisMeasured(3, 100, 1, 1048576, 0, 5, 4, True, 0, False, None)
    assert measured(REPLICA.replace("ago:-1", "ago:9").replace("status:down", "status:up")).last_io_s == 9


def test_a_primary_has_no_link():
    found = measured("role:master\r\nconnected_slaves:2\r\n")

    assert (found.is_replica, found.replicas, found.link_up, found.last_io_s) == (False, 2, None, None)


def test_what_a_server_does_not_tell_is_not_invented():
    assert measured("connected_clients:many\r\nnothing\r\n") == RedisMeasured()
