"""GET /metrics: pools, caches and the queue, as homeostat's docs/application-metrics.md asks for them.

Read when asked: nothing is kept up to date for nobody. A store that does not answer leaves its families out.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.asyncio import Redis

from shop.degraded import DEGRADATION, Degradation
from shop.hooks import LOCAL_CACHE
from shop.orders import ORDERS_KEY
from shop.stores import POOL_MAX, STORE_ERRORS, STORES, Stores, Use

#: A scrape is not worth more, and must not wait for what it is to tell of.
QUEUE_TIMEOUT_S = 1.0

#: All that a process tells now.
Families = Callable[[web.Application], Awaitable[list[Metric]]]


def show_metrics(families: Families) -> Handler:
    """A handler that answers in Prometheus's text format."""

    async def show(request: web.Request) -> web.Response:
        registry = CollectorRegistry()
        registry.register(_Page(await families(request.app)))
        return web.Response(body=generate_latest(registry), headers={hdrs.CONTENT_TYPE: CONTENT_TYPE_LATEST})

    return show


async def web_families(app: web.Application) -> list[Metric]:
    stores = app[STORES]
    entries = _gauge(
        "app_cache_entries", "What it holds; it has no bound.", "cache", [("local", len(app[LOCAL_CACHE]))]
    )
    return [*_pools(stores), entries, *_item_cache(stores.use), *_degradation(app[DEGRADATION])]


async def worker_families(app: web.Application) -> list[Metric]:
    stores = app[STORES]
    processed = CounterMetricFamily("app_queue_processed", "Orders taken off the list and done.", labels=["queue"])
    processed.add_metric(["orders"], stores.use.orders_processed)
    return [*_pools(stores), processed, *await _queue(stores)]


class _Page(Collector):
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _pools(stores: Stores) -> list[Metric]:
    pool, use = stores.pool, stores.use
    connections = GaugeMetricFamily("app_pool_connections", "Open connections.", labels=["pool", "state"])
    connections.add_metric(["postgres", "idle"], pool.get_idle_size())
    connections.add_metric(["postgres", "used"], pool.get_size() - pool.get_idle_size())
    for state, count in _redis_connections(stores.redis).items():
        connections.add_metric(["redis", state], count)
    largest = [("postgres", POOL_MAX), ("redis", stores.redis.connection_pool.max_connections)]
    timeouts = CounterMetricFamily("app_pool_timeouts", "Who waited in vain for a connection.", labels=["pool"])
    timeouts.add_metric(["postgres"], use.timeouts)
    oldest = [("postgres", min(use.taken.values()))] if use.taken else []
    return [
        connections,
        _gauge("app_pool_connections_max", "How many it may open.", "pool", largest),
        _gauge("app_pool_waiting", "Who waits for a connection now.", "pool", [("postgres", use.waiting)]),
        timeouts,
        _gauge("app_pool_oldest_checkout_timestamp_seconds", "When the longest held was taken.", "pool", oldest),
    ]


def _redis_connections(redis: Redis) -> dict[str, int]:
    """``{"idle": 1, "used": 0}``, in the words of OpenTelemetry."""
    return {told["db.client.connection.state"]: count for count, told in redis.connection_pool.get_connection_count()}


def _item_cache(use: Use) -> list[Metric]:
    hits = CounterMetricFamily("app_cache_hits", "Answers from the cache.", labels=["cache"])
    misses = CounterMetricFamily("app_cache_misses", "Answers that had to be made.", labels=["cache"])
    hits.add_metric(["items"], use.cache_hits)
    misses.add_metric(["items"], use.cache_misses)
    return [hits, misses]


def _degradation(degradation: Degradation) -> list[Metric]:
    answers = CounterMetricFamily("app_degraded_answers", "Answers that were made with less.", labels=["what"])
    answers.add_metric(["items"], degradation.answers)
    return [
        GaugeMetricFamily("app_degraded", "Whether it does less now, as it was asked to.", value=degradation.is_on),
        answers,
    ]


async def _queue(stores: Stores) -> list[Metric]:
    try:
        async with asyncio.timeout(QUEUE_TIMEOUT_S):
            length = await stores.redis.llen(ORDERS_KEY)
            async with stores.database() as connection:
                oldest = await connection.fetchval("SELECT min(created_at) FROM orders WHERE status = 'new'")
    except STORE_ERRORS:
        return []
    since = [("orders", oldest.timestamp())] if oldest else []
    return [
        _gauge("app_queue_length", "Entries of the list.", "queue", [("orders", length)]),
        _gauge("app_queue_oldest_timestamp_seconds", "When the oldest open order was made.", "queue", since),
    ]


def _gauge(name: str, text: str, label: str, values: Iterable[tuple[str, float]]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, value in values:
        family.add_metric([key], value)
    return family
