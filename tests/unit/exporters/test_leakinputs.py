"""What is read for leaks: real units against real limits, and nothing where something is not told."""

import asyncio
import contextlib
import dataclasses
import math
import os
import subprocess
import sys

import pytest
from cgrouptrees import ID, LIMITED, planted
from fakes.guardian import FakeGuardian, FakeProcess
from fakes.host import host, tree

from exporters.catalog import Entry
from exporters.cgroups import Cgroups, CgroupSample, ResourceSample
from exporters.cgroups.samples import CgroupDetail, Memory, Processes
from exporters.enginestats import EngineStats
from exporters.leakinputs import Bound, Containers, Databases, HostLimits, Level, Resource, SeriesKey
from exporters.leakinputs import Processes as Supervised
from exporters.leakinputs.containers import Measured, fds, memory, readings, threads
from exporters.leakinputs.databases import connections
from exporters.leakinputs.hostlimits import Limits
from exporters.leakinputs.processes import Measured as MeasuredProcess
from exporters.leakinputs.processes import fds as process_fds
from exporters.leakinputs.processes import memory as process_memory
from exporters.leakinputs.reading import level
from exporters.leaks.assessment import Sample
from exporters.machine import Sessions
from exporters.meter import Meter
from exporters.probing import Prober, new_session
from exporters.processgroups import GroupSample
from exporters.processtable import LinuxTable
from exporters.together import Together
from exporters.watch import Seen
from homeostat.errors import Temporary, Unreachable
from homeostat.guardian_client import GuardianClient, ProcessStatus
from homeostat.probes import ProbeContext, ProbeResult
from homeostat.probes.model import PostgresMeasured, RedisMeasured
from homeostat.workloads import Kind, ProbeSpec, Workload

MIB = 2**20
HOST = Limits(memory_free=1000 * MIB, threads=5000)
SAMPLE = CgroupSample(
    anon=30 * MIB, shmem=2 * MIB, usage=90 * MIB, limit=64 * MIB, oom_kills=0, cpu_seconds=7.5, pids=12
)
RESOURCES = ResourceSample(
    CgroupDetail(memory=Memory(kernel=MIB), pids_limit=100),
    Processes(2, 11, open_fds=50, worst_fds=40, worst_fd_limit=64),
)


async def told_host():
    return HOST


def yes():
    return True


# --- A level


@pytest.mark.parametrize(
    ("value", "limit", "host_limit", "expected"),
    [
        (5, 10, 20, Level(5, 10, Bound.CGROUP)),
        (5, 0, 20, Level(5, 20, Bound.HOST)),
        (5, None, 20, Level(5, 20, Bound.HOST)),
        (0, 10, None, Level(0, 10, Bound.CGROUP)),
        (5, 0, None, None),
        (5, None, 0, None),
        (None, 10, 20, None),
        (-1, 10, 20, None),
        (math.nan, 10, 20, None),
        (math.inf, 10, 20, None),
        (5, math.inf, 20, None),
    ],
)
def test_a_level_has_a_number_and_a_limit(value, limit, host_limit, expected):
    assert level(value, limit, Bound.CGROUP, host_limit) == expected


# --- Containers


@pytest.fixture
def full(make):
    return Measured(make(), SAMPLE, RESOURCES, HOST)


def test_a_container_tells_of_memory_files_and_threads(full):
    assert {reading.key.resource: (reading.sample, reading.bound) for reading in readings(full, 70.0)} == {
        Resource.MEMORY: (Sample(70.0, 33 * MIB, 64 * MIB, full.container.started_at, 7.5), Bound.CGROUP),
        Resource.FDS: (Sample(70.0, 40, 64, full.container.started_at, 7.5), Bound.RLIMIT),
        Resource.THREADS: (Sample(70.0, 12, 100, full.container.started_at, 7.5), Bound.CGROUP),
    }
    assert {(r.key.workload, r.key.container) for r in readings(full, 70.0)} == {("shop/web", "shop-web-1")}


def without(measured, **values):
    """The same, of which something else is told."""
    return dataclasses.replace(measured, sample=dataclasses.replace(measured.sample, **values))


def test_page_cache_is_no_leak(full):
    assert memory(without(full, usage=10**12)) == memory(full)


def test_what_the_kernel_does_not_tell_of_memory_is_left_out(full):
    v1 = dataclasses.replace(without(full, shmem=None), resources=ResourceSample())

    assert memory(v1) == Level(30 * MIB, 64 * MIB, Bound.CGROUP)


