"""Who belongs to a process's tree, and that all of it ends, and nothing else."""

import os

import pytest
from fakes.clock import FakeClock
from fakes.processes import FakeProcesses, row

from homeostat.processes import ProcessId
from homeostat.processtrees import end_tree, tree_of

ROOT = ProcessId(10, 10.0)


def pids(found: set[ProcessId]) -> list[int]:
    return sorted(process.pid for process in found)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([row(10), row(11, 10), row(12, 11), row(20)], [10, 11, 12], id="descendants"),
        pytest.param([row(10, session=10), row(11, 1, session=10)], [10, 11], id="orphan of its session"),
        pytest.param([row(10, session=10), row(11, 10, session=11)], [10, 11], id="child with a session of its own"),
        pytest.param([row(11, 1, session=10), row(12, 11, session=12)], [11, 12], id="session without its leader"),
        pytest.param([row(10, start=99.0), row(11, 10, start=100.0)], [], id="recycled pid of the root"),
        pytest.param([row(10), row(11, 10, start=5.0)], [10], id="older than its parent: ppid recycled"),
        pytest.param([row(10, is_zombie=True), row(11, 10)], [11], id="zombie root"),
        pytest.param([], [], id="nothing"),
    ],
)
def test_tree(rows, expected):
    assert pids(tree_of(ROOT, FakeProcesses.of(*rows).rows())) == expected


async def test_an_obedient_tree_is_asked_and_not_forced():
    processes = FakeProcesses.of(row(10), row(11, 10), row(20))

    survivors = await end_tree(ROOT, 10.0, FakeClock(), processes)

    assert (survivors, sorted(processes.ended), sorted(processes.table)) == (set(), [(10, False), (11, False)], [20])


async def test_what_ignores_sigterm_is_forced_after_the_grace():
    processes = FakeProcesses.of(row(10), row(11, 10, session=11))
    processes.deaf = {11}
    clock = FakeClock()
    start = clock.monotonic()

    survivors = await end_tree(ROOT, 3.0, clock, processes)

    assert (survivors, processes.table) == (set(), {})
    assert (11, True) in processes.ended and (10, True) not in processes.ended
    assert 3.0 <= clock.monotonic() - start < 3.5


async def test_a_child_that_moved_away_is_ended_though_its_parent_is_gone_first():
    processes = FakeProcesses.of(row(10, session=10), row(11, 10, session=11), row(12, 11, session=12))
    processes.deaf = {12}

    await end_tree(ROOT, 1.0, FakeClock(), processes)

    assert processes.table == {}


async def test_a_child_started_while_ending_is_ended_too():
    processes = FakeProcesses.of(row(10, session=10))
    processes.forks = {10: row(11, 10, session=10)}

    await end_tree(ROOT, 1.0, FakeClock(), processes)

    assert processes.table == {}


async def test_what_is_known_to_belong_is_ended_with_its_children():
    processes = FakeProcesses.of(row(10, session=10), row(30, 1, session=30), row(31, 30, session=30))

    await end_tree(ROOT, 1.0, FakeClock(), processes, also={ProcessId(30, 30.0)})

    assert processes.table == {}


async def test_a_recycled_pid_is_never_signalled():
    processes = FakeProcesses.of(row(10, start=99.0), row(30, start=99.0))

    await end_tree(ROOT, 1.0, FakeClock(), processes, also={ProcessId(30, 30.0)})

    assert processes.ended == []


async def test_what_outlives_sigkill_is_told():
    processes = FakeProcesses.of(row(10))
    processes.deaf = processes.stuck = {10}
    clock = FakeClock()
    start = clock.monotonic()

    survivors = await end_tree(ROOT, 1.0, clock, processes)

    assert (survivors, clock.monotonic() - start < 3.0) == ({ROOT}, True)


async def test_nobody_is_asked_where_nobody_can_be():
    processes = FakeProcesses.of(row(10), row(11, 10))
    processes.can_ask = False
    clock = FakeClock()

    await end_tree(ROOT, 10.0, clock, processes)

    assert (sorted(processes.ended), clock.slept) == ([(10, True), (11, True)], [])


async def test_we_never_end_ourselves():
    us = os.getpid()
    processes = FakeProcesses.of(row(10), row(us, 10, start=11.0), row(12, us, start=12.0))

    await end_tree(ROOT, 1.0, FakeClock(), processes)

    assert list(processes.table) == [us]
