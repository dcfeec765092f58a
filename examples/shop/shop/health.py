"""GET /health: can this process do its work with its own connections, right now?"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from aiohttp import web

from shop.degraded import DEGRADATION
from shop.stores import STORE_ERRORS, STORES, Stores, describe

#: Shorter than any sensible probe timeout, so that the probe gets the reason and not silence.
CHECK_TIMEOUT_S = 1.0


async def check(stores: Stores) -> dict[str, str]:
    """Store name -> why it fails; empty when both answer."""
    database, redis = await asyncio.gather(_reason(_check_database(stores)), _reason(_check_redis(stores)))
    reasons = {"database": database, "redis": redis}
    return {name: reason for name, reason in reasons.items() if reason}


async def show_health(request: web.Request) -> web.Response:
    """200 or 503."""
    reasons = await check(request.app[STORES])
    body = {"status": "failing" if reasons else "ok", "reasons": reasons}
    if (degradation := request.app.get(DEGRADATION)) is not None:
        body["degraded"] = degradation.is_on
    return web.json_response(body, status=503 if reasons else 200)


async def _check_database(stores: Stores) -> None:
    async with stores.database() as connection:
        await connection.fetchval("SELECT 1")


async def _check_redis(stores: Stores) -> None:
    await stores.redis.ping()


async def _reason(checking: Coroutine[Any, Any, None]) -> str:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            await checking
    except TimeoutError:
        return f"no connection or no answer within {CHECK_TIMEOUT_S:g} s"
    except STORE_ERRORS as err:
        return describe(err)
    return ""
