"""The exporter as it is scraped, while its engine, its containers or the kernel's files misbehave: the page comes in
time, the collector that cannot know says 0, and everything else is served.
"""

import asyncio
import contextlib
import errno
import gc
import os
import shutil
import subprocess
import sys
import threading
import time

import pytest
from aiohttp.test_utils import TestClient, TestServer
from cgrouptrees import ID, LIMITED, OPEN_FILES, planted
from fakes.daemon import FakeDaemon
from prometheus_client.parser import text_string_to_metric_families

from exporters.app import create_app
from exporters.cgroups import Cgroups
from exporters.collectors.container_resources import ContainerResourcesCollector
from exporters.collectors.containers import ContainersCollector
from exporters.containerlabels import LabelCache
from exporters.enginestats import REFRESH_S, EngineStats
from exporters.meter import Meter
from exporters.together import Together
from exporters.watch import POLL_S, Watcher
from homeostat import names
from homeostat.clock import SystemClock
from homeostat.encoder import render

pytestmark = [
    # The SDK leaves a socket that could not connect to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

#: As Prometheus asks; the exporter answers a quarter of a second earlier.
TIMEOUT_S = 1.9
COLLECT = [("collect[]", name) for name in ("containers", "container_resources", "workloads", "exporter")]


@pytest.fixture(autouse=True)
def swept():
    """What this file leaves is swept up here, not in the next file's tests."""
    yield
    for thread in threading.enumerate():
        if thread.name.startswith(("homeostat-call", "docker-events")):
            thread.join(timeout=1)
    gc.collect()


@pytest.fixture
async def daemon(tmp_path):
    daemon = FakeDaemon()
    daemon.url = await daemon.start(tmp_path / "docker.sock")
    yield daemon
    await daemon.stop()


@contextlib.asynccontextmanager
async def exporter(told, daemon):
    settings = told(f"docker: {{enabled: true, host: '{daemon.url}'}}")
    async with TestClient(TestServer(create_app(settings, SystemClock()))) as client:
        yield client


async def scraped(client):
    """(collector -> success, container names) of one scrape, which came in time and was served."""
    start = time.monotonic()
    headers = {"X-Prometheus-Scrape-Timeout-Seconds": str(TIMEOUT_S)}
    async with client.get("/metrics", params=COLLECT, headers=headers) as response:
        assert response.status == 200
        text = await response.text()
    assert time.monotonic() - start < TIMEOUT_S
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    found = {s.labels["collector"]: s.value for s in samples if s.name == names.SCRAPE_SUCCESS}
    assert found["workloads"] == found["exporter"] == 1
    return found, {s.labels["container"] for s in samples if s.name == names.CONTAINER_RUNNING}


async def until(client, condition, within_s=5.0):
    async with asyncio.timeout(within_s):
        while not condition(found := await scraped(client)):
            await asyncio.sleep(0.05)
    return found


def succeeds(found):
    return found[0]["containers"] == found[0]["container_resources"] == 1


def fails(found):
    return found[0]["containers"] == found[0]["container_resources"] == 0


async def test_an_engine_whose_socket_goes_keeps_its_last_word_for_a_while(told, daemon):
    daemon.add()
    async with exporter(told, daemon) as client:
        await until(client, succeeds)
        await daemon.stop()

        assert succeeds(await scraped(client))
        assert (await scraped(client))[1] == {"shop-web-1"}


async def test_an_engine_that_takes_half_a_minute_delays_no_scrape(told, daemon):
    daemon.add()
    daemon.delay_s = 30
    async with exporter(told, daemon) as client:
        await asyncio.sleep(0.1)

        assert fails(await scraped(client))


async def test_an_engine_that_becomes_slow_delays_no_scrape(told, daemon):
    daemon.add()
    async with exporter(told, daemon) as client:
        await until(client, succeeds)
        daemon.delay_s = 30

        assert (await scraped(client))[1] == {"shop-web-1"}


LIES = {
    "garbage": [("/containers/", b"<html>")],
    "nothing": [("/containers/", b"")],
    "another kind of list": [("/containers/json", {"message": "hello"})],
    "rows of another kind": [("/containers/json", [1, None, "x"])],
    "no list": [("/containers/json", None)],
    "a book": [("/containers/json", b"[" * 1_000_000)],
    "no version": [("/version", {})],
}


@pytest.mark.parametrize("lie", LIES)
async def test_an_engine_that_lies_about_everything_is_a_failure(told, daemon, lie):
    daemon.add()
    daemon.lies = LIES[lie]
    async with exporter(told, daemon) as client:
        await asyncio.sleep(0.1)
        assert fails(await scraped(client))
        daemon.lies = []


async def test_an_engine_whose_answers_break_off_is_a_failure(told, daemon):
    daemon.add()
    daemon.cuts = "/containers/"
    async with exporter(told, daemon) as client:
        await asyncio.sleep(0.1)

        assert fails(await scraped(client))


def spoil(**places):
    def change(raw):
        for path, value in places.items():
            *parents, key = path.split("__")
            target = raw
            for parent in parents:
                target = target[parent]
            target[key] = value

    return change


@pytest.mark.parametrize(
    ("change", "is_told"),
    [
        (spoil(State=None), False),
        (spoil(State__Status=[]), False),
        (spoil(Id="f" * 64), False),
        (spoil(Name="/" + "x" * 100_000), False),
        (spoil(State__Pid=-1), True),
        (spoil(State__Pid="1"), True),
        (spoil(NetworkSettings=None), True),
        (spoil(HostConfig=None, Config=None), True),
        (spoil(Config__Labels=dict.fromkeys(map(str, range(1000)), "x" * 1000)), True),
        (spoil(Config__Labels={"com.docker.compose.project": "x" * 1_000_000}), True),
        (spoil(Config__Labels=[1, 2]), True),
        (spoil(State__Health={"Status": 7, "FailingStreak": "many"}), True),
    ],
)
async def test_one_container_that_cannot_be_read_costs_only_itself(told, daemon, change, is_told):
    daemon.add(1)
    change(daemon.containers[daemon.add(2)])
    async with exporter(told, daemon) as client:
        _, containers = await until(client, succeeds)

    assert "shop-web-1" in containers
    assert len(containers) == 1 + is_told


async def test_a_container_removed_between_list_and_inspect_is_not_there(told, daemon):
    daemon.add(1)
    daemon.containers["f" * 64] = None
    daemon.lies = [
        (
            "/containers/json",
            [
                {"Id": key, "Names": ["/shop-web-1"], "State": "running", "Status": "Up 1 second"}
                for key in daemon.containers
            ],
        )
    ]
    async with exporter(told, daemon) as client:
        _, containers = await until(client, succeeds)

    assert containers == {"shop-web-1"}


# From here on: what the kernel's files do.


@pytest.fixture
def tree(tmp_path):
    return planted("v2-cgroupfs", tmp_path / "tree")


@pytest.fixture
def cgroups(tree, clock):
    return Cgroups(clock, tree / "sys", tree / "proc")


def test_a_container_removed_while_it_is_read_leaves_the_others(cgroups, tree, make, monkeypatch):
    """Its folder goes after it was found and while its files are being read."""
    both = [make(id=ID, pid=4711), make("shop-db-1", id=LIMITED, pid=4712)]
    cgroups.sample_all((c.id, c.pid) for c in both)
    real, opened = os.open, []

    def open_and_remove(path, flags, *rest):
        if ID in str(path):
            opened.append(path)
            if len(opened) == 2:
                (tree / "sys" / "docker" / ID).rename(tree / "gone")
        return real(path, flags, *rest)

    monkeypatch.setattr(os, "open", open_and_remove)
    samples = cgroups.sample_all((c.id, c.pid) for c in both)
    resources = cgroups.resources_all(both)

    assert samples[LIMITED].usage == 17039360
    assert samples[ID].anon == 3047424  # what was read before it went
    assert samples[ID].usage is None
    assert resources.keys() == {LIMITED}


@pytest.mark.parametrize("error", [errno.ENODEV, errno.ESRCH, errno.EIO, errno.EACCES])
@pytest.mark.parametrize("call", ["open", "read", "stat", "listdir", "scandir"])
def test_files_that_vanish_or_refuse_in_any_step_are_only_absent(cgroups, make, monkeypatch, call, error):
    both = [make(id=ID, pid=4711), make("shop-db-1", id=LIMITED, pid=4712)]
    cgroups.sample_all((c.id, c.pid) for c in both)
    real, calls = getattr(os, call), []

    def fail_every_other_time(*arguments, **rest):
        calls.append(arguments)
        if len(calls) % 2:
            raise OSError(error, os.strerror(error))
        return real(*arguments, **rest)

    monkeypatch.setattr(os, call, fail_every_other_time)
    samples = cgroups.sample_all((c.id, c.pid) for c in both)
    resources = cgroups.resources_all(both)
    monkeypatch.undo()

    assert samples.keys() <= {ID, LIMITED}
    assert resources.keys() <= {ID, LIMITED}
    whole = cgroups.sample_all((c.id, c.pid) for c in both)
    assert whole[LIMITED].limit == 67108864
    for key, sample in samples.items():
        told = {name: getattr(sample, name) for name in sample.__slots__ if getattr(sample, name) is not None}
        assert told.items() <= {name: getattr(whole[key], name) for name in sample.__slots__}.items()


def test_a_process_that_ends_while_it_is_read_is_only_absent(cgroups, tree, make, monkeypatch):
    real = os.listdir

    def end_first(path):
        shutil.rmtree(tree / "proc" / "4720", ignore_errors=True)
        return real(path)

    monkeypatch.setattr(os, "listdir", end_first)
    found = cgroups.resources_all([make(id=ID, pid=4711)])[ID].processes

    assert (found.count, found.open_fds) == (2, OPEN_FILES[4711])


DENIED = """
import sys
from pathlib import Path
from exporters.cgroups import Cgroups
from homeostat.clock import SystemClock
import os
if os.geteuid() == 0:
    os.setgid(65534); os.setuid(65534)
tree = Path(sys.argv[1])
cgroups = Cgroups(SystemClock(), tree / "sys", tree / "proc")
found = cgroups.sample_all([(sys.argv[2], 4711), (sys.argv[3], 4712)])
print({name[:4]: sample.usage for name, sample in found.items()})
"""


def test_what_may_not_be_read_is_only_absent(tmp_path_factory):
    """By somebody who is not root, whom file modes do not stop."""
    top = tmp_path_factory.mktemp("denied")
    tree = planted("v2-cgroupfs", top / "tree")
    for folder in (top, *(each for each in top.parents if "pytest-of-" in str(each))):
        folder.chmod(0o755)
    (tree / "sys" / "docker" / ID).chmod(0)
    try:
        output = subprocess.run(
            [sys.executable, "-c", DENIED, str(tree), ID, LIMITED], check=True, capture_output=True, text=True
        )
    finally:
        (tree / "sys" / "docker" / ID).chmod(0o755)

    assert output.stdout.strip() == str({LIMITED[:4]: 17039360})


# And all of it for weeks.


def both_collectors(docker, clock, tree):
    watcher = Watcher(docker, clock, required=True, proc=tree / "proc")
    engine_stats = EngineStats(docker, clock)
    meter, labels = Meter(Cgroups(clock, tree / "sys", tree / "proc"), engine_stats), LabelCache()
    look = Together(watcher.look)
    quick = ContainersCollector(look, meter, labels)
    return watcher, engine_stats, quick, ContainerResourcesCollector(look, meter, labels)


def kept(*objects):
    """How much every collection in these holds, by object and name; what those are made of included."""
    found = {}
    for each in objects:
        for name, value in vars(each).items():
            if isinstance(value, (dict, set, list, tuple)) and value:
                found[type(each).__name__, name] = len(value)
    return found


async def test_nothing_is_kept_of_a_thousand_containers_that_came_and_went(docker, clock, make, tmp_path):
    tree = tmp_path / "tree"
    (tree / "sys").mkdir(parents=True)
    (tree / "sys" / "cgroup.controllers").write_text("memory\n")
    watcher, engine_stats, *collectors = both_collectors(docker, clock, tree)
    meter = collectors[0].meter
    parts = (
        watcher,
        watcher._roster,
        watcher._lives,
        engine_stats,
        meter.cgroups,
        meter.cgroups._finder,
        collectors[0].label_cache,
    )
    at_start = kept(*parts)
    async with contextlib.AsyncExitStack() as stack:
        for run in (watcher.run(), engine_stats.run()):
            task = asyncio.create_task(run)
            stack.callback(task.cancel)
        await clock.settle()
        for number in range(1000):
            container = make(f"shop-web-{number}", pid=10_000 + number, health="unhealthy" if number % 3 else "none")
            arrive(tree, container, is_found=number % 7 != 0)
            docker.put(container)
            docker.tell(container, "start", clock.now())
            await asyncio.sleep(0)
            if number % 50 == 0:
                await clock.advance(POLL_S)
                for collector in collectors:
                    await collector.collect()
            docker.remove(container)
            leave(tree, container)
            if number % 5:  # one in five goes without a word
                docker.tell(container, "destroy", clock.now())
        await clock.advance(10 * REFRESH_S)
        for collector in collectors:
            assert await collector.collect() is not None

        assert kept(*parts) == at_start


def arrive(tree, container, *, is_found):
    process = tree / "proc" / str(container.pid)
    process.mkdir(parents=True)
    (process / "cgroup").write_text(f"0::/docker/{container.id}\n")
    (process / "stat").write_text(f"{container.pid} (x) S {'0 ' * 18}7 0 0\n")
    if is_found:
        folder = tree / "sys" / "docker" / container.id
        folder.mkdir(parents=True)
        (folder / "memory.current").write_text("1\n")


def leave(tree, container):
    shutil.rmtree(tree / "proc" / str(container.pid))
    shutil.rmtree(tree / "sys" / "docker" / container.id, ignore_errors=True)


async def test_three_hundred_containers_are_served_within_the_deadline(docker, clock, make, tmp_path):
    tree = planted("v2-cgroupfs", tmp_path / "tree")
    for number in range(300):
        container = docker.put(make(f"shop-web-{number}", pid=10_000 + number))
        folder = tree / "sys" / "docker" / container.id
        shutil.copytree(tree / "sys" / "docker" / ID, folder)
        (folder / "cgroup.procs").write_text(f"{container.pid}\n")
        process = tree / "proc" / str(container.pid)
        shutil.copytree(tree / "proc" / "4711", process)
        (process / "cgroup").write_text(f"0::/docker/{container.id}\n")
        (process / "stat").write_text(f"{container.pid} (x) S {'0 ' * 18}7 0 0\n")
    watcher, _, *collectors = both_collectors(docker, clock, tree)
    task = asyncio.create_task(watcher.run())
    await clock.settle()
    start = time.perf_counter()
    families = [family for collector in collectors for family in await collector.collect()]
    page = render(families).decode()
    took_s = time.perf_counter() - start
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task

    assert page.count("homeostat_container_memory_anon_bytes{") == 300
    assert page.count("homeostat_container_worst_fd_ratio{") == 300
    assert took_s < TIMEOUT_S


def test_samples_without_anything_are_no_samples(clock, tmp_path):
    (tmp_path / "docker" / ID).mkdir(parents=True)
    (tmp_path / "cgroup.controllers").write_text("\n")

    assert Cgroups(clock, tmp_path, tmp_path).sample_all([(ID, 1)]) == {}
