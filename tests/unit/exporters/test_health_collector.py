"""The health of every workload, put together from what engine, guardian and probes say."""

import aiohttp
import pytest
from fakes.guardian import FakeGuardian, FakeProcess
from prometheus_client.parser import text_string_to_metric_families

from exporters.app import connect
from exporters.collectors import health
from homeostat import names
from homeostat.encoder import render
from homeostat.guardian_client import GuardianClient
from homeostat.platforms import control_socket_path
from homeostat.probes import ProbeContext

ENABLED = {"homeostat.enable": "true", "homeostat.probe.http": ":1/"}


async def page_of(sources):
    return render(await health.make(sources).collect()).decode()


async def healths(sources):
    """{workload: (state, reason, source)}."""
    page = await page_of(sources)
    states, reasons = {}, {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            workload = sample.labels.get("workload")
            if sample.name == names.WORKLOAD_HEALTH and sample.value:
                assert workload not in states
                states[workload] = sample.labels["state"]
            elif sample.name == names.WORKLOAD_HEALTH_INFO:
                reasons[workload] = (sample.labels["reason"], sample.labels["source"])
    return {workload: (state, *reasons[workload]) for workload, state in states.items()}


@pytest.fixture
async def watched(told, clock, docker):
    """A function: sources over the fake engine and these settings, with containers known and nothing else running."""
    async with aiohttp.ClientSession() as session:

        async def watched(text="{}"):
            settings = told(text)
            guardian = GuardianClient(control_socket_path(settings.state_dir))
            sources = connect(settings, clock, docker, ProbeContext(session, clock), guardian)
            await sources.watcher._poll()
            return sources

        yield watched


async def test_containers_without_checks_are_unknown_and_docker_health_counts(watched, docker, make):
    docker.put(make("shop-web-1"))
    docker.put(make("shop-db-1", health="healthy"))
    docker.put(make("shop-mail-1", health="unhealthy"))
    docker.put(make("shop-old-1", status="paused", health="healthy"))

    assert await healths(await watched()) == {
        "shop/db": ("healthy", "", ""),
        "shop/mail": ("unhealthy", "docker_unhealthy", "shop-mail-1"),
        "shop/old": ("unhealthy", "paused", "shop-old-1"),
        "shop/web": ("unknown", "unchecked", ""),
    }


async def test_a_probe_without_a_result_is_not_measured_yet(watched, docker, make):
    docker.put(make("shop-web-1", labels=ENABLED))

    assert await healths(await watched()) == {"shop/web": ("unknown", "not_measured", "http :1/")}


async def test_broken_labels_make_it_unknown(watched, docker, make):
    docker.put(make("shop-web-1", labels={"homeostat.enable": "perhaps"}))

    assert await healths(await watched()) == {"shop/web": ("unknown", "labels_invalid", "")}


async def test_a_workload_of_the_file_that_exists_nowhere_is_missing(watched):
    sources = await watched("workloads: {shop/web: {enable: true}}")

    assert await healths(sources) == {"shop/web": ("unhealthy", "missing", "")}


async def test_a_silent_engine_makes_containers_unknown_and_fails_nothing(watched, docker, make, clock):
    docker.put(make("shop-web-1", health="healthy"))
    sources = await watched()
    clock.elapsed += 60

    assert await healths(sources) == {"shop/web": ("unknown", "not_measured", "")}


async def test_what_depends_on_it_is_degraded(watched, docker, make):
    docker.put(make("shop-web-1", health="healthy"))
    docker.put(make("shop-db-1", health="unhealthy"))
    sources = await watched("workloads: {shop/web: {depends_on: [shop/db]}}")

    assert await healths(sources) == {
        "shop/db": ("unhealthy", "docker_unhealthy", "shop-db-1"),
        "shop/web": ("degraded", "dependency_unhealthy", "shop/db"),
    }


async def test_a_dependency_that_compose_knows_needs_no_word(watched, docker, make):
    compose = {"com.docker.compose.depends_on": "db:service_healthy:true,cache:service_started:false"}
    docker.put(make("shop-web-1", health="healthy", labels=compose))
    docker.put(make("shop-db-1", health="unhealthy"))
    sources = await watched()

    assert (await healths(sources))["shop/web"] == ("degraded", "dependency_unhealthy", "shop/db")
    assert 'homeostat_workload_dependency_info{workload="shop/web",dependency="shop/cache"} 1\n' in await page_of(
        sources
    )


@pytest.fixture
async def guardian():
    guardian = FakeGuardian()
    yield guardian
    await guardian.stop()


@pytest.mark.parametrize(
    ("process", "expected"),
    [
        ({"state": "running"}, ("unknown", "unchecked", "")),
        ({"state": "backoff", "pid": 0}, ("unhealthy", "not_running", "api")),
        ({"state": "crash_looping", "pid": 0, "crash_looping": True}, ("unhealthy", "crash_looping", "api")),
        ({"state": "stopped", "pid": 0, "stopped_by_request": True}, ("unknown", "stopped_by_request", "")),
    ],
)
async def test_a_supervised_process_is_as_the_guardian_tells(watched, guardian, process, expected):
    sources = await watched("processes: {api: {command: [sleep, '9']}}")
    await guardian.start(control_socket_path(sources.settings.state_dir))
    guardian.processes["api"] = FakeProcess("api", **process)

    assert await healths(sources) == {"local/api": expected}


async def test_a_silent_guardian_makes_processes_unknown(watched):
    sources = await watched("processes: {api: {command: [sleep, '9']}}")

    assert await healths(sources) == {"local/api": ("unknown", "not_measured", "")}
