"""The action ``redis_trim`` against the real server, judged by what it holds afterwards."""

import asyncio
import contextlib
import re
import socket
import time

import pytest
import redis
from fakes.acting import act, containers_of, process
from fakes.containers import container
from fakes.databases import Redis, until

from homeostat.clock import SystemClock
from homeostat.errors import Permanent, Temporary, Unreachable
from homeostat.steps import RedisTrimStep
from responder.actions import rediskeys
from responder.actions.deadline import Deadline
from responder.actions.redis_trim import RedisTrim
from responder.actions.redislink import redis_link

PASSWORD = "tr1m-Pa55"


@pytest.fixture
def server(database_programs, tmp_path, free_port):
    server = Redis(database_programs, tmp_path, free_port())
    server.start()
    yield server
    server.stop()


@pytest.fixture
def client(server):
    with redis.Redis(port=server.port, socket_timeout=20) as client:
        yield client


def trimming(server, **values):
    return RedisTrimStep(action="redis_trim", target=server.address, **values)


async def trim(step, target=None):
    return await act(RedisTrim(), step, target or containers_of(container()))


def fill(client, prefix, count, value=b"x" * 100):
    with client.pipeline(transaction=False) as pipe:
        for n in range(count):
            pipe.set(f"{prefix}{n}", value)
        pipe.execute()


async def test_of_many_keys_as_many_as_allowed_go_and_no_others(server, client):
    fill(client, "cache:", 100_000)
    fill(client, "session:", 1_000)
    client.set("cache", "not one of them")

    result = await trim(trimming(server, pattern="cache:*", max_keys=30_000, timeout=30.0))

    assert client.dbsize() == 71_001
    assert sum(1 for _ in client.scan_iter("session:*", count=10_000)) == 1_000
    assert client.get("cache") == b"not one of them"
    told = re.fullmatch(
        rf"Redis at {server.address}: 30000 keys of cache:\* deleted, "
        r"memory ([0-9.]+) MiB used and [0-9.]+ MiB resident before, ([0-9.]+) MiB used and [0-9.]+ MiB resident now",
        result.detail,
    )
    assert float(told[1]) - float(told[2]) > 3
    assert await until(lambda: len(client.client_list()) == 1)


async def test_only_idle_keys_go(server, client):
    fill(client, "cache:", 500)
    await asyncio.sleep(3.1)
    fill(client, "cache:", 100)  # used again
    fill(client, "cache:new:", 100)

    result = await trim(trimming(server, pattern="cache:*", idle=2.0))

    assert "400 keys of cache:* deleted" in result.detail
    assert client.dbsize() == 200
    assert client.exists("cache:99") and not client.exists("cache:100")


async def test_the_longest_idle_go_first(server, client):
    fill(client, "cache:", 300)
    await asyncio.sleep(2.1)
    for n in range(0, 300, 2):
        client.get(f"cache:{n}")

    await trim(trimming(server, pattern="cache:*", max_keys=150))

    left = {int(key.partition(b":")[2]) for key in client.scan_iter()}
    assert left == set(range(0, 300, 2))


async def test_a_key_that_was_used_since_it_was_found_stays(server, client):
    fill(client, "cache:", 2)
    await asyncio.sleep(1.1)
    step = trimming(server, pattern="cache:*", idle=1.0)
    deadline = Deadline.of_step(5.0, SystemClock())
    async with redis_link(server.address, "", None) as link:
        found, is_all = await rediskeys._find(link, step, 10, deadline, knows_idle=True)
        client.get("cache:1")

        unlinked, is_done = await rediskeys._unlink(link, step, found, deadline)

    assert (sorted(found), is_all) == ([b"cache:0", b"cache:1"], True)
    assert (unlinked, is_done) == (1, True)
    assert client.keys() == [b"cache:1"]


PATTERNS = {
    "a word and a star": ("cache:*", {b"cache:1", b"cache:2"}),
    "brackets": ("cache:[12]", {b"cache:1", b"cache:2"}),
    "an escaped star": ("glob\\*", {b"glob*"}),
    "a command": ("x' FLUSHALL '", {b"x' FLUSHALL '"}),
    "a quote": ('say "hi"*', {b'say "hi"1'}),
    "a brace and a dollar": ("${HOME}{1}", {b"${HOME}{1}"}),
    "not ASCII": ("caché:*", {"caché:1".encode()}),
}
KEYS = (
    *(b"cache:1", b"cache:2", b"glob*", b"globs", b"x' FLUSHALL '", b'say "hi"1', b"${HOME}{1}"),
    *("caché:1".encode(), b"\xff\xfe\r\n", b"other"),
)


