"""The worker process: ``python -m shop.worker``. Takes orders off the list and marks them done."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web

from shop.health import show_health
from shop.metrics import show_metrics, worker_families
from shop.orders import ORDERS_KEY
from shop.serve import hold_stores, serve
from shop.settings import Settings
from shop.stores import STORE_ERRORS, STORES, Stores, describe

POP_TIMEOUT_S = 1
SWEEP_INTERVAL_S = 1.0
RETRY_DELAY_S = 0.5

log = logging.getLogger("shop.worker")


async def work_next(stores: Stores) -> None:
    """Wait a moment for one order. Marking is idempotent: an order may come twice."""
    popped = await stores.redis.brpop([ORDERS_KEY], timeout=POP_TIMEOUT_S)
    if popped is None:
        return
    async with stores.database() as connection:
        await connection.execute(
            "UPDATE orders SET status = 'done', done_at = now() WHERE id = $1 AND status = 'new'",
            int(popped[1]),
        )
        stores.use.orders_processed += 1


async def sweep(stores: Stores) -> None:
    """Orders whose list entry was lost, by a restart of Redis or between pop and mark."""
    await asyncio.sleep(SWEEP_INTERVAL_S)
    async with stores.database() as connection:
        await connection.execute(
            "UPDATE orders SET status = 'done', done_at = now()"
            " WHERE status = 'new' AND created_at < now() - interval '2 seconds'"
        )


async def repeat(step: Callable[[Stores], Awaitable[None]], stores: Stores) -> None:
    """For ever, whatever the stores do. Any other exception ends the process, for all to see."""
    while True:
        try:
            await step(stores)
        except STORE_ERRORS as err:
            log.warning("%s: %s; trying again", step.__name__, describe(err))
            await asyncio.sleep(RETRY_DELAY_S)


async def work_in_background(app: web.Application) -> AsyncIterator[None]:
    """A cleanup context."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(repeat(step, app[STORES])) for step in (work_next, sweep)]
        yield
        for task in tasks:
            task.cancel()


def build_app(settings: Settings) -> web.Application:
    """Serves its health and its metrics, and nothing else."""
    app = web.Application()
    app[STORES] = Stores(settings)
    app.add_routes([web.get("/health", show_health), web.get("/metrics", show_metrics(worker_families))])
    app.cleanup_ctx.extend([hold_stores, work_in_background])
    return app


if __name__ == "__main__":
    serve(build_app)
