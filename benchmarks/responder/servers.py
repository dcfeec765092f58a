"""The real servers of a scenario with replicas: a pair of Alertmanagers that gossip, and a Redis."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import yaml

from benchmarks.responder.alerts import Firing, posted
from benchmarks.responder.processes import Program, kept_ports
from benchmarks.responder.site import TOKEN

_FOR_LONG_S = 86400.0
#: As alertmanager/alertmanager.yml routes, but for the end of an alert, which is told sooner.
_ROUTE = {
    "receiver": "people",
    "routes": [
        {
            "receiver": "responders",
            "matchers": ['remedy=~".+"'],
            "group_by": ["alertname", "workload", "part"],
            "group_wait": "0s",
            "group_interval": "1s",
            "repeat_interval": "1h",
        }
    ],
}
#: The second of a pair waits so long to hear that the first has notified: far less than news take, so both often do.
_PEER_TIMEOUT = "50ms"


class Missing(Exception):
    """A program that the scenario needs is not on PATH."""


def _find(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Missing(f"no {name} on PATH; scripts/servers and scripts/test-services get them")
    return found


@dataclass(frozen=True, slots=True)
class AlertmanagerPair:
    """``webhooks``: by half, the URLs that it tells, one of each responder."""

    folder: Path
    webhooks: tuple[Sequence[str], Sequence[str]]
    ports: list[int] = field(default_factory=lambda: kept_ports(4))

    @property
    def urls(self) -> tuple[str, str]:
        return f"http://127.0.0.1:{self.ports[0]}", f"http://127.0.0.1:{self.ports[1]}"

    def programs(self) -> tuple[Program, Program]:
        """Raises Missing."""
        return self._program(0), self._program(1)

    def _program(self, half: int) -> Program:
        folder = self.folder / f"alertmanager{half}"
        folder.mkdir()
        hooks = [
            {"url": url, "send_resolved": True, "http_config": {"authorization": {"credentials": TOKEN}}}
            for url in self.webhooks[half]
        ]
        config = {"route": _ROUTE, "receivers": [{"name": "people"}, {"name": "responders", "webhook_configs": hooks}]}
        (folder / "alertmanager.yml").write_text(yaml.safe_dump(config))
        argv = [
            _find("alertmanager"),
            f"--config.file={folder / 'alertmanager.yml'}",
            f"--storage.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.ports[half]}",
            f"--cluster.listen-address=127.0.0.1:{self.ports[2 + half]}",
            f"--cluster.peer=127.0.0.1:{self.ports[3 - half]}",
            f"--cluster.peer-timeout={_PEER_TIMEOUT}",
            "--cluster.settle-timeout=2s",
        ]
        return Program(argv, folder / "log", f"{self.urls[half]}/-/ready")

    async def tell(self, session: aiohttp.ClientSession, alerts: Sequence[Firing], ended_at: float | None) -> None:
        """As Prometheus does: both of them. They hold it then, and promise to notify."""
        ends_at = time.time() + _FOR_LONG_S if ended_at is None else ended_at
        for url in self.urls:
            async with session.post(
                f"{url}/api/v2/alerts", json=[posted(alert, ends_at) for alert in alerts]
            ) as response:
                response.raise_for_status()


def redis(folder: Path, port: int) -> Program:
    """One that keeps what it answers. Raises Missing."""
    data = folder / "redis"
    data.mkdir()
    options = {"bind": "127.0.0.1", "port": str(port), "dir": str(data), "save": "", "appendonly": "yes"}
    options |= {"appendfsync": "always", "maxmemory-policy": "noeviction"}
    argv = [_find("redis-server"), *(word for name, value in options.items() for word in (f"--{name}", value))]
    return Program(argv, folder / "redis.log", f"127.0.0.1:{port}")
