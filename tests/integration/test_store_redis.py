"""The Redis store on real servers: what it refuses, and what several responders, crashes and lost answers leave."""

import asyncio
import contextlib
import itertools
import socket
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from fakes.certificates import Authority
from fakes.clock import FakeClock
from fakes.databases import RedisConnection
from fakes.ledgers import (
    NOW,
    A,
    B,
    LedgerRedis,
    RedisLedger,
    alert,
    all_links,
    chain_problems,
    ended,
    kinds,
    opened,
)
from fakes.listeners import listener
from fakes.stack import pick_port

from responder.ledger import Entry, EntryKind, Final, Hold, LostLease, StoreError
from responder.redisstore import server as server_module
from responder.redisstore.draft import Draft
from responder.redisstore.place import Place
from responder.store_redis import RedisStore

PASSWORD = "s3cret-Pa55"
LONG_S = 60.0
#: Of a user of our own, as responder/redisstore/place.py says.
RIGHTS = ("+@read", "+@write", "+@scripting", "+@transaction", "+@connection", "+config|get")


@pytest.fixture(scope="module")
def shared_redis(database_programs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerRedis]:
    """For tests that leave it as it was."""
    server = LedgerRedis(database_programs, tmp_path_factory.mktemp("redis"))
    server.start("--enable-debug-command", "local")
    yield server
    server.stop()


@pytest.fixture
def own_redis(database_programs: dict[str, Path], tmp_path: Path) -> Iterator[LedgerRedis]:
    """Not started yet; its test does with it what it likes."""
    server = LedgerRedis(database_programs, tmp_path / "redis")
    yield server
    server.stop()


@pytest.fixture
def ledger(shared_redis: LedgerRedis) -> RedisLedger:
    return RedisLedger(shared_redis.url, uuid.uuid4().hex)


@pytest.fixture
async def store(ledger: RedisLedger) -> AsyncIterator[RedisStore]:
    store = await ledger.open()
    yield store
    await store.close()


@pytest.fixture
async def replica(ledger: RedisLedger, store: RedisStore) -> AsyncIterator[RedisStore]:
    """Another responder's, on the same ledger as ``store``."""
    replica = await ledger.open()
    yield replica
    await replica.close()


def ask(server: LedgerRedis, *words: str) -> str:
    return ask_port(server.port, *words)


def ask_port(port: int, *words: str) -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
        return RedisConnection(sock).call(*words)


async def open_on(server: LedgerRedis) -> None:
    await (await RedisStore.open(Place(server.url), uuid.uuid4().hex)).close()


# --- What cannot be trusted with a ledger


@pytest.mark.parametrize(
    ("name", "bad", "good", "words"),
    [
        ("appendonly", "no", "yes", "set appendonly yes"),
        ("appendfsync", "no", "always", "set appendfsync always"),
        ("no-appendfsync-on-rewrite", "yes", "no", "set no-appendfsync-on-rewrite no"),
        ("maxmemory-policy", "allkeys-lru", "noeviction", "set maxmemory-policy noeviction"),
        ("maxmemory-policy", "volatile-ttl", "noeviction", "set maxmemory-policy noeviction"),
    ],
)
async def test_a_server_that_would_lose_what_it_answered_is_refused(
    shared_redis: LedgerRedis, name: str, bad: str, good: str, words: str
):
    ask(shared_redis, "CONFIG", "SET", name, bad)
    try:
        with pytest.raises(StoreError, match=f"{shared_redis.address}.* {words}"):
            await open_on(shared_redis)
    finally:
        ask(shared_redis, "CONFIG", "SET", name, good)

    await open_on(shared_redis)


async def test_each_second_is_not_enough_for_a_server_that_cannot_be_asked_to_wait(shared_redis: LedgerRedis):
    if not ask(shared_redis, "WAITAOF", "0", "0", "0").startswith("-ERR unknown"):
        pytest.skip("this redis-server knows WAITAOF")
    ask(shared_redis, "CONFIG", "SET", "appendfsync", "everysec")
    try:
        with pytest.raises(StoreError, match=r"everysec: a power cut would cost .* set appendfsync always"):
            await open_on(shared_redis)
    finally:
        ask(shared_redis, "CONFIG", "SET", "appendfsync", "always")