def test_memory_that_is_not_told_is_not_0(full):
    assert memory(without(full, anon=None)) is None


def test_a_limit_that_only_the_engine_knows_counts(full, make):
    engines = dataclasses.replace(without(full, limit=None), container=make(memory_limit=128 * MIB))

    assert memory(engines) == Level(33 * MIB, 128 * MIB, Bound.CGROUP)


def test_without_limits_the_machine_is_the_limit(full):
    free = dataclasses.replace(
        without(full, limit=0), resources=ResourceSample(CgroupDetail(pids_limit=0), RESOURCES.processes)
    )

    assert memory(free) == Level(32 * MIB, 1032 * MIB, Bound.HOST)
    assert threads(free) == Level(12, 5000, Bound.HOST)
    assert threads(dataclasses.replace(free, host=Limits())) is None


@pytest.mark.parametrize("held", [Processes(), Processes(2, 11), Processes(2, 11, 50, 40, 0)])
def test_files_that_may_not_be_seen_or_have_no_limit_are_no_reading(full, held):
    assert fds(dataclasses.replace(full, resources=ResourceSample(processes=held))) is None


def looking(*found):
    async def look():
        return [Seen(container, container.is_running, False, 0) for container in found]

    return Together(look)


@pytest.fixture
def planted_tree(tmp_path):
    return planted("v2-systemd", tmp_path / "tree")


def containers(tree_, clock, *found):
    meter = Meter(Cgroups(clock, tree_ / "sys", tree_ / "proc"), None)
    return Containers(yes, looking(*found), meter, told_host, clock)


def by_series(found):
    """{(container, resource): (value, limit, bound)}."""
    return {(r.key.container, r.key.resource): (r.sample.value, r.sample.limit, r.bound) for r in found}


async def test_containers_are_read_from_their_cgroups(planted_tree, clock, make):
    free, limited = make(id=ID, pid=4711), make("shop-db-1", id=LIMITED, pid=4712)
    found = by_series(await containers(planted_tree, clock, free, limited).read())

    assert found == {
        ("shop-web-1", "memory"): (3047424 + 147456 + 188416, 3047424 + 147456 + 188416 + 1000 * MIB, Bound.HOST),
        ("shop-web-1", "fds"): (8, 16, Bound.RLIMIT),
        ("shop-web-1", "threads"): (6, 5000, Bound.HOST),
        ("shop-db-1", "memory"): (3047424 + 147456 + 188416, 67108864, Bound.CGROUP),
        ("shop-db-1", "fds"): (2, 1024, Bound.RLIMIT),
        ("shop-db-1", "threads"): (6, 100, Bound.CGROUP),
    }


async def test_what_does_not_run_is_not_read(planted_tree, clock, make):
    ended, gone = make(id=ID, pid=0, status="exited"), make("shop-db-1", id="f" * 64, pid=9999)

    assert await containers(planted_tree, clock, ended, gone).read() == []


async def test_of_an_engine_that_is_not_wanted_nothing_is_asked(planted_tree, clock, make):
    async def never():
        raise AssertionError

    source = dataclasses.replace(
        containers(planted_tree, clock), is_wanted=lambda: False, look=Together(never), host=never
    )

    assert await source.read() == []


async def test_an_engine_that_does_not_answer_is_an_error(planted_tree, clock):
    async def silent():
        raise Unreachable("the Docker Engine has not answered for 50 s")

    with pytest.raises(Unreachable):
        await dataclasses.replace(containers(planted_tree, clock), look=Together(silent)).read()


async def test_a_container_of_which_a_part_is_missing_is_no_reading(planted_tree, clock, make):
    """The sum would be smaller than before, which looks as if something had been given back."""
    source = containers(planted_tree, clock, make(id=ID, pid=4711))
    await clock.advance(60)
    for file in ("io.stat", "cpu.max", "cpu.stat", "pids.max", "memory.swap.current", "cpu.pressure"):
        for place in planted_tree.glob(f"sys/**/docker-{ID}.scope/{file}"):
            place.unlink()
    for file in ("memory.pressure", "io.pressure"):
        for place in planted_tree.glob(f"sys/**/docker-{ID}.scope/{file}"):
            place.unlink()

    assert await source.read() == []


