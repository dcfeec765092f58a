"""A slow and lossy network between one Alertmanager and one responder, which writes down what was acknowledged."""

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

_HEADERS = ("Authorization", "Content-Type", "User-Agent")


@dataclass(slots=True)
class SlowWebhook:
    """Deliveries and answers are ``delay_s`` under way, and up to ``jitter_s`` more. One answer in ``lost`` never
    arrives: the sender sends again what was taken already. ``acknowledged``: fingerprints that fire, by the responder's
    2xx.
    """

    target: str
    session: aiohttp.ClientSession
    delay_s: float
    jitter_s: float
    lost: int
    rng: random.Random
    acknowledged: set[str] = field(default_factory=set)
    url: str = field(default="", init=False)

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["SlowWebhook"]:
        """``url`` is where it takes deliveries meanwhile."""
        app = web.Application(client_max_size=64 * 2**20)
        app.add_routes([web.post("/", self._pass)])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
            yield self
        finally:
            await runner.cleanup()

    async def _pass(self, request: web.Request) -> web.Response:
        body = await request.read()
        await self._be_under_way()
        headers = {name: request.headers[name] for name in _HEADERS if name in request.headers}
        try:
            async with self.session.post(self.target, data=body, headers=headers) as answer:
                status = answer.status
        except aiohttp.ClientError:
            raise web.HTTPBadGateway from None
        if status < 300:
            alerts = json.loads(body)["alerts"]
            self.acknowledged.update(alert["fingerprint"] for alert in alerts if alert["status"] == "firing")
        await self._be_under_way()
        if self.rng.randrange(self.lost) == 0 and request.transport is not None:
            request.transport.abort()
        return web.Response(status=status)

    async def _be_under_way(self) -> None:
        await asyncio.sleep(self.delay_s + self.rng.uniform(0, self.jitter_s))