async def test_a_server_that_was_set_otherwise_is_refused_by_new_connections(own_redis: LedgerRedis):
    own_redis.start()
    store = await RedisStore.open(Place(own_redis.url))
    await opened(store)
    own_redis.stop()
    own_redis.start("--appendfsync", "no")

    with pytest.raises(StoreError, match="set appendfsync always"):
        await store.accept([alert(fingerprint=B)], NOW)

    await store.close()


async def test_a_server_that_does_not_show_its_configuration_is_refused_unless_it_is_known_to_be_good(
    shared_redis: LedgerRedis,
):
    ask(shared_redis, "ACL", "SETUSER", "blind", "on", ">" + PASSWORD, "~*", "+@all", "-config")
    url = f"redis://blind:{PASSWORD}@{shared_redis.address}"

    with pytest.raises(StoreError, match="allow CONFIG GET, or say in the settings"):
        await RedisStore.open(Place(url))
    store = await RedisStore.open(Place(url, is_trusted=True), uuid.uuid4().hex)

    assert len((await store.accept([alert()], NOW)).opened) == 1
    await store.close()


async def test_whoever_may_only_read_hears_it_at_once(shared_redis: LedgerRedis):
    ask(
        shared_redis,
        "ACL",
        "SETUSER",
        "reader",
        "on",
        ">" + PASSWORD,
        "~*",
        "-@all",
        "+@read",
        "+config",
        "+@connection",
    )

    with pytest.raises(StoreError, match="permissions"):
        await RedisStore.open(Place(f"redis://reader:{PASSWORD}@{shared_redis.address}"), uuid.uuid4().hex)


async def test_a_copy_of_another_server_is_refused(database_programs, shared_redis: LedgerRedis, tmp_path: Path):
    copy = LedgerRedis(database_programs, tmp_path / "copy")
    copy.start("--replicaof", "127.0.0.1", str(shared_redis.port))
    try:
        with pytest.raises(StoreError, match=r"(?i)read only replica|loading|masterdown"):
            await open_on(copy)
    finally:
        copy.stop()


async def test_a_ledger_of_another_version_is_left_alone(shared_redis: LedgerRedis, ledger: RedisLedger):
    key = f"{{{ledger.prefix}}}:head"
    ask(shared_redis, "SET", key, "[99,1]")

    with pytest.raises(StoreError, match="schema 99"):
        await ledger.open()

    assert ask(shared_redis, "GET", key) == "[99,1]"


@pytest.mark.parametrize("prefix", ["", "a b", "{a}", "a:b", "x" * 65, "\xe4"])
async def test_a_prefix_that_would_not_keep_the_keys_together_is_refused(prefix: str):
    with pytest.raises(StoreError, match="prefix"):
        await RedisStore.open(Place("redis://127.0.0.1:1"), prefix)


# --- Who may, and what is said of it


async def test_the_password_comes_from_a_file_each_time_it_connects(own_redis: LedgerRedis, tmp_path: Path):
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    own_redis.start("--requirepass", PASSWORD)
    store = await RedisStore.open(Place(own_redis.url, file))
    await opened(store)
    own_redis.stop()
    own_redis.start("--requirepass", "another-" + PASSWORD)
    file.write_text("another-" + PASSWORD)

    assert len(await store.open_episodes()) == 1

    await store.close()


async def test_a_user_of_the_url_has_the_files_password(shared_redis: LedgerRedis, tmp_path: Path):
    (tmp_path / "password").write_text(PASSWORD)
    ask(shared_redis, "ACL", "SETUSER", "homeostat", "on", ">" + PASSWORD, "~{homeostat-acl}:*", *RIGHTS)
    place = Place(f"redis://homeostat@{shared_redis.address}/0", tmp_path / "password")

    store = await RedisStore.open(place, "homeostat-acl")
    episode = await opened(store)
    lease = await store.acquire("shop/web", "one", LONG_S, 0.0)
    await store.finish(episode, Final.VERIFIED, "good", NOW, lease)

    assert await chain_problems(store) == []
    assert (await store.counts()).open == 0
    await store.close()


async def test_a_wrong_password_is_not_repeated(shared_redis: LedgerRedis):
    with pytest.raises(StoreError, match=shared_redis.address) as caught:
        await RedisStore.open(Place(f"redis://nobody:{PASSWORD}@{shared_redis.address}"))

    assert PASSWORD not in str(caught.value)
    assert "nobody" not in str(caught.value)
    assert (caught.value.__cause__, caught.value.__suppress_context__) == (None, True)


