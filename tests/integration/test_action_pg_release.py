"""The action ``pg_release`` against the real server, judged by which sessions live on."""

import asyncio
import contextlib
import re
import socket
import tempfile
import time
from pathlib import Path

import asyncpg
import pytest
from fakes.acting import act, containers_of, process
from fakes.containers import container
from fakes.databases import OWNER, Postgres, until

from homeostat.errors import Permanent, Temporary, Unreachable
from homeostat.steps import PgReleaseStep
from responder.actions import pgsessions
from responder.actions.pg_release import PgRelease

PASSWORD = "rel3ase-Pa55"
MAX_CONNECTIONS = 14
#: Of these, for superusers.
RESERVED = 3
#: What no error, detail or log of ours may ever repeat.
STATEMENT = "SELECT 'a customer''s secret'"


@pytest.fixture(scope="module")
def server(database_programs):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="hs-postgres-") as folder:
        server = Postgres(database_programs, Path(folder), port)
        server.start(
            max_connections=str(MAX_CONNECTIONS),
            superuser_reserved_connections=str(RESERVED),
        )
        asyncio.run(prepare(server))
        yield server
        server.stop()


async def prepare(server):
    owner = await server.connect()
    for role in ("app", "billing", "releaser", "nobody"):
        await owner.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
    await owner.execute("GRANT pg_monitor, pg_signal_backend TO releaser")
    await owner.execute("CREATE DATABASE other")
    await owner.close()


@pytest.fixture
def password_file(tmp_path):
    path = tmp_path / "password"
    path.write_text(PASSWORD + "\n")
    return path


@pytest.fixture
async def open_sessions(server):
    """Opens sessions; those that live, by the names that they were given."""
    opened = {}

    async def start(user="app", database="postgres", idle=True, count=1):
        found = []
        for _ in range(count):
            connection = await server.connect(user, PASSWORD, database)
            opened[len(opened)] = connection
            if idle:
                await connection.execute("BEGIN")
                await connection.fetch(STATEMENT)
            found.append(connection)
        return found[0] if count == 1 else found

    yield start
    for connection in opened.values():
        with contextlib.suppress(Exception):
            await connection.close(timeout=1)
            connection.terminate()
    # The next test begins with a server that has let go of all of them.
    assert await until(lambda: _alone(server))


async def _alone(server):
    try:
        connection = await server.connect()
    except asyncpg.PostgresError:
        return False
    try:
        return not await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
    finally:
        await connection.close()


@pytest.fixture
def step(server, password_file):
    def make(**values):
        defaults = {
            "target": f"{server.address}/postgres",
            "user": "app",
            "password_file": password_file,
            "idle_in_transaction": 0.5,
        }
        return PgReleaseStep(action="pg_release", **{**defaults, **values})

    return make


async def release(step, target=None):
    return await act(PgRelease(), step, target or containers_of(container()))


async def alive(server, *connections):
    """Of these, by the server's own list; a session that is being ended is waited for a little."""
    owner = await server.connect()
    try:
        await asyncio.sleep(0.1)
        pids = {row["pid"] for row in await owner.fetch("SELECT pid FROM pg_stat_activity")}
    finally:
        await owner.close()
    return [pid(connection) in pids for connection in connections]


def pid(connection):
    return connection.get_server_pid()


async def test_sessions_that_are_idle_in_a_transaction_for_too_long_are_ended_oldest_first(open_sessions, step, server):
    old = await open_sessions()
    await asyncio.sleep(0.2)
    aborted = await open_sessions()
    with pytest.raises(asyncpg.PostgresError):
        await aborted.execute("SELECT 1/0")
    await asyncio.sleep(0.8)
    young, idle = await open_sessions(), await open_sessions(idle=False)

    result = await release(step())

    assert re.fullmatch(
        rf"2 of app ended at {server.address}/postgres: pid {pid(old)} idle in transaction for \d s, "
        rf"pid {pid(aborted)} idle in transaction \(aborted\) for \d s",
        result.detail,
    )
    assert await alive(server, old, aborted, young, idle) == [False, False, True, True]


