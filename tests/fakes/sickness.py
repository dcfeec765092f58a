"""A process that is sick on demand, and all that looks at it: real Prometheus and Alertmanager, a guardian."""

from dataclasses import dataclass

from aiohttp import web
from fakes.exporter import FakeExporter
from fakes.guardian import FakeGuardian
from fakes.stack import Site

from homeostat.prometheus_api import PrometheusClient

#: The shipped ladder with less patience.
QUICK = {"within": "3s", "hold": "1s"}
LADDER = {
    "steps": [
        {"action": "hook", "hook": "reset-connections", "verify": QUICK},
        {"action": "restart", "timeout": "20s", "verify": QUICK},
    ]
}


class CuringGuardian(FakeGuardian):
    """Its restart makes the process well, unless told otherwise."""

    def __init__(self, name: str, exporter: FakeExporter) -> None:
        super().__init__(name)
        self.exporter = exporter
        self.cures = True

    async def _restart(self, request: web.Request) -> web.Response:
        response = await super()._restart(request)
        if self.cures:
            self.exporter.is_sick = False
        return response


@dataclass
class Scene:
    """Everything but the responder, which each test runs as it likes."""

    name: str
    site: Site
    exporter: FakeExporter
    guardian: CuringGuardian

    async def is_measured(self) -> bool:
        assert self.site.session is not None
        client = PrometheusClient(self.site.settings.responder.prometheus_url, self.site.session)
        return bool(await client.query(f'homeostat_probe_healthy{{workload="local/{self.name}"}}'))

    async def recovery(self) -> dict:
        [recovery] = await self.site.recoveries()
        return recovery

    async def final(self) -> str | None:
        recoveries = await self.site.recoveries()
        return recoveries[0]["final"] if recoveries else None

    async def story(self) -> list[tuple[str, str]]:
        """What was done and found, in order."""
        words = {"started": "action", "finished": "status", "judged": "verdict", "refused": "reason", "final": "final"}
        entries = (await self.recovery())["entries"]
        return [(entry["kind"], entry[words[entry["kind"]]]) for entry in entries if entry["kind"] in words]
