"""POST /webhook/alertmanager: what is answered 202 is on disk; everything else comes later."""

import asyncio

import structlog
from aiohttp import web

from homeostat import names
from responder.ledger import Alert, StoreError
from responder.parts import PARTS, Parts
from responder.webhook import is_authorised, parse_body, read_body

log = structlog.get_logger()

#: Read in a thread: the loop would stand still for longer than a small body may take to be answered.
_LARGE_BYTES = 256 * 1024


async def receive(request: web.Request) -> web.Response:
    parts = request.app[PARTS]
    try:
        response = await _answer(request, parts)
    except web.HTTPException as err:
        parts.metrics.deliveries.labels(str(err.status)).inc()
        raise
    parts.metrics.deliveries.labels(str(response.status)).inc()
    return response


async def _answer(request: web.Request, parts: Parts) -> web.Response:
    if not is_authorised(request.headers.get("Authorization"), parts.live.tokens):
        return web.json_response({"error": "a valid bearer token is required"}, status=401)
    try:
        body = await read_body(request, parts.live.settings.responder.body_limit, "responder.body_limit")
        alerts = await asyncio.to_thread(parse_body, body) if len(body) > _LARGE_BYTES else parse_body(body)
    except ValueError as err:
        return web.json_response({"error": str(err)}, status=400)
    try:
        await _take_in(parts, alerts)
    except StoreError as err:
        log.error("webhook.unwritable", error=str(err), alerts=len(alerts))  # noqa: TRY400 - says it all
        return web.json_response({"error": "cannot be written to disk now; send it again"}, status=503)
    return web.json_response({"accepted": len(alerts)}, status=202)


async def _take_in(parts: Parts, alerts: list[Alert]) -> None:
    if any(alert.name == names.ALERT_DEAD_MAN and alert.is_firing for alert in alerts):
        parts.dead_man.seen()
    # Our own alerts are for people; taking them in would answer an escalation with an escalation.
    wanted = [alert for alert in alerts if alert.name not in (names.ALERT_DEAD_MAN, *names.OWN_ALERTS)]
    if not wanted:
        return
    now = parts.clock.now()
    accepted = await parts.store.accept(wanted, now)
    effects = parts.metrics.alerts
    effects.labels("opened").inc(len(accepted.opened))
    effects.labels("resolved").inc(len(accepted.resolved))
    effects.labels("repeated").inc(accepted.repeated)
    parts.brake.opened((episode.workload for episode in accepted.opened), now)
    for workload in {episode.workload for episode in (*accepted.opened, *accepted.resolved)}:
        parts.intake.wake(workload)
    if any(episode.final is not None for episode in accepted.resolved):
        parts.nudge.set()