async def test_other_users_and_other_databases_are_not_touched(open_sessions, step, server):
    own = await open_sessions()
    others = [await open_sessions("billing"), await open_sessions(OWNER), await open_sessions(database="other")]
    await asyncio.sleep(0.6)

    await release(step())

    assert await alive(server, own, *others) == [False, True, True, True]


async def test_sessions_of_another_user_are_ended_by_one_who_may(open_sessions, step, server):
    app, releasers = await open_sessions(), await open_sessions("releaser")
    await asyncio.sleep(0.6)

    result = await release(step(user="releaser", sessions_of="app"))

    assert result.detail.startswith("1 of app ended at ")
    assert await alive(server, app, releasers) == [False, True]


@pytest.mark.parametrize("age", [None, 0.5])
async def test_a_long_statement_is_ended_only_where_an_age_is_given(open_sessions, step, age):
    slow = await open_sessions(idle=False)
    running = asyncio.create_task(slow.execute("SELECT pg_sleep(30)"))
    await asyncio.sleep(0.8)

    result = await release(step(statement_age=age))

    if age:
        assert re.search(rf"pid {pid(slow)} active for \d s$", result.detail)
        with pytest.raises((asyncpg.AdminShutdownError, asyncpg.ConnectionDoesNotExistError)):
            await running
    else:
        assert result.reason.endswith("no session of app holds on for too long")
        assert not running.done()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def test_a_session_that_woke_up_since_it_was_looked_at_is_left_alone(open_sessions, server):
    session, owner = await open_sessions(), await server.connect()
    seen = await owner.fetchrow("SELECT * FROM pg_stat_activity WHERE pid = $1", pid(session))
    await session.execute("SELECT 1")

    ended = await owner.fetchval(pgsessions._TERMINATE, seen["pid"], seen["backend_start"], seen["state_change"], "app")

    assert ended is None
    assert await alive(server, session) == [True]
    await owner.close()


async def test_no_more_than_allowed_are_ended_and_the_oldest_first(open_sessions, step, server):
    sessions = []
    for _ in range(4):
        sessions.append(await open_sessions())
        await asyncio.sleep(0.1)
    await asyncio.sleep(0.5)

    await release(step(max_sessions=2))

    assert await alive(server, *sessions) == [False, False, True, True]


async def test_statements_are_never_repeated(open_sessions, step):
    await open_sessions()
    await asyncio.sleep(0.6)

    result = await release(step())

    assert "secret" not in result.detail
    assert "SELECT" not in result.detail


async def test_walsenders_and_the_servers_own_processes_are_not_touched(server, step):
    owner = await server.connect()
    walsender = await asyncpg.connect(
        host="127.0.0.1",
        port=server.port,
        user=OWNER,
        database="postgres",
        ssl=False,
        server_settings={"replication": "database"},
    )
    try:
        await walsender.execute("BEGIN")
        await asyncio.sleep(0.1)
        before = await _others(owner)

        result = await release(step(user=OWNER, password_file=None, statement_age=0.001, idle_in_transaction=0.001))

        assert before[pid(walsender)] == "walsender"
        assert result.reason.endswith("no session of owner holds on for too long")
        assert before.items() <= (await _others(owner)).items()
    finally:
        walsender.terminate()
        await owner.close()


async def _others(owner):
    """Autovacuum's workers come and go by themselves."""
    kinds = ["client backend", "autovacuum worker"]
    rows = await owner.fetch("SELECT pid, backend_type FROM pg_stat_activity WHERE backend_type <> ALL ($1)", kinds)
    return {row["pid"]: row["backend_type"] for row in rows}


async def test_with_nothing_to_end_it_is_passed_over(open_sessions, step, server):
    young = await open_sessions()

    result = await release(step(idle_in_transaction=60.0))

    assert result.reason == f"{server.address}/postgres: no session of app holds on for too long"
    assert await alive(server, young) == [True]


