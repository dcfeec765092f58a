"""One short-lived connection to a Redis, for actions. Imports redis-py, and so is imported late itself: 8 MB."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from redis import exceptions
from redis.asyncio import Connection

from homeostat.errors import HomeostatError, Permanent, Temporary, Unreachable
from homeostat.probes.dialing import Dialer
from homeostat.probes.model import CannotLook
from homeostat.probes.passwords import read_password
from homeostat.quantities import host_port

Words = tuple[str | bytes, ...]

#: Redis's own words may hold anything; these are ours, by what redis-py makes of theirs. The first that fits.
_REFUSALS: tuple[tuple[type[Exception], type[HomeostatError], str], ...] = (
    (exceptions.AuthenticationError, Permanent, "not authorized; see user and password_file"),
    (exceptions.NoPermissionError, Permanent, "its user may not do that; allow it by ACL SETUSER"),
    (exceptions.ReadOnlyError, Permanent, "it is a replica, whose keys are its master's; make the master the target"),
    (exceptions.BusyLoadingError, Temporary, "it is loading its data"),
    (exceptions.ConnectionError, Unreachable, "connection refused or lost"),
    (OSError, Unreachable, "connection refused or lost"),
)
_IS_FULL = "max number of clients reached"


class RedisLink:
    """``doing``: what was asked last, for errors."""

    def __init__(self, address: str, connection: Connection) -> None:
        self.address = address
        self.doing = "connect"
        self._connection = connection

    async def call(self, *words: str | bytes) -> Any:
        """The reply: bytes, a number, None or a list of these. Raises as redis-py does."""
        return (await self.batch([words]))[0]

    async def batch(self, commands: Sequence[Words]) -> list[Any]:
        """The replies, in order. The first error is raised, once all of them are there."""
        if not commands:
            return []
        self.doing = str(commands[0][0])
        await self._connection.send_packed_command(self._connection.pack_commands(commands))
        replies: list[Any] = []
        errors: list[exceptions.ResponseError] = []
        for _ in commands:
            try:
                replies.append(await self._connection.read_response())
            except exceptions.ResponseError as err:
                errors.append(err)
        if errors:
            raise errors[0]
        return replies


@contextlib.asynccontextmanager
async def redis_link(address: str, user: str, password_file: Path | None) -> AsyncIterator[RedisLink]:
    """Connected, for the block. What redis-py raises in it becomes Unreachable, Temporary or Permanent, which name the
    address and never repeat a password or what the server said.
    """
    link: RedisLink | None = None
    connection: Connection | None = None
    try:
        connection = await _connection(address, user, password_file)
        link = RedisLink(address, connection)
        await connection.connect()  # type: ignore[no-untyped-call]  # redis-py's
        yield link
    except CannotLook as err:
        raise Permanent(f"Redis at {address}: {err}") from None
    except (exceptions.RedisError, OSError) as err:
        raise _explained(address, link.doing if link else "connect", err) from None
    finally:
        if connection is not None:
            await connection.disconnect(nowait=True)  # a hung server is not waited for


async def _connection(address: str, user: str, password_file: Path | None) -> Connection:
    password = await read_password(password_file)
    dialer = Dialer(*host_port(address))
    host = (await dialer.resolve())[0][4][0]
    # Without timeouts of its own: the engine's ends the step. No retries either.
    return Connection(
        host=str(host),
        port=dialer.port,
        username=user or None,
        password=password or None,
        socket_timeout=None,
        socket_connect_timeout=None,
        protocol=2,
    )


def _explained(address: str, doing: str, err: Exception) -> HomeostatError:
    if _IS_FULL in str(err):
        return Temporary(f"Redis at {address}: {doing}: {_IS_FULL}")
    for kind, ours, words in _REFUSALS:
        if isinstance(err, kind):
            return ours(f"Redis at {address}: {doing}: {words}")
    return Permanent(f"Redis at {address}: {doing}: it answers with an error ({type(err).__name__})")
