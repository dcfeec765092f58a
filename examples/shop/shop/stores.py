"""PostgreSQL and Redis: opened lazily, so that the shop starts, answers and recovers without them."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from aiohttp import web
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from shop.settings import Settings

#: What a database or Redis that is down, slow or restarting raises. TimeoutError is an OSError.
STORE_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, RedisError, OSError)

ACQUIRE_TIMEOUT_S = 1.0
QUERY_TIMEOUT_S = 2.0
RELEASE_TIMEOUT_S = 0.3
#: Above the worker's blocking pop of 1 s.
REDIS_TIMEOUT_S = 2.0
#: Leaves room for the whole exit on SIGTERM within 2 s.
CLOSE_TIMEOUT_S = 0.4
#: Small, so that a leak of connections is felt at once.
POOL_MAX = 5

#: One implicit transaction; the lock lets web and worker start at the same time on an empty database.
SCHEMA = """
SELECT pg_advisory_xact_lock(74677);
CREATE TABLE IF NOT EXISTS items (
  id bigint PRIMARY KEY, name text NOT NULL, price_cents bigint NOT NULL);
INSERT INTO items VALUES (1, 'kettle', 2450), (2, 'lamp', 3900), (3, 'chair', 8900)
  ON CONFLICT DO NOTHING;
CREATE TABLE IF NOT EXISTS orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, item_id bigint NOT NULL REFERENCES items,
  quantity int NOT NULL, status text NOT NULL DEFAULT 'new',
  created_at timestamptz NOT NULL DEFAULT now(), done_at timestamptz);
CREATE INDEX IF NOT EXISTS orders_new ON orders (created_at) WHERE status = 'new';
"""


@dataclass(frozen=True, slots=True)
class ResetReport:
    """Counts of PostgreSQL connections; ``leaked`` is the part of ``closed`` that nobody would give back."""

    closed: int
    leaked: int


@dataclass(slots=True)
class Use:
    """What /metrics tells and no client library does. ``taken``: connection -> seconds since the epoch."""

    waiting: int = 0
    timeouts: int = 0
    taken: dict[Any, float] = field(default_factory=dict)
    cache_hits: int = 0
    cache_misses: int = 0
    orders_processed: int = 0


class Stores:
    """One connection pool and one Redis client. ``leaked`` holds what the fault takes and keeps."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.leaked: list[Any] = []
        self.use = Use()
        self.pool: asyncpg.Pool
        self.redis: Redis

    async def open(self) -> None:
        """Connects to nothing yet: the first use does."""
        self.pool = await asyncpg.create_pool(
            self._settings.database_url,
            min_size=0,
            max_size=POOL_MAX,
            command_timeout=QUERY_TIMEOUT_S,
            init=ensure_schema,
        )
        self.redis = Redis.from_url(
            self._settings.redis_url,
            decode_responses=True,
            socket_timeout=REDIS_TIMEOUT_S,
            socket_connect_timeout=ACQUIRE_TIMEOUT_S,
            # One more try at once, for a pooled connection that is stale after Redis restarted.
            retry=Retry(NoBackoff(), retries=1, supported_errors=(RedisConnectionError,)),
        )

    async def take_connection(self) -> Any:
        """TimeoutError when the pool is exhausted. The caller owes a ``pool.release``."""
        self.use.waiting += 1
        try:
            connection = await self.pool.acquire(timeout=ACQUIRE_TIMEOUT_S)
        except TimeoutError:
            self.use.timeouts += 1
            raise
        finally:
            self.use.waiting -= 1
        self.use.taken[connection] = time.time()
        return connection

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Any]:
        """One connection for the length of the block."""
        pool, connection = self.pool, await self.take_connection()
        try:
            yield connection
        finally:
            self.use.taken.pop(connection, None)
            # A connection that cannot be given back is dropped. This must not hide why the block ended:
            # a cancellation that turned into an error would keep the worker from stopping.
            with suppress(*STORE_ERRORS):
                await pool.release(connection, timeout=RELEASE_TIMEOUT_S)

    async def close(self) -> None:
        await _close(self.pool, self.redis)

    async def reset(self) -> ResetReport:
        """New pool and client first, so that requests go on; then the old ones end, leaked included."""
        pool, redis = self.pool, self.redis
        report = ResetReport(closed=pool.get_size(), leaked=len(self.leaked))
        await self.open()
        self.leaked.clear()
        self.use.taken.clear()
        await _close(pool, redis)
        return report


STORES = web.AppKey("stores", Stores)


async def ensure_schema(connection: Any) -> None:
    """Create what is missing; on every new connection, because the database may have been replaced."""
    if await connection.fetchval("SELECT to_regclass('orders') IS NULL"):
        await connection.execute(SCHEMA)


async def _close(pool: asyncpg.Pool, redis: Redis) -> None:
    """Let queries end for a moment, then cut. A pool with leaked connections never closes by itself."""
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await pool.close()
    except TimeoutError:
        pool.terminate()
    await redis.aclose()


def describe(err: BaseException) -> str:
    """One line; neither driver puts a password in its messages."""
    return f"{type(err).__name__}: {err}".strip(": ").splitlines()[0]