async def test_a_server_that_knows_no_passwords_does_not_get_ours_repeated(own_redis: LedgerRedis):
    own_redis.start("--rename-command", "AUTH", '""')
    assert PASSWORD in ask(own_redis, "AUTH", PASSWORD)  # Redis itself repeats what it does not know

    with pytest.raises(StoreError, match="unknown command") as caught:
        await RedisStore.open(Place(f"redis://:{PASSWORD}@{own_redis.address}"))

    assert PASSWORD not in str(caught.value)


async def test_a_password_file_that_cannot_be_read_is_named(shared_redis: LedgerRedis, tmp_path: Path):
    with pytest.raises(StoreError, match="no-such-file"):
        await RedisStore.open(Place(shared_redis.url, tmp_path / "no-such-file"))


async def test_nobody_there_is_said_with_the_address():
    address = f"127.0.0.1:{pick_port()}"

    with pytest.raises(StoreError, match=address):
        await RedisStore.open(Place(f"redis://user:{PASSWORD}@{address}/3"))


async def test_a_unix_socket_will_do(own_redis: LedgerRedis, tmp_path: Path):
    own_redis.start("--unixsocket", str(tmp_path / "redis.sock"))

    store = await RedisStore.open(Place(f"unix://{tmp_path}/redis.sock?db=2"))

    await opened(store)
    assert ask(own_redis, "DBSIZE") == ":0"  # of database 0
    await store.close()


async def test_tls_is_believed_only_with_the_right_authority(own_redis: LedgerRedis, tmp_path: Path):
    authority = Authority(tmp_path / "authority")
    certificate, key = authority.issue("redis")
    port = pick_port()
    files = [
        "--tls-cert-file",
        str(certificate),
        "--tls-key-file",
        str(key),
        "--tls-ca-cert-file",
        str(authority.certificate),
    ]
    own_redis.start("--tls-port", str(port), "--tls-auth-clients", "no", *files)

    with pytest.raises(StoreError, match=r"(?i)certificate"):
        await RedisStore.open(Place(f"rediss://127.0.0.1:{port}"))
    store = await RedisStore.open(Place(f"rediss://127.0.0.1:{port}?ssl_ca_certs={authority.certificate}"))

    await opened(store)
    await store.close()


def test_redis_py_is_loaded_only_when_it_is_used():
    script = "import sys, responder.store_redis; print('redis' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"


# --- Restarts, crashes and lost answers


async def test_a_restart_is_not_even_noticed(own_redis: LedgerRedis):
    own_redis.start()
    store = await RedisStore.open(Place(own_redis.url))
    episode = await opened(store)
    lease = await store.acquire("shop/web", "one", LONG_S, 0.0)
    own_redis.stop()
    own_redis.start()

    await store.append(episode, EntryKind.STARTED, {}, NOW, lease)

    assert await kinds(store, episode) == ["opened", "started"]
    assert await store.acquire("shop/web", "two", LONG_S, 0.0) is None
    newer = await store.acquire("shop/web", "one", LONG_S, 0.0)
    assert lease is not None
    assert newer is not None
    assert newer.token > lease.token
    await store.close()


async def test_while_it_is_gone_it_is_said_and_then_it_goes_on(own_redis: LedgerRedis):
    own_redis.start()
    store = await RedisStore.open(Place(own_redis.url))
    episode = await opened(store)
    own_redis.stop()

    for call in (store.accept([alert(fingerprint=B)], NOW), store.counts(), store.acquire("shop/web", "one", 1.0, 0.0)):
        with pytest.raises(StoreError, match=own_redis.address):
            await call
    own_redis.start()

    assert [one.id for one in (await store.accept([alert(fingerprint=B)], NOW)).opened] == [episode.id + 1]
    assert await chain_problems(store) == []
    await store.close()


