"""Planned maintenance over HTTP: start, stop, list. Changing anything needs the bearer token."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import structlog
from aiohttp import web

from homeostat import names
from homeostat.alertmanager_api import AlertmanagerClient
from homeostat.clock import rfc3339
from homeostat.errors import HomeostatError
from homeostat.occurrences import nearest
from homeostat.quantities import at_least, at_most, entries
from homeostat.sections import MaintenanceWindow, WorkloadPattern
from homeostat.silences import LONGEST_S, Silence, SilenceClient
from homeostat.structure import Checked
from responder import upkeep
from responder.bodies import body_of
from responder.maintaining import Maintaining, NoMaintenance, Outcome, Part, Planned, Seen
from responder.operate import Person
from responder.parts import PARTS, Parts, require_token
from responder.upkeep import Maintenance

log = structlog.get_logger()

_MOST_WORKLOADS = 100
_MOST_WHY = 500
_MOST_NAMED = 20
#: One change at a time: two that look at once would both start one.
_TURN = web.AppKey("maintenance_turn", asyncio.Lock)


def _is_why(text: str) -> None:
    if not text.strip() or len(text) > _MOST_WHY or not text.isprintable():
        raise ValueError(f"must say why, in one line of at most {_MOST_WHY} characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    workloads: Annotated[tuple[WorkloadPattern, ...], entries(1, _MOST_WORKLOADS)]
    #: From now.
    seconds: Annotated[float, at_least(1), at_most(LONGEST_S)]
    why: Annotated[str, Checked(_is_why)]
    by: Person


def add_to(app: web.Application) -> None:
    """The routes. They need :data:`PARTS` in the application when it runs."""
    app[_TURN] = asyncio.Lock()
    app.add_routes(
        [
            web.get("/api/v1/maintenance", _list),
            web.post("/api/v1/maintenance", _start),
            web.delete(f"/api/v1/maintenance/{{id:{upkeep.ID}}}", _stop),
        ]
    )


async def _start(request: web.Request) -> web.Response:
    require_token(request)
    asked = await body_of(request, _Asked)
    async with request.app[_TURN]:
        outcome = await _maintaining(request).start(Planned(asked.workloads, asked.seconds, asked.by, asked.why))
    _log("maintenance.started", outcome, asked.by)
    return _answer(outcome, "not started")


async def _stop(request: web.Request) -> web.Response:
    require_token(request)
    parts, name = request.app[PARTS], request.match_info["id"]
    try:
        async with request.app[_TURN]:
            outcome = await _maintaining(request).stop(name)
    except NoMaintenance as err:
        unseen = f", as far as can be seen: {err}" if err.problems else ""
        return web.json_response({"error": f"no maintenance {name}{unseen}"}, status=503 if unseen else 404)
    _log("maintenance.stopped", outcome)
    if outcome.hold.is_done:
        for workload in await parts.store.unfinished_workloads():
            parts.intake.wake(workload)
    return _answer(outcome, "not ended")


async def _list(request: web.Request) -> web.Response:
    parts = request.app[PARTS]
    seen, now = await _maintaining(request).see(), parts.clock.now()
    running = upkeep.found(seen.silences, seen.holds, now)
    muted, problem = await _muted(parts, running)
    return web.json_response(
        {
            "windows": [_window_json(window, now) for window in parts.live.settings.responder.maintenance],
            "maintenance": [_maintenance_json(each, muted) for each in running],
            "foreign": [_foreign_json(each) for each in _foreign(seen)],
            "problems": [each for each in (seen.no_silences, seen.no_holds, problem) if each],
        }
    )


def _maintaining(request: web.Request) -> Maintaining:
    parts = request.app[PARTS]
    client = SilenceClient(parts.people.alertmanager_url, parts.people.session)
    return Maintaining(parts.store, client, parts.clock)


async def _muted(parts: Parts, running: Sequence[Maintenance]) -> tuple[Mapping[str, list[str]], str]:
    """Silence -> what it mutes now, and why that is not known."""
    muted: dict[str, list[str]] = defaultdict(list)
    if not any(each.silences for each in running):
        return muted, ""
    client = AlertmanagerClient(parts.people.alertmanager_url, parts.people.session)
    try:
        async for alerts in client.held_in_pages(f'{names.WORKLOAD}=~".+"'):
            for alert in alerts:
                words = f"{alert.labels['alertname']} {alert.labels[names.WORKLOAD]}"
                for by in alert.muted_by.split(", "):
                    muted[by.removeprefix("silence ")].append(words)
    except (HomeostatError, KeyError) as err:
        return muted, f"what is muted now is not known: {err}"
    return muted, ""


def _foreign(seen: Seen) -> list[Silence]:
    return [silence for silence in seen.silences if silence.workloads is None]


def _log(event: str, outcome: Outcome, by: str = "") -> None:
    silence, hold = outcome.silence, outcome.hold
    (log.info if outcome.is_whole else log.warning)(
        event,
        maintenance=outcome.id,
        workloads=outcome.workloads,
        by=by,
        until=outcome.until,
        silence="done" if silence.is_done else silence.detail,
        hold="done" if hold.is_done else hold.detail,
    )


def _answer(outcome: Outcome, failed: str) -> web.Response:
    silence, hold = outcome.silence, outcome.hold
    if not silence.is_done and not hold.is_done:
        return web.json_response({"error": f"{failed}: {silence.detail}; {hold.detail}"}, status=503)
    return web.json_response(
        {
            "id": outcome.id,
            "workloads": outcome.workloads,
            "until": rfc3339(outcome.until),
            "whole": outcome.is_whole,
            "silence": _part_json(silence),
            "hold": _part_json(hold),
        }
    )


def _part_json(part: Part) -> dict[str, object]:
    return {"done": part.is_done, "detail": part.detail}


def _maintenance_json(each: Maintenance, muted: Mapping[str, list[str]]) -> dict[str, Any]:
    alerts = sorted({alert for silence in each.silences for alert in muted.get(silence.id, ())})
    return {
        "id": each.id,
        "workloads": each.workloads,
        "by": each.by,
        "why": each.why,
        "until": rfc3339(each.until),
        "silences": [{"id": silence.id, "until": rfc3339(silence.ends_at)} for silence in each.silences],
        "holds": [{"pattern": hold.pattern, "until": rfc3339(hold.until or 0.0)} for hold in each.holds],
        "muted": len(alerts),
        "alerts": alerts[:_MOST_NAMED],
    }


def _foreign_json(silence: Silence) -> dict[str, object]:
    return {
        "id": silence.id,
        "matchers": [str(matcher) for matcher in silence.matchers],
        "by": silence.created_by,
        "comment": silence.comment,
        "starts_at": rfc3339(silence.starts_at),
        "until": rfc3339(silence.ends_at),
    }


def _window_json(window: MaintenanceWindow, now: float) -> dict[str, object]:
    at = nearest(window, now)
    return {
        "workloads": window.workloads,
        "start": window.start,
        "end": window.end,
        "weekdays": window.weekdays,
        "timezone": window.timezone,
        "is_on": at.starts_at <= now,
        "from": rfc3339(at.starts_at),
        "until": rfc3339(at.ends_at),
    }
