"""How long Prometheus takes for all rules once, with every container that it is promised for."""

import asyncio
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp
import yaml
from aiohttp import web
from rich.progress import Progress

from benchmarks.alerting import history
from benchmarks.alerting.crowd import Crowd, application
from benchmarks.responder.processes import Program, kept_ports, running
from homeostat.rendering import ROOT

#: Rates have their first five minutes later: the crowd has been counting for so long already, but Prometheus has not.
WARM_UP_S = 60.0
_LOOK_S = 1.0


@dataclass(slots=True)
class Figures:
    """``seconds``: of each group, of each of its evaluations. ``every_s``: how often it is evaluated. ``firing``:
    alerts, of which there should be none.
    """

    containers: int
    series: float = 0.0
    seconds: dict[str, list[float]] = field(default_factory=dict)
    every_s: dict[str, float] = field(default_factory=dict)
    rules: int = 0
    firing: list[str] = field(default_factory=list)

    def slowest_s(self) -> float:
        """One round of the slowest group."""
        return max(median(values) for values in self.seconds.values())

    def together_s(self) -> float:
        """All groups once: should they all fall together, which Prometheus avoids."""
        return sum(median(values) for values in self.seconds.values())

    def per_round_s(self, round_s: float) -> float:
        """Of each such round, on average, all rules take so much."""
        return sum(median(values) * round_s / self.every_s[name] for name, values in self.seconds.items())


async def evaluation(containers: int, lasts_s: float, folder: Path, progress: Progress) -> Figures:
    """One real Prometheus with the shipped rules. Raises RuntimeError when a rule fails."""
    figures = Figures(containers)
    exporter, prometheus = (f"127.0.0.1:{port}" for port in kept_ports(2))
    task = progress.add_task(f"rules, {containers} containers: a day's history", total=None)
    await asyncio.to_thread(history.put, folder, containers, exporter, int(time.time()))
    config = _configure(folder, exporter, prometheus)
    argv = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}"]
    program = Program(
        [*argv, f"--web.listen-address={prometheus}"], folder / "prometheus.log", f"http://{prometheus}/-/ready"
    )
    runner = web.AppRunner(application(Crowd(containers)))
    await runner.setup()
    await web.TCPSite(runner, *_split(exporter)).start()
    try:
        async with aiohttp.ClientSession() as session, running(program, session):
            progress.update(task, description=f"rules, {containers} containers: warming up")
            await asyncio.sleep(WARM_UP_S)
            progress.update(task, description=f"rules, {containers} containers: measuring")
            await _watch(f"http://{prometheus}", session, lasts_s, figures)
    finally:
        await runner.cleanup()
    progress.update(task, total=1, completed=1)
    return figures


def _split(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    return host, int(port)


def _configure(folder: Path, exporter: str, prometheus: str) -> Path:
    """As shipped, but for addresses: nobody is there to be alerted, and applications have nothing to say."""
    shutil.copytree(ROOT / "prometheus/rules", folder / "rules")
    config = yaml.safe_load((ROOT / "prometheus/prometheus.yml").read_text())
    config["scrape_configs"] = [job for job in config["scrape_configs"] if job["job_name"] in _JOBS]
    for job in config["scrape_configs"]:
        job["static_configs"] = [{"targets": [prometheus if job["job_name"] == "prometheus" else exporter]}]
    del config["alerting"]
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(config))
    return path


_JOBS = {"homeostat-exporter", "homeostat-resources", "prometheus"}


async def _watch(url: str, session: aiohttp.ClientSession, lasts_s: float, figures: Figures) -> None:
    """Each evaluation of each group once."""
    seen: dict[str, str] = {}
    groups: list[dict[str, Any]] = []
    end = time.monotonic() + lasts_s
    while time.monotonic() < end:
        groups = (await _get(f"{url}/api/v1/rules", session))["groups"]
        for group in groups:
            never = group["lastEvaluation"].startswith("0001")
            if never or group["lastEvaluation"] == seen.get(group["name"]):
                continue
            seen[group["name"]] = group["lastEvaluation"]
            figures.every_s[group["name"]] = group["interval"]
            figures.seconds.setdefault(group["name"], []).append(group["evaluationTime"])
        await asyncio.sleep(_LOOK_S)
    rules = [rule for group in groups for rule in group["rules"]]
    figures.rules = len(rules)
    if failed := [f"{rule['name']}: {rule['lastError']}" for rule in rules if rule["health"] == "err"]:
        raise RuntimeError(f"rules fail: {failed}")
    figures.firing = [rule["name"] for rule in rules if rule.get("state") == "firing"]
    answer = await _get(f"{url}/api/v1/query?query=prometheus_tsdb_head_series", session)
    figures.series = float(answer["result"][0]["value"][1])


async def _get(url: str, session: aiohttp.ClientSession) -> dict[str, Any]:
    async with session.get(url) as response:
        response.raise_for_status()
        data: dict[str, Any] = (await response.json())["data"]
    return data