async def test_killed_in_the_middle_it_has_all_that_was_acknowledged(own_redis: LedgerRedis):
    own_redis.start()
    stores = [await RedisStore.open(Place(own_redis.url)) for _ in range(2)]
    acknowledged: set[tuple[int, int]] = set()
    opened_ids: set[int] = set()

    async def write(n: int) -> None:
        store = stores[n % 2]
        with contextlib.suppress(StoreError):
            for i in itertools.count():
                [episode] = (await store.accept([alert(fingerprint=f"{n:08x}{i:08x}")], NOW)).opened
                opened_ids.add(episode.id)
                entry = await store.append(episode, EntryKind.WAITING, {"n": n, "i": i}, NOW)
                acknowledged.add((entry.id, episode.id))

    writing = [asyncio.create_task(write(n)) for n in range(8)]
    while len(acknowledged) < 60:
        await asyncio.sleep(0.001)
    own_redis.kill()
    await asyncio.gather(*writing)
    own_redis.start()

    found = await all_links(stores[0])
    assert acknowledged <= {(link.id, link.episode_id) for link in found if link.kind == "waiting"}
    assert opened_ids <= {episode.id for episode in await stores[1].open_episodes(100_000)}
    assert await chain_problems(stores[0]) == []
    assert (await opened(stores[1])).id > max(opened_ids)
    for store in stores:
        await store.close()


