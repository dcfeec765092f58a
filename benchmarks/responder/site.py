"""An installation of the responder, and its neighbours: settings, processes, what is read of it afterwards."""

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from benchmarks.responder.neighbours import Plan
from benchmarks.responder.processes import Cores, Program, kept_ports
from benchmarks.responder.world import Temper
from homeostat.platforms import control_socket_path

TOKEN = "token-of-the-benchmark-0123456789"
HOOKS = ("gc", "cache-clear")
#: What has to be changed of the shipped settings where many workloads shall be repaired at once.
NO_BRAKE: Mapping[str, Any] = {
    "storm": {"workloads": 1_000_000},
    "caps": [{"count": 10_000, "window": "1h"}],
    "cooldown": "0s",
}


def workload_names(count: int) -> tuple[str, ...]:
    return tuple(f"local/w{number:04d}" for number in range(count))


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Prometheus, Alertmanager, guardian and the applications of these workloads."""

    folder: Path
    workloads: tuple[str, ...]
    port: int = field(default_factory=lambda: kept_ports(1)[0])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def program(self, sites: Sequence["Site"], temper: Temper, seed: int, cores: Cores | None = None) -> Program:
        plan = Plan(self.port, tuple(site.guardian for site in sites), self.workloads, temper, seed)
        path = self.folder / "neighbours.json"
        plan.write(path)
        argv = [sys.executable, "-m", "benchmarks.responder.neighbours", str(path)]
        seen = f"{self.url}/bench/seen?hits=0&ended=0"
        return Program(argv, self.folder / "neighbours.log", seen, cores.others if cores else None)


@dataclass(frozen=True, slots=True)
class Site:
    """One responder. ``responder`` and ``ladders`` go over the shipped settings."""

    folder: Path
    near: Neighbourhood
    responder: Mapping[str, Any] = field(default_factory=dict)
    ladders: Mapping[str, Any] = field(default_factory=dict)
    port: int = field(default_factory=lambda: kept_ports(1)[0])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def webhook(self) -> str:
        return f"{self.url}/webhook/alertmanager"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def guardian(self) -> Path:
        return control_socket_path(self.state)

    def write(self) -> Path:
        """The settings file."""
        self.state.mkdir(parents=True, mode=0o700, exist_ok=True)
        (self.folder / "token").write_text(TOKEN)
        data = {
            "state_dir": str(self.state),
            "docker": {"enabled": False},
            "responder": {
                "listen": f"127.0.0.1:{self.port}",
                "token_files": ["token"],
                "alertmanager_url": self.near.url,
                "prometheus_url": self.near.url,
                **self.responder,
            },
            "processes": {name.partition("/")[2]: {"command": ["true"]} for name in self.near.workloads},
            "workloads": {
                name: {
                    "enable": True,
                    "start_grace": "0s",
                    "hooks": {hook: f"{self.near.url}/hook/{name}/{hook}" for hook in HOOKS},
                }
                for name in self.near.workloads
            },
            "ladders": dict(self.ladders),
        }
        path = self.folder / "homeostat.yml"
        path.write_text(yaml.safe_dump(data, sort_keys=False))
        return path

    def program(self, cores: Cores | None = None) -> Program:
        """Writes the settings."""
        argv = [sys.executable, "-m", "responder", "--settings", str(self.write())]
        return Program(argv, self.folder / "responder.log", f"{self.url}/-/ready", cores.subject if cores else None)


async def idle(urls: Sequence[str], session: aiohttp.ClientSession, limit_s: float) -> float | None:
    """Seconds until these responders work on nothing any more; None when they still do after ``limit_s``."""
    start = time.perf_counter()
    quiet = 0
    while (waited := time.perf_counter() - start) < limit_s:
        active = [value for url in urls for value in await series(url, session, "homeostat_recovery_active{")]
        quiet = quiet + 1 if sum(active) == 0 else 0
        if quiet == 3:  # not just between two looks of a worker
            return waited
        await asyncio.sleep(0.5)
    return None


async def series(url: str, session: aiohttp.ClientSession, start: str) -> list[float]:
    """Values of the metrics page's samples that start so."""
    async with session.get(f"{url}/metrics") as response:
        lines = (await response.text()).splitlines()
    return [float(line.rpartition(" ")[2]) for line in lines if line.startswith(start)]
