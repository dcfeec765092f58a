"""GET /leaks as the exporter serves it, on a real port."""

from typing import Any

from aiohttp import web

#: A series that leaks; tests change what they are about.
ROW: dict[str, Any] = {
    "workload": "shop/web",
    "container": "shop-web-1",
    "resource": "memory",
    "verdict": "leak",
    "slope": 1165.0,
    "slope_low": 1100.0,
    "slope_high": 1250.0,
    "confidence": 0.97,
    "exhaustion": 4_000_000_000.0,
    "exhaustion_cautious": 3_900_000_000.0,
    "onset": 1_700_000_000.0,
    "limit": 536870912.0,
    "value": 100_000_000.0,
    "bound": "cgroup",
    "reasons": ["grows"],
    "last_sample": 1_700_010_000.0,
}
HISTORY = [[1_700_000_000.0 + 60 * minute, 50e6 + 1e5 * minute] for minute in range(120)]


class LeakPage:
    """``answer``: what it sends instead of ``rows``, and ``status``. ``asked``: the query of each request."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = [ROW]
        self.answer: str | None = None
        self.status = 200
        self.content_type = "application/json"
        self.asked: list[dict[str, str]] = []
        self.listen = ""
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.add_routes([web.get("/leaks", self._leaks)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.listen = "{}:{}".format(*self._runner.addresses[0][:2])

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _leaks(self, request: web.Request) -> web.Response:
        query = dict(request.query)
        self.asked.append(query)
        if self.answer is not None:
            return web.Response(text=self.answer, status=self.status, content_type=self.content_type)
        wanted = {name: query[name] for name in ("workload", "resource") if name in query}
        rows = [row for row in self.rows if wanted.items() <= row.items()]
        history = {"history": HISTORY} if query.get("history") == "1" else {}
        return web.json_response({"series": [row | history for row in rows]})
