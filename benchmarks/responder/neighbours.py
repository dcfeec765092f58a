"""The responder's neighbours as a process of their own: ``python -m benchmarks.responder.neighbours PLAN.json``.

One port serves as much of Prometheus's, Alertmanager's and the hooks' HTTP as the responder asks for, Unix sockets the
guardian's; ``/bench`` tells the benchmark what was seen. They are one World.
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from benchmarks.responder.alerts import ALERT, REMEDY
from benchmarks.responder.world import RULE, Temper, UnknownQuestion, World

#: 10,000 alerts as they are posted.
_BODY_BYTES = 64 * 2**20
_GROUPS = {
    "groups": [
        {
            "name": "bench",
            "rules": [{"name": ALERT, "query": RULE, "labels": {"severity": "warning", "remedy": REMEDY}}],
        }
    ]
}


@dataclass(frozen=True, slots=True)
class Plan:
    """``sockets``: one guardian's for each responder."""

    port: int
    sockets: tuple[Path, ...]
    workloads: tuple[str, ...]
    temper: Temper
    seed: int

    def write(self, path: Path) -> None:
        temper = {
            "heals": dict(self.temper.heals),
            "takes_s": self.temper.takes_s,
            "ends_after_s": self.temper.ends_after_s,
        }
        sockets = [str(socket) for socket in self.sockets]
        data = {"port": self.port, "sockets": sockets, "workloads": self.workloads, "temper": temper, "seed": self.seed}
        path.write_text(json.dumps(data))


def _read(path: Path) -> Plan:
    data: dict[str, Any] = json.loads(path.read_text())
    temper = Temper(**data.pop("temper"))
    return Plan(**{**data, "sockets": tuple(map(Path, data["sockets"])), "temper": temper})


class Neighbours:
    """``unknown``: what was asked and could not be answered; a benchmark with any of it measured something else."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.unknown: Counter[str] = Counter()

    def app(self) -> web.Application:
        @web.middleware
        async def own_up(request: web.Request, handler: Handler) -> web.StreamResponse:
            try:
                return await handler(request)
            except UnknownQuestion as err:
                self.unknown[str(err)] += 1
                return web.json_response({"status": "error", "error": f"unknown here: {err}"}, status=400)

        app = web.Application(client_max_size=_BODY_BYTES, middlewares=[own_up])
        app.add_routes(
            [
                web.get("/api/v2/alerts", self._held),
                web.post("/api/v2/alerts", self._post),
                web.get("/api/v1/rules", self._rules),
                web.get("/api/v1/query", self._query),
                web.post("/hook/{project}/{name}/{hook}", self._hook),
                web.get("/processes", self._processes),
                web.post("/processes/{name}/restart", self._restart),
                web.get("/bench/seen", self._seen),
            ]
        )
        return app

    async def _held(self, request: web.Request) -> web.Response:
        return _json(self._world.held(request.query.getall("filter", [])))

    async def _post(self, request: web.Request) -> web.Response:
        self._world.post(json.loads(await request.read()))
        return web.Response()

    async def _rules(self, request: web.Request) -> web.Response:
        data = _GROUPS if request.query.get("rule_name[]") == ALERT else {"groups": []}
        return web.json_response({"status": "success", "data": data})

    async def _query(self, request: web.Request) -> web.Response:
        result = self._world.query(request.query["query"])
        return web.json_response({"status": "success", "data": {"resultType": "vector", "result": result}})

    async def _hook(self, request: web.Request) -> web.Response:
        workload = f"{request.match_info['project']}/{request.match_info['name']}"
        await self._do(workload, request.match_info["hook"])
        return web.Response()

    async def _processes(self, request: web.Request) -> web.Response:
        return _json(self._world.processes(request.query.get("name", "")))

    async def _restart(self, request: web.Request) -> web.Response:
        await self._do(f"local/{request.match_info['name']}", "restart")
        return web.json_response({})

    async def _do(self, workload: str, what: str) -> None:
        await asyncio.sleep(self._world.hit(workload, what))
        self._world.done(workload, what)

    async def _seen(self, request: web.Request) -> web.Response:
        hits, ended = int(request.query["hits"]), int(request.query["ended"])
        self._world.held(['remedy="none"'])  # ends what is due, should nobody else ask
        return web.json_response(
            {"hits": self._world.hits[hits:], "ended": self._world.ended[ended:], "unknown": self.unknown}
        )


def _json(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json")


async def _serve(plan: Plan) -> None:
    world = World(plan.workloads, plan.temper, random.Random(plan.seed), time.time)
    runner = web.AppRunner(Neighbours(world).app(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    for socket in plan.sockets:
        socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        await web.UnixSite(runner, str(socket)).start()
    await web.TCPSite(runner, "127.0.0.1", plan.port, backlog=1024).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(_read(Path(sys.argv[1]))))
