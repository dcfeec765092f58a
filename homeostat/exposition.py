"""The collector seam, the scrape that runs all collectors, and /metrics.

One failing or slow collector never fails a scrape: it becomes ``homeostat_scrape_collector_success 0``.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Protocol

import structlog
from aiohttp import hdrs, web

from homeostat import names
from homeostat.clock import Clock
from homeostat.encoder import gzip, negotiate, render, takes_gzip
from homeostat.families import Family, Metric, gauge, labels

log = structlog.get_logger()

#: Kept back from Prometheus's own deadline so that the answer still travels (blackbox_exporter does the same).
DEADLINE_OFFSET_S = 0.25
DEFAULT_DEADLINE_S = 9.5
MAX_DEADLINE_S = 3600.0
#: Zipping so little takes less than handing it to a thread and back.
_INLINE_BYTES = 32 * 1024

_SUCCESS = gauge(names.SCRAPE_SUCCESS, "Whether the collector's last run succeeded.", "collector")
_DURATION = gauge(names.SCRAPE_DURATION, "How long the collector's last run took.", "collector")
METRICS: tuple[Metric, ...] = (_SUCCESS, _DURATION)


class Collector(Protocol):
    """Measures one thing. Fresh families on every call; no state, no logging, no try/except."""

    @property
    def name(self) -> str: ...

    async def collect(self) -> Iterable[Family]: ...


async def scrape(collectors: Sequence[Collector], clock: Clock, deadline_s: float) -> list[Family]:
    """Run all collectors at once, each under the deadline; report each one's success and duration."""
    success, duration = _SUCCESS.family(), _DURATION.family()

    async def run(collector: Collector) -> list[Family]:
        start = clock.monotonic()
        try:
            async with asyncio.timeout(deadline_s):
                families = list(await collector.collect())
            ok = True
        except Exception as err:  # noqa: BLE001 - the one place where a collector's failure becomes a metric
            log.warning("collector.failed", collector=collector.name, error=repr(err))
            families, ok = [], False
        rendered = labels({"collector": collector.name})
        success.add(rendered, float(ok))
        duration.add(rendered, clock.monotonic() - start)
        return families

    results = await asyncio.gather(*(run(collector) for collector in collectors))
    return [family for families in results for family in families] + [success, duration]


def deadline_from(request: web.Request) -> float:
    """Prometheus's scrape timeout less an offset; a default for people with curl."""
    try:
        timeout_s = float(request.headers["X-Prometheus-Scrape-Timeout-Seconds"])
    except (KeyError, ValueError):
        return DEFAULT_DEADLINE_S
    if not 0 < timeout_s <= MAX_DEADLINE_S:  # also NaN
        return DEFAULT_DEADLINE_S
    return max(timeout_s - DEADLINE_OFFSET_S, timeout_s / 2)


def selected(request: web.Request, collectors: Sequence[Collector], known: Iterable[str]) -> list[Collector]:
    """Those that the query names (``?collect[]=NAME``, repeated, as node_exporter has it); all when it names none.

    ``known``: every name there can be; a collector that has nothing to measure now is no error. Raises HTTPBadRequest.
    """
    wanted = request.query.getall("collect[]", [])
    allowed = sorted(known)
    if unknown := [name for name in wanted if name not in allowed]:
        text = f"collect[]={unknown[0]}: no such collector; allowed: {', '.join(allowed)}\n"
        raise web.HTTPBadRequest(text=text)
    return [collector for collector in collectors if not wanted or collector.name in wanted]


async def answer(request: web.Request, collectors: Sequence[Collector], clock: Clock) -> web.Response:
    """A page of ``collectors``, in the format and coding that the request accepts."""
    families = await scrape(collectors, clock, deadline_from(request))
    # Several Accept headers are one list (RFC 9110, 5.3).
    form = negotiate(",".join(request.headers.getall(hdrs.ACCEPT, ())))
    headers = {hdrs.CONTENT_TYPE: form.value, hdrs.VARY: "Accept, Accept-Encoding"}
    body = render(families, form)
    if takes_gzip(",".join(request.headers.getall(hdrs.ACCEPT_ENCODING, ()))):
        headers[hdrs.CONTENT_ENCODING] = "gzip"
        body = gzip(body) if len(body) <= _INLINE_BYTES else await asyncio.to_thread(gzip, body)
    return web.Response(body=body, headers=headers)


def metrics_route(collectors: Sequence[Collector], clock: Clock) -> web.RouteDef:
    """GET /metrics over ``collectors``."""

    async def handle(request: web.Request) -> web.Response:
        return await answer(request, collectors, clock)

    return web.get("/metrics", handle)
