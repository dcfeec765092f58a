"""The web process: ``python -m shop.web``."""

from aiohttp import web

from shop import degraded, faults, hooks, orders
from shop.answers import answer_503
from shop.degraded import DEGRADATION, Degradation
from shop.health import show_health
from shop.heap import Heap
from shop.hooks import HEAP, LOCAL_CACHE
from shop.leaks import FAULT_STATE, FaultState, leak_in_background
from shop.metrics import show_metrics, web_families
from shop.offer import OFFER_FILE, show_offer
from shop.request_log import log_requests, open_request_log
from shop.serve import hold_stores, serve
from shop.settings import Settings
from shop.stores import STORES, Stores


def build_app(settings: Settings) -> web.Application:
    """Log outside, then the faults, then the shop itself."""
    injected = [faults.suffer] if settings.has_faults else []
    log = open_request_log(settings.request_log)
    app = web.Application(middlewares=[log_requests(log), *injected, answer_503])
    app[STORES] = Stores(settings)
    app[LOCAL_CACHE] = {}
    app[HEAP] = Heap()
    app[DEGRADATION] = Degradation()
    app[OFFER_FILE] = settings.offer_file
    app.add_routes([*orders.ROUTES, *hooks.ROUTES, *degraded.ROUTES, web.get("/health", show_health)])
    app.add_routes([web.get("/offer", show_offer)])
    app.add_routes([web.get("/metrics", show_metrics(web_families))])
    app.cleanup_ctx.append(hold_stores)
    if settings.has_faults:
        app[FAULT_STATE] = FaultState()
        app.add_routes(faults.ROUTES)
        app.cleanup_ctx.append(leak_in_background)
    return app


if __name__ == "__main__":
    serve(build_app)
