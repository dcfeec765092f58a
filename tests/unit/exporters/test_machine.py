"""What settings ask to be measured of the machine, on the exporter's own page."""

import contextlib
import sys

import pytest
from aiohttp.test_utils import TestClient, TestServer
from blockbuster import blockbuster_ctx

from exporters import machine
from exporters.app import create_app
from exporters.collectors import COLLECTORS
from exporters.collectors import clock as clock_collector
from exporters.machine import Machine
from homeostat.clock import SystemClock
from homeostat.sections import ExporterSettings

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc")


@contextlib.asynccontextmanager
async def page(settings, *names):
    """The exporter's page of these collectors; nothing may block the loop meanwhile."""
    async with TestClient(TestServer(create_app(settings, SystemClock()))) as client:
        with blockbuster_ctx():
            async with client.get("/metrics", params=[("collect[]", name) for name in names]) as response:
                yield await response.text()


async def test_host_and_clock_are_on_the_page(told):
    async with page(told("docker: {enabled: false}"), "host", "clock") as text:
        assert "\nhomeostat_host_memory_available_bytes " in text
        assert "\nhomeostat_host_clock_synchronized " in text
        assert '\nhomeostat_scrape_collector_success{collector="host"} 1' in text


async def test_beside_a_node_exporter_the_host_is_left_out_and_the_clock_is_not(told):
    settings = told("docker: {enabled: false}\nexporter: {node_exporter: true}")
    async with page(settings) as text:
        assert "homeostat_host_memory" not in text
        assert 'collector="host"' not in text
        assert "\nhomeostat_host_clock_synchronized " in text


async def test_without_groups_there_is_no_collector_of_groups(told):
    async with page(told("docker: {enabled: false}")) as text:
        assert "process_group" not in text


async def test_groups_of_the_settings_are_on_the_page_also_when_nothing_runs(told):
    settings = told(
        "docker: {enabled: false}\n"
        "exporter: {process_groups: {tests: {command: 'pytest'}, nothing: {names: [no-such-program]}}}"
    )
    async with page(settings, "process_groups") as text:
        assert '\nhomeostat_process_group_processes{group="nothing"} 0\n' in text
        assert '\nhomeostat_process_group_cpu_seconds_total{group="nothing"} 0.0\n' in text
        assert '\nhomeostat_process_group_processes{group="tests"} 0\n' not in text


async def test_a_system_that_tells_nothing_of_its_clock_has_no_collector_of_it():
    class Sources:
        machine = Machine()

    assert clock_collector.make(Sources()) is None


async def test_every_part_is_asked_by_all_scrapes_together(clock):
    made = machine.connect(ExporterSettings(), clock, None)

    assert made.host is not None
    assert made.process_groups is None
    assert (await made.host()).reading.numbers.memory_total
    assert {"host", "clock", "process_groups"} <= COLLECTORS.keys()
