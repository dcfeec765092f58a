"""The guardian's metrics: valid, complete, and silent about what does not run."""

import pytest
from aiohttp.test_utils import TestClient, TestServer
from fakes.supervised import Plan
from prometheus_client.parser import text_string_to_metric_families

from guardian.metrics import metrics_app
from guardian.model import Order


@pytest.fixture
async def scrape(world, running, until):
    """(supervisor, function that gives all samples of one scrape)"""
    supervisor = running(world.supervisor(Plan(1)))
    await until(lambda: supervisor.running is not None and supervisor.running.id.pid == 102)
    async with TestClient(TestServer(metrics_app([supervisor], world.clock))) as client:

        async def samples() -> dict[str, float]:
            response = await client.get("/metrics")
            families = text_string_to_metric_families(await response.text())
            return {
                sample.name + "".join(f" {value}" for key, value in sample.labels.items()): sample.value
                for family in families
                for sample in family.samples
                if sample.name.startswith("homeostat_guardian")
            }

        yield supervisor, samples
        assert await (await client.get("/-/healthy")).text() == "ok\n"


async def test_a_running_process_is_shown_with_all_counters_known_in_advance(scrape):
    _, samples = scrape

    assert await samples() == {
        "homeostat_guardian_process_up local/web": 1,
        "homeostat_guardian_process_crash_looping local/web": 0,
        "homeostat_guardian_process_restarts_total local/web exit": 1,
        "homeostat_guardian_process_restarts_total local/web check": 0,
        "homeostat_guardian_process_restarts_total local/web limit": 0,
        "homeostat_guardian_process_restarts_total local/web request": 0,
        "homeostat_guardian_process_resident_memory_bytes local/web": 0,
        "homeostat_guardian_process_cpu_seconds_total local/web": 0,
        "homeostat_guardian_process_open_fds local/web": 0,
    }


async def test_what_does_not_run_uses_nothing(scrape):
    supervisor, samples = scrape
    await supervisor.ask(Order.STOP)

    seen = await samples()

    assert seen["homeostat_guardian_process_up local/web"] == 0
    assert not [name for name in seen if "bytes" in name or "cpu" in name or "fds" in name]
