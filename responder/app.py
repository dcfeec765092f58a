"""The responder's composition root: routes, background work, reload. ``create_app`` wires everything once."""

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import aiohttp
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, generate_latest

from homeostat import service
from homeostat.alertmanager_api import AlertmanagerClient
from homeostat.clock import Clock
from homeostat.configfiles.checkprogram import run_check
from homeostat.configfiles.managed import ConfigFiles
from homeostat.configfiles.own import config_files
from homeostat.containers import DockerEngine, Engine
from homeostat.encoder import Format
from homeostat.errors import HomeostatError, SettingsError
from homeostat.guardian_client import GuardianClient
from homeostat.platforms import control_socket_path
from homeostat.probes import ProbeContext
from homeostat.prometheus_api import PrometheusClient
from responder import escalationtest, maintenanceapi, operate, pages, readapi
from responder.actions.base import Tools
from responder.brake import Brake
from responder.capture import CaptureBounds, CaptureTools, capture
from responder.chain import START
from responder.engine import Capture
from responder.escalate import Escalation
from responder.intake import Duties, Intake
from responder.leases import Leased
from responder.ledger import Episode, Store, StoreError
from responder.measures import Measures
from responder.metrics import Metrics
from responder.onlooker import Onlooker
from responder.parts import PARTS, Live, Parts, require_token
from responder.quiet import Quiet
from responder.receive import receive
from responder.reconcile import Reconciler
from responder.recovery import Deferred, Recovery
from responder.rehearsal import rehearse
from responder.services import Services
from responder.targets import Resolver, Target
from responder.trackrecord import TrackRecord
from responder.watchposts import ClockWatch, DeadMan, StormWatch

log = structlog.get_logger()

__all__ = ["PARTS", "Live", "Parts", "create_app"]


_RECALL_S = 2.0
#: The one route that other hosts may be let in to, by TLS.
WEBHOOK = "/webhook/alertmanager"

OpenStore = Callable[[], Awaitable[Store]]


def create_app(live: Live, open_store: OpenStore, clock: Clock) -> web.Application:
    """The application; its store and background work start and end with it. It raises what ``open_store`` raises, at
    its start.
    """
    app = web.Application(client_max_size=live.settings.responder.body_limit, middlewares=[_say_unreadable])
    app.cleanup_ctx.append(lambda app_: _run(app_, live, open_store, clock))
    app.add_routes(
        [
            web.post(WEBHOOK, receive),
            web.get("/metrics", _metrics),
            web.get("/-/healthy", _healthy),
            web.get("/-/ready", _ready),
            web.post("/-/reload", _reload),
            web.post("/api/v1/escalation-test", _escalation_test),
            *readapi.routes(),
            *operate.routes(),
        ]
    )
    maintenanceapi.add_to(app)
    pages.add_to(app, clock)
    return app


