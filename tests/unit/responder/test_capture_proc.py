"""What a capture reads from /proc and cgroups: trees of files for every layout, and one process that really hangs."""

import contextlib
import dataclasses
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx
from fakes.capturing import FakeEngine, target, tools
from fakes.containers import container
from fakes.guardian import FakeGuardian
from hypothesis import given
from hypothesis import strategies as st

from homeostat.containerinfo import ContainerProcess
from homeostat.errors import NotFound, NotSupported
from responder.capture import CaptureBounds, capture, memory, processes, sockets
from responder.capture.base import Subject
from responder.capture.cgroup import membership
from responder.capture.logs import tail
from responder.capture.memory import soft_limit
from responder.capture.procfiles import fields, names_in, read
from responder.capture.tcptable import address
from responder.capture.tcptable import sockets as parsed

WEB = dataclasses.replace(container(), pid=4711, network_mode="shop_default")
LIMITS = "Limit Soft Hard Units\nMax processes 10 10 processes\nMax open files            8         64        files\n"
HEADING = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
TCP = HEADING + (
    "   0: 00000000:1F90 00000000:0000 0A 00000000:00000007 00:00000000 00000000     0        0 101 1 0 100 0 0 10 0\n"
    "   1: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 102 1 0 100 0 0 10 0\n"
    "   2: 0100007F:1F90 0100007F:9C40 01 00000000:00000012 00:00000000 00000000     0        0 103 1 0 20 4 30 10 -1\n"
    "   3: 0100007F:1F90 0100007F:9C41 08 00000005:00000000 00:00000000 00000000     0        0 104 1 0 20 4 30 10 -1\n"
    "   4: 0100007F:1F90 0100007F:9C42 06 00000000:00000000 00:00000000 00000000     0        0 0 1 0 20 4 30 10 -1\n"
)
TCP6 = HEADING + (
    "   0: 00000000000000000000000001000000:1F91 00000000000000000000000000000000:0000 0A 00000000:00000002 "
    "00:00000000 00000000     0        0 105 1 0 100 0 0 10 0\n"
)