async def test_what_the_engine_measures_stands_in(tmp_path, clock, docker, make):
    """Docker Desktop: no cgroup is to be found from here."""
    from homeostat.containers import ContainerStats

    web = docker.put(make(memory_limit=64 * MIB))
    stats = dict.fromkeys((field.name for field in dataclasses.fields(ContainerStats)), None)
    told = {"memory": {"anon": 30 * MIB, "shmem": 0}, "networks": (), "pids": 12, "pids_limit": 100, "cpu_seconds": 2.0}
    docker.stats_of[web.id] = ContainerStats(**stats | told)
    meter = Meter(Cgroups(clock, tmp_path, tmp_path), EngineStats(docker, clock))
    source = Containers(yes, looking(web), meter, told_host, clock)
    assert await source.read() == []
    await meter.engine_stats._refresh()

    assert by_series(await source.read()) == {
        ("shop-web-1", "memory"): (30 * MIB, 64 * MIB, Bound.CGROUP),
        ("shop-web-1", "threads"): (12, 100, Bound.CGROUP),
    }


# --- Supervised processes

STATUS = ProcessStatus("api", "local/api", "running", 4711, None, 0, 5.0, 50 * MIB, 7.0, 9, None, False, False, None)
SESSION = GroupSample(2, {}, 7.0, 0, 0, 48 * MIB, 30 * MIB, 6, 20, 0.25, 5.0)
PROCESS = MeasuredProcess(STATUS, SESSION, 64.0, HOST)


def test_a_process_is_held_to_its_own_limit_else_to_the_machine():
    limited = dataclasses.replace(PROCESS, status=dataclasses.replace(STATUS, memory_limit_bytes=100 * MIB))

    assert process_memory(PROCESS) == Level(30 * MIB, 1030 * MIB, Bound.HOST)
    assert process_memory(limited) == Level(30 * MIB, 100 * MIB, Bound.SETTINGS)


def test_where_anonymous_memory_is_not_told_the_resident_is_read():
    assert process_memory(dataclasses.replace(PROCESS, session=None)).value == 50 * MIB


def test_files_are_those_of_the_process_that_is_nearest_to_its_limit():
    assert process_fds(PROCESS) == Level(16, 64, Bound.RLIMIT)


@pytest.mark.parametrize(
    "hidden", [{"file_limit": None}, {"session": None}, {"session": dataclasses.replace(SESSION, worst_fd_ratio=None)}]
)
def test_files_that_are_not_told_are_no_reading(hidden):
    assert process_fds(dataclasses.replace(PROCESS, **hidden)) is None


@pytest.fixture
async def guardian(tmp_path):
    guardian = FakeGuardian()
    await guardian.start(tmp_path / "g.sock")
    yield guardian
    await guardian.stop()


def supervised(tmp_path, clock, wanted=yes):
    client = GuardianClient(tmp_path / "g.sock")
    return Supervised(wanted, client.processes, Sessions(LinuxTable()), told_host, clock)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
async def test_a_real_process_tells_of_memory_files_and_threads(guardian, tmp_path, clock):
    program = (
        "import resource, threading, time\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))\n"
        "held = [open('/dev/null') for _ in range(30)]\n"
        "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
        "big = bytearray(b'x') * (32 << 20)\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True, text=True) as process:
        process.stdout.readline()
        guardian.processes["api"] = FakeProcess("api", pid=process.pid, started_at=5.0)
        guardian.processes["old"] = FakeProcess("old", pid=0, state="exited")
        found = await supervised(tmp_path, clock).read()
        process.kill()

    assert {(r.key.workload, r.key.container) for r in found} == {("local/api", "")}
    assert {r.sample.started_at for r in found} == {5.0}
    values = {resource: (value, limit, bound) for (_, resource), (value, limit, bound) in by_series(found).items()}
    assert 32 * MIB < values["memory"][0] < 64 * MIB
    assert values["memory"][1:] == (values["memory"][0] + 1000 * MIB, Bound.HOST)
    assert (round(values["fds"][0]), *values["fds"][1:]) == (33, 100, Bound.RLIMIT)
    assert values["threads"] == (2, 5000, Bound.HOST)


async def test_a_session_in_which_nobody_is_leaves_what_the_guardian_tells(guardian, tmp_path, clock):
    guardian.processes["api"] = FakeProcess("api", pid=2**22 + 1)
    found = await supervised(tmp_path, clock).read()

    assert by_series(found) == {("", "memory"): (1, 1 + 1000 * MIB, Bound.HOST)}


async def test_where_no_guardian_is_to_be_nobody_is_asked(tmp_path, clock):
    assert await supervised(tmp_path, clock, wanted=lambda: False).read() == []
    with pytest.raises(Unreachable):
        await supervised(tmp_path, clock).read()


# --- Databases


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        (PostgresMeasured({"idle": 7, "active": 3}, 97, None, 0), Level(10, 97, Bound.SERVER)),
        (RedisMeasured(clients=3, clients_max=100), Level(3, 100, Bound.SERVER)),
        (RedisMeasured(clients=3), None),
        (RedisMeasured(clients_max=100), None),
        (None, None),
    ],
)
def test_connections_are_held_to_what_the_server_allows(measured, expected):
    assert connections(measured) == expected


