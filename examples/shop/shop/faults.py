"""Switches that break the shop: POST /faults/<name>. Registered only with SHOP_FAULTS=1."""

import asyncio
import math
import os
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from shop.answers import bad_request, read_object
from shop.hooks import LOCAL_CACHE
from shop.leaks import FAULT_STATE, FaultState, Leak, end_leaks, leak_connection
from shop.stores import POOL_MAX, STORES

#: Time for the answer to leave before the process cannot send any more.
ANSWER_DELAY_S = 0.05
#: Neither errors nor delays here: a fault can be taken back, and a repair is judged by its effect.
EXEMPT = ("/faults/", "/hooks/")

Params = Mapping[str, Any]
Fault = Callable[[web.Application, Params], Awaitable[dict[str, float]]]


async def hang(_app: web.Application, _params: Params) -> dict[str, float]:
    """The event loop stops for good. SIGTERM is handled by the loop, so it is not answered either."""
    asyncio.get_running_loop().call_later(ANSWER_DELAY_S, _block_forever)
    return {}


async def crash(_app: web.Application, _params: Params) -> dict[str, float]:
    """Not SIGKILL: the kernel does not let PID 1 of a container kill itself."""
    asyncio.get_running_loop().call_later(ANSWER_DELAY_S, os._exit, 1)
    return {}


async def memory_leak(app: web.Application, params: Params) -> dict[str, float]:
    """Fills the local cache, or a list that nothing clears, with touched pages; ``limit_mb`` counts what is leaked,
    cleared or not.
    """
    where = params.get("where", "cache")
    if where not in {"cache", "heap"}:
        raise bad_request("where: must be cache or heap")
    rate = _number(params, "mb_per_s", 10)
    limit = _number(params, "limit_mb", math.inf)
    state = app[FAULT_STATE]
    state.memory_mb, state.is_in_cache = Leak(rate, limit), where == "cache"
    return {"mb_per_s": rate}


async def fd_leak(app: web.Application, params: Params) -> dict[str, float]:
    """Opens files until the process can open nothing, connections included."""
    rate = _number(params, "per_s", 20)
    app[FAULT_STATE].fds = Leak(rate)
    return {"per_s": rate}


async def thread_leak(app: web.Application, params: Params) -> dict[str, float]:
    """Starts threads that never end, until the container may have no more."""
    rate = _number(params, "per_s", 5)
    app[FAULT_STATE].threads = Leak(rate, _number(params, "limit", math.inf))
    return {"per_s": rate}


async def connection_leak(app: web.Application, params: Params) -> dict[str, float]:
    """Takes ``count`` connections out of the pool and keeps them: at once, or ``per_s``, one by one."""
    stores, count = app[STORES], int(_number(params, "count", POOL_MAX, highest=POOL_MAX))
    rate = _number(params, "per_s", 0)
    if rate:
        app[FAULT_STATE].connections = Leak(rate, count)
        return {"leaked": len(stores.leaked), "per_s": rate}
    for _ in range(count):
        if not await leak_connection(stores):
            break
    return {"leaked": len(stores.leaked)}


async def error_rate(app: web.Application, params: Params) -> dict[str, float]:
    """This share of requests, /health included, answers 500."""
    app[FAULT_STATE].error_share = _number(params, "share", 0.5, highest=1)
    return {"share": app[FAULT_STATE].error_share}


async def slow(app: web.Application, params: Params) -> dict[str, float]:
    """Every request, /health included, takes this much longer."""
    app[FAULT_STATE].slow_s = _number(params, "seconds", 2)
    return {"seconds": app[FAULT_STATE].slow_s}


async def reset(app: web.Application, _params: Params) -> dict[str, float]:
    """As if no fault had been switched on (what hangs or crashed cannot be reset)."""
    state = app[FAULT_STATE]
    state.error_share = state.slow_s = 0.0
    end_leaks(state)
    app[LOCAL_CACHE].clear()
    if app[STORES].leaked:
        await app[STORES].reset()
    return {}


FAULTS: dict[str, Fault] = {
    "hang": hang,
    "crash": crash,
    "memory-leak": memory_leak,
    "fd-leak": fd_leak,
    "thread-leak": thread_leak,
    "connection-leak": connection_leak,
    "error-rate": error_rate,
    "slow": slow,
    "reset": reset,
}


async def switch(request: web.Request) -> web.Response:
    """POST /faults/{name}; parameters in the query or a JSON object, the query first."""
    fault = FAULTS.get(request.match_info["name"])
    if fault is None:
        raise web.HTTPNotFound
    done = await fault(request.app, {**await read_object(request), **request.query})
    return web.json_response({"fault": request.match_info["name"], **done})


@web.middleware
async def suffer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Applies ``slow`` and ``error-rate``."""
    state: FaultState = request.app[FAULT_STATE]
    if not request.path.startswith(EXEMPT):
        await asyncio.sleep(state.slow_s)
        if random.random() < state.error_share:
            return web.json_response({"error": "injected"}, status=500)
    return await handler(request)


def _number(params: Params, name: str, default: float, *, highest: float = math.inf) -> float:
    try:
        value = float(params.get(name, default))
    except (TypeError, ValueError) as err:
        raise bad_request(f"{name}: must be a number") from err
    if not 0 <= value <= highest:
        raise bad_request(f"{name}: must be a number from 0 to {highest:g}")
    return value


def _block_forever() -> None:
    while True:
        time.sleep(3600)


ROUTES = [web.post("/faults/{name}", switch)]
