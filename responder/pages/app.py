"""The page's routes: one table. Needs :data:`BOARD` in the application when it runs."""

import asyncio
import re
from pathlib import Path

from aiohttp import web

from homeostat.clock import Clock
from responder.ledger import NoEpisode
from responder.pages import forms
from responder.pages.board import BOARD
from responder.pages.doors import guarded
from responder.pages.events import LISTENERS, Listeners
from responder.pages.rendering import RENDERER, Renderer

_STATIC = Path(__file__).parent / "static"
#: What there is in that folder.
_ASSETS = {"style.css": "text/css", "script.js": "text/javascript", "icon.svg": "image/svg+xml"}


def add_to(app: web.Application, clock: Clock) -> None:
    """The page and what it consists of."""
    app[RENDERER] = Renderer()
    app[LISTENERS] = listeners = Listeners()
    app[forms.WRONG_TOKENS] = forms.WrongTokens(clock)
    app.on_shutdown.append(listeners.close)
    app.add_routes(
        [
            web.get("/", guarded(_status)),
            web.get("/page/status", guarded(_status_part)),
            web.get("/page/events", guarded(listeners.listen), allow_head=False),
            web.get(f"/page/{{name:{'|'.join(map(re.escape, _ASSETS))}}}", guarded(_asset)),
            web.get("/recovery/{id:[0-9]{1,18}}", guarded(_record)),
            web.get("/page/recovery/{id:[0-9]{1,18}}", guarded(_record_part)),
            web.post("/recovery/{id:[0-9]{1,18}}/answer", guarded(forms.answer)),
        ]
    )


async def _status(request: web.Request) -> web.Response:
    return await _page(request, "status.html", view=await request.app[BOARD].status())


async def _status_part(request: web.Request) -> web.Response:
    """What changes of it, alone."""
    return await _page(request, "status-part.html", view=await request.app[BOARD].status())


async def _record(request: web.Request) -> web.Response:
    return await _page(request, "record.html", view=await _found(request))


async def _record_part(request: web.Request) -> web.Response:
    return await _page(request, "record-part.html", view=await _found(request))


async def _found(request: web.Request) -> object:
    number = int(request.match_info["id"])
    try:
        return await request.app[BOARD].record(number)
    except NoEpisode:
        raise web.HTTPNotFound(text=f"There is no recovery {number}.") from None


async def _page(request: web.Request, template: str, **values: object) -> web.Response:
    text = await request.app[RENDERER].page(template, **values)
    return web.Response(text=text, content_type="text/html")


async def _asset(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    text = await asyncio.to_thread((_STATIC / name).read_text, "utf-8")
    return web.Response(text=text, content_type=_ASSETS[name])