@pytest.mark.parametrize(("pattern", "expected"), PATTERNS.values(), ids=PATTERNS.keys())
async def test_a_pattern_is_a_glob_and_nothing_else(server, client, pattern, expected):
    for key in KEYS:
        client.set(key, "1")

    await trim(trimming(server, pattern=pattern))

    assert set(KEYS) - set(client.keys()) == expected


async def test_keys_whose_names_are_not_text_are_keys_as_well(server, client):
    for key in KEYS:
        client.set(key, "1")

    await trim(trimming(server, pattern="*\r\n"))

    assert set(KEYS) - set(client.keys()) == {b"\xff\xfe\r\n"}


async def test_without_a_pattern_no_key_is_touched(server, client):
    fill(client, "cache:", 1000)

    result = await trim(trimming(server))

    assert client.dbsize() == 1000
    assert "keys" not in result.detail
    assert client.info("commandstats")["cmdstat_memory|purge"]["calls"] == 1


async def test_other_databases_of_the_server_are_not_touched(server, client):
    client.select(1)
    fill(client, "cache:", 10)
    client.select(0)
    fill(client, "cache:", 10)

    await trim(trimming(server, pattern="cache:*"))

    assert "db0" not in client.info("keyspace")
    assert client.info("keyspace")["db1"]["keys"] == 10


async def test_it_never_asks_for_all_keys_nor_flushes(server, client):
    fill(client, "cache:", 1000)

    await trim(trimming(server, pattern="*", idle=0.0))

    asked = {name.removeprefix("cmdstat_") for name in client.info("commandstats")}
    assert {"scan", "unlink"} <= asked
    assert not asked & {"keys", "flushdb", "flushall", "del"}


async def test_with_nothing_to_delete_and_no_purge_it_is_passed_over(server, client):
    fill(client, "cache:", 10)

    result = await trim(trimming(server, pattern="cache:*", idle=3600.0, purge=False))

    assert result.reason == f"{server.address}: no key of cache:* may go"
    assert client.dbsize() == 10


@pytest.mark.parametrize("target", [process(), containers_of(container(addresses=()))], ids=["process", "no address"])
async def test_without_a_container_that_has_an_address_it_is_passed_over(target):
    result = await trim(RedisTrimStep(action="redis_trim", target=":6379"), target)

    assert result.reason == ":6379: no container of it has an address now"


async def test_each_container_of_the_target_is_trimmed_within_one_budget(
    database_programs, server, client, tmp_path, free_port
):
    # All of 127/8 is this host.
    one, two = container("r-1", addresses=("127.0.0.1",)), container("r-2", addresses=("127.0.0.2",))
    folder = tmp_path / "two"
    folder.mkdir()
    other = Redis(database_programs, folder, server.port)
    other.start("--bind", "127.0.0.2")
    try:
        with redis.Redis(host="127.0.0.2", port=server.port) as second:
            assert await until(lambda: _answers(second))
            fill(client, "cache:", 60)
            fill(second, "cache:", 60)

            result = await trim(
                RedisTrimStep(action="redis_trim", target=f":{server.port}", pattern="cache:*", max_keys=100),
                containers_of(one, two),
            )

            assert (client.dbsize(), second.dbsize()) == (0, 20)
        assert "60 keys of cache:* deleted" in result.detail
        assert "40 keys of cache:* deleted" in result.detail
    finally:
        other.stop()


def _answers(client):
    with contextlib.suppress(redis.ConnectionError):
        return client.ping()


async def test_a_user_and_a_password_are_used(server, client, tmp_path):
    client.config_set("requirepass", PASSWORD)
    client.auth(PASSWORD)
    client.acl_setuser("trimmer", enabled=True, passwords=["+other"], keys=["cache:*"], commands=["+@all"])
    fill(client, "cache:", 10)
    (tmp_path / "password").write_text("other\n")

    await trim(trimming(server, pattern="cache:*", user="trimmer", password_file=tmp_path / "password"))

    assert client.dbsize() == 0