class LossyWire:
    """Passes everything on but the first answer to a certain write: there it cuts that connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._has_cut = False
        self._is_cut = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self._port)
        there = asyncio.create_task(self._pass(reader, to_writer))
        try:
            while data := await to_reader.read(65536):
                if self._is_cut:
                    self._is_cut = False
                    break
                writer.write(data)
                await writer.drain()
        finally:
            there.cancel()
            to_writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if not self._has_cut and b"EVALSHA" in data and b"lost-answer" in data:
                self._has_cut = self._is_cut = True
            writer.write(data)
            await writer.drain()


async def test_a_write_whose_answer_is_lost_is_not_done_twice(shared_redis: LedgerRedis, store: RedisStore, ledger):
    episode = await opened(store)
    wire = LossyWire(shared_redis.port)
    async with listener(wire.serve) as address:
        lossy = await RedisStore.open(Place(f"redis://{address}"), ledger.prefix)

        with pytest.raises(StoreError, match=address):
            await lossy.append(episode, EntryKind.STARTED, {"text": "lost-answer"}, NOW)

        assert await kinds(lossy, episode) == ["opened", "started"]
        await lossy.close()


async def test_who_gives_up_leaves_no_answer_to_the_next(store: RedisStore):
    episode = await opened(store)
    for n in range(30):
        task = asyncio.create_task(store.append(episode, EntryKind.WAITING, {"n": n}, NOW))
        for _ in range(n):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

        assert (await store.counts()).open == 1
        assert (await store.episode(episode.id)).id == episode.id

    assert await chain_problems(store) == []


async def test_after_giving_up_the_server_is_looked_over_again(own_redis: LedgerRedis):
    own_redis.start()
    store = await RedisStore.open(Place(own_redis.url))
    episode = await opened(store)
    own_redis.pause()
    task = asyncio.create_task(store.append(episode, EntryKind.WAITING, {}, NOW))
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    own_redis.resume()
    ask(own_redis, "CONFIG", "SET", "appendfsync", "no")

    with pytest.raises(StoreError, match="set appendfsync always"):
        await store.append(episode, EntryKind.WAITING, {}, NOW)

    await store.close()


async def test_a_server_that_hangs_is_not_waited_for_forever(own_redis: LedgerRedis, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(server_module, "_PATIENCE_S", 0.3)
    own_redis.start()
    store = await RedisStore.open(Place(own_redis.url))
    own_redis.pause()

    results = await asyncio.gather(
        *(store.accept([alert()], NOW) for _ in range(50)), store.counts(), return_exceptions=True
    )
    own_redis.resume()

    assert {type(result) for result in results} == {StoreError}
    assert "0.3 s" in str(results[0])
    await store.accept([alert()], NOW)
    assert (await store.counts()).open == 1
    await store.close()


async def test_full_memory_refuses_and_goes_on_reading(own_redis: LedgerRedis):
    own_redis.start()
    store = await RedisStore.open(Place(own_redis.url))
    episode = await opened(store)
    ask(own_redis, "CONFIG", "SET", "maxmemory", "1")

    for call in (
        store.accept([alert(fingerprint=B)], NOW),
        store.append(episode, EntryKind.WAITING, {}, NOW),
        store.finish(episode, Final.VERIFIED, "good", NOW),
        store.put_hold(Hold("*", "", "", NOW, None)),
    ):
        with pytest.raises(StoreError, match="memory"):
            await call

    assert await store.open_episodes() == [episode]
    ask(own_redis, "CONFIG", "SET", "maxmemory", "0")
    assert (await store.append(episode, EntryKind.WAITING, {}, NOW)).id == 2
    assert await chain_problems(store) == []
    await store.close()


async def test_a_flushed_database_is_not_taken_for_an_empty_ledger(own_redis: LedgerRedis):
    own_redis.start()
    store = await RedisStore.open(Place(own_redis.url))
    await opened(store)
    ask(own_redis, "FLUSHALL")

    with pytest.raises(StoreError, match="gone"):
        await store.accept([alert()], NOW)

    assert ask(own_redis, "DBSIZE") == ":0"
    await store.close()


@pytest.mark.parametrize("foreign", ["{}", "[1]", "nonsense", "[1,2,3,4,5,6,7,8,9,10,11,12]"])
async def test_what_others_wrote_is_not_taken_for_ours(
    shared_redis: LedgerRedis, store: RedisStore, ledger, foreign: str
):
    episode = await opened(store)
    ask(shared_redis, "HSET", f"{{{ledger.prefix}}}:episodes", str(episode.id), foreign)

    with pytest.raises(StoreError, match="did not write"):
        await store.open_episodes()
    with pytest.raises(StoreError, match="did not write"):
        await store.finish(episode, Final.VERIFIED, "good", NOW)

    assert [link.kind for link in await all_links(store)] == ["opened"]


# --- Several responders


async def test_a_hold_is_dropped_by_one_of_many(ledger: RedisLedger, store: RedisStore):
    replicas = [await ledger.open() for _ in range(6)]
    for _ in range(5):
        await store.put_hold(Hold("*", "", "ann", NOW, None))

        dropped = await asyncio.gather(*(one.drop_hold("*") for one in replicas))

        assert sorted(dropped) == [False] * 5 + [True]
    for one in replicas:
        await one.close()


async def test_what_one_writes_the_other_reads(store: RedisStore, replica: RedisStore):
    episode = await opened(store)

    assert (await replica.accept([alert(), alert(fingerprint=B)], NOW)).repeated == 1
    await replica.finish(episode, Final.ESCALATED, "cap", NOW)

    assert [one.id for one in await store.escalated(0, 10)] == [episode.id]
    assert await chain_problems(store) == []


async def test_two_that_hammer_one_ledger_leave_it_whole(
    shared_redis: LedgerRedis, ledger: RedisLedger, store: RedisStore, replica: RedisStore
):
    fingerprints = [f"{n:016x}" for n in range(6)]
    seen: list[int] = []

    async def work(mine: RedisStore, n: int) -> None:
        for i in range(12):
            fingerprint = fingerprints[(n + i) % 6]
            at = NOW + 100 * i + n
            accepted = await mine.accept([alert(at, fingerprint=fingerprint), alert(at, fingerprint=A)], at)
            seen.extend(one.id for one in accepted.opened)
            for episode in (await mine.unfinished("shop/web"))[:2]:
                await mine.append(episode, EntryKind.WAITING, {"n": n, "i": i}, at)
                final = Final.ESCALATED if (n + i) % 3 == 0 else Final.VERIFIED
                after = await mine.finish(episode, final, f"{n}", at)
                if after.final is Final.ESCALATED:
                    await mine.close_episode(after, "over", at)
            await mine.accept([ended(fingerprint=fingerprint)], at)

    await asyncio.gather(*(work(mine, n) for n, mine in enumerate((store, replica) * 5)))

    assert await chain_problems(store) == []
    episodes = await store.episodes(100_000)
    assert sorted(seen) == sorted(one.id for one in episodes) == list(range(1, len(episodes) + 1))
    lasting = [one for one in episodes if one.closed_at is None]
    assert len({one.fingerprint for one in lasting}) == len(lasting)
    assert await replica.open_episodes() == lasting
    assert (await replica.counts()).open == len(lasting)
    finals = [link for link in await all_links(store) if link.kind == "final"]
    assert len(finals) == sum(one.final is not None for one in episodes)
    assert ask(shared_redis, "EXISTS", f"{{{ledger.prefix}}}:turn") == ":0"


async def test_many_replicas_finish_one_episode_once(ledger: RedisLedger, store: RedisStore):
    episode = await opened(store)
    replicas = [await ledger.open() for _ in range(6)]

    ends = await asyncio.gather(*(one.finish(episode, Final.VERIFIED, f"{n}", NOW) for n, one in enumerate(replicas)))

    assert len({end.reason for end in ends}) == 1
    assert await kinds(store, episode) == ["opened", "final"]
    for one in replicas:
        await one.close()


#: Another process, which never stops writing.
HAMMER = """
import asyncio, sys
from responder.ledger import EntryKind
from responder.redisstore.place import Place
from responder.store_redis import RedisStore

