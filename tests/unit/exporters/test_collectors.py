"""What each collector says, as Prometheus's own parser reads it."""

from pathlib import Path

import pytest
from fakes.guardian import FakeGuardian, FakeProcess
from prometheus_client import ProcessCollector
from prometheus_client.parser import text_string_to_metric_families

from exporters.catalog import Catalog
from exporters.cgroups import CgroupSample
from exporters.collectors.containers import LabelCache, Reading, families
from exporters.collectors.exporter import ExporterCollector
from exporters.collectors.processes import ProcessesCollector
from exporters.collectors.workloads import WorkloadsCollector
from exporters.watch import Seen
from homeostat import names
from homeostat.encoder import render
from homeostat.errors import Unreachable
from homeostat.guardian_client import GuardianClient

GOLDEN = Path(__file__).parents[2] / "data" / "exporter" / "containers.prom"
SAMPLE = CgroupSample(
    anon=3047424, shmem=147456, usage=17039360, limit=67108864, oom_kills=3, cpu_seconds=0.048554, pids=6
)


def values(found):
    """{(name, label values without the workload): value}."""
    text = render(found).decode()
    return {
        (sample.name, tuple(value for label, value in sample.labels.items() if label != "workload")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def measured(container, cgroup=None, *, is_running=True, stopped=False, oom_kills=0, cache=None):
    reading = Reading(Seen(container, is_running, stopped, oom_kills), cgroup)
    (rendered,) = (cache or LabelCache()).render([container])
    return values(families([(rendered, reading)]))


def test_the_page_of_two_containers_is_as_agreed(make, pytestconfig):
    web = make(
        health="healthy", restart_policy="always", restart_count=2, memory_limit=67108864, id="1e1553abdfae" + "0" * 52
    )
    worker = make(
        "shop-worker-1",
        status="exited",
        pid=0,
        exit_code=137,
        oom_killed=True,
        finished_at=1_800_000_050.5,
        image="w:2",
    )
    rows = [Reading(Seen(web, True, False, 0), SAMPLE), Reading(Seen(worker, False, True, 1), None)]
    page = render(families(list(zip(LabelCache().render([web, worker]), rows, strict=True)))).decode()
    if pytestconfig.getoption("--update-goldens"):
        GOLDEN.write_text(page)

    assert page == GOLDEN.read_text()


@pytest.mark.parametrize("status", ["created", "running", "paused", "restarting", "removing", "exited", "dead"])
def test_exactly_one_state_is_one(make, status):
    found = measured(make(status=status))
    states = {key[1][1]: value for key, value in found.items() if key[0] == names.CONTAINER_STATE}

    assert states.pop(status) == 1
    assert len(states) == 6
    assert not any(states.values())


@pytest.mark.parametrize("health", ["none", "starting", "healthy", "unhealthy"])
def test_exactly_one_health_is_one(make, health):
    found = measured(make(health=health))
    healths = {key[1][1]: value for key, value in found.items() if key[0] == names.CONTAINER_HEALTH}

    assert [name for name, value in healths.items() if value] == [health]


def test_a_container_that_never_ended_has_no_exit_code(make):
    found = measured(make())

    assert not [name for name, _ in found if name in (names.CONTAINER_EXIT_CODE, names.CONTAINER_FINISHED)]


def test_a_restarted_container_has_no_exit_code_because_the_engine_forgot_it(make):
    found = measured(make(exit_code=0, finished_at=5.0))

    assert (names.CONTAINER_EXIT_CODE, ("shop-web-1",)) not in found
    assert found[names.CONTAINER_FINISHED, ("shop-web-1",)] == 5


def test_an_ended_container_keeps_what_the_engine_tells_and_has_no_cgroup_values(make):
    ended = make(status="exited", pid=0, exit_code=3, finished_at=5.0, memory_limit=1024)
    found = measured(ended, is_running=False)
    key = ("shop-web-1",)

    assert found[names.CONTAINER_EXIT_CODE, key] == 3
    assert found[names.CONTAINER_MEMORY_LIMIT, key] == 1024
    assert found[names.CONTAINER_RUNNING, key] == 0
    absent = (names.CONTAINER_MEMORY_ANON, names.CONTAINER_MEMORY_USAGE, names.CONTAINER_CPU, names.CONTAINER_PIDS)
    assert not [name for name, _ in found if name in absent]


def test_a_value_that_the_kernel_does_not_tell_is_left_out(make):
    found = measured(make(memory_limit=7), CgroupSample(None, None, None, None, None, 1.0, None))
    key = ("shop-web-1",)

    assert (names.CONTAINER_MEMORY_ANON, key) not in found
    assert found[names.CONTAINER_MEMORY_LIMIT, key] == 7
    assert found[names.CONTAINER_CPU, key] == 1.0


@pytest.mark.parametrize(("told", "counted", "expected"), [(0, 3, 3), (5, 3, 5), (5, None, 5), (0, None, 0)])
def test_oom_kills_are_the_larger_of_both_counts(make, told, counted, expected):
    cgroup = CgroupSample(None, None, None, None, counted, None, 1)

    assert measured(make(), cgroup, oom_kills=told)[names.CONTAINER_OOM_KILLS, ("shop-web-1",)] == expected


def test_nasty_labels_stay_data(make):
    nasty = 'a"} 1\nhomeostat_up 2\\'
    web = make(image=nasty, labels={"com.docker.compose.project": nasty})
    text = render(families([(LabelCache().render([web])[0], Reading(Seen(web, True, False, 0), None))])).decode()
    found = list(text_string_to_metric_families(text))

    assert {sample.labels["image"] for f in found for sample in f.samples if f.name == names.CONTAINER_INFO} == {nasty}
    assert {sample.labels["workload"] for f in found for sample in f.samples} == {"container/shop-web-1"}


def test_labels_are_rendered_once_and_follow_a_rename(make):
    cache = LabelCache()
    first = cache.render([make()])
    assert cache.render([make(status="paused")])[0] is first[0]
    renamed = cache.render([make("shop-web-9", id=make().id)])

    assert 'container="shop-web-9"' in renamed[0].plain
    assert len(cache._known) == 1


def test_labels_of_removed_containers_are_forgotten(make):
    cache = LabelCache()
    for number in range(100):
        cache.render([make(f"shop-web-{number}")])

    assert len(cache._known) == 1


async def test_workloads_tell_their_thresholds(told, make):
    settings = told(
        "workloads: {shop/db: {enable: true, memory_threshold: 0.5, start_grace: 30s, objective: 0.99}}\n"
        "processes: {api: {command: [sleep, '1']}}"
    )
    wrong = make(labels={"homeostat.enable": "perhaps"})
    found = await WorkloadsCollector(Catalog(settings, lambda: (wrong, make("shop-web-2")))).collect()
    text = render(found).decode()

    for line in (
        'homeostat_workload_info{workload="local/api",kind="process"} 1',
        'homeostat_workload_info{workload="shop/db",kind="container"} 1',
        'homeostat_workload_enabled{workload="shop/db"} 1',
        'homeostat_workload_enabled{workload="shop/web"} 0',
        'homeostat_workload_instances{workload="local/api"} 1',
        'homeostat_workload_instances{workload="shop/db"} 0',
        'homeostat_workload_instances{workload="shop/web"} 2',
        'homeostat_workload_memory_threshold_ratio{workload="shop/db"} 0.5',
        'homeostat_workload_start_grace_seconds{workload="shop/db"} 30.0',
        'homeostat_workload_objective_ratio{workload="shop/db"} 0.99',
        'homeostat_workload_labels_valid{workload="shop/db"} 1',
        'homeostat_workload_labels_valid{workload="shop/web"} 0',
    ):
        assert line in text.splitlines()
    # What promises nothing has no objective.
    assert text.count("homeostat_workload_objective_ratio{") == 1


@pytest.fixture
async def guardian(tmp_path):
    guardian = FakeGuardian()
    await guardian.start(tmp_path / "g.sock")
    yield guardian
    await guardian.stop()


async def test_processes_tell_what_the_guardian_tells(guardian, tmp_path):
    guardian.processes["api"] = FakeProcess("api", started_at=5.0, restarts=2)
    found = values(await ProcessesCollector(GuardianClient(tmp_path / "g.sock").processes).collect())

    states = {key[1]: value for (name, key), value in found.items() if name == names.PROCESS_STATE}
    assert states.pop("running") == 1
    assert set(states) == {"starting", "backoff", "exited", "crash_looping", "stopped"}
    assert not any(states.values())
    rest = {name: value for (name, key), value in found.items() if name != names.PROCESS_STATE and key == ("api",)}
    assert rest == {
        names.PROCESS_RUNNING: 1,
        names.PROCESS_STOPPED: 0,
        names.PROCESS_CRASH_LOOPING: 0,
        names.PROCESS_RESTARTS: 2,
        names.PROCESS_STARTED: 5,
        names.PROCESS_MEMORY_LIMIT: 0,
        names.PROCESS_RSS: 1,
        names.PROCESS_CPU: 0.1,
        names.PROCESS_FDS: 3,
    }


async def test_an_ended_process_uses_nothing(guardian, tmp_path, monkeypatch):
    process = FakeProcess("api", state="exited")
    row = process.row() | {"pid": 0, "exit_code": 3}
    monkeypatch.setattr(FakeProcess, "row", lambda _self: row)
    guardian.processes["api"] = process
    found = values(await ProcessesCollector(GuardianClient(tmp_path / "g.sock").processes).collect())

    assert found[names.PROCESS_EXIT_CODE, ("api",)] == 3
    assert (names.PROCESS_RSS, ("api",)) not in found


async def test_a_guardian_that_is_down_is_a_failure(tmp_path):
    with pytest.raises(Unreachable):
        await ProcessesCollector(GuardianClient(tmp_path / "nothing.sock").processes).collect()


async def test_the_exporter_tells_of_itself():
    found = values(await ExporterCollector("1.2.3", ProcessCollector(registry=None)).collect())

    assert ("homeostat_build_info", ("1.2.3", __import__("platform").python_version())) in found
    assert found["process_resident_memory_bytes", ()] > 1e6
    assert ("process_cpu_seconds_total", ()) in found
