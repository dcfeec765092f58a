"""The composition root: what measures in the background, and what is served."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from importlib.metadata import version
from pathlib import Path

import structlog
from aiohttp import web
from prometheus_client import ProcessCollector

from exporters import leakpage
from exporters.catalog import Catalog
from exporters.cgroups import Cgroups
from exporters.collectors import COLLECTORS, active
from exporters.configevents import Events
from exporters.configreaders import ConfigReaders
from exporters.configredeploy import Redeploy
from exporters.configwatch import ConfigWatch
from exporters.containerlabels import LabelCache
from exporters.discovery import discover
from exporters.enginestats import EngineStats
from exporters.garbage import spare_what_is_loaded
from exporters.host.source import system_reader
from exporters.keptfiles import spare_files
from exporters.leakinputs import Containers, Databases, HostLimits, Input, Processes
from exporters.leakstate import StateFile
from exporters.leakwatch import LeakWatch
from exporters.machine import connect as connect_machine
from exporters.meter import Meter
from exporters.presence import Presence
from exporters.probing import Prober, new_session
from exporters.sources import Sources
from exporters.together import Together
from exporters.watch import Seen, Watcher
from homeostat import platforms, service
from homeostat.clock import Clock
from homeostat.configfiles.checkprogram import run_check
from homeostat.configfiles.own import config_files
from homeostat.containers import Container, DockerEngine, Engine
from homeostat.exposition import answer, selected
from homeostat.guardian_client import GuardianClient, ProcessStatus, kept_session
from homeostat.platforms import control_socket_path
from homeostat.probes import ProbeContext
from homeostat.settings import Settings

log = structlog.get_logger()

SOURCES = web.AppKey("sources", Sources)
CLOCK = web.AppKey("clock", Clock)

#: Who changes files holds their lock for some milliseconds; the round must not stand still for one who hangs.
_LOCK_WAIT_S = 2.0

_LANDING = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>homeostat exporter</title></head>
<body><h1>homeostat exporter</h1><ul>
<li><a href="/metrics">/metrics</a>: what Prometheus scrapes</li>
<li><a href="/discovery">/discovery</a>: where Prometheus finds the metrics of applications</li>
<li><a href="/leaks">/leaks</a>: what is said of each resource that may leak</li>
<li><a href="/-/healthy">/-/healthy</a>: whether this process answers</li>
</ul></body></html>
"""


def create_app(settings: Settings, clock: Clock, path: Path | None = None) -> web.Application:
    """The application; what it measures in the background starts and ends with it. ``path``: of homeostat.yml, which is
    watched as other managed files are.
    """
    app = web.Application()
    app[CLOCK] = clock
    app.cleanup_ctx.append(lambda app_: _run(app_, settings, clock, path))
    app.add_routes(
        [
            web.get("/metrics", _metrics),
            web.get("/discovery", _discovery),
            web.get("/leaks", _leaks),
            web.get("/-/healthy", _healthy),
            web.get("/", _landing),
        ]
    )
    return app


async def _run(app: web.Application, settings: Settings, clock: Clock, path: Path | None) -> AsyncIterator[None]:
    engine = None if settings.docker.enabled is False else DockerEngine(settings.docker.host)
    socket = control_socket_path(settings.state_dir)
    async with new_session() as session, kept_session(socket) as to_guardian:
        guardian = GuardianClient(socket, to_guardian)
        config = _config_watch(settings, path, clock)
        app[SOURCES] = sources = connect(settings, clock, engine, ProbeContext(session, clock), guardian, config)
        await sources.guardian.look()
        try:
            async with service.in_background(_measure(sources), "exporter background"):
                yield
        finally:
            await asyncio.to_thread(sources.meter.cgroups.close)
            if engine is not None:
                await engine.close()


