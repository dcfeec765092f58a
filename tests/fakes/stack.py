"""The responder and the real servers around it, on free ports, for integration tests."""

import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import aiohttp
import yaml
from aiohttp import web

from homeostat import settings as settings_module
from homeostat.clock import SystemClock
from homeostat.platforms import control_socket_path
from homeostat.quantities import host_port
from homeostat.rendering import ROOT, render
from homeostat.settings import Settings
from responder.app import PARTS, Live, Parts, create_app
from responder.stores import open_store
from responder.webhook import read_tokens

TOKEN = "token-of-the-tests-0123456789"
Condition = Callable[[], Awaitable[object]]


async def eventually(condition: Condition, within_s: float = 10.0, every_s: float = 0.05) -> object:
    """The condition's first true value. Fails when there is none in time."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if value := await condition():
            return value
        await asyncio.sleep(every_s)
    value = await condition()
    assert value, f"not within {within_s} s"
    return value


async def never(condition: Condition, for_s: float, every_s: float = 0.1) -> None:
    """Fails when the condition becomes true in the whole of this time."""
    end = time.monotonic() + for_s
    while time.monotonic() < end:
        value = await condition()
        assert not value, f"happened, and must not: {value}"
        await asyncio.sleep(every_s)


def pick_port() -> int:
    """A loopback port that nobody uses now, and that no outgoing connection takes while its server is restarted."""
    while True:
        port = random.randrange(20_000, 32_000)  # below Linux's ephemeral ports
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port


def stamp(epoch_s: float) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).isoformat().replace("+00:00", "Z")


def wire_alert(
    n: int = 0, *, status: str = "firing", starts_at: float | None = None, **labels: str
) -> dict[str, object]:
    """One of ``alerts[]`` as Alertmanager sends it."""
    named = {"alertname": "WorkloadDown", "workload": "shop/web", "remedy": "down", **labels}
    return {
        "status": status,
        "labels": {name: value for name, value in named.items() if value},
        "annotations": {"summary": "It is down."},
        "startsAt": stamp(starts_at if starts_at is not None else time.time()),
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "",
        "fingerprint": f"{n:016x}",
    }


def wire_body(*alerts: object) -> bytes:
    return json.dumps({"version": "4", "groupKey": "{}", "status": "firing", "alerts": alerts}).encode()


@dataclass
class Site:
    """An installation in a folder: its settings file and what is asked of its responder over HTTP."""

    folder: Path
    session: aiohttp.ClientSession | None
    data: dict[str, object] = field(default_factory=dict)
    settings: Settings = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        secrets = self.folder / "secrets"
        secrets.mkdir(exist_ok=True)
        (secrets / "webhook-token").write_text(TOKEN)
        prometheus, alertmanager = (f"127.0.0.1:{pick_port()}" for _ in range(2))
        responder = {
            "listen": f"127.0.0.1:{pick_port()}",
            "token_files": ["secrets/webhook-token"],
            "alertmanager_url": f"http://{alertmanager}",
            "prometheus_url": f"http://{prometheus}",
            "reconcile_interval": "1s",
        }
        self.data = {
            "docker": {"enabled": False},
            "stack": {"prometheus": prometheus, "alertmanager": alertmanager},
            "exporter": {"listen": f"127.0.0.1:{pick_port()}"},
            **self.data,
            "responder": {**responder, **self.data.get("responder", {})},
        }
        self.write()

    @property
    def path(self) -> Path:
        return self.folder / "homeostat.yml"

    def write(self, **sections: object) -> None:
        self.data |= sections
        self.path.write_text(yaml.safe_dump(self.data))
        self.settings = settings_module.load(self.path, {})

    @property
    def url(self) -> str:
        return f"http://{self.settings.responder.listen}"

    @property
    def alertmanager_url(self) -> str:
        return self.settings.responder.alertmanager_url

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {TOKEN}"}

    # The responder's API.

    async def deliver(self, *alerts: object, token: str = TOKEN, body: bytes | None = None) -> int:
        """POST to the webhook; the HTTP status."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        async with self.session.post(
            f"{self.url}/webhook/alertmanager", data=body or wire_body(*alerts), headers=headers
        ) as response:
            await response.read()
            return response.status

    async def get(self, path: str) -> tuple[int, str]:
        async with self.session.get(self.url + path) as response:
            return response.status, await response.text()

    async def recoveries(self) -> list[dict[str, object]]:
        """Every recovery with its entries, the oldest first."""
        status, text = await self.get("/api/v1/recoveries?limit=1000")
        assert status == 200, text
        return list(reversed(json.loads(text)))

    async def finals(self) -> list[str | None]:
        return [recovery["final"] for recovery in await self.recoveries()]

    async def metric(self, series: str) -> float:
        _, text = await self.get("/metrics")
        return next(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(f"{series} "))

    # Alertmanager's API.

    async def alertmanager_alerts(self, name: str = "") -> list[Mapping[str, object]]:
        try:
            async with self.session.get(f"{self.alertmanager_url}/api/v2/alerts") as response:
                alerts = await response.json()
        except aiohttp.ClientError:
            return []
        return [alert for alert in alerts if not name or alert["labels"]["alertname"] == name]

    async def escalations(self) -> list[Mapping[str, object]]:
        return await self.alertmanager_alerts("HomeostatEscalation")

    async def fire(self, *, ends_in_s: float = 3600.0, **labels: str) -> None:
        """Post an alert to Alertmanager as Prometheus does; a negative end resolves it."""
        named = {"alertname": "WorkloadDown", "workload": "shop/web", "remedy": "down", **labels}
        alert = {
            "labels": {name: value for name, value in named.items() if value},
            "annotations": {},
            "endsAt": stamp(time.time() + ends_in_s),
        }
        if ends_in_s <= 0:
            alert["startsAt"] = stamp(time.time() - 60)
        async with self.session.post(f"{self.alertmanager_url}/api/v2/alerts", json=[alert]) as response:
            assert response.status == 200, await response.text()

    # What runs.

    @asynccontextmanager
    async def responder(self) -> AsyncIterator[Parts]:
        """The real application on its real port, in this process."""
        settings = self.settings
        live = Live(self.path, settings, read_tokens(settings.responder.token_files))
        application = create_app(live, lambda: open_store(settings), SystemClock())
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, *host_port(settings.responder.listen)).start()
            yield runner.app[PARTS]
        finally:
            await runner.cleanup()

    def responder_process(self) -> "Server":
        command = [sys.executable, "-m", "responder", "--settings", str(self.path)]
        return Server(command, self.folder / "responder.log", f"{self.url}/-/ready")

    def alertmanager(self, binary: Path) -> "Server":
        """The real one, with the shipped configuration rendered for this installation."""
        rendered = render(self.settings, str(self.folder / "secrets"), with_guardian=False)
        command = [
            str(binary),
            f"--config.file={rendered.alertmanager / 'alertmanager.yml'}",
            f"--storage.path={self.folder / 'alertmanager'}",
            f"--web.listen-address={self.settings.stack.alertmanager}",
            "--cluster.listen-address=",
        ]
        return Server(command, self.folder / "alertmanager.log", f"{self.alertmanager_url}/-/ready")

    def prometheus(self, binary: Path, rules: Sequence[Mapping[str, object]]) -> "Server":
        """The real one, scraping the exporter's port twice a second, with these rules."""
        settings = self.settings
        group = {"name": "test", "interval": "500ms", "rules": list(rules)}
        (self.folder / "rules.yml").write_text(yaml.safe_dump({"groups": [group]}))
        config = {
            "global": {"scrape_interval": "500ms", "scrape_timeout": "400ms", "evaluation_interval": "500ms"},
            "rule_files": ["rules.yml"],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [settings.stack.alertmanager]}]}]},
            "scrape_configs": [{"job_name": "exporter", "static_configs": [{"targets": [settings.exporter.listen]}]}],
        }
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        command = [
            str(binary),
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'prometheus'}",
            f"--web.listen-address={settings.stack.prometheus}",
        ]
        return Server(command, self.folder / "prometheus.log", f"{settings.responder.prometheus_url}/-/ready")

    @property
    def control_socket(self) -> Path:
        return control_socket_path(self.settings.state_dir)


@dataclass
class Server:
    """A process under test; its output goes to ``log``."""

    command: Sequence[str]
    log: Path
    ready_url: str = ""
    process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.kill()

    async def start(self) -> None:
        self.launch()
        await self.wait_ready()

    def launch(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, cwd=ROOT, env=os.environ.copy())

    async def wait_ready(self) -> None:
        if self.ready_url:
            await eventually(self._is_ready)

    async def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        try:
            async with aiohttp.ClientSession() as session, session.get(self.ready_url) as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    def kill(self) -> None:
        """SIGKILL: no farewell."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=5)

    async def end(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self.process.wait, 10)
