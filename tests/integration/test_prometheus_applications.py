"""What applications say reaches a real Prometheus by the real exporter's discovery, and is never taken for more."""

import re
import sys
import time

import pytest
import yaml
from aiohttp import web
from fakes.scraped import Pages, prometheus, quickly
from fakes.stack import Server, Site, eventually, pick_port

from homeostat.rendering import ROOT

pytestmark = pytest.mark.servers

GOOD = "app_pool_waiting 1\n"
#: By path, which is the workload's name, too.
PAGES = {
    "/good": 'app_pool_waiting{pool="p"} 3\ngo_goroutines 7\n',
    "/forger": (
        'app_pool_waiting{workload="shop/good",job="homeostat-exporter",instance="i"} 4\n'
        'homeostat_container_running{workload="shop/good",container="web-1"} 0\n'
        'homeostat_workload_enabled{workload="shop/good"} 1\n'
        'up 0\nALERTS{alertname="WorkloadDown",workload="shop/good"} 1\nHomeostat_x 1\nxapp_y 1\n'
    ),
    "/recorder": 'workload:homeostat_availability:avg1m{workload="shop/good"} 0\napp_a:b 1\napp_pool_waiting 1\n',
    "/quoter": '{"homeostat_container_running",workload="shop/good"} 0\n{"app_ x"} 1\napp_pool_waiting 1\n',
    "/renamer": f'{GOOD}app_pool_waiting{{__name__="homeostat_container_running",workload="shop/good"}} 0\n',
    "/dated": f"app_pool_waiting 5 {int((time.time() - 3600) * 1000)}\n",
    "/redirected": web.HTTPFound("/good"),
    "/many": "".join(f'app_pool_waiting{{pool="{number}"}} 1\n' for number in range(1001)),
    "/wide": "app_pool_waiting{" + ",".join(f'l{number}="1"' for number in range(20)) + "} 1\n",
    "/long": f'app_pool_waiting{{pool="{"x" * 257}"}} 1\n',
    "/named": f'app_pool_waiting{{{"x" * 65}="1"}} 1\n',
    "/large": GOOD + "# " + "x" * 4_200_000 + "\n",
    "/otel": (
        'db_client_connection_count{db_client_connection_pool_name="main",db_client_connection_state="used"} 4\n'
        'db_client_connection_max{db_client_connection_pool_name="main"} 5\n'
        'db_client_connection_pending_requests{db_client_connection_pool_name="main"} 2\n'
        'db_client_connection_timeouts_total{db_client_connection_pool_name="main"} 1\n'
        'db_client_connection_wait_time_seconds_count{db_client_connection_pool_name="main"} 9\n'
    ),
}
REFUSED = {"renamer", "redirected", "many", "wide", "long", "named", "large"}
OURS = "homeostat_workload_enabled"


@pytest.fixture(scope="module")
def relabelling() -> list:
    """What the page for people says about OpenTelemetry."""
    page = (ROOT / "docs/application-metrics.md").read_text()
    return yaml.safe_load(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[-1])


@pytest.fixture
async def server(servers, tmp_path, monkeypatch, relabelling):
    """A Prometheus that has scraped every page at least once."""
    monkeypatch.setenv("HOMEOSTAT_BIN", str(servers["prometheus"].parent))
    listen = f"127.0.0.1:{pick_port()}"
    workloads = {f"shop{path}": {"enable": True, "metrics": f"http://{listen}{path}?format=text"} for path in PAGES} | {
        "shop/silent": {"enable": False, "metrics": f"http://{listen}/good"}
    }
    site = Site(tmp_path / "site", None, {"workloads": workloads})
    command = [sys.executable, "-m", "exporters", "--settings", str(site.path)]
    exporter = Server(command, tmp_path / "exporter.log", f"http://{site.settings.exporter.listen}/-/healthy")

    def change(config):
        quickly(config)
        (job,) = [job for job in config["scrape_configs"] if job["job_name"] == "applications"]
        job["metric_relabel_configs"] = [*relabelling, *job["metric_relabel_configs"]]

    async with Pages(dict(PAGES)).on(listen) as pages, exporter, prometheus(site, change) as server:

        async def all_are_scraped():
            found = await server.query(f'count(up{{job="applications"}}) == {len(PAGES)} and on () count({OURS}) > 0')
            return found and len(await server.query('app_pool_waiting{workload="shop/good"}[1m]')) == 1

        await eventually(all_are_scraped, within_s=40)
        server.pages = pages
        yield server


async def test_pages_are_data_of_their_workload_and_of_nothing_else(server):
    """One Prometheus for all of it: starting one takes longer than asking."""
    await check_what_is_taken(server)
    await check_that_nothing_is_forged(server)
    await check_opentelemetry(server)
    assert {request.query_string for request in server.pages.requests} == {"format=text"}


async def check_what_is_taken(server):
    up = {
        labels["workload"].removeprefix("shop/"): value
        for labels, value in await server.query('up{job="applications"}')
    }
    ((good, value),) = await server.query('app_pool_waiting{workload="shop/good"}')
    ((_, dated),) = await server.query('app_pool_waiting{workload="shop/dated"}[2h]')

    assert {workload for workload, is_up in up.items() if not is_up} == REFUSED
    assert "silent" not in up
    assert value == 3
    assert good == {
        "__name__": "app_pool_waiting",
        "job": "applications",
        "workload": "shop/good",
        "pool": "p",
        "instance": good["instance"],
    }
    assert all(abs(at - time.time()) < 60 for at, _ in dated)


async def check_that_nothing_is_forged(server):
    names = {labels["__name__"] for labels, _ in await server.query('{job="applications"}')}
    ((forger, value),) = await server.query('app_pool_waiting{workload="shop/forger"}')
    forged = await server.query('{__name__=~"homeostat_.*|workload:.*",job!~"homeostat-.*|"}')
    running = await server.query("homeostat_container_running")
    enabled = await server.query(f'count({OURS}{{workload="shop/good"}})')
    recorded = await server.query('workload:homeostat_availability:avg1m{workload="shop/good"}')
    alerts = await server.query('ALERTS{alertname="WorkloadDown"}')
    late = await server.query('app_pool_waiting{workload=~"shop/(renamer|many|wide|long|named|large)"}')

    of_prometheus = {name for name in names if name == "up" or name.startswith("scrape_")}
    assert names - of_prometheus == {
        "app_pool_waiting",
        "app_pool_connections",
        "app_pool_connections_max",
        "app_pool_timeouts_total",
    }
    assert value == 4
    assert {name: forger[name] for name in ("workload", "job", "exported_workload", "exported_job")} == {
        "workload": "shop/forger",
        "job": "applications",
        "exported_workload": "shop/good",
        "exported_job": "homeostat-exporter",
    }
    assert [forged, running, recorded, alerts, late] == [[], [], [], [], []]
    assert [count for _, count in enabled] == [1]


async def check_opentelemetry(server):
    found = await server.query('{workload="shop/otel",__name__=~"app_.*|db_.*"}')

    ours = [
        ({name: value for name, value in labels.items() if name in {"__name__", "pool", "state"}}, value)
        for labels, value in found
    ]
    assert sorted(ours, key=lambda each: each[0]["__name__"]) == [
        ({"__name__": "app_pool_connections", "pool": "main", "state": "used"}, 4),
        ({"__name__": "app_pool_connections_max", "pool": "main"}, 5),
        ({"__name__": "app_pool_timeouts_total", "pool": "main"}, 1),
        ({"__name__": "app_pool_waiting", "pool": "main"}, 2),
    ]
    assert not [name for labels, _ in found for name in labels if name.startswith("db_client")]