def connect(
    settings: Settings,
    clock: Clock,
    engine: Engine | None,
    probing: ProbeContext,
    guardian: GuardianClient,
    config: ConfigWatch | None = None,
) -> Sources:
    """All parts, put together. Without ``engine`` no container is watched."""
    required, spare = settings.docker.enabled is True, spare_files()
    watcher = Watcher(engine, clock, required=required, most_open=spare // 16) if engine else None
    look = Together(watcher.look) if watcher else None
    catalog = Catalog(settings, lambda: watcher.containers if watcher else ())
    prober = Prober(catalog.entries, probing)
    presence, supervised = Presence(guardian.socket, clock), Together(guardian.processes)
    meter = Meter(Cgroups(clock, most_open=spare), EngineStats(engine, clock) if engine else None)
    machine = connect_machine(settings.exporter, clock, engine.system_time if engine else None)
    host = HostLimits(system_reader(platforms.detect()), clock)
    processes = Processes(
        lambda: bool(settings.processes) or presence.is_there, supervised, machine.sessions, host, clock
    )
    inputs: dict[str, Input] = {"processes": processes.read, "databases": Databases(prober).read}
    if watcher is not None and look is not None:
        inputs["containers"] = Containers(lambda: watcher.is_wanted, look, meter, host, clock).read
    return Sources(
        settings=settings,
        version=version("homeostat"),
        clock=clock,
        watcher=watcher,
        look=look,
        catalog=catalog,
        prober=prober,
        guardian=presence,
        supervised=supervised,
        meter=meter,
        label_cache=LabelCache(),
        machine=machine,
        leaks=LeakWatch(inputs, StateFile(settings.state_dir, clock), clock),
        config=config,
        config_readers=_config_readers(settings, config, look, supervised, clock),
        own=ProcessCollector(registry=None),
    )


def _config_watch(settings: Settings, path: Path | None, clock: Clock) -> ConfigWatch | None:
    """None where no file is managed."""
    files = config_files(settings, path, run_check, wait_s=_LOCK_WAIT_S)
    if not files.specs:
        return None
    # homeostat.yml alone is in no hurry (it settles for a minute): no watchdog, and none of its threads, for that.
    events = Events(spec.path for spec in files.specs.values()) if settings.config_files else None
    return ConfigWatch(files, clock, events)


def _config_readers(
    settings: Settings,
    config: ConfigWatch | None,
    look: Together[list[Seen]] | None,
    supervised: Together[list[ProcessStatus]],
    clock: Clock,
) -> ConfigReaders | None:
    """None where no managed file says who reads it."""
    if config is None or not any(spec.workloads for spec in config.files.specs.values()):
        return None

    async def containers() -> Sequence[Container]:
        return [seen.container for seen in await look() if seen.is_running] if look else ()

    return ConfigReaders(config, clock, containers, supervised, Redeploy(settings.docker, clock) if look else None)


async def _measure(sources: Sources) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(spare_what_is_loaded(sources.clock), name="garbage")
        group.create_task(sources.prober.run(), name="probes")
        group.create_task(sources.guardian.run(), name="guardian")
        group.create_task(sources.leaks.run(), name="leaks")
        if sources.config is not None:
            group.create_task(sources.config.run(), name="config")
        if sources.config_readers is not None:
            group.create_task(sources.config_readers.run(), name="config readers")
        if sources.watcher is not None:
            group.create_task(sources.watcher.run(), name="containers")
        if sources.meter.engine_stats is not None:
            group.create_task(sources.meter.engine_stats.run(), name="engine stats")
        if sources.machine.engine_clock is not None:
            group.create_task(sources.machine.engine_clock.run(), name="engine clock")


async def _metrics(request: web.Request) -> web.Response:
    collectors = active(request.app[SOURCES])
    return await answer(request, selected(request, collectors, COLLECTORS), request.app[CLOCK])


async def _discovery(request: web.Request) -> web.Response:
    return web.json_response(discover(request.app[SOURCES].catalog.entries()))


async def _leaks(request: web.Request) -> web.Response:
    return await leakpage.answer(request, request.app[SOURCES].leaks)


async def _healthy(_request: web.Request) -> web.Response:
    return web.Response(text="ok\n")


async def _landing(_request: web.Request) -> web.Response:
    return web.Response(text=_LANDING, content_type="text/html")
