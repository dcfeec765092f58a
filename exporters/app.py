"""The composition root: what runs in the exporter, and what it serves."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from importlib.metadata import version

import aiohttp
import structlog
from aiohttp import web
from prometheus_client import ProcessCollector

from exporters.catalog import Catalog
from exporters.cgroups import Cgroups
from exporters.collectors import Sources, active
from exporters.collectors.containers import LabelCache
from exporters.probing import Prober, new_session
from exporters.watch import Watcher
from homeostat.clock import Clock
from homeostat.containers import DockerEngine, Engine
from homeostat.errors import Permanent
from homeostat.exposition import CONTENT_TYPE, deadline_from, render, scrape
from homeostat.guardian_client import GuardianClient
from homeostat.probes import ProbeContext
from homeostat.quantities import host_port
from homeostat.settings import Settings

log = structlog.get_logger()

#: Open scrapes get this long at the end.
_FAREWELL_S = 1.0

_LANDING = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>homeostat exporter</title></head>
<body><h1>homeostat exporter</h1><ul>
<li><a href="/metrics">/metrics</a>: what Prometheus scrapes</li>
<li><a href="/-/healthy">/-/healthy</a>: whether this process answers</li>
</ul></body></html>
"""


class CannotListen(Permanent):
    """The address is taken, or is not this machine's."""


async def serve(settings: Settings, clock: Clock) -> None:
    """Serve until SIGTERM or SIGINT. Raises CannotListen."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C ends asyncio.run by itself
            loop.add_signal_handler(number, stop.set)
    engine = None if settings.docker.enabled is False else DockerEngine(settings.docker.host)
    async with new_session() as session:
        sources = connect(settings, clock, engine, session)
        async with listening(sources, clock), measuring(sources):
            log.info("exporter.started", listen=settings.exporter.listen, version=sources.version)
            await stop.wait()
    if engine:
        await engine.close()
    log.info("exporter.stopped")


def connect(settings: Settings, clock: Clock, engine: Engine | None, session: aiohttp.ClientSession) -> Sources:
    """All parts of the exporter, put together."""
    watcher = Watcher(engine, clock, required=settings.docker.enabled is True) if engine else None
    catalog = Catalog(settings, lambda: watcher.containers if watcher else ())
    return Sources(
        settings=settings,
        version=version("homeostat"),
        watcher=watcher,
        catalog=catalog,
        prober=Prober(catalog.entries, ProbeContext(session, clock)),
        guardian=GuardianClient(settings.state_dir / "guardian.sock"),
        cgroups=Cgroups(clock),
        label_cache=LabelCache(),
        own=ProcessCollector(registry=None),
    )


@contextlib.asynccontextmanager
async def measuring(sources: Sources) -> AsyncIterator[None]:
    """What measures in the background, for as long as the block lasts."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(sources.prober.run())]
        if sources.watcher:
            tasks.append(group.create_task(sources.watcher.run()))
        yield
        for task in tasks:
            task.cancel()


@contextlib.asynccontextmanager
async def listening(sources: Sources, clock: Clock) -> AsyncIterator[None]:
    """The HTTP side, on ``settings.exporter.listen``. Raises CannotListen."""
    runner = web.AppRunner(application(sources, clock), access_log=None, shutdown_timeout=_FAREWELL_S)
    await runner.setup()
    host, port = host_port(sources.settings.exporter.listen)
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as err:
            raise CannotListen(
                f"cannot listen on {host}:{port}: {err.strerror}; end what listens there, or set exporter.listen"
            ) from err
        yield
    finally:
        await runner.cleanup()


def application(sources: Sources, clock: Clock) -> web.Application:
    """GET /metrics, /-/healthy and a landing page."""

    async def metrics(request: web.Request) -> web.Response:
        families = await scrape(active(sources), clock, deadline_from(request))
        return web.Response(body=render(families), headers={"Content-Type": CONTENT_TYPE})

    async def healthy(_request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def landing(_request: web.Request) -> web.Response:
        return web.Response(text=_LANDING, content_type="text/html")

    app = web.Application()
    app.add_routes([web.get("/metrics", metrics), web.get("/-/healthy", healthy), web.get("/", landing)])
    return app
