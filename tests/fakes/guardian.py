"""A guardian on a real unix socket that speaks the wire of homeostat.guardian_client. It runs no processes."""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web


@dataclass
class FakeProcess:
    """What GET /processes says of one process."""

    name: str
    state: str = "running"
    started_at: float = field(default_factory=time.time)
    restarts: int = 0
    pid: int = 4711
    stopped_by_request: bool = False
    crash_looping: bool = False

    def row(self) -> dict[str, object]:
        return {
            "name": self.name,
            "workload": f"local/{self.name}",
            "state": self.state,
            "pid": self.pid,
            "exit_code": None,
            "restarts": self.restarts,
            "started_at": self.started_at,
            "rss_bytes": 1,
            "cpu_seconds": 0.1,
            "open_fds": 3,
            "memory_limit_bytes": None,
            "stopped_by_request": self.stopped_by_request,
            "crash_looping": self.crash_looping,
            "last_check_ok": True,
        }


class FakeGuardian:
    """``calls`` lists the names of restarts asked for. ``may_restart``: a restart blocks until this is set."""

    def __init__(self, *names: str) -> None:
        self.processes = {name: FakeProcess(name) for name in names}
        self.calls: list[str] = []
        self.may_restart = asyncio.Event()
        self.may_restart.set()
        self._runner: web.AppRunner | None = None

    async def start(self, socket: Path) -> None:
        socket.parent.mkdir(parents=True, exist_ok=True)
        app = web.Application()
        app.add_routes([web.get("/processes", self._list), web.post("/processes/{name}/restart", self._restart)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.UnixSite(self._runner, str(socket)).start()

    async def stop(self) -> None:
        self.may_restart.set()
        if self._runner:
            await self._runner.cleanup()

    async def _list(self, _request: web.Request) -> web.Response:
        return web.json_response([process.row() for process in self.processes.values()])

    async def _restart(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        process = self.processes.get(name)
        if process is None:
            return web.json_response({"error": f"no process {name!r}"}, status=404)
        self.calls.append(name)
        await self.may_restart.wait()
        process.restarts += 1
        process.started_at = time.time()
        process.state = "running"
        return web.json_response({})