class Measuring:
    """Opens probes that measure what ``answers`` has for their target."""

    def __init__(self, answers):
        self.answers = answers

    def __call__(self, spec, _context):
        return MeasuringProbe(self.answers, spec.target)


class MeasuringProbe:
    def __init__(self, answers, target):
        self.answers = answers
        self.target = target

    async def check(self):
        return self.answers[self.target]

    async def close(self):
        pass


@contextlib.asynccontextmanager
async def probing(clock, answers, *probes, workload="shop/db"):
    entries = (Entry(Workload(workload, Kind.CONTAINER, enabled=True, probes=probes), ()),)
    async with new_session() as session:
        prober = Prober(lambda: entries, ProbeContext(session, clock), Measuring(answers))
        task = asyncio.create_task(prober.run())
        await clock.advance(3)
        yield prober
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def good(measured):
    return ProbeResult(True, "", 0.1, measured)


POSTGRES = ProbeSpec("postgres", "127.0.0.1:5432/shop", 2.0, 1.0)
REDIS = ProbeSpec("redis", "127.0.0.1:6379", 2.0, 1.0)
HTTP = ProbeSpec("http", "http://127.0.0.1/", 2.0, 1.0)
MEASURED = {
    POSTGRES.target: good(PostgresMeasured({"idle": 7}, 97, None, 0)),
    REDIS.target: good(RedisMeasured(clients=3, clients_max=100)),
    HTTP.target: ProbeResult(True, "", 0.1),
}


async def test_connections_of_a_database_count_for_the_workload_of_the_probe(clock):
    async with probing(clock, MEASURED, HTTP, REDIS) as prober:
        (reading,) = await Databases(prober).read()
        (observed,) = (each for each in prober.observations().values() if each.spec.kind == "redis")

    assert reading.key == SeriesKey("shop/db", "", Resource.CONNECTIONS)
    assert reading.sample == Sample(observed.at, 3, 100)
    assert reading.bound is Bound.SERVER


async def test_a_check_that_was_not_good_is_no_reading(clock):
    async with probing(clock, {REDIS.target: ProbeResult(False, "refused", 0.1)}, REDIS) as prober:
        assert await Databases(prober).read() == []


async def test_of_two_databases_of_one_workload_it_is_always_the_same_one(clock):
    answers = dict(MEASURED)
    async with probing(clock, answers, REDIS, POSTGRES) as prober:
        first = await Databases(prober).read()
        answers[POSTGRES.target] = ProbeResult(False, "refused", 0.1)
        await clock.advance(3)
        then = await Databases(prober).read()

    assert [reading.sample.value for reading in first] == [7]
    assert then == []


async def test_probes_that_stand_still_are_an_error(clock):
    async with probing(clock, MEASURED, REDIS) as prober:
        clock.elapsed += 1000

        with pytest.raises(Temporary):
            await Databases(prober).read()


# --- The machine


async def test_the_machine_is_asked_once_in_a_while(tmp_path, clock):
    root = tree(tmp_path, "vm")
    limits = HostLimits(host(root), clock)
    first = await limits()
    (root / "proc" / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable: 0 kB\n")
    assert await limits() is first
    await clock.advance(61)

    assert first.memory_free > 2**28
    assert first.threads > 1000
    # What others need for a minute does not move it much.
    assert (await limits()).memory_free == pytest.approx(0.8 * first.memory_free)


def test_one_without_a_limit_is_held_to_what_it_uses_and_what_is_free():
    assert Limits(memory_free=100.0).memory(30.0) == 130.0
    assert Limits().memory(30.0) is None


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_soft_limits_of_files_are_those_of_the_process():
    import resource

    from exporters.leakinputs.processes import file_limits

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)

    assert file_limits([os.getpid(), 2**22 + 1]) == {os.getpid(): soft}
