"""What users do: look at items, order one, see it done."""

import json
import logging
from typing import Any

from aiohttp import web

from shop.answers import bad_request, read_object
from shop.degraded import DEGRADATION
from shop.stores import STORE_ERRORS, STORES, describe

ITEMS_KEY = "shop:items"
ITEMS_TTL_S = 30
ORDERS_KEY = "shop:orders"
MAX_QUANTITY = 100
MAX_ID = 2**63 - 1

FRONT_PAGE = """<!doctype html><title>shop</title><h1>shop</h1>
<p><a href="/items">items</a>, <a href="/health">health</a>.
Order with <code>POST /orders {"item_id": 1, "quantity": 2}</code>.</p>
"""

log = logging.getLogger("shop.orders")


async def show_front(_request: web.Request) -> web.Response:
    """Needs no store."""
    return web.Response(text=FRONT_PAGE, content_type="text/html")


async def list_items(request: web.Request) -> web.Response:
    """``[{"id", "name", "price_cents"}]``, from Redis, else PostgreSQL; degraded, from the last answer."""
    stores, degradation = request.app[STORES], request.app[DEGRADATION]
    if degradation.is_on and degradation.items is not None:
        degradation.answers += 1
        return web.Response(text=degradation.items, content_type="application/json")
    items = await stores.redis.get(ITEMS_KEY)
    if items is not None:
        stores.use.cache_hits += 1
    else:
        stores.use.cache_misses += 1
        async with stores.database() as connection:
            rows = await connection.fetch("SELECT id, name, price_cents FROM items ORDER BY id")
        items = json.dumps([dict(row) for row in rows])
        await stores.redis.set(ITEMS_KEY, items, ex=ITEMS_TTL_S)
    degradation.items = items
    return web.Response(text=items, content_type="application/json")


async def create_order(request: web.Request) -> web.Response:
    """201 once the order is in PostgreSQL. The push only wakes the worker, which also sweeps."""
    item_id, quantity = await _read_order(request)
    stores = request.app[STORES]
    async with stores.database() as connection:
        order_id = await connection.fetchval(
            "INSERT INTO orders (item_id, quantity) SELECT id, $2 FROM items WHERE id = $1 RETURNING id",
            item_id,
            quantity,
        )
    if order_id is None:
        raise bad_request(f"item_id: there is no item {item_id}")
    try:
        await stores.redis.lpush(ORDERS_KEY, order_id)
    except STORE_ERRORS as err:
        log.warning("order %d waits for the worker's sweep: %s", order_id, describe(err))
    return web.json_response({"id": order_id, "status": "new"}, status=201)


async def show_order(request: web.Request) -> web.Response:
    """404 for an order that does not exist."""
    async with request.app[STORES].database() as connection:
        row = await connection.fetchrow(
            "SELECT id, item_id, quantity, status FROM orders WHERE id = $1",
            int(request.match_info["id"]),
        )
    if row is None:
        return web.json_response({"error": "no such order"}, status=404)
    return web.json_response(dict(row))


async def _read_order(request: web.Request) -> tuple[int, int]:
    body = await read_object(request)
    return (
        _whole_number("item_id", body.get("item_id"), MAX_ID),
        _whole_number("quantity", body.get("quantity", 1), MAX_QUANTITY),
    )


def _whole_number(name: str, value: Any, highest: int) -> int:
    if type(value) is not int or not 1 <= value <= highest:
        raise bad_request(f"{name}: must be a whole number from 1 to {highest}")
    return value


ROUTES = [
    web.get("/", show_front),
    web.get("/items", list_items),
    web.post("/orders", create_order),
    web.get(r"/orders/{id:\d{1,18}}", show_order),
]
