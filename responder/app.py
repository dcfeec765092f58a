"""The responder's composition root: routes, background work, reload. ``create_app`` wires everything once."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, generate_latest

from homeostat import names, service
from homeostat import settings as settings_module
from homeostat.alertmanager_api import AlertmanagerClient
from homeostat.clock import Clock
from homeostat.containers import DockerEngine, Engine
from homeostat.encoder import Format
from homeostat.errors import SettingsError
from homeostat.guardian_client import GuardianClient
from homeostat.platforms import control_socket_path
from homeostat.probes import ProbeContext
from homeostat.prometheus_api import PrometheusClient
from homeostat.settings import Settings
from responder import api
from responder.actions.base import Tools
from responder.engine import StepEngine
from responder.intake import Intake
from responder.ledger import Alert, Episode, NoEpisode, Store, StoreError
from responder.metrics import Metrics
from responder.reconcile import Reconciler
from responder.recovery import Deferred, Recovery, Services
from responder.targets import Resolver
from responder.webhook import is_authorised, parse_body, read_tokens

log = structlog.get_logger()

_MAX_LISTED = 1000
_DEFAULT_LISTED = 50


@dataclass(slots=True)
class Live:
    """What a reload replaces. Everyone else holds a reference to this, never to the settings in it."""

    path: Path | None
    settings: Settings
    tokens: tuple[bytes, ...]

    def reload(self) -> None:
        """Read the file again; on any error everything stays as it was. Raises SettingsError."""
        if self.path is None:
            return
        fresh = settings_module.load(self.path)
        tokens = read_tokens(fresh.responder.token_files)
        self.settings, self.tokens = fresh, tokens


@dataclass(slots=True)
class Parts:
    """The running responder."""

    live: Live
    store: Store
    metrics: Metrics
    clock: Clock
    intake: Intake
    reconciler: Reconciler
    nudge: asyncio.Event = field(default_factory=asyncio.Event)


PARTS = web.AppKey("parts", Parts)


def create_app(live: Live, store: Store, clock: Clock) -> web.Application:
    """The application; its background work starts and ends with it."""
    app = web.Application(client_max_size=live.settings.responder.body_limit, middlewares=[_say_unreadable])
    app.cleanup_ctx.append(lambda app_: _run(app_, live, store, clock))
    app.add_routes(
        [
            web.post("/webhook/alertmanager", _webhook),
            web.get("/metrics", _metrics),
            web.get("/-/healthy", _healthy),
            web.get("/-/ready", _ready),
            web.post("/-/reload", _reload),
            web.get("/api/v1/recoveries", _recoveries),
            web.get("/api/v1/recoveries/{id:[0-9]{1,18}}", _recovery),
            web.get("/api/v1/episodes", _episodes),
        ]
    )
    return app


@web.middleware
async def _say_unreadable(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What cannot be read is neither there nor missing."""
    try:
        return await handler(request)
    except StoreError as err:
        return web.json_response({"error": str(err)}, status=503)


async def _run(app: web.Application, live: Live, store: Store, clock: Clock) -> AsyncIterator[None]:
    engine: Engine | None = None if live.settings.docker.enabled is False else DockerEngine(live.settings.docker.host)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True, limit=64)) as session:
        parts = _compose(live, store, clock, engine, session)
        app[PARTS] = parts
        try:
            async with service.in_background(_background(parts), "responder background"):
                yield
        finally:
            if engine is not None:
                await engine.close()
            await store.close()


def _compose(live: Live, store: Store, clock: Clock, engine: Engine | None, session: aiohttp.ClientSession) -> Parts:
    responder = live.settings.responder
    metrics = Metrics(_registry())
    guardian = GuardianClient(control_socket_path(live.settings.state_dir))
    alertmanager = AlertmanagerClient(responder.alertmanager_url, session)
    services = Services(
        store=store,
        engine=StepEngine(store, Tools(engine, guardian, session, clock, lambda: live.settings), clock),
        resolver=Resolver(engine, guardian),
        alertmanager=alertmanager,
        prometheus=PrometheusClient(responder.prometheus_url, session),
        probes=ProbeContext(session, clock),
        metrics=metrics,
        clock=clock,
    )

    async def advance(episode: Episode) -> Episode | Deferred:
        return await Recovery(services, live.settings).advance(episode)

    async def is_over(episode: Episode, gone_s: float) -> bool:
        return await Recovery(services, live.settings).is_over(episode, gone_s)

    async def finished(episode: Episode) -> None:
        await reconciler.deliver(episode)

    intake = Intake(store, advance, finished, metrics, clock)
    reconciler = Reconciler(store, alertmanager, intake, metrics, clock, is_over=is_over)
    metrics.reload_ok.set(1)
    metrics.reload_at.set(clock.now())
    return Parts(live, store, metrics, clock, intake, reconciler)


def _registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return registry


async def _background(parts: Parts) -> None:
    responder = parts.live.settings.responder
    async with asyncio.TaskGroup() as group:
        group.create_task(parts.intake.run(), name="intake")
        group.create_task(
            parts.reconciler.run(responder.reconcile_interval, responder.dead_man_timeout), name="reconcile"
        )
        group.create_task(_nudged(parts), name="nudged")


