"""The action ``pg_release`` on a database in a container whose connections are all taken: what it is there for."""

import asyncio
import contextlib
import uuid

import asyncpg
import docker
import pytest
from fakes.acting import act, containers_of
from fakes.databases import until

from homeostat.containers import DockerEngine
from homeostat.errors import Temporary
from homeostat.steps import PgReleaseStep
from responder.actions.pg_release import PgRelease

pytestmark = pytest.mark.docker

PASSWORD = "rel3ase-Pa55"
OPTIONS = ("max_connections=10", "superuser_reserved_connections=3", "reserved_connections=2", "fsync=off")
#: What is left for others.
OPEN = 5


@pytest.fixture
async def database(engine):
    """A container of PostgreSQL 16 or newer, as homeostat knows it."""
    sdk, client = docker.from_env(timeout=20), DockerEngine()
    options = [word for option in OPTIONS for word in ("-c", option)]
    started = sdk.containers.run(
        "postgres:17",
        ["postgres", *options],
        name=f"hs-pg-{uuid.uuid4().hex[:8]}",
        environment={"POSTGRES_PASSWORD": PASSWORD, "POSTGRES_DB": "shop"},
        detach=True,
    )
    try:
        container = await client.inspect(started.id)
        assert await until(lambda: _answers(container), within_s=30)
        yield container
    finally:
        started.remove(force=True, v=True)
        sdk.close()
        await client.close()


async def connect(container, user):
    return await asyncpg.connect(host=container.addresses[0], user=user, password=PASSWORD, database="shop")


async def _answers(container):
    with contextlib.suppress(OSError, asyncpg.PostgresError):
        await (await connect(container, "postgres")).close()
        return True


async def test_a_user_with_a_reserved_connection_frees_the_others(database, tmp_path):
    (tmp_path / "password").write_text(PASSWORD)
    owner = await connect(database, "postgres")
    for role in ("app", "releaser"):
        await owner.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
    await owner.execute("GRANT pg_monitor, pg_signal_backend TO releaser")
    taken = [await connect(database, "app") for _ in range(OPEN - 1)]
    for connection in taken:
        await connection.execute("BEGIN; SELECT 1")
    await asyncio.sleep(0.6)
    step = PgReleaseStep(
        action="pg_release",
        target=":5432/shop",
        user="releaser",
        password_file=tmp_path / "password",
        sessions_of="app",
        idle_in_transaction=0.5,
    )

    with pytest.raises(Temporary, match="too many connections"):
        await act(PgRelease(), step, containers_of(database))
    await owner.execute("GRANT pg_use_reserved_connections TO releaser")
    result = await act(PgRelease(), step, containers_of(database))

    assert result.detail.startswith(f"{OPEN - 1} of app ended at {database.addresses[0]}:5432/shop: pid ")
    assert await owner.fetchval("SELECT true")
    for connection in [*taken, owner]:
        connection.terminate()
