"""Two receivers that fall into the traps, each in its own way, to see that the kit tells.

``python -m tests.conformance.bad_receivers acts-inside --port 9899 --sink http://127.0.0.1:9894``
"""

import argparse
import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
from aiohttp import web

from tests.conformance.scenarios.muting import TWO_STEPS
from tests.conformance.trouble import short_name

_SECOND_STEP_AFTER_S = 2.0
_SESSION = web.AppKey("session", aiohttp.ClientSession)


@dataclass(slots=True)
class ActsInside:
    """As prometheus-am-executor does: each delivery is acted on, and answered when that is done."""

    sink: str

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/webhook", self.webhook)]

    async def webhook(self, request: web.Request) -> web.Response:
        payload = await request.json()
        for alert in payload["alerts"]:
            if alert["status"] == "firing":
                await _act(request.app[_SESSION], self.sink, alert["labels"]["workload"])
        return web.Response()


@dataclass(slots=True)
class Believes:
    """Answers at once; knows a trouble by its groupKey, and believes the top-level status: resolved is recovered."""

    sink: str
    #: groupKey -> its recoveries.
    _open: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _recoveries: list[dict[str, Any]] = field(default_factory=list)
    _work: set[asyncio.Task[None]] = field(default_factory=set)

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/webhook", self.webhook), web.get("/api/v1/recoveries", self.recoveries)]

    async def webhook(self, request: web.Request) -> web.Response:
        payload = await request.json()
        key = payload["groupKey"]
        if payload["status"] == "resolved":
            for recovery in self._open.pop(key, []):
                recovery |= {"final": "self_resolved", "closed_at": _now()}
        elif key not in self._open:
            self._open[key] = [self._begin(alert["labels"]["workload"]) for alert in payload["alerts"]]
            for alert in payload["alerts"]:
                self._later(request.app[_SESSION], alert["labels"]["workload"])
        return web.Response()

    async def recoveries(self, _request: web.Request) -> web.Response:
        return web.json_response(self._recoveries)

    def _begin(self, workload: str) -> dict[str, Any]:
        number = len(self._recoveries) + 1
        recovery = {"id": number, "workload": workload, "opened_at": _now(), "final": None, "closed_at": None}
        self._recoveries.append(recovery)
        return recovery

    def _later(self, session: aiohttp.ClientSession, workload: str) -> None:
        task = asyncio.create_task(self._climb(session, workload))
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _climb(self, session: aiohttp.ClientSession, workload: str) -> None:
        """Its ladder has a second step for some; whether somebody muted the alert meanwhile is not asked."""
        await _act(session, self.sink, workload)
        if short_name(workload) in TWO_STEPS:
            await asyncio.sleep(_SECOND_STEP_AFTER_S)
            await _act(session, self.sink, workload)


#: By the name of the command line.
BAD_RECEIVERS: Mapping[str, Callable[[str], ActsInside | Believes]] = {"acts-inside": ActsInside, "believes": Believes}


async def _act(session: aiohttp.ClientSession, sink: str, workload: str) -> None:
    async with session.post(f"{sink}/act/{workload}") as response:
        await response.read()


def _now() -> str:
    return datetime.now(UTC).isoformat()


async def _ready(_request: web.Request) -> web.Response:
    return web.Response()


async def _session(app: web.Application) -> Any:
    async with aiohttp.ClientSession() as app[_SESSION]:
        yield


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.bad_receivers")
    parser.add_argument("kind", choices=tuple(BAD_RECEIVERS))
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--sink", required=True, help="base URL of the kit's action sink")
    arguments = parser.parse_args()
    app = web.Application()
    app.cleanup_ctx.append(_session)
    app.add_routes([web.get("/-/ready", _ready), *BAD_RECEIVERS[arguments.kind](arguments.sink).routes()])
    web.run_app(app, host="127.0.0.1", port=arguments.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
