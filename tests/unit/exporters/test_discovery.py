"""What Prometheus is told to scrape for applications."""

import dataclasses
import json

import pytest
from aiohttp.test_utils import TestClient, TestServer

from exporters.app import create_app
from exporters.catalog import Entry
from exporters.discovery import discover
from homeostat.clock import SystemClock
from homeostat.workloads import Kind, Workload


def entry(metrics, *containers, workload="shop/web", **values):
    return Entry(Workload(workload, Kind.CONTAINER, **{"enabled": True, "metrics": metrics, **values}), containers)


def test_each_running_container_is_a_target(make):
    containers = (
        make("shop-web-1", addresses=("172.18.0.2",)),
        make("shop-web-2", addresses=("172.18.0.3", "172.19.0.3")),
        make("shop-web-3", status="exited"),
        make("shop-web-4", addresses=()),
    )

    found = discover([entry(":8080/internal/metrics", *containers)])

    own = {"workload": "shop/web", "__scheme__": "http", "__metrics_path__": "/internal/metrics"}
    assert found == [
        {"targets": ["172.18.0.2:8080"], "labels": {**own, "container": "shop-web-1"}},
        {"targets": ["172.18.0.3:8080"], "labels": {**own, "container": "shop-web-2"}},
    ]


def test_a_full_url_is_one_target_whatever_runs(make):
    found = discover([entry("https://metrics.example.org:8443/m", make("shop-web-1"), make("shop-web-2"))])

    assert found == [
        {
            "targets": ["metrics.example.org:8443"],
            "labels": {"workload": "shop/web", "__scheme__": "https", "__metrics_path__": "/m"},
        }
    ]


def test_a_process_is_found_by_its_url():
    process = Workload("local/api", Kind.PROCESS, enabled=True, metrics="http://127.0.0.1:8088/metrics")

    (found,) = discover([Entry(process, ())])

    assert found["targets"] == ["127.0.0.1:8088"]
    assert found["labels"]["workload"] == "local/api"


@pytest.mark.parametrize(
    ("metrics", "values"),
    [("", {}), (":8080/metrics", {"enabled": False}), ("http://127.0.0.1:8080/metrics", {"enabled": False})],
)
def test_a_workload_without_metrics_or_without_opting_in_is_left_alone(make, metrics, values):
    assert discover([entry(metrics, make(), **values)]) == []


@pytest.mark.parametrize(
    ("metrics", "labels"),
    [
        (":8080", {"__metrics_path__": "/metrics"}),
        (":8080/m?format=prometheus", {"__metrics_path__": "/m", "__param_format": "prometheus"}),
        # No label can be named so; Prometheus 2 would refuse all targets for it.
        (":8080/m?name[]=app_x&x=1", {"__metrics_path__": "/m", "__param_x": "1"}),
    ],
)
def test_path_and_parameters_are_taken_apart(make, metrics, labels):
    (found,) = discover([entry(metrics, make())])

    own = {"workload": "shop/web", "container": "shop-web-1", "__scheme__": "http"}
    assert found["labels"] == own | labels


def test_a_user_name_does_not_become_an_address(make):
    (found,) = discover([entry("http://user@10.0.0.1:80/m")])

    assert found["targets"] == ["10.0.0.1:80"]


def test_parameters_cannot_pass_for_labels_of_ours(make):
    (found,) = discover([entry(":80/m?workload=other/x&_=1&__scheme__=file", make())])

    assert found["labels"]["workload"] == "shop/web"
    assert found["labels"]["__scheme__"] == "http"


def test_a_url_that_is_none_does_not_cost_the_others(make):
    found = discover([entry("http://[::1/m", workload="shop/bad"), entry(":80/m", make())])

    assert [group["labels"]["workload"] for group in found] == ["shop/web"]


def test_a_hostile_name_is_data(make):
    name = 'web\n"} homeostat_container_running{workload="x"} 0\n\ud800'

    found = discover([entry(":80/m", dataclasses.replace(make(), name=name))])

    assert json.loads(json.dumps(found))[0]["labels"]["container"] == name


async def test_the_page_is_an_empty_list_when_nobody_tells(told):
    app = create_app(told("docker: {enabled: false}"), SystemClock())

    async with TestClient(TestServer(app)) as client, client.get("/discovery") as response:
        assert (response.status, response.content_type) == (200, "application/json")
        assert await response.json() == []


async def test_the_page_tells_of_processes_in_the_settings(told):
    settings = told("""
docker: {enabled: false}
processes: {api: {command: [sleep, "1"]}}
workloads: {local/api: {enable: true, metrics: "http://127.0.0.1:8088/metrics"}}
""")

    app = create_app(settings, SystemClock())

    async with TestClient(TestServer(app)) as client, client.get("/discovery") as response:
        (found,) = await response.json()

    assert found["targets"] == ["127.0.0.1:8088"]