@web.middleware
async def _say_unreadable(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What cannot be read is neither there nor missing."""
    try:
        return await handler(request)
    except StoreError as err:
        return web.json_response({"error": str(err)}, status=503)


async def _run(app: web.Application, live: Live, open_store: OpenStore, clock: Clock) -> AsyncIterator[None]:
    store = await open_store()
    engine: Engine | None = None if live.settings.docker.enabled is False else DockerEngine(live.settings.docker.host)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True, limit=64)) as session:
        services = _services(live, store, clock, engine, session)
        parts, work = _compose(live, services)
        app[PARTS] = parts
        app[pages.BOARD] = pages.Board(parts, services.prometheus)
        tested_at = await asyncio.to_thread(escalationtest.last_success, live.settings.state_dir)
        parts.metrics.escalation_tested.set(tested_at)
        try:
            await asyncio.to_thread(_finish_changes, live)
            async with service.in_background(_background(parts, work), "responder background"):
                yield
        finally:
            if engine is not None:
                await engine.close()
            await store.close()


def _finish_changes(live: Live) -> None:
    """Of configuration files, that a crash has cut off. What cannot be finished now is, before the next change."""
    try:
        config_files(live.settings, live.path).recover()
    except (HomeostatError, OSError) as err:
        log.warning("config.not_recovered", error=str(err))


def _services(
    live: Live, store: Store, clock: Clock, engine: Engine | None, session: aiohttp.ClientSession
) -> Services:
    responder = live.settings.responder
    guardian = GuardianClient(control_socket_path(live.settings.state_dir))

    def files() -> ConfigFiles:
        return config_files(live.settings, live.path, run_check)

    return Services(
        store=store,
        tools=Tools(engine, guardian, session, clock, lambda: live.settings, store.holds, files),
        resolver=Resolver(engine, guardian, files),
        alertmanager=AlertmanagerClient(responder.alertmanager_url, session),
        prometheus=PrometheusClient(responder.prometheus_url, session),
        probes=ProbeContext(session, clock),
        metrics=Metrics(_registry()),
        brake=Brake(),
        quiet=Quiet(),
        clock=clock,
    )


def _compose(live: Live, services: Services) -> tuple[Parts, Measures]:
    store, metrics, clock = services.store, services.metrics, services.clock
    capture = _capture(live, services.tools)
    owner = f"{socket.gethostname()} {os.getpid()} {secrets.token_hex(4)}"
    escalation = Escalation(services.alertmanager)
    storm = StormWatch(services.brake, escalation, lambda: live.settings, metrics, clock)

    async def advance(episode: Episode, under: Leased) -> Episode | Deferred:
        return await Recovery(services, live.settings, under, capture).advance(episode)

    async def is_over(episode: Episode, gone_s: float) -> bool:
        return await Onlooker(services, live.settings).is_over(episode, gone_s)

    async def finished(episode: Episode) -> None:
        await reconciler.deliver(episode)

    intake = Intake(store, Duties(advance, finished, storm.is_storm), metrics, clock, owner)
    reconciler = Reconciler(
        store,
        escalation,
        intake,
        metrics,
        clock,
        held=lambda: services.alertmanager.held_in_pages('remedy=~".+"'),
        is_over=is_over,
    )
    parts = Parts(
        live=live,
        store=store,
        metrics=metrics,
        clock=clock,
        intake=intake,
        reconciler=reconciler,
        people=_people(live, services),
        dead_man=DeadMan(services.alertmanager, metrics, clock),
        brake=services.brake,
        storm=storm,
        plan=lambda alert: rehearse(alert, services, live.settings),
        track=TrackRecord(store, metrics, clock),
        nudge=asyncio.Event(),
    )
    metrics.reload_ok.set(1)
    metrics.reload_at.set(clock.now())
    return parts, Measures(services, lambda: live.settings, capture, owner)


def _capture(live: Live, tools: Tools) -> Capture:
    looking = CaptureTools(
        engine=tools.engine,
        guardian=tools.guardian,
        clock=tools.clock,
        logs=live.settings.state_dir / "logs",
        secrets=lambda: live.tokens,
    )

    async def before_hard_step(target: Target) -> Mapping[str, object]:
        responder = live.settings.responder
        return await capture(target, looking, CaptureBounds(responder.evidence_time, responder.evidence_size))

    return before_hard_step


def _people(live: Live, services: Services) -> escalationtest.Surroundings:
    settings, metrics = live.settings, services.metrics
    return escalationtest.Surroundings(
        alertmanager_url=settings.responder.alertmanager_url,
        session=services.tools.session,
        clock=services.clock,
        state_dir=settings.state_dir,
        deliveries=lambda: escalationtest.total(metrics.deliveries),
        succeeded=metrics.escalation_tested.set,
    )


def _registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return registry


async def _background(parts: Parts, measures: Measures) -> None:
    responder = parts.live.settings.responder
    await _recall_storm(parts)
    async with asyncio.TaskGroup() as group:
        group.create_task(parts.intake.run(), name="intake")
        group.create_task(parts.reconciler.run(responder.reconcile_interval), name="reconcile")
        group.create_task(parts.dead_man.run(responder.reconcile_interval, responder.dead_man_timeout), name="dead man")
        group.create_task(parts.storm.run(), name="storm")
        group.create_task(parts.track.run(), name="track record")
        group.create_task(ClockWatch(parts.metrics, parts.clock).run(), name="clock")
        group.create_task(measures.run(), name="measures")
        group.create_task(_nudged(parts), name="nudged")
        if parts.store.is_shared:
            group.create_task(_keep_recalling(parts), name="shared storm")


async def _recall_storm(parts: Parts) -> None:
    """From the ledger: a responder that is restarted in a storm knows that it is one."""
    since = parts.clock.now() - parts.live.settings.responder.storm.window
    for workload, at in (await parts.store.opened_since(since)).items():
        parts.brake.opened([workload], at)


async def _keep_recalling(parts: Parts) -> None:
    """What other replicas took in counts, too."""
    while True:
        await parts.clock.sleep(_RECALL_S)
        try:
            await _recall_storm(parts)
        except StoreError as err:
            log.warning("ledger.unreadable", error=str(err))


async def _nudged(parts: Parts) -> None:
    """Reconcile at once when an escalated episode's alert has ended; many at once are one reconciliation."""
    while True:
        await parts.nudge.wait()
        await parts.clock.sleep(1.0)
        parts.nudge.clear()
        await parts.reconciler.once()


async def _metrics(request: web.Request) -> web.Response:
    parts = request.app[PARTS]
    await _publish_ledger(parts)
    body = generate_latest(parts.metrics.registry)
    return web.Response(body=body, headers={"Content-Type": Format.TEXT.value})


async def _publish_ledger(parts: Parts) -> None:
    """Prometheus remembers what the ledger's end looked like, so that one cut off or written anew is seen."""
    try:
        newest = await parts.store.links(-1, 1)
    except StoreError:
        return
    parts.metrics.ledger_lines.set(newest[0].id if newest else 0)
    parts.metrics.ledger_head.set(int((newest[0].digest if newest else START)[:12], 16))


async def _healthy(_request: web.Request) -> web.Response:
    return web.Response(text="homeostat responder is healthy\n")


async def _ready(request: web.Request) -> web.Response:
    try:
        await request.app[PARTS].store.counts()
    except StoreError as err:
        return web.Response(text=f"not ready: {err}\n", status=503)
    return web.Response(text="homeostat responder is ready\n")


async def _reload(request: web.Request) -> web.Response:
    parts = request.app[PARTS]
    try:
        await service.reload_tls(request.app)
        await asyncio.to_thread(parts.live.reload)
    except SettingsError as err:
        parts.metrics.reload_ok.set(0)
        log.error("settings.refused", problems=err.problems)  # noqa: TRY400 - says it all
        return web.Response(text=f"the last good settings stay in force:\n{err}\n", status=400)
    parts.metrics.reload_ok.set(1)
    parts.metrics.reload_at.set(parts.clock.now())
    log.info("settings.reloaded", path=str(parts.live.path))
    return web.Response(text="reloaded\n")


async def _escalation_test(request: web.Request) -> web.Response:
    require_token(request)
    return await escalationtest.answer(request, request.app[PARTS].people)
