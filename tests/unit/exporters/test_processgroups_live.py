"""Groups of real processes that the test starts: renamed, exec'd, ended, out of descriptors."""

import asyncio
import contextlib
import os
import re
import subprocess
import sys
import time
import uuid

import pytest
from blockbuster import blockbuster_ctx

from exporters import machine
from exporters.collectors.process_groups import ProcessGroupsCollector
from exporters.processgroups import ProcessGroups
from exporters.processtable import LinuxTable, State
from homeostat.sections import ExporterSettings, ProcessGroup

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc")

#: What a child does: a step, then a word back, for each line that it is sent.
_CHILD = """
import ctypes, os, resource, subprocess, sys, time
def burn(seconds):
    end = time.process_time() + float(seconds)
    while time.process_time() < end: pass
def rename(name): ctypes.CDLL(None).prctl(15, name.encode())
def become(*command): os.execvp(command[0], command)
def hoard(limit, count):
    resource.setrlimit(resource.RLIMIT_NOFILE, (int(limit), int(limit)))
    have = int(os.stat("/proc/self/fd").st_size or len(os.listdir("/proc/self/fd")))
    globals()["kept"] = [os.open("/dev/null", os.O_RDONLY) for _ in range(int(count) - have)]
def forget(name):
    if os.fork() == 0:
        rename(name)
        os._exit(0)
def grow(mb): globals()["big"] = bytearray(os.urandom(1) * (int(mb) << 20))
print("ready", flush=True)
for line in sys.stdin:
    name, *words = line.rstrip("\\n").split("|")
    globals()[name](*words)
    print("done", flush=True)
"""


class Child:
    """``marker`` is in its command line, and in nobody else's."""

    def __init__(self):
        self.marker = f"homeostat-test-{uuid.uuid4().hex}"
        command = [sys.executable, "-c", _CHILD, self.marker]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    @property
    def group(self):
        return ProcessGroup(command=re.escape(self.marker))

    def does(self, *words, answers=True):
        self.process.stdin.write("|".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        if answers:
            assert self.process.stdout.readline() == "done\n"

    def end(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def child():
    """A function that starts children, which end with the test."""
    with contextlib.ExitStack() as stack:

        def start():
            child = Child()
            stack.callback(child.end)
            return child

        yield start


def eventually(groups, name, is_so):
    for _ in range(100):
        if is_so(sample := groups.sample()[name]):
            return sample
        time.sleep(0.05)
    pytest.fail(f"never so: {sample}")


def test_the_cpu_of_a_child_that_ended_stays_counted(child):
    one, two = child(), child()
    both = ProcessGroup(command=f"{one.marker}|{two.marker}")
    groups = ProcessGroups({"both": both}, LinuxTable())
    groups.sample()
    one.does("burn", 0.3)
    two.does("burn", 0.1)
    before = groups.sample()["both"]
    one.end()
    after = groups.sample()["both"]

    assert (before.processes, after.processes) == (2, 1)
    assert before.cpu_seconds == pytest.approx(0.4, abs=0.1)
    assert before.cpu_seconds <= after.cpu_seconds < before.cpu_seconds + 0.05


def test_a_child_that_came_later_is_counted_from_its_start(child):
    groups = ProcessGroups({"python": ProcessGroup(command="homeostat-test-")}, LinuxTable())
    groups.sample()
    late = child()
    late.does("burn", 0.2)

    assert groups.sample()["python"].cpu_seconds >= 0.2


def test_a_child_that_renames_itself_moves_to_the_group_of_its_new_name(child):
    one = child()
    name = "odd (na) me"
    by_name = ProcessGroup(names=(name,))
    groups = ProcessGroups({"named": by_name, "child": one.group}, LinuxTable())
    before = groups.sample()
    one.does("rename", name)
    after = groups.sample()

    assert (before["named"].processes, before["child"].processes) == (0, 1)
    assert (after["named"].processes, after["child"].processes) == (1, 0)


def test_a_child_that_becomes_another_program_moves_too(child):
    one = child()
    seconds = f"{5000 + os.getpid() / 1e6:.6f}"
    sleeper = ProcessGroup(command=f"^sleep {seconds}$")
    groups = ProcessGroups({"sleeper": sleeper, "child": one.group}, LinuxTable())
    for _ in range(3):
        groups.sample()
    one.does("become", "sleep", seconds, answers=False)

    sample = eventually(groups, "sleeper", lambda found: found.processes == 1)
    assert groups.sample()["child"].processes == 0
    assert sample.oldest_start == pytest.approx(time.time(), abs=30)


def test_one_child_near_its_limit_shows_among_others(child):
    children = [child() for _ in range(3)]
    children[1].does("hoard", 64, 60)
    group = ProcessGroup(command="|".join(each.marker for each in children))
    sample = ProcessGroups({"all": group}, LinuxTable()).sample()["all"]

    assert sample.worst_fd_ratio == pytest.approx(60 / 64, abs=0.04)
    assert sample.open_fds >= 60


def test_memory_that_a_child_takes_is_anonymous(child):
    one = child()
    groups = ProcessGroups({"child": one.group}, LinuxTable())
    before = groups.sample()["child"]
    one.does("grow", 64)
    after = groups.sample()["child"]

    assert after.anon_bytes - before.anon_bytes == pytest.approx(64 * 2**20, rel=0.1)
    assert after.resident_bytes - before.resident_bytes == pytest.approx(64 * 2**20, rel=0.1)


def test_a_grandchild_that_nobody_waits_for_is_a_zombie_and_does_not_run(child):
    one = child()
    name = f"zombie-{os.getpid()}"
    groups = ProcessGroups({"dead": ProcessGroup(names=(name,))}, LinuxTable())
    one.does("forget", name)

    sample = eventually(groups, "dead", lambda found: found.states[State.ZOMBIE] == 1)
    assert sample.processes == 0
    assert sample.threads == 0


def test_a_stopped_child_is_told_as_stopped(child):
    one = child()
    groups = ProcessGroups({"child": one.group}, LinuxTable())
    one.process.send_signal(19)

    assert eventually(groups, "child", lambda found: found.states[State.STOPPED] == 1).processes == 1
    one.process.send_signal(18)


async def test_a_scrape_blocks_nothing_and_two_at_once_share_one_scan(child, clock):
    one = child()
    made = machine.connect(ExporterSettings(node_exporter=True, process_groups={"child": one.group}), clock, None)
    collector = ProcessGroupsCollector(made.process_groups)
    with blockbuster_ctx():
        first, second = await asyncio.gather(collector.collect(), collector.collect())

    assert made.host is None
    assert [family.samples for family in first] == [family.samples for family in second]
    found = {family.metric.name: dict(family.samples) for family in first}
    assert found["homeostat_process_group_processes"] == {'{group="child"}': 1}


def test_processes_that_come_and_go_while_they_are_read_do_no_harm():
    groups = ProcessGroups({"true": ProcessGroup(names=("true", "sh"), command="true")}, LinuxTable())
    script = "for i in $(seq 300); do /bin/true; done"
    process = subprocess.Popen(["sh", "-c", script])
    totals = []
    while process.poll() is None:
        totals.append(groups.sample()["true"].cpu_seconds)

    assert len(totals) > 1
    assert totals == sorted(totals)