async def main(url, prefix):
    store = await RedisStore.open(Place(url), prefix)
    episode = await store.episode(1)
    while True:
        await store.append(episode, EntryKind.WAITING, {}, 1.0)
        print("written", flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_a_large_delivery_is_not_overtaken_for_ever(store: RedisStore, ledger: RedisLedger):
    await opened(store)
    with subprocess.Popen([sys.executable, "-c", HAMMER, ledger.url, ledger.prefix], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert await asyncio.to_thread(process.stdout.readline) == b"written\n"
            reading = asyncio.create_task(asyncio.to_thread(process.stdout.read))
            before = await store.links(-1, 1)

            accepted = await store.accept([alert(fingerprint=f"{n:016x}") for n in range(5000)], NOW)

            [first] = await store.entries(accepted.opened[0].id)
        finally:
            process.kill()
    await reading

    assert len(accepted.opened) == 5000
    assert first.id > before[0].id + 1  # it was overtaken, though
    assert await chain_problems(store) == []


@pytest.mark.parametrize("is_lost", [False, True])
async def test_whoever_came_too_late_has_the_next_turn_and_gives_it_back(
    shared_redis: LedgerRedis, ledger: RedisLedger, store: RedisStore, replica: RedisStore, is_lost: bool
):
    episode = await opened(store)
    lease = await store.acquire("shop/web", "one", LONG_S, 0.0)
    assert lease is not None
    turns: list[str] = []

    async def work(_session: object, draft: Draft) -> Entry:
        turns.append(ask(shared_redis, "EXISTS", f"{{{ledger.prefix}}}:turn"))
        if len(turns) == 1:
            await replica.append(episode, EntryKind.WAITING, {"who": "was faster"}, NOW)
        elif is_lost:
            await store.release(lease)
        return draft.line(episode, EntryKind.WAITING, {"who": "was late"}, NOW)

    with pytest.raises(LostLease) if is_lost else contextlib.nullcontext():
        await store._writer.change(work, lease)

    assert turns == [":0", ":1"]
    assert ask(shared_redis, "EXISTS", f"{{{ledger.prefix}}}:turn") == ":0"
    assert [entry.data for entry in await store.entries(episode.id)][1:] == [
        {"who": "was faster"},
        *([] if is_lost else [{"who": "was late"}]),
    ]


async def test_within_one_process_nobody_comes_too_late(ledger: RedisLedger):
    clock = FakeClock()
    store = await RedisStore.open(Place(ledger.url), ledger.prefix, clock)
    episode = await opened(store)

    await asyncio.gather(*(store.append(episode, EntryKind.WAITING, {"n": n}, NOW) for n in range(50)))

    assert clock.slept == []
    await store.close()


async def test_whoever_has_the_turn_and_dies_holds_nobody_up_for_long(
    shared_redis: LedgerRedis, store: RedisStore, ledger
):
    ask(shared_redis, "SET", f"{{{ledger.prefix}}}:turn", "somebody", "PX", "200")
    begin = asyncio.get_running_loop().time()

    await opened(store)

    assert 0.1 < asyncio.get_running_loop().time() - begin < 2.0


@pytest.mark.parametrize("count", [1, 3000])
async def test_nobody_writes_while_it_is_somebody_elses_turn(
    shared_redis: LedgerRedis, store: RedisStore, ledger, monkeypatch: pytest.MonkeyPatch, count: int
):
    monkeypatch.setattr(server_module, "_PATIENCE_S", 0.4)
    ask(shared_redis, "SET", f"{{{ledger.prefix}}}:turn", "somebody", "PX", "60000")
    begin = asyncio.get_running_loop().time()

    with pytest.raises(StoreError, match=r"0\.4 s"):
        await store.accept([alert(fingerprint=f"{n:016x}") for n in range(count)], NOW)

    assert asyncio.get_running_loop().time() - begin < 10.0
    assert await store.episodes(1) == []


async def test_two_ledgers_on_one_server_do_not_meet(shared_redis: LedgerRedis, store: RedisStore):
    other = await RedisStore.open(Place(shared_redis.url), uuid.uuid4().hex)
    await opened(store)
    await store.acquire("shop/web", "one", LONG_S, 0.0)

    assert await other.episodes(10) == []
    assert await other.acquire("shop/web", "two", LONG_S, 0.0) is not None
    await other.close()


# --- Leases among several


async def test_who_slept_past_its_lease_can_write_nothing_though_nobody_else_has_it(store: RedisStore):
    episode = await opened(store)
    lease = await store.acquire("shop/web", "one", 0.05, 0.0)
    await asyncio.sleep(0.1)

    assert lease is not None
    with pytest.raises(LostLease):
        await store.append(episode, EntryKind.STARTED, {}, NOW, lease)
    with pytest.raises(LostLease):
        await store.finish(episode, Final.VERIFIED, "good", NOW, lease)
    with pytest.raises(LostLease):
        await store.renew(lease, LONG_S, 0.2)

    assert await kinds(store, episode) == ["opened"]


async def test_an_ended_lease_is_lost_also_while_the_server_has_not_cleared_it_away(
    shared_redis: LedgerRedis, store: RedisStore
):
    episode = await opened(store)
    ask(shared_redis, "DEBUG", "SET-ACTIVE-EXPIRE", "0")
    try:
        lease = await store.acquire("shop/web", "one", 0.05, 0.0)
        await asyncio.sleep(0.1)

        with pytest.raises(LostLease):
            await store.append(episode, EntryKind.STARTED, {}, NOW, lease)
        assert await store.acquire("shop/web", "two", LONG_S, 0.2) is not None
    finally:
        ask(shared_redis, "DEBUG", "SET-ACTIVE-EXPIRE", "1")


async def test_leases_are_each_others_business_across_replicas(store: RedisStore, replica: RedisStore):
    episode = await opened(store)
    mine = await store.acquire("shop/web", "one", 0.1, 0.0)
    assert await replica.acquire("shop/web", "two", LONG_S, 0.0) is None
    await asyncio.sleep(0.15)
    theirs = await replica.acquire("shop/web", "two", LONG_S, 0.0)

    assert mine is not None
    assert theirs is not None
    assert theirs.token > mine.token
    with pytest.raises(LostLease):
        await store.append(episode, EntryKind.STARTED, {}, NOW, mine)
    await replica.append(episode, EntryKind.STARTED, {}, NOW, theirs)
    assert await kinds(store, episode) == ["opened", "started"]


async def test_replicas_that_take_turns_never_write_at_the_same_time(store: RedisStore, replica: RedisStore):
    """Each writes only under its lease; what was written under one token ends before what was under the next."""
    episode = await opened(store)

    async def work(mine: RedisStore, owner: str) -> None:
        for _ in range(15):
            lease = await mine.acquire("shop/web", owner, 0.03, 0.0)
            with contextlib.suppress(LostLease):
                for _ in range(6 if lease else 0):
                    assert lease is not None
                    await mine.append(episode, EntryKind.WAITING, {"token": lease.token}, NOW, lease)
                    await asyncio.sleep(0.008)
            await asyncio.sleep(0.005)

    await asyncio.gather(work(store, "one"), work(replica, "two"))

    tokens = [int(str(entry.data["token"])) for entry in (await store.entries(episode.id))[1:]]
    assert tokens == sorted(tokens)
    assert len(set(tokens)) > 2
    assert await chain_problems(store) == []


# --- What it costs


async def test_nothing_is_left_of_troubles_but_their_record(shared_redis: LedgerRedis, store: RedisStore, ledger):
    for n in range(20):
        episode = await opened(store, f"{n:016x}", f"shop/w{n}")
        lease = await store.acquire(f"shop/w{n}", "one", LONG_S, 0.0)
        assert lease is not None
        started = await store.append(episode, EntryKind.STARTED, {"action": "restart"}, NOW, lease)
        await store.append(episode, EntryKind.FINISHED, {"token": started.id, "due_at": NOW}, NOW, lease)
        await store.append(episode, EntryKind.UNDONE, {"token": started.id}, NOW, lease)
        episode = await store.finish(episode, Final.ESCALATED if n % 2 else Final.VERIFIED, "why", NOW, lease)
        await store.close_episode(episode, "over", NOW)
        await store.release(lease)
    await store.put_hold(Hold("*", "", "", NOW, None))
    await store.drop_hold("*")

    names = {name.rpartition("}:")[2] for name in keys_of(shared_redis, ledger)}

    assert names - {f"episode-lines:{n}" for n in range(1, 21)} == {
        "head", "lines", "episodes", "latest", "opened", "steps", "last-token",
    }  # fmt: skip


async def test_only_leases_end_by_themselves(shared_redis: LedgerRedis, store: RedisStore, ledger):
    await store.finish(await opened(store), Final.ESCALATED, "cap", NOW)
    await opened(store, B)
    await store.acquire("shop/web", "one", LONG_S, 0.0)
    await store.put_hold(Hold("*", "", "", NOW, NOW))

    ending = {name for name in keys_of(shared_redis, ledger) if ask(shared_redis, "PTTL", name) != ":-1"}

    assert ending == {f"{{{ledger.prefix}}}:lease:shop/web"}


def keys_of(server: LedgerRedis, ledger: RedisLedger) -> list[str]:
    script = "\"return table.concat(redis.call('KEYS', KEYS[1]), ' ')\""
    return ask(server, "EVAL", script, "1", f"{{{ledger.prefix}}}:*").split()


async def test_ten_alerts_take_milliseconds_and_ten_thousand_a_second_or_two(store: RedisStore):
    loop = asyncio.get_running_loop()
    few, many = (
        [alert(fingerprint=f"{n:016x}") for n in range(start, start + count)]
        for start, count in ((0, 10), (10, 10_000))
    )
    begin = loop.time()
    await store.accept(few, NOW)
    few_s, begin = loop.time() - begin, loop.time()
    await store.accept(many, NOW)
    many_s = loop.time() - begin

    assert few_s < 0.25  # 2 ms on an idle machine
    assert many_s < 5.0  # 0.7 s


# --- A server that is asked to wait for its disk


@pytest.fixture(scope="module")
def redis_8(engine: str) -> Iterator[str]:
    """The address of a container's server that writes to disk each second."""
    import docker

    client = docker.from_env(timeout=30)
    port = pick_port()
    command = f"redis-server --port {port} --bind 127.0.0.1 --save '' --appendonly yes --appendfsync everysec"
    container = client.containers.run("redis:8.0", command, network_mode="host", detach=True, name=f"ledger-{port}")
    yield f"127.0.0.1:{port}"
    container.remove(force=True, v=True)
    client.close()


async def eventually_open(address: str, prefix: str) -> RedisStore:
    async with asyncio.timeout(20):
        while True:
            try:
                return await RedisStore.open(Place(f"redis://{address}"), prefix)
            except StoreError as err:
                if "cannot hold" in str(err):
                    raise
                await asyncio.sleep(0.1)


@pytest.mark.docker
async def test_with_a_disk_that_is_written_each_second_it_waits_for_that(redis_8: str):
    store = await eventually_open(redis_8, uuid.uuid4().hex)

    accepted = await asyncio.gather(*(store.accept([alert(fingerprint=f"{n:016x}")], NOW) for n in range(20)))

    assert sum(len(one.opened) for one in accepted) == 20
    lease = await store.acquire("shop/web", "one", LONG_S, 0.0)
    assert lease is not None
    assert (await store.renew(lease, LONG_S, 1.0)).token == lease.token
    assert await chain_problems(store) == []
    await store.close()


@pytest.mark.docker
async def test_what_does_not_reach_the_disk_is_not_acknowledged(redis_8: str, monkeypatch: pytest.MonkeyPatch):
    store = await eventually_open(redis_8, uuid.uuid4().hex)
    await opened(store)
    port = int(redis_8.rpartition(":")[2])
    ask_port(port, "CONFIG", "SET", "appendfsync", "no")
    try:
        with monkeypatch.context() as patched:
            patched.setattr(server_module, "_DISK_S", 0.3)
            with pytest.raises(StoreError, match=r"the disk did not have it within 0\.3 s"):
                await store.accept([alert(fingerprint=B)], NOW)
            with pytest.raises(StoreError, match=r"the disk did not have it within 0\.3 s"):
                await store.acquire("shop/web", "one", LONG_S, 0.0)
    finally:
        ask_port(port, "CONFIG", "SET", "appendfsync", "everysec")

    assert (await store.accept([alert(fingerprint=B)], NOW)).repeated == 1
    await store.close()