async def _nudged(parts: Parts) -> None:
    """Reconcile at once when an escalated episode's alert has ended; many at once are one reconciliation."""
    while True:
        await parts.nudge.wait()
        await parts.clock.sleep(1.0)
        parts.nudge.clear()
        await parts.reconciler.once()


async def _webhook(request: web.Request) -> web.Response:
    parts = request.app[PARTS]
    response = await _receive(request, parts)
    parts.metrics.deliveries.labels(str(response.status)).inc()
    return response


async def _receive(request: web.Request, parts: Parts) -> web.Response:
    if not is_authorised(request.headers.get("Authorization"), parts.live.tokens):
        return web.json_response({"error": "a valid bearer token is required"}, status=401)
    try:
        alerts = parse_body(await request.read())
    except web.HTTPRequestEntityTooLarge:
        limit = parts.live.settings.responder.body_limit
        return web.json_response({"error": f"larger than {limit} bytes (responder.body_limit)"}, status=413)
    except (ValueError, web.RequestPayloadError) as err:
        return web.json_response({"error": str(err)}, status=400)
    try:
        await _take_in(parts, alerts)
    except StoreError as err:
        log.error("webhook.unwritable", error=str(err), alerts=len(alerts))  # noqa: TRY400 - says it all
        return web.json_response({"error": "cannot be written to disk now; send it again"}, status=503)
    return web.json_response({"accepted": len(alerts)}, status=202)


async def _take_in(parts: Parts, alerts: list[Alert]) -> None:
    if any(alert.name == names.ALERT_DEAD_MAN and alert.is_firing for alert in alerts):
        parts.reconciler.dead_man()
    # Our own escalations are for people; taking them in would answer an escalation with an escalation.
    ours = (names.ALERT_DEAD_MAN, names.ALERT_ESCALATION)
    wanted = [alert for alert in alerts if alert.name not in ours]
    if not wanted:
        return
    accepted = await parts.store.accept(wanted, parts.clock.now())
    effects = parts.metrics.alerts
    effects.labels("opened").inc(len(accepted.opened))
    effects.labels("resolved").inc(len(accepted.resolved))
    effects.labels("repeated").inc(accepted.repeated)
    for episode in (*accepted.opened, *accepted.resolved):
        parts.intake.wake(episode.workload)
    if any(episode.final is not None for episode in accepted.resolved):
        parts.nudge.set()


async def _metrics(request: web.Request) -> web.Response:
    body = generate_latest(request.app[PARTS].metrics.registry)
    return web.Response(body=body, headers={"Content-Type": Format.TEXT.value})


async def _healthy(_request: web.Request) -> web.Response:
    return web.Response(text="homeostat responder is healthy\n")


async def _ready(request: web.Request) -> web.Response:
    try:
        await request.app[PARTS].store.open_episodes()
    except StoreError as err:
        return web.Response(text=f"not ready: {err}\n", status=503)
    return web.Response(text="homeostat responder is ready\n")


async def _reload(request: web.Request) -> web.Response:
    parts = request.app[PARTS]
    try:
        await asyncio.to_thread(parts.live.reload)
    except SettingsError as err:
        parts.metrics.reload_ok.set(0)
        log.error("settings.refused", problems=err.problems)  # noqa: TRY400 - says it all
        return web.Response(text=f"the last good settings stay in force:\n{err}\n", status=400)
    parts.metrics.reload_ok.set(1)
    parts.metrics.reload_at.set(parts.clock.now())
    log.info("settings.reloaded", path=str(parts.live.path))
    return web.Response(text="reloaded\n")


async def _recoveries(request: web.Request) -> web.Response:
    store = request.app[PARTS].store
    episodes = await store.episodes(_limit(request))
    return web.json_response([api.recovery_json(episode, await store.entries(episode.id)) for episode in episodes])


async def _recovery(request: web.Request) -> web.Response:
    store = request.app[PARTS].store
    try:
        episode = await store.episode(int(request.match_info["id"]))
    except NoEpisode:
        return web.json_response({"error": f"no recovery {request.match_info['id']}"}, status=404)
    return web.json_response(api.recovery_json(episode, await store.entries(episode.id)))


async def _episodes(request: web.Request) -> web.Response:
    store, limit = request.app[PARTS].store, _limit(request)
    if request.query.get("open") == "true":
        episodes = list(reversed(await store.open_episodes()))[:limit]
    else:
        episodes = await store.episodes(limit)
    return web.json_response([api.episode_json(episode) for episode in episodes])


def _limit(request: web.Request) -> int:
    text = request.query.get("limit", str(_DEFAULT_LISTED))
    if not re.fullmatch("[0-9]{1,4}", text) or not 1 <= int(text) <= _MAX_LISTED:
        raise web.HTTPBadRequest(text=f"limit: must be a number from 1 to {_MAX_LISTED}\n")
    return int(text)
