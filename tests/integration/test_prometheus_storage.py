"""Prometheus as both run modes start it: what it stored outlives its death, and is bounded as the settings say."""

import itertools
import re
import time
from pathlib import Path

import pytest
import yaml
from fakes.scraped import Pages, Prometheus, prometheus, quickly
from fakes.stack import Site, eventually

from cli import compose
from homeostat import settings
from homeostat.rendering import ROOT

pytestmark = pytest.mark.servers


@pytest.fixture
def site(tmp_path, servers, monkeypatch):
    monkeypatch.setenv("HOMEOSTAT_BIN", str(servers["prometheus"].parent))
    return Site(tmp_path / "site", None)


def bounded(site):
    site.write(stack={**site.data["stack"], "retention_time": "36h", "retention_size": "512MiB"})


async def test_samples_survive_a_kill(site):
    count = itertools.count(1)
    page = Pages({"/metrics": lambda: f"homeostat_boots_total {next(count)}\n"})
    server = prometheus(site, quickly)

    async def stored():
        return await server.query('homeostat_boots_total{job="homeostat-exporter"}[10m]')

    async def five_are_stored():
        found = await stored()
        return found and len(found[0][1]) >= 5

    async with page.on(site.settings.exporter.listen), server:
        await eventually(five_are_stored)
        ((labels, before),) = await stored()
        killed_at = time.time()
        server.kill()
        await server.start()

        async def new_ones_are_stored():
            return [at for _, samples in await stored() for at, _ in samples if at > killed_at]

        await eventually(new_ones_are_stored)
        ((labels_after, after),) = await stored()

    assert labels_after == labels
    assert after[: len(before)] == before
    assert server.log.read_text().count("panic") == 0


async def test_natively_the_settings_bound_it(site):
    bounded(site)

    async with prometheus(site) as server:
        assert await retention(server) == ("1d12h", "512MiB", "1d12h or 512MiB")


async def test_in_containers_the_settings_bound_it(site, servers):
    bounded(site)
    environment = compose._environment(site.settings, site.path)
    command = of_compose_file("prometheus", environment)
    rendered = site.settings.state_dir / "run/prometheus"
    moved = [
        word.replace("/etc/prometheus/", f"{rendered}/").replace("=/prometheus", f"={site.folder}") for word in command
    ]
    ready = f"http://{site.settings.stack.prometheus}/-/ready"

    async with Prometheus([str(servers["prometheus"]), *moved], site.folder / "log", ready, site=site) as server:
        assert await retention(server) == ("1d12h", "512MiB", "1d12h or 512MiB")


def test_the_compose_file_by_itself_bounds_it_as_the_settings_do_by_default():
    stack = settings.defaults(Path(), {}).stack

    command = of_compose_file("prometheus", {})

    assert f"--storage.tsdb.retention.time={stack.retention_time / 86400:g}d" in command
    assert f"--storage.tsdb.retention.size={stack.retention_size / 2**30:g}GiB" in command


async def retention(server):
    """What it was told, and what it says that it does."""
    flags = await server.api("status/flags")
    runs = await server.api("status/runtimeinfo")
    return flags["storage.tsdb.retention.time"], flags["storage.tsdb.retention.size"], runs["storageRetention"]


def of_compose_file(service, environment):
    """The command of a service, with the variables filled in as Compose does."""
    text = (ROOT / "docker-compose.yml").read_text()
    filled = re.sub(r"\$\{(\w+):-([^}]*)\}", lambda m: environment.get(m[1]) or m[2], text)
    return yaml.safe_load(filled)["services"][service]["command"]
