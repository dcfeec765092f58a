"""Where the receiver's actions end: it counts them by workload, and does to the workload what an action does."""

import asyncio
import re
import time
from collections.abc import Callable, Iterable
from urllib.parse import unquote

from aiohttp import web

from tests.conformance.errors import WrongArgument
from tests.conformance.observations import Action
from tests.conformance.trouble import Troubles

DEFAULT_PORT = 9894


class Sink:
    """POST to any path that has a workload's name in it is an action; GET /metrics is the truth of it."""

    def __init__(self, workloads: Iterable[str], troubles: Troubles) -> None:
        self.actions: list[Action] = []
        #: How long an action on this workload takes.
        self.takes_s: dict[str, float] = {}
        #: Called at an action on this workload, before it is answered.
        self.then: dict[str, Callable[[], None]] = {}
        self._troubles = troubles
        # Whole names only: "members" must not be found in "members-b".
        names = "|".join(re.escape(name) for name in workloads)
        self._name = re.compile(rf"(?<![\w-])({names})(?![\w-])")
        self._runner: web.AppRunner | None = None

    async def start(self, port: int) -> None:
        """Raises WrongArgument when the port is taken."""
        app = web.Application()
        app.add_routes([web.get("/metrics", self._metrics), web.post("/{path:.*}", self._act)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, "127.0.0.1", port).start()
        except OSError as err:
            raise WrongArgument(f"port {port} is in use ({err.strerror}): give another --sink-port") from err

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _act(self, request: web.Request) -> web.Response:
        found = self._name.search(unquote(request.raw_path))
        if found is None:
            return web.Response(status=404, text="no workload of the conformance kit is named in this path\n")
        workload = found[1]
        self.actions.append(Action(time.monotonic(), workload, request.path))
        self._troubles.act(workload)
        if then := self.then.get(workload):
            then()
        await asyncio.sleep(self.takes_s.get(workload, 0.0))
        return web.Response(text="done\n")

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(text=self._troubles.page(), headers={"Content-Type": "text/plain; version=0.0.4"})
