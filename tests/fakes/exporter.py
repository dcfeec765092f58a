"""An exporter whose process is as sick as the test wants it, on a real port for a real Prometheus."""

from aiohttp import web

from homeostat.quantities import host_port

#: As WorkloadUnresponsive of the shipped rules, without its waits.
RULE = {
    "alert": "WorkloadUnresponsive",
    "expr": "min by (workload) (homeostat_probe_healthy) == 0 and on (workload) homeostat_workload_enabled == 1",
    "labels": {"severity": "critical", "remedy": "unresponsive"},
}


class FakeExporter:
    """GET /metrics, and the process's own health and hook: ``is_sick`` decides over all of it."""

    def __init__(self, name: str = "api") -> None:
        self.workload = f"local/{name}"
        self.is_sick = False
        self.hook_calls = 0
        self.hook_status = 200
        self.hook_cures = False
        self._runner: web.AppRunner | None = None

    async def start(self, listen: str) -> None:
        app = web.Application()
        app.add_routes(
            [web.get("/metrics", self._metrics), web.get("/health", self._health), web.post("/hook", self._hook)]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, *host_port(listen)).start()

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _metrics(self, _request: web.Request) -> web.Response:
        values = {
            "homeostat_workload_enabled": 1,
            "homeostat_process_running": 1,
            "homeostat_probe_healthy": 0 if self.is_sick else 1,
        }
        return web.Response(text="".join(f'{n}{{workload="{self.workload}"}} {v}\n' for n, v in values.items()))

    async def _health(self, _request: web.Request) -> web.Response:
        return web.Response(status=500 if self.is_sick else 200)

    async def _hook(self, _request: web.Request) -> web.Response:
        self.hook_calls += 1
        if self.hook_cures:
            self.is_sick = False
        return web.Response(status=self.hook_status)