async def test_a_wrong_password_is_told_without_it(server, client, tmp_path):
    client.config_set("requirepass", PASSWORD)
    (tmp_path / "password").write_text("wr0ng-Pa55\n")

    with pytest.raises(Permanent) as caught:
        await trim(trimming(server, pattern="*", password_file=tmp_path / "password"))

    assert str(caught.value) == f"Redis at {server.address}: connect: not authorized; see user and password_file"
    assert "wr0ng" not in repr(caught.value.__context__)


async def test_no_password_where_one_is_needed_is_told(server, client):
    client.config_set("requirepass", PASSWORD)

    with pytest.raises(Permanent, match=r": INFO: not authorized; see user and password_file$"):
        await trim(trimming(server, pattern="*"))


async def test_a_password_file_that_cannot_be_read_is_told(server, tmp_path):
    with pytest.raises(Permanent, match=r": the password file cannot be read$"):
        await trim(trimming(server, password_file=tmp_path / "missing"))


async def test_a_user_that_may_not_delete_is_told_and_nothing_is(server, client, tmp_path):
    client.acl_setuser("reader", enabled=True, passwords=["+other"], keys=["*"], commands=["+@all", "-unlink"])
    (tmp_path / "password").write_text("other\n")
    fill(client, "cache:", 10)

    with pytest.raises(Permanent, match=r": UNLINK: its user may not do that; allow it by ACL SETUSER$"):
        await trim(trimming(server, pattern="cache:*", user="reader", password_file=tmp_path / "password"))

    assert client.dbsize() == 10


async def test_a_replica_is_told(server, client):
    fill(client, "cache:", 10)
    client.execute_command("REPLICAOF", "127.0.0.1", "1")

    with pytest.raises(Permanent, match=r": UNLINK: it is a replica"):
        await trim(trimming(server, pattern="cache:*"))


@pytest.mark.parametrize("idle", [0.0, 60.0])
async def test_under_an_lfu_policy_nothing_is_known_of_idle_keys(server, client, idle):
    client.config_set("maxmemory-policy", "allkeys-lfu")
    fill(client, "cache:", 10)
    step = trimming(server, pattern="cache:*", idle=idle, max_keys=4)

    if idle:
        with pytest.raises(Permanent, match="allkeys-lfu does not keep how long keys are idle; allowed there: idle 0s"):
            await trim(step)
    else:
        await trim(step)

    assert client.dbsize() == (10 if idle else 6)


async def test_a_full_server_is_told(server, client):
    client.config_set("maxclients", 1)

    # It says why and closes; when we are quicker to speak, the reset overtakes its words.
    with pytest.raises(Temporary, match=r"max number of clients reached|connect: connection refused or lost"):
        await trim(trimming(server))


async def test_a_server_that_is_not_there_is_told(free_port):
    address = f"127.0.0.1:{free_port()}"

    with pytest.raises(Unreachable, match=rf"^Redis at {address}: connect: connection refused or lost$"):
        await trim(RedisTrimStep(action="redis_trim", target=address))


async def test_what_is_no_redis_is_told():
    async def chat(reader, writer):
        await reader.readline()
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    listening = await asyncio.start_server(chat, "127.0.0.1", 0)
    address = f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    async with listening:
        with pytest.raises((Permanent, Unreachable), match=rf"^Redis at {address}: "):
            await trim(RedisTrimStep(action="redis_trim", target=address))


async def test_a_server_that_hangs_is_waited_for_no_longer_than_the_step_may(server):
    server.pause()
    begin = time.monotonic()

    with pytest.raises(TimeoutError):
        await trim(trimming(server, pattern="*", timeout=1.0))

    assert time.monotonic() - begin < 1.5


async def test_a_server_that_takes_connections_and_says_nothing_is_no_different():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        with pytest.raises(TimeoutError):
            await trim(RedisTrimStep(action="redis_trim", target=address, timeout=0.5))


async def test_when_the_time_is_over_what_was_done_is_told(server, client):
    fill(client, "cache:", 120_000)

    result = await trim(trimming(server, pattern="cache:*", max_keys=100_000, timeout=0.6))

    assert result.detail.endswith(", not all for want of time")
    assert 0 < client.dbsize() < 120_000
