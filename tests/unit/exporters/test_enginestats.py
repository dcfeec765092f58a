"""Containers that cannot be measured from here are measured by their engine, in the background."""

import asyncio
import contextlib
import dataclasses
import json
from pathlib import Path

import pytest
from cgrouptrees import ID, LIMITED, planted
from structlog.testing import capture_logs

from exporters.cgroups import Cgroups, CgroupSample
from exporters.cgroups.samples import CgroupDetail, Cpu, Io, Memory, ResourceSample
from exporters.enginestats import REFRESH_S, STALE_S, EngineStats, resources_of, sample_of
from exporters.meter import Meter
from homeostat.containerinfo import NetworkCounters
from homeostat.errors import NotSupported
from homeostat.statsjson import stats

DATA = Path(__file__).parents[2] / "data" / "docker"
ETH0 = NetworkCounters("eth0", 736000, 800, 3, 51200, 400, 3)


def told(name):
    return stats(json.loads((DATA / f"stats-{name}.json").read_text()))


@pytest.fixture
async def engine_stats(docker, clock):
    """Running."""
    found = EngineStats(docker, clock)
    task = asyncio.create_task(found.run())
    await clock.settle()
    yield found
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_who_is_asked_for_is_measured_from_the_next_round_on(engine_stats, docker, clock):
    docker.stats_of[ID] = told("v2")
    assert engine_stats.latest([ID]) == {}
    await clock.advance(REFRESH_S)

    assert engine_stats.latest([ID])[ID].sample == CgroupSample(3047424, 147456, 17039360, None, None, 0.048554, 6)


async def test_nobody_is_measured_whom_nobody_asks_for(engine_stats, docker, clock):
    docker.stats_of[ID] = told("v2")
    await clock.advance(10 * REFRESH_S)
    assert docker.measured == []
    engine_stats.latest([ID])
    await clock.advance(20 * REFRESH_S)

    assert 1 <= len(docker.measured) <= 4
    assert not (engine_stats._asked_at or engine_stats._last)


async def test_stale_samples_are_dropped(engine_stats, docker, clock):
    docker.stats_of[ID] = told("v2")
    engine_stats.latest([ID])
    await clock.advance(REFRESH_S)
    docker.is_down = True
    for _ in range(3):
        await clock.advance(STALE_S / 3 - 0.1)
        assert engine_stats.latest([ID]).keys() == {ID}
    await clock.advance(1)

    assert engine_stats.latest([ID]) == {}


async def test_few_are_measured_at_once(engine_stats, docker, clock):
    ids = [f"{number:064x}" for number in range(100)]
    docker.stats_of = dict.fromkeys(ids, told("v2"))
    engine_stats.latest(ids)
    await clock.advance(REFRESH_S)

    assert len(engine_stats.latest(ids)) == 100
    assert 1 < docker.most_measuring <= 8


async def test_a_hung_engine_costs_one_round_and_is_told_once(engine_stats, docker, clock, monkeypatch):
    monkeypatch.setattr("exporters.enginestats._CALL_TIMEOUT_S", 0.02)
    monkeypatch.setattr("exporters.enginestats._ROUND_S", 0.1)
    ids = [f"{number:064x}" for number in range(100)]
    docker.is_hung = True
    with capture_logs() as logs:
        for _ in range(3):
            engine_stats.latest(ids)
            await clock.advance(REFRESH_S)
            await asyncio.sleep(0.2)

    assert [entry["event"] for entry in logs] == ["containers.not_measured"]
    assert len(docker.measured) < 100


async def test_a_round_that_is_cut_off_begins_with_those_it_missed(engine_stats, docker, clock):
    ids = [f"{number:064x}" for number in range(10)]
    docker.stats_of = dict.fromkeys(ids, told("v2"))
    engine_stats.latest(ids[:9])
    await clock.advance(REFRESH_S)
    docker.measured.clear()
    engine_stats.latest(ids)
    await clock.advance(REFRESH_S)

    assert docker.measured[0] == ids[9]


async def test_an_engine_that_cannot_is_told_of_once_and_again_when_it_is_back_and_fails(engine_stats, docker, clock):
    docker.stats_of[ID] = told("v2")
    with capture_logs() as logs:
        for is_down in (True, True, False, True):
            docker.is_down = is_down
            engine_stats.latest([ID])
            await clock.advance(REFRESH_S)

    assert [entry["event"] for entry in logs] == ["containers.not_measured"] * 2


async def test_an_engine_too_old_is_told_with_the_reason(engine_stats, docker, clock, monkeypatch):
    async def refuse(_container_id, _timeout_s):
        raise NotSupported("the Docker Engine's API is older than 1.41")

    monkeypatch.setattr(docker, "stats", refuse)
    with capture_logs() as logs:
        engine_stats.latest([ID])
        await clock.advance(3 * REFRESH_S)

    assert [(entry["count"], entry["reason"]) for entry in logs] == [(1, "the Docker Engine's API is older than 1.41")]


@pytest.mark.parametrize(
    ("name", "sample", "detail"),
    [
        (
            "v2",
            CgroupSample(3047424, 147456, 17039360, None, None, 0.048554, 6),
            CgroupDetail(
                Cpu(None, 120, 30, 1.5),
                Memory(file=12853248, kernel=188416, working_set=4456448),
                Io(4097000, 10192, None, None),
                pids_limit=0,
            ),
        ),
        (
            "v1",
            CgroupSample(3047424, None, 17039360, None, None, 0.048554, 6),
            CgroupDetail(
                memory=Memory(file=12853248, working_set=4456448, max_events=5),
                io=Io(4096000, 8192, 100, 2),
                pids_limit=100,
            ),
        ),
        (
            "windows",
            CgroupSample(3047424, None, 17039360, None, None, 0.048554, None),
            CgroupDetail(io=Io(4097000, 10192, 101, 3)),
        ),
        (
            "podman",
            CgroupSample(None, None, 17039360, None, None, 0.048554, 6),
            CgroupDetail(io=Io(4096000, 8192, None, None)),
        ),
    ],
)
def test_what_an_engine_tells_means_the_same_as_what_cgroups_tell(name, sample, detail):
    ethernet = dataclasses.replace(ETH0, interface="Ethernet" if name == "windows" else "eth0")

    assert sample_of(told(name)) == sample
    assert resources_of(told(name)) == ResourceSample(detail, networks=(ethernet,))


async def test_cgroups_come_first_and_the_engine_fills_the_gaps(engine_stats, docker, clock, make, tmp_path):
    tree = planted("v2-systemd", tmp_path / "tree")
    meter = Meter(Cgroups(clock, tree / "sys", tree / "proc"), engine_stats)
    lost = "a" * 64
    docker.stats_of = {lost: told("v1"), ID: told("windows"), LIMITED: told("windows")}
    running = [make(id=ID, pid=4711), make("shop-db-1", id=LIMITED, pid=4712), make("shop-far-1", id=lost, pid=4713)]
    assert (await meter.samples(running)).keys() == {ID, LIMITED}
    await clock.advance(REFRESH_S)
    samples, resources = await meter.samples(running), await meter.resources(running)

    assert docker.measured == [lost]
    assert samples[lost] == sample_of(told("v1"))
    assert resources[lost] == resources_of(told("v1"))
    assert samples[ID].shmem == 147456
    assert resources[LIMITED].cgroup.pids_limit == 100


async def test_where_neither_tells_nothing_is_told(docker, clock, make, tmp_path):
    meter = Meter(Cgroups(clock, tmp_path, tmp_path), EngineStats(docker, clock))

    assert (await meter.samples([make()]), await meter.resources([make()])) == ({}, {})
