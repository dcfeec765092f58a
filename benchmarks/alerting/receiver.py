"""A webhook that counts what Alertmanager tells."""

from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(slots=True)
class Receiver:
    """``told``: the alerts that were firing, by name, of each message that was not only of ends."""

    told: dict[str, list[list[str]]] = field(default_factory=dict)

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/{who}", self._take)
        return app

    async def _take(self, request: web.Request) -> web.Response:
        body: dict[str, Any] = await request.json()
        firing = [alert["labels"]["alertname"] for alert in body["alerts"] if alert["status"] == "firing"]
        if firing:
            self.told.setdefault(request.match_info["who"], []).append(firing)
        return web.Response()
