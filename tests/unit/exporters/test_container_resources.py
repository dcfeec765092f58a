"""Both container collectors together: what they say, how much of it, and that neither says what the other does."""

import asyncio
import re
from pathlib import Path

import pytest
from cgrouptrees import ID, LIMITED, planted
from prometheus_client.parser import text_string_to_metric_families

from exporters.cgroups import Cgroups, ResourceSample
from exporters.cgroups.samples import CgroupDetail, Cpu, Io, Memory, Processes
from exporters.collectors import container_resources, containers
from exporters.collectors.container_resources import ContainerResourcesCollector
from exporters.collectors.containers import ContainersCollector
from exporters.containerlabels import LabelCache
from exporters.meter import Meter
from exporters.together import Together
from exporters.watch import Seen
from homeostat.containerinfo import NetworkCounters
from homeostat.encoder import render

GOLDEN = Path(__file__).parents[2] / "data" / "exporter" / "container_resources.prom"


def looking(*found):
    async def look():
        return [Seen(container, container.is_running, False, 0) for container in found]

    return Together(look)


def collectors(tree, clock, *found):
    meter, labels = Meter(Cgroups(clock, tree / "sys", tree / "proc"), None), LabelCache()
    look = looking(*found)
    return ContainersCollector(look, meter, labels), ContainerResourcesCollector(look, meter, labels)


async def page(*together):
    found = await asyncio.gather(*(collector.collect() for collector in together))
    return render(family for families in found for family in families).decode()


def samples(text):
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


@pytest.fixture
def tree(tmp_path):
    return planted("v2-systemd", tmp_path / "tree")


@pytest.fixture
def full(make):
    """A container about which everything is told that can be told while it runs."""
    return make(id=LIMITED, pid=4712, health="unhealthy", health_failing_streak=4, finished_at=5.0)


async def test_the_page_of_one_container_is_as_agreed(tree, clock, full, pytestconfig):
    _, resources = collectors(tree, clock, full)
    text = await page(resources)
    if pytestconfig.getoption("--update-goldens"):
        GOLDEN.write_text(text)

    assert text == GOLDEN.read_text()


async def test_one_container_has_at_most_60_series(tree, clock, full):
    found = samples(await page(*collectors(tree, clock, full)))

    assert len({(sample.name, *sample.labels.items()) for sample in found}) == len(found) <= 60


async def test_every_metric_that_is_declared_can_be_told(tree, clock, full, make):
    ended = make("shop-db-1", status="exited", pid=0, finished_at=6.0)
    found = {sample.name for sample in samples(await page(*collectors(tree, clock, full, ended)))}

    assert found == {metric.name for metric in (*containers.METRICS, *container_resources.METRICS)}


def test_neither_collector_has_what_the_other_has():
    assert not set(containers.METRICS) & set(container_resources.METRICS)


async def test_ids_stand_in_the_info_series_only(tree, clock, full):
    found = samples(await page(*collectors(tree, clock, full)))
    told = {sample.name for sample in found for value in sample.labels.values() if re.search(r"[0-9a-f]{12}", value)}

    assert told == {"homeostat_container_info"}
    assert {"id", "pid", "device"}.isdisjoint(
        label for sample in found if sample.name != "homeostat_container_info" for label in sample.labels
    )


async def test_what_does_not_run_uses_nothing(tree, clock, make):
    _, resources = collectors(tree, clock, make(id=ID, status="exited", pid=0))

    assert await page(resources) == ""


async def test_what_is_not_told_is_left_out(tree, clock, full):
    (tree / "sys" / "system.slice" / f"docker-{LIMITED}.scope" / "io.stat").unlink()
    _, resources = collectors(tree, clock, full)
    text = await page(resources)

    assert "_io_read" not in text
    assert "homeostat_container_pids_limit{" in text


async def test_a_health_check_that_is_not_there_has_no_streak(tree, clock, make):
    quick, _ = collectors(tree, clock, make(id=ID))

    assert "failing_streak" not in await page(quick)


async def test_a_limit_that_only_the_engine_knows_is_told(tree, clock, make):
    quick, _ = collectors(tree, clock, make(id=ID, pid=4711, memory_limit=1000))

    assert 'homeostat_container_memory_limit_bytes{workload="shop/web",container="shop-web-1"} 1000\n' in await page(
        quick
    )


def test_one_series_per_interface_whatever_its_name(make):
    nasty = 'a"b\\'
    networks = tuple(NetworkCounters(name, 1, 2, 3, 4, 5, 6) for name in ("eth0", nasty))
    (rendered,) = LabelCache().render([make()])
    text = render(container_resources.families([(rendered, ResourceSample(networks=networks))])).decode()

    assert {sample.labels["interface"] for sample in samples(text)} == {"eth0", nasty}
    assert {sample.labels["workload"] for sample in samples(text)} == {"shop/web"}


def test_labels_of_interfaces_are_rendered_once_and_do_not_pile_up(make):
    (rendered,) = LabelCache().render([make()])
    first = rendered.interface("eth0")
    rendered.interface("eth1")
    assert rendered.interface("eth0") is first
    for number in range(100):
        rendered.interface(f"tap{number}")

    assert len(rendered._interfaces) <= 16


def test_a_book_in_a_label_stays_out_of_the_page(make):
    labels = {"com.docker.compose.project": "x" * 1_000_000}
    (rendered,) = LabelCache().render([make(labels=labels, image="y" * 1_000_000)])

    assert len(rendered.info) < 1000


def test_windows_and_other_engines_tell_what_they_can(make):
    (rendered,) = LabelCache().render([make()])
    sample = ResourceSample(CgroupDetail(Cpu(periods=3), Memory(working_set=5), Io(1, 2, 3, 4)), Processes(count=2))
    found = {each.name for each in samples(render(container_resources.families([(rendered, sample)])).decode())}

    assert found == {
        "homeostat_container_cpu_periods_total",
        "homeostat_container_memory_working_set_bytes",
        "homeostat_container_io_read_bytes_total",
        "homeostat_container_io_written_bytes_total",
        "homeostat_container_io_reads_total",
        "homeostat_container_io_writes_total",
        "homeostat_container_processes",
    }
