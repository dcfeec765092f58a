"""What can be read: recoveries and episodes, the plan for an alert, whether the ledger is whole, and how it goes."""

import dataclasses
import re
from typing import Any

from aiohttp import web

from responder import api, chain
from responder.ledger import NoEpisode, Store
from responder.parts import PARTS
from responder.webhook import parse_alert, read_body

_MAX_LISTED = 1000
_DEFAULT_LISTED = 50
_PAGE = 500
_MAX_PROBLEMS = 100
_MAX_DAYS = 3660
#: More than the one alert that is meant: a delivery may be given, too.
_MAX_PLAN_BYTES = 1 << 20


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/recoveries", _recoveries),
        web.get("/api/v1/recoveries/{id:[0-9]{1,18}}", _recovery),
        web.get("/api/v1/episodes", _episodes),
        web.get("/api/v1/holds", _holds),
        web.get("/api/v1/ledger/verify", _verify),
        web.get("/api/v1/stats", _stats),
        web.post("/api/v1/plan", _plan),
    ]


async def _recoveries(request: web.Request) -> web.Response:
    store = request.app[PARTS].store
    episodes = await store.episodes(_limit(request))
    rows = [api.recovery_json(each, await store.entries(each.id), with_evidence=False) for each in episodes]
    return web.json_response(rows)


async def _recovery(request: web.Request) -> web.Response:
    store = request.app[PARTS].store
    try:
        episode = await store.episode(int(request.match_info["id"]))
    except NoEpisode:
        return web.json_response({"error": f"no recovery {request.match_info['id']}"}, status=404)
    return web.json_response(api.recovery_json(episode, await store.entries(episode.id)))


async def _episodes(request: web.Request) -> web.Response:
    store, limit = request.app[PARTS].store, _limit(request)
    is_open = request.query.get("open") == "true"
    episodes = await store.open_episodes(limit) if is_open else await store.episodes(limit)
    return web.json_response([api.episode_json(episode) for episode in episodes])


async def _holds(request: web.Request) -> web.Response:
    return web.json_response([api.hold_json(hold) for hold in await request.app[PARTS].store.holds()])


async def _stats(request: web.Request) -> web.Response:
    parts = request.app[PARTS]
    days = _number(request, "days", 30, _MAX_DAYS)
    await parts.track.refresh()
    rows = parts.track.rows(parts.clock.now() - days * 86400.0)
    return web.json_response({"days": days, "actions": [dataclasses.asdict(row) for row in rows]})


async def _plan(request: web.Request) -> web.Response:
    """Nothing is written and nothing is done."""
    try:
        alert = parse_alert(await read_body(request, _MAX_PLAN_BYTES))
    except ValueError as err:
        return web.json_response({"error": str(err)}, status=400)
    return web.json_response(await request.app[PARTS].plan(alert))


async def _verify(request: web.Request) -> web.Response:
    return web.json_response(await verified(request.app[PARTS].store))


async def verified(store: Store) -> dict[str, Any]:
    """Walks the whole ledger. ``problems``: what does not fit, at most 100 of them."""
    check, problems = chain.Check(), list[str]()
    last_id = await _walk(store, check, 0, problems)
    count, head = check.count, check.head
    episodes = 0
    for episode_id in check.seen():
        try:
            found = list(check.episodes([await store.episode(episode_id)]))
            if found:  # it may have ended since its lines were read: then the next ones say so
                last_id = await _walk(store, check, last_id, problems)
                found = list(check.episodes([await store.episode(episode_id)]))
            problems += found
        except NoEpisode:
            problems.append(f"recovery {episode_id}: is gone")
        episodes += 1
    return {"lines": count, "head": head, "recoveries": episodes, "problems": problems[:_MAX_PROBLEMS]}


async def _walk(store: Store, check: chain.Check, last_id: int, problems: list[str]) -> int:
    """The lines after ``last_id``; the number of the last one."""
    while lines := await store.links(last_id, _PAGE):
        problems += check.lines(lines)
        last_id = lines[-1].id
    return last_id


def _limit(request: web.Request) -> int:
    return _number(request, "limit", _DEFAULT_LISTED, _MAX_LISTED)


def _number(request: web.Request, name: str, default: int, most: int) -> int:
    text = request.query.get(name, str(default))
    if not re.fullmatch("[0-9]{1,4}", text) or not 1 <= int(text) <= most:
        raise web.HTTPBadRequest(text=f"{name}: must be a number from 1 to {most}\n")
    return int(text)
