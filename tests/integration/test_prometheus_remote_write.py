"""What a real Prometheus sends to a real VictoriaMetrics: found there, whole after an outage, told of when refused."""

import asyncio
import base64
import itertools
import json
import re
import socket
import time

import aiohttp
import pytest
import yaml
from aiohttp import web
from fakes.scraped import Pages, prometheus, quickly
from fakes.stack import Server, Site, eventually, pick_port

from homeostat import remote_write
from homeostat.rendering import ROOT

pytestmark = pytest.mark.servers

USER, PASSWORD = "homeostat", "secret-of-the-tests"
RULES = yaml.safe_load((ROOT / "prometheus/rules/alerts/homeostat.yml").read_text())["groups"][0]["rules"]
(FAILING,) = [rule["expr"] for rule in RULES if rule.get("alert") == "RemoteWriteFailing"]


class Storage(Server):
    """VictoriaMetrics, which wants a password."""

    def __init__(self, binary, folder):
        self.url = f"http://127.0.0.1:{pick_port()}"
        self.auth = {"Authorization": f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"}
        command = [
            str(binary),
            f"-storageDataPath={folder}",
            f"-httpListenAddr={self.url.removeprefix('http://')}",
            f"-httpAuth.username={USER}",
            f"-httpAuth.password={PASSWORD}",
            "-retentionPeriod=100y",
            "-loggerLevel=WARN",
        ]
        super().__init__(command, folder.with_suffix(".log"))

    async def wait_ready(self):
        await eventually(self._answers)

    async def _answers(self):
        assert self.process.poll() is None, self.log.read_text()
        try:
            return await self.get("/health") is not None
        except aiohttp.ClientError:
            return False

    async def get(self, path, **parameters):
        async with (
            aiohttp.ClientSession(headers=self.auth, raise_for_status=True) as session,
            session.get(self.url + path, params=parameters) as response,
        ):
            return await response.text()

    async def names(self):
        return set(json.loads(await self.get("/api/v1/label/__name__/values"))["data"])

    async def samples(self, series):
        """Labels and every sample as it was stored, [[seconds, value], ...], of the one series; None without any."""
        await self.get("/internal/force_flush")
        blocks = [json.loads(line) for line in (await self.get("/api/v1/export", **{"match[]": series})).splitlines()]
        if not blocks:
            return None
        assert all(block["metric"] == blocks[0]["metric"] for block in blocks)
        stored = [zip(block["timestamps"], block["values"], strict=True) for block in blocks]
        return blocks[0]["metric"], sorted([at / 1000, value] for block in stored for at, value in block)


@pytest.fixture
def storage(victoria_metrics, tmp_path):
    storage = Storage(victoria_metrics, tmp_path / "victoria-metrics")
    yield storage
    storage.kill()


@pytest.fixture
def site(servers, tmp_path, monkeypatch):
    monkeypatch.setenv("HOMEOSTAT_BIN", str(servers["prometheus"].parent))
    site = Site(tmp_path / "site", None)
    (site.folder / "secrets/storage-password").write_text(PASSWORD)
    return site


def send(site, url, **credentials):
    site.write(stack={**site.data["stack"], "remote_write": {"url": f"{url}/api/v1/write", **credentials}})


def send_to(site, storage):
    send(site, storage.url, username=USER, password_file="secrets/storage-password")


@pytest.fixture
async def page(site):
    """An exporter: a count of scrapes, and something that nobody has to keep."""
    count = itertools.count(1)
    text = 'homeostat_boots_total{{workload="shop/web"}} {0}\napp_queue_length {0}\ngo_goroutines {0}\n'
    async with Pages({"/metrics": lambda: text.format(next(count))}).on(site.settings.exporter.listen):
        yield


async def test_what_is_worth_keeping_is_found_in_the_storage_with_its_host(site, storage, page):
    send_to(site, storage)
    series = 'homeostat_boots_total{job="homeostat-exporter"}'

    async with storage, prometheus(site, quickly) as server:
        await eventually(lambda: storage.samples(series), within_s=30)
        labels, _ = await storage.samples(series)
        names = await storage.names()
        await eventually(lambda: is_silent(server))
        has_more = await server.query("go_goroutines")

    assert labels == {
        "__name__": "homeostat_boots_total",
        "workload": "shop/web",
        "job": "homeostat-exporter",
        "instance": site.settings.exporter.listen,
        "host": socket.gethostname(),
    }
    assert {"up", "app_queue_length"} <= names
    assert all(re.fullmatch(remote_write.KEPT, name) for name in names)
    assert has_more  # it is Prometheus that leaves it out


async def test_an_outage_of_the_storage_loses_nothing(site, storage, page):
    send_to(site, storage)
    series = 'homeostat_boots_total{job="homeostat-exporter"}'

    async with storage, prometheus(site, quickly) as server:
        await eventually(lambda: storage.samples(series), within_s=30)
        await storage.end()  # killed, it would lose what it has not written yet: that is its own affair
        down_at = time.time()
        await asyncio.sleep(6)
        up_at = time.time()
        await storage.start()

        async def has_caught_up():
            _, samples = await storage.samples(series)
            return samples[-1][0] > up_at + 1

        await eventually(has_caught_up, within_s=60, every_s=0.5)
        _, there = await storage.samples(series)
        ((_, here),) = await server.query(f"{series}[10m]")

    here = [[round(at, 3), float(value)] for at, value in here if at <= up_at]
    assert len([at for at, _ in here if down_at < at]) >= 5  # scraped while nobody took it
    assert [sample for sample in there if sample[0] <= up_at] == here


async def test_a_wrong_password_is_told_of(site, storage, page):
    send_to(site, storage)
    (site.folder / "secrets/storage-password").write_text("wrong")

    async with storage, prometheus(site, quickly) as server:
        found = await eventually(refused(server), within_s=30)

        assert found[0][0] == {"instance": site.settings.stack.prometheus, "remote_name": "homeostat"}
        assert await storage.names() == set()
        (site.folder / "secrets/storage-password").write_text(PASSWORD)  # read at every request
        await eventually(storage.names, within_s=30)


async def test_a_storage_that_never_answered_is_told_of(site, storage, page):
    send_to(site, storage)

    async with prometheus(site, quickly) as server:
        ((labels, _),) = await eventually(lambda: server.query(FAILING), within_s=30)

    assert labels == {"instance": site.settings.stack.prometheus, "remote_name": "homeostat"}


async def test_a_token_is_shown_and_no_redirect_is_followed(site, page):
    there = f"127.0.0.1:{pick_port()}"
    pages = Pages({"/api/v1/write": web.HTTPTemporaryRedirect(f"http://{there}/elsewhere"), "/elsewhere": ""})
    (site.folder / "secrets/storage-token").write_text("token-1")
    send(site, f"http://{there}", bearer_token_file="secrets/storage-token")

    async with pages.on(there), prometheus(site, quickly) as server:
        await eventually(refused(server), within_s=30)

    assert {request.headers["Authorization"] for request in pages.requests} == {"Bearer token-1"}
    assert {request.path for request in pages.requests} == {"/api/v1/write"}


async def is_silent(server):
    return not await server.query(FAILING)


def refused(server):
    """The rule, and not because nothing has been sent yet."""

    async def look():
        is_refused = await server.query("rate(prometheus_remote_storage_samples_failed_total[5m]) > 0")
        return await server.query(FAILING) if is_refused else None

    return look
