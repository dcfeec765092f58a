"""What the shop offers for its own repair: POST /hooks/<name>, answered with what was done."""

import gc
from dataclasses import asdict
from mmap import mmap

from aiohttp import web

from shop.health import check
from shop.heap import Heap
from shop.orders import ITEMS_KEY
from shop.stores import STORES

#: In-process cache without a bound, as found in the wild. Here only the memory-leak fault fills it.
LOCAL_CACHE = web.AppKey("local_cache", dict[int, mmap])
HEAP = web.AppKey("heap", Heap)


async def collect_garbage(_request: web.Request) -> web.Response:
    """Collects cycles; what a cache still refers to stays."""
    return web.json_response({"collected": gc.collect()})


async def clear_cache(request: web.Request) -> web.Response:
    """The local cache first: it can go even when Redis is down."""
    cache = request.app[LOCAL_CACHE]
    dropped = {"local_entries": len(cache), "local_bytes": sum(map(len, cache.values()))}
    cache.clear()
    dropped["redis_keys"] = await request.app[STORES].redis.delete(ITEMS_KEY)
    return web.json_response(dropped)


async def reset_connections(request: web.Request) -> web.Response:
    """503 when the new connections do not work either."""
    stores = request.app[STORES]
    report = await stores.reset()
    reasons = await check(stores)
    body = {**asdict(report), "reasons": reasons}
    return web.json_response(body, status=503 if reasons else 200)


async def tell_heap(request: web.Request) -> web.Response:
    """Mends nothing: it is evidence for people."""
    return web.json_response(request.app[HEAP].tell())


HOOKS = {
    "gc": collect_garbage,
    "cache-clear": clear_cache,
    "reset-connections": reset_connections,
    "heap": tell_heap,
}
ROUTES = [web.post(f"/hooks/{name}", hook) for name, hook in HOOKS.items()]