@pytest.mark.parametrize("target", [process(), containers_of(container(addresses=()))], ids=["process", "no address"])
async def test_without_a_container_that_has_an_address_it_is_passed_over(target, step):
    result = await release(step(target=":5432/shop"), target)

    assert result.reason == ":5432/shop: no container of it has an address now"


async def test_a_port_is_of_the_targets_own_container(open_sessions, step, server):
    own = await open_sessions()
    await asyncio.sleep(0.6)

    await release(step(target=f":{server.port}/postgres"), containers_of(container(addresses=("127.0.0.1",))))

    assert await alive(server, own) == [False]


async def test_when_all_connections_are_taken_it_is_said_what_would_help(open_sessions, step, server):
    sessions = await open_sessions(count=MAX_CONNECTIONS - RESERVED)
    await asyncio.sleep(0.6)

    with pytest.raises(Temporary) as caught:
        await release(step())

    assert str(caught.value) == (
        f"PostgreSQL at {server.address}: too many connections: it takes no new one, not even to end others; "
        "one is kept for a superuser, or (since 16) by reserved_connections for who has pg_use_reserved_connections"
    )
    assert all(await alive(server, *sessions))


async def test_a_superuser_helps_when_all_other_connections_are_taken(open_sessions, step, server):
    sessions = await open_sessions(count=MAX_CONNECTIONS - RESERVED)
    await asyncio.sleep(0.6)

    result = await release(step(user=OWNER, password_file=None, sessions_of="app"))

    assert result.detail.startswith(f"{len(sessions)} of app ended at ")
    assert not any(await alive(server, *sessions))


async def test_a_user_that_may_not_see_the_sessions_is_told(open_sessions, step, server):
    own = await open_sessions()
    await asyncio.sleep(0.6)

    with pytest.raises(Permanent, match=r": nobody may not see app's sessions; grant it pg_monitor$"):
        await release(step(user="nobody", sessions_of="app"))

    assert await alive(server, own) == [True]


async def test_sessions_of_a_superuser_cannot_be_ended_by_others(server, step):
    owner = await server.connect()
    try:
        await owner.execute("BEGIN")
        await asyncio.sleep(0.6)

        with pytest.raises(Permanent, match=r": its user may not end them; grant it pg_signal_backend$"):
            await release(step(user="releaser", sessions_of=OWNER))

        assert await alive(server, owner) == [True]
    finally:
        await owner.close()


REFUSALS = {
    "a wrong password": ({}, "wr0ng", r"not authorized; see user and password_file"),
    "no such user": ({"user": "who"}, PASSWORD, r"not authorized; see user and password_file"),
    "no such database": ({"target": "{}/nothing"}, PASSWORD, r"no such database"),
}


@pytest.mark.parametrize(("values", "password", "words"), REFUSALS.values(), ids=REFUSALS.keys())
async def test_a_refusal_is_told_without_the_password(server, step, password_file, values, password, words):
    password_file.write_text(password)

    with pytest.raises(Permanent, match=rf"^PostgreSQL at {server.address}: {words}$"):
        await release(step(**{key: value.format(server.address) for key, value in values.items()}))


async def test_a_password_file_that_cannot_be_read_is_told(step, tmp_path):
    with pytest.raises(Permanent, match=r": the password file cannot be read$"):
        await release(step(password_file=tmp_path / "missing"))


async def test_a_server_that_is_not_there_is_told(step, free_port):
    address = f"127.0.0.1:{free_port()}"

    with pytest.raises(Unreachable, match=rf"^PostgreSQL at {address}: connection refused or lost$"):
        await release(step(target=f"{address}/postgres"))


async def test_a_server_that_hangs_is_waited_for_no_longer_than_the_step_may(server, step):
    server.pause()
    begin = time.monotonic()
    try:
        with pytest.raises(Unreachable, match=r": no answer in time$"):
            await release(step(timeout=1.0))

        assert time.monotonic() - begin < 1.0
    finally:
        server.resume()


async def test_its_own_connection_is_closed(server, step):
    await release(step())

    assert await until(lambda: _alone(server))