def write(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def process(proc, pid, *, membership_="", open_files=3, links=(), ppid=1, state="S", rss_pages=10):
    """A process as /proc shows it."""
    stat = f"{pid} (web) {state} {ppid} {pid} {pid} 0 -1 0 0 0 0 0 1 1 0 0 20 0 1 0 5000 0 {rss_pages} 0\n"
    write(
        proc / str(pid),
        {
            "cgroup": membership_,
            "stat": stat,
            "status": "Name:\tweb\nThreads:\t3\nVmRSS:\t   40 kB\nVmHWM:\t   80 kB\n",
            "limits": LIMITS,
            "comm": "web\n",
            "wchan": "futex_wait_queue",
            "net/tcp": TCP,
            "net/tcp6": TCP6,
            "fd/.keep": "",
        },
    )
    (proc / str(pid) / "fd" / ".keep").unlink()
    for number in range(open_files):
        (proc / str(pid) / "fd" / str(number)).symlink_to(links[number] if number < len(links) else "/dev/null")


V1 = (
    f"9:memory:/docker/{WEB.id}\n3:cpu,cpuacct:/docker/{WEB.id}\n0::/docker/{WEB.id}\n",
    f"memory/docker/{WEB.id}",
    {
        "memory.usage_in_bytes": "5000\n",
        "memory.limit_in_bytes": "9223372036854771712\n",
        "memory.stat": "cache 1\nrss 1\ntotal_cache 7\ntotal_rss 4000\n",
        "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
        "memory.failcnt": "12\n",
    },
)
V2 = (
    f"0::/system.slice/docker-{WEB.id}.scope\n",
    f"system.slice/docker-{WEB.id}.scope",
    {
        "memory.current": "5000\n",
        "memory.max": "max\n",
        "memory.stat": "anon 4000\nfile 7\n",
        "memory.events": "low 0\noom 3\noom_kill 2\n",
        "pids.current": "2\n",
    },
)


@pytest.mark.parametrize("layout", [V1, V2], ids=["v1", "v2"])
async def test_memory_and_files_of_a_container_are_read_here(tmp_path, layout):
    told, place, files = layout
    write(tmp_path / "cgroups" / place, {**files, "cgroup.procs": "4711\n4712\n"})
    process(tmp_path / "proc", 4711, membership_=told)
    process(tmp_path / "proc", 4712, membership_=told, open_files=7)
    found = await memory.look(Subject("web", WEB, 0), tools(FakeEngine(), tmp_path), 1.0)

    expected = {"usage_bytes": 5000, "limit_bytes": None, "anon_bytes": 4000, "file_bytes": 7, "oom_kills": 2}
    assert found.data["cgroup"] | expected == found.data["cgroup"]
    assert found.data["process"] == {
        "pid": 4711,
        "rss_bytes": 40960,
        "peak_rss_bytes": 81920,
        "swap_bytes": None,
        "threads": 3,
    }
    assert found.data["open_files"] == {"pid": 4712, "name": "web", "open": 7, "soft_limit": 8}


async def test_a_cgroup_that_is_not_seen_is_asked_of_the_engine(tmp_path):
    process(tmp_path / "proc", 4711, membership_=f"0::/../{WEB.id}\n")
    found = await memory.look(Subject("web", WEB, 0), tools(FakeEngine(), tmp_path), 1.0)

    assert found.data["cgroup"]["usage_bytes"] == 5
    assert found.data["open_files"]["open"] == 3


@pytest.mark.parametrize("source", [memory, sockets])
async def test_a_process_of_another_host_that_has_the_same_number_is_not_believed(tmp_path, source):
    process(tmp_path / "proc", 4711, membership_="0::/user.slice\n")
    subject = Subject("web", WEB, 0)

    if source is sockets:
        with pytest.raises(NotSupported, match="4711 is another one"):
            await source.look(subject, tools(FakeEngine(), tmp_path), 1.0)
    else:
        found = await source.look(subject, tools(FakeEngine(), tmp_path), 1.0)
        assert "4711 is another one" in found.data["process"]["not_there"]


@pytest.mark.parametrize("source", [memory, sockets])
async def test_of_a_container_that_does_not_run_there_is_nothing(tmp_path, source):
    exited = dataclasses.replace(WEB, status="exited", pid=0)

    with pytest.raises(NotFound, match="it does not run: exited"):
        await source.look(Subject("web", exited, 0), tools(FakeEngine(), tmp_path), 1.0)


async def test_sockets_of_a_network_of_its_own_are_counted_and_full_queues_named(tmp_path):
    process(tmp_path / "proc", 4711, membership_=V2[0])
    found = await sockets.look(Subject("web", WEB, 0), tools(FakeEngine(), tmp_path), 1.0)

    assert found.data == {
        "of": "its network",
        "total": 6,
        "states": {"LISTEN": 3, "ESTABLISHED": 1, "CLOSE_WAIT": 1, "TIME_WAIT": 1},
        "unread": 1,
        "unsent": 1,
        "not_accepted": [{"listener": "0.0.0.0:8080", "waiting": 7}, {"listener": "[::1]:8081", "waiting": 2}],
        "is_cut": False,
    }


async def test_of_a_shared_network_only_its_own_sockets_count(tmp_path):
    hosted = dataclasses.replace(WEB, network_mode="host")
    write(tmp_path / "cgroups" / V2[1], {"cgroup.procs": "4711\n"})
    process(tmp_path / "proc", 4711, membership_=V2[0], links=["socket:[101]", "pipe:[7]", "socket:[104]"])
    found = await sockets.look(Subject("web", hosted, 0), tools(FakeEngine(), tmp_path), 1.0)

    assert (found.data["of"], found.data["states"]) == ("its processes", {"LISTEN": 1, "CLOSE_WAIT": 1})


async def test_of_a_shared_network_whose_owners_may_not_be_seen_it_is_said(tmp_path):
    hosted = dataclasses.replace(WEB, network_mode="host")
    process(tmp_path / "proc", 4711, membership_=V2[0], open_files=0)
    (tmp_path / "proc" / "4711" / "fd").rmdir()
    write(tmp_path / "cgroups" / V2[1], {"cgroup.procs": "4711\n"})
    found = await sockets.look(Subject("web", hosted, 0), tools(FakeEngine(), tmp_path), 1.0)

    assert (found.data["total"], found.data["of"]) == (6, "the host: whose they are may not be seen")


async def test_a_table_of_very_many_sockets_is_cut(tmp_path):
    process(tmp_path / "proc", 4711, membership_=V2[0])
    line = TCP.splitlines()[3] + "\n"
    (tmp_path / "proc" / "4711" / "net" / "tcp").write_text(HEADING + line * 20_000)
    found = await sockets.look(Subject("web", WEB, 0), tools(FakeEngine(), tmp_path), 1.0)

    assert found.data["is_cut"] is True
    assert 5000 < found.data["total"] < 15_000


@given(table=st.binary(max_size=300) | st.text("0123456789ABCDEF: \n", max_size=300).map(str.encode))
def test_any_table_is_read_as_far_as_it_can_be(table):
    assert all(each.receive_queue >= 0 for each in parsed(TCP.encode() + table))


@pytest.mark.parametrize("local", ["", ":", "xyz:1", "0100007F", "0100007F:XYZ"])
def test_an_address_that_cannot_be_read_is_shown_as_it_is(local):
    assert address(local) == local


def test_zombies_and_stuck_processes_are_told():
    states = ["S", "Z", "D", "S", "R", "S", "Z"]
    found = processes.summary(
        [ContainerProcess(pid, f"p{pid}", state, pid * 1000, 2, "") for pid, state in enumerate(states)]
    )

    assert (found["count"], found["zombies"], found["stuck"], found["threads"]) == (7, 2, 1, 14)
    assert [(each["pid"], each["state"]) for each in found["worst"]] == [
        (2, "D"),
        (6, "Z"),
        (5, "S"),
        (4, "R"),
        (3, "S"),
    ]


def test_a_tree_has_children_and_zombies_and_nobody_else(tmp_path):
    process(tmp_path, 10)
    process(tmp_path, 11, ppid=10, state="D", rss_pages=5)
    process(tmp_path, 12, ppid=11, state="Z")
    process(tmp_path, 13, ppid=1)
    found = processes.tree(10, tmp_path)

    assert [(each.pid, each.state) for each in found] == [(10, "S"), (11, "D"), (12, "Z")]
    assert (found[1].name, found[1].threads, found[1].waits_in) == ("web", 3, "futex_wait_queue")


async def test_zombies_of_a_container_are_seen_here_and_not_by_its_engine(tmp_path):
    process(tmp_path / "proc", 4711, membership_=V2[0])
    process(tmp_path / "proc", 7, ppid=4711)  # as the engine lists it
    process(tmp_path / "proc", 8, ppid=7, state="Z")
    process(tmp_path / "proc", 9, ppid=1, state="Z")
    here = await processes.look(Subject("web", WEB, 0), tools(FakeEngine(), tmp_path), 1.0)
    elsewhere = await processes.look(Subject("web", WEB, 0), tools(FakeEngine(), tmp_path / "nowhere"), 1.0)

    assert (here.data["count"], here.data["zombies"]) == (2, 1)
    assert (elsewhere.data["count"], elsewhere.data["zombies"]) == (1, None)


def test_what_is_not_there_is_none(tmp_path):
    assert (read(tmp_path / "x"), names_in(tmp_path / "x", 5)) == (None, None)
    assert membership(4711, tmp_path, tmp_path) is None
    assert (fields(None), fields(b"\n\nx\ny 1 2\nz: max\n")) == ({}, {"y": 1})
    assert (soft_limit(b""), soft_limit(b"Max open files unlimited unlimited files")) == (None, None)
    (tmp_path / "large").write_bytes(b"x" * 200_000)
    assert len(read(tmp_path / "large", 1000) or b"") < 140_000


@pytest.mark.parametrize(
    ("files", "most", "kept", "is_whole"),
    [
        ({}, 100, "", True),
        ({"api.log": "a\nb\n"}, 100, "a\nb\n", True),
        ({"api.log": "12345\nabcde\n"}, 7, "abcde\n", False),
        ({"api.log": "new\n", "api.log.1": "old\n"}, 100, "old\nnew\n", True),  # the guardian has just cut it
        ({"api.log": "n" * 90 + "\n", "api.log.1": "old\n"}, 100, "n" * 90 + "\n", True),
        ({"api.log": "x" * 500}, 100, "", False),
    ],
)
def test_of_a_file_the_newest_whole_lines_are_read(tmp_path, files, most, kept, is_whole):
    write(tmp_path, files)

    assert tail(tmp_path / "api.log", most) == (kept, is_whole)


HANGING = """
import os, socket, sys, time
listener = socket.socket()
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen(5)
if os.fork() == 0:
    os._exit(0)  # nobody waits for it
held = [open("/dev/null") for _ in range(40)]
print("listening, password=hunter2x", flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
async def test_a_process_that_really_hangs_is_seen_to_hang(tmp_path, free_port):
    port = free_port()
    log = tmp_path / "logs" / "api.log"
    log.parent.mkdir()
    guardian = FakeGuardian("api")
    await guardian.start(tmp_path / "guardian.sock")
    with contextlib.ExitStack() as held:
        output = held.enter_context(log.open("ab"))
        command = [sys.executable, "-c", HANGING, str(port)]
        child = held.enter_context(subprocess.Popen(command, stdout=output, start_new_session=True))
        held.callback(child.kill)
        guardian.processes["api"].pid = child.pid
        while b"listening" not in (read(log) or b""):
            time.sleep(0.02)
        for _ in range(3):
            held.enter_context(socket.create_connection(("127.0.0.1", port)))
        real = tools(None, tmp_path, proc=Path("/proc"), cgroups=Path("/sys/fs/cgroup"))
        with blockbuster_ctx(scanned_modules=["responder", "homeostat"]):
            evidence = await capture(target(process="api"), real, CaptureBounds())
    await guardian.stop()

    api = evidence["subjects"]["api"]
    assert api["sockets"]["not_accepted"] == [{"listener": f"127.0.0.1:{port}", "waiting": 3}]
    assert (api["processes"]["count"], api["processes"]["zombies"]) == (2, 1)
    assert api["memory"]["open_files"]["open"] >= 44
    assert api["memory"]["process"]["rss_bytes"] > 2**20
    assert api["logs"] == "listening, password=[redacted]"
    assert evidence["seconds"] < 1.0
