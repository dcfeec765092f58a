"""How both processes start and stop."""

import logging
import os
import sys
from collections.abc import AsyncIterator, Callable

from aiohttp import web

from shop.settings import Settings, SettingsError, read_settings
from shop.stores import STORES

#: What requests in flight get on SIGTERM. aiohttp waits it twice; the whole exit stays below 2 s.
SHUTDOWN_TIMEOUT_S = 0.4


async def hold_stores(app: web.Application) -> AsyncIterator[None]:
    """A cleanup context."""
    await app[STORES].open()
    yield
    await app[STORES].close()


def serve(build_app: Callable[[Settings], web.Application]) -> None:
    """Run until SIGTERM or SIGINT. Stdout is left to the request log."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO)
    try:
        settings = read_settings(os.environ)
    except SettingsError as err:
        sys.exit(f"shop: {err}")
    web.run_app(
        build_app(settings),
        host=settings.host,
        port=settings.port,
        access_log=None,
        print=None,
        shutdown_timeout=SHUTDOWN_TIMEOUT_S,
    )
