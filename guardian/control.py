"""The local control API: over a socket that only its owner can open, never over the network.

GET /processes[?name=NAME]; POST /processes/{name}/{start|stop|restart}; POST /shutdown. JSON in and out, errors as
``{"error": ...}``. Its client is homeostat.guardian_client.
"""

import asyncio
import contextlib
import dataclasses
import json
import math
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from guardian.model import Order
from guardian.status import statuses
from guardian.supervise import Supervisor
from homeostat.errors import HomeostatError, Temporary
from homeostat.guardian_client import ProcessStatus
from homeostat.platforms import Platform

log = structlog.get_logger()

_FIELDS = tuple(field.name for field in dataclasses.fields(ProcessStatus))
_BODY_BYTES = 4096
#: A day: more is a mistake in units.
_MAX_GRACE_S = 86400.0
#: For answers on their way when the server ends.
_SHUTDOWN_S = 0.5

#: ``keep``: whether the processes go on. Returns when those that do not have ended.
ShutDown = Callable[[bool], Awaitable[None]]


def control_app(supervisors: Mapping[str, Supervisor], shut_down: ShutDown) -> web.Application:
    """``supervisors``: by process name."""

    async def list_all(request: web.Request) -> web.Response:
        name = request.query.get("name")
        chosen = [one for each, one in supervisors.items() if name in (None, each)]
        return web.json_response(await _rows(chosen))

    async def order(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in supervisors:
            raise web.HTTPNotFound(text=f"no process {name!r}; there are: {sorted(supervisors)}")
        await supervisors[name].ask(Order(request.match_info["order"]), await _grace_s(request))
        return web.json_response((await _rows([supervisors[name]]))[0])

    async def end(request: web.Request) -> web.Response:
        keep = request.query.get("keep", "false")
        if keep not in ("true", "false"):
            raise web.HTTPBadRequest(text=f"keep={keep!r}; allowed: true, false")
        await shut_down(keep == "true")
        return web.json_response({"kept": keep == "true"})

    app = web.Application(client_max_size=_BODY_BYTES, middlewares=[_json_errors])
    orders = "|".join(order.value for order in Order)
    app.add_routes(
        [
            web.get("/processes", list_all),
            web.post(f"/processes/{{name}}/{{order:{orders}}}", order),
            web.post("/shutdown", end),
        ]
    )
    return app


@contextlib.asynccontextmanager
async def serve_control(app: web.Application, path: Path, platform: Platform) -> AsyncIterator[None]:
    """Serve at ``path``; the holder of the state folder's lock may take it from a guardian that died."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    try:
        if platform.has_unix_sockets:
            listener = await asyncio.to_thread(_bind, path)
            await web.SockSite(runner, listener).start()
        else:
            await web.NamedPipeSite(runner, str(path)).start()
        yield
    finally:
        await runner.cleanup()
        if platform.has_unix_sockets:
            await asyncio.to_thread(path.unlink, missing_ok=True)


def _bind(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)  # 0600 from birth: between bind and chmod anybody could connect
    try:
        listener.bind(str(path))
    finally:
        os.umask(mask)
    return listener


async def _rows(supervisors: Sequence[Supervisor]) -> list[dict[str, object]]:
    # Not asdict(): it copies deeply, and this is asked every two seconds.
    return [{name: getattr(status, name) for name in _FIELDS} for status in await statuses(supervisors)]


async def _grace_s(request: web.Request) -> float | None:
    body = await request.read()
    try:
        options = json.loads(body or b"{}")
    except ValueError:
        raise web.HTTPBadRequest(text="the body is no JSON") from None
    if not isinstance(options, dict) or not options.keys() <= {"grace"}:
        raise web.HTTPBadRequest(text='allowed: {"grace": SECONDS}')
    grace_s = options.get("grace")
    if grace_s is None:
        return None
    is_number = isinstance(grace_s, int | float) and not isinstance(grace_s, bool)
    if not is_number or not math.isfinite(grace_s) or not 0 <= grace_s <= _MAX_GRACE_S:
        raise web.HTTPBadRequest(text=f"grace: {grace_s!r}; allowed: 0 to {_MAX_GRACE_S:g} seconds")
    return float(grace_s)


@web.middleware
async def _json_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as err:
        return web.json_response({"error": err.text or err.reason}, status=err.status)
    except HomeostatError as err:
        code = 503 if isinstance(err, Temporary) else 500
        log.warning("control.refused", path=request.path, error=str(err))
        return web.json_response({"error": str(err)}, status=code)
