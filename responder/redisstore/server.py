"""The only importer of redis: a few connections, each looked over when it is made and dropped at its first error.

redis-py's own clients are not used but for one connection: they send again what may have been done, repeat the data in
the words of their errors, and connect again unseen, maybe to a server that no longer keeps what it answers.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from redis.asyncio.connection import AbstractConnection, Connection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisError, ResponseError

from responder.ledger import StoreError
from responder.redisstore import durability
from responder.redisstore.batch import Command, Value
from responder.redisstore.durability import Sync
from responder.redisstore.place import Place
from responder.redisstore.scripts import Script

#: A call takes a millisecond; one with ten thousand alerts, a second. Who waits longer is told.
_PATIENCE_S = 10.0
_CONNECT_S = 5.0
_DISK_S = 4.0
#: Connections at most. With WAITAOF each write holds one until the disk has it.
_MOST = 32
#: RESP2: replies of scripts and commands in one form.
_ALWAYS: dict[str, Any] = {
    "protocol": 2,
    "client_name": "homeostat-responder",
    # None: patience ends it. redis-py's own would send under asyncio.wait_for, which in Python 3.11 swallows a
    # cancellation that comes in the moment when all is sent.
    "socket_timeout": None,
    "socket_connect_timeout": _CONNECT_S,
    "decode_responses": False,
}


@dataclass(slots=True)
class _Wire:
    connection: AbstractConnection
    sync: Sync


class Server:
    """Raises StoreError for whatever goes wrong, without the URL's password and without data."""

    def __init__(self, place: Place) -> None:
        """Raises StoreError for a URL that redis-py does not take."""
        self._place = place
        try:
            self._options: dict[str, Any] = {**parse_url(place.url), **_ALWAYS}
        except ValueError:
            raise StoreError(f"the URL of the ledger's Redis at {place.where} has options of another form") from None
        self._idle: list[_Wire] = []
        self._slots = asyncio.Semaphore(_MOST)
        self._is_closed = False

    @contextlib.asynccontextmanager
    async def patience(self) -> AsyncIterator[None]:
        """Everything that one call asks of Redis is inside of one of these."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                yield
        except TimeoutError:
            where = self._place.where
            raise StoreError(f"the ledger in Redis at {where} did not get it done within {_PATIENCE_S:g} s") from None
        except (RedisError, OSError, UnicodeError) as err:
            # Without their own text, which may repeat a command.
            raise StoreError(f"the ledger in Redis at {self._place.where} cannot be used: {_words(err)}") from None

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator["Session"]:
        """One connection, for as long as the block runs."""
        if self._is_closed:
            raise StoreError("the ledger is closed")
        async with self._slots:
            session = Session(self._dial, self._idle.pop() if self._idle else None)
            is_idle = False
            try:
                yield session
                is_idle = True
            except StoreError:  # said after the last answer
                is_idle = True
                raise
            finally:  # cancelled, too: an answer that is still to come must not pass for the next one's
                if is_idle and session.wire is not None and not self._is_closed:
                    self._idle.append(session.wire)
                else:
                    await session.hang_up()

    async def close(self) -> None:
        """Later calls raise StoreError; those under way end as they would."""
        self._is_closed = True
        while self._idle:
            with contextlib.suppress(RedisError, OSError):
                await self._idle.pop().connection.disconnect()

    async def _dial(self) -> _Wire:
        options = {**self._options, **await self._place.password()}
        make: Callable[..., AbstractConnection] = options.pop("connection_class", Connection)
        try:
            connection = make(retry=Retry(NoBackoff(), 0), **options)
        except TypeError:
            raise StoreError(f"the URL of the ledger's Redis at {self._place.where} has unknown options") from None
        try:
            await connection.connect()  # type: ignore[no-untyped-call]  # redis-py does not say
            return _Wire(connection, await self._sync(connection))
        except BaseException:
            await connection.disconnect(nowait=True)
            raise

    async def _sync(self, connection: AbstractConnection) -> Sync:
        """Raises StoreError for a server that would lose what it has answered."""
        try:
            replies = await exchange(connection, *(("CONFIG", "GET", name) for name in durability.ASKED))
        except ResponseError as err:
            if self._place.is_trusted:
                return Sync.ALWAYS
            raise StoreError(
                f"the Redis at {self._place.where} does not let us see whether it keeps what it answers "
                f"({_words(err)}); allow CONFIG GET, or say in the settings that it is known to write all to disk"
            ) from None
        config = {reply[0].decode(): reply[1].decode() for reply in replies if reply}
        found = durability.problems(config, knows_waitaof=await _knows_waitaof(connection))
        if found:
            raise StoreError(f"the Redis at {self._place.where} cannot hold the ledger: {'; '.join(found)}")
        return durability.sync(config)


class Session:
    """What is asked on one connection. The first may be asked twice: when the server has left an idle connection."""

    def __init__(self, dial: Callable[[], Awaitable[_Wire]], idle: _Wire | None) -> None:
        self._dial = dial
        self.wire = idle
        self._may_dial_again = idle is not None

    async def ask(self, *commands: Command) -> list[Any]:
        """Their replies, in order."""
        wire = self.wire = self.wire or await self._dial()
        try:
            replies = await exchange(wire.connection, *commands)
        except (RedisConnectionError, OSError):
            if not self._may_dial_again:
                raise
            await self.hang_up()
            wire = self.wire = await self._dial()
            replies = await exchange(wire.connection, *commands)
        finally:
            self._may_dial_again = False
        return replies

    async def run(self, script: Script, keys: list[str], *words: Value) -> Any:
        try:
            return (await self.ask(("EVALSHA", script.hash, len(keys), *keys, *words)))[0]
        except NoScriptError:
            return (await self.ask(("EVAL", script.text, len(keys), *keys, *words)))[0]

    async def to_disk(self) -> None:
        """Returns when what this session wrote is there. Raises StoreError when that takes too long."""
        if self.wire is None or self.wire.sync is Sync.ALWAYS:
            return
        [[local, _]] = await self.ask(("WAITAOF", 1, 0, int(_DISK_S * 1000)))
        if local < 1:
            raise StoreError(f"the ledger in Redis: the disk did not have it within {_DISK_S:g} s")

    async def hang_up(self) -> None:
        wire, self.wire = self.wire, None
        if wire is not None:
            await wire.connection.disconnect(nowait=True)


async def exchange(connection: AbstractConnection, *commands: Command) -> list[Any]:
    """All replies, or the first error of them; the connection is good for more after a ResponseError."""
    await connection.send_packed_command(connection.pack_commands(commands))
    replies: list[Any] = []
    error: ResponseError | None = None
    for _ in commands:
        try:
            replies.append(await connection.read_response())
        except ResponseError as err:
            error = error or err
    if error is not None:
        raise error
    return replies


async def _knows_waitaof(connection: AbstractConnection) -> bool:
    try:
        await exchange(connection, ("WAITAOF", 0, 0, 0))
    except ResponseError:
        return False
    return True


def _words(err: Exception) -> str:
    """Without what Redis repeats of a command that it does not know: of AUTH, that would be the password."""
    return str(err).partition(", with args")[0][:300] or type(err).__name__
