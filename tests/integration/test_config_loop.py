"""Damage of a managed file, from the disk through exporter, Prometheus, Alertmanager and responder back to the disk:
put back once, believed when it was seen, and whoever has read what was wrong is restarted once.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp import web
from fakes.guardian import FakeGuardian
from fakes.managed import BAD, GOOD, OTHER
from fakes.stack import Site, eventually, never

from exporters.app import create_app
from homeostat.clock import SystemClock
from homeostat.prometheus_api import PrometheusClient
from homeostat.quantities import host_port
from homeostat.rendering import ROOT

pytestmark = [pytest.mark.servers, pytest.mark.timeout(180)]

RULES = yaml.safe_load((ROOT / "prometheus/rules/alerts/config.yml").read_text())["groups"][0]["rules"]


@dataclass
class Loop:
    """Everything but the responder. ``web.env`` is read by the supervised process ``api``."""

    site: Site
    guardian: FakeGuardian

    @property
    def path(self) -> Path:
        return self.site.settings.config_files["web"].path

    async def samples(self, expression: str) -> list[Any]:
        assert self.site.session is not None
        return await PrometheusClient(self.site.settings.responder.prometheus_url, self.site.session).query(expression)

    async def is_good(self) -> bool:
        """As Prometheus knows it."""
        return [sample.value for sample in await self.samples('homeostat_config_file_damaged{file="web"}')] == [0]

    async def ended(self, count: int = 1) -> list[dict[str, Any]]:
        """All recoveries, when so many have ended and none is open."""
        found = await self.site.recoveries()
        return found if len(found) == count and all(each["final"] for each in found) else []

    async def has_more_than(self, count: int) -> bool:
        return len(await self.site.recoveries()) > count


@asynccontextmanager
async def exporter(site: Site) -> AsyncIterator[None]:
    runner = web.AppRunner(create_app(site.settings, SystemClock(), site.path), access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, *host_port(site.settings.exporter.listen)).start()
        yield
    finally:
        await runner.cleanup()


@pytest.fixture
async def loop(tmp_path: Path, servers: dict[str, Path]) -> AsyncIterator[Loop]:
    (tmp_path / "site").mkdir()
    (tmp_path / "site/web.env").write_bytes(GOOD)
    async with aiohttp.ClientSession() as session:
        site = Site(tmp_path / "site", session)
        site.write(
            config_files={"web": {"path": "web.env", "settle": "1s", "workloads": ["local/api"]}},
            processes={"api": {"command": ["api"]}},
            workloads={"local/api": {"enable": True, "start_grace": "0s"}},
        )
        guardian = FakeGuardian("api")
        await guardian.start(site.control_socket)
        try:
            prometheus = site.prometheus(servers["prometheus"], RULES)
            async with exporter(site), prometheus, site.alertmanager(servers["alertmanager"]), site.responder():
                found = Loop(site, guardian)
                await eventually(found.is_good, within_s=30)
                yield found
        finally:
            await guardian.stop()


def actions(recovery: dict[str, Any]) -> list[str]:
    return [entry["action"] for entry in recovery["entries"] if entry["kind"] == "started"]


async def test_damage_is_put_back_once_and_seen_to_be_good(loop: Loop):
    begun = time.monotonic()
    loop.path.write_bytes(BAD)

    [recovery] = await eventually(loop.ended, within_s=40)

    print(f"verified after {time.monotonic() - begun:.1f} s")
    assert (recovery["workload"], recovery["final"], actions(recovery)) == ("file/web", "verified", ["config_restore"])
    [judged] = [entry for entry in recovery["entries"] if entry["kind"] == "judged"]
    assert {(each["source"], each["quality"]) for each in judged["readings"]} == {
        ("file web", "good"),
        ("rule ConfigCorrupt", "good"),
    }
    assert loop.path.read_bytes() == GOOD
    await never(lambda: loop.has_more_than(1), 8.0)
    assert loop.guardian.calls == []  # it was started before
    assert await loop.site.escalations() == []


async def test_who_was_started_meanwhile_is_restarted_once_the_file_is_good(loop: Loop):
    loop.path.unlink()
    await eventually(lambda: loop.samples('homeostat_config_file_damaged{file="web"} == 1'), within_s=20)
    loop.guardian.processes["api"].started_at = time.time()

    file, reader = await eventually(lambda: loop.ended(2), within_s=60)

    assert (file["workload"], file["final"], actions(file)) == ("file/web", "verified", ["config_restore"])
    assert (reader["workload"], reader["final"], actions(reader)) == ("local/api", "verified", ["restart"])
    assert loop.path.read_bytes() == GOOD
    await never(lambda: loop.has_more_than(2), 8.0)
    assert loop.guardian.calls == ["api"]


async def test_a_valid_change_of_others_is_left_alone(loop: Loop):
    loop.path.write_bytes(OTHER)
    await eventually(lambda: loop.samples('homeostat_config_file_drifted{file="web"} == 1'), within_s=20)

    await never(lambda: loop.has_more_than(0), 5.0)
    assert loop.path.read_bytes() == OTHER
