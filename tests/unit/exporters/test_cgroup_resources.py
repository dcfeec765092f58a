"""What is read less often: limits, throttling, I/O, pressure, processes and networks."""

import dataclasses
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cgrouptrees import ID, LIMITED, TREES, open_files, planted

from exporters.cgroups import RECENT_S, Cgroups, processes
from exporters.cgroups.network import networks
from exporters.cgroups.parse import blkio, cores, io_stat, limit, pressure, tightest
from exporters.cgroups.samples import CgroupDetail, Cpu, Io, Memory, Pressure, Processes, ResourceSample
from exporters.rawfiles import read
from homeostat.containerinfo import NetworkCounters

ETH0 = NetworkCounters("eth0", 736000, 800, 3, 51200, 400, 3)


def plainly(paths):
    return [read(path) for path in paths]


@pytest.fixture(params=TREES)
def tree(request, tmp_path):
    return planted(request.param, tmp_path / request.param)


@pytest.fixture
def v2(tmp_path):
    return planted("v2-cgroupfs", tmp_path / "v2")


@pytest.fixture
def free(make):
    return make(id=ID, pid=4711)


@pytest.fixture
def limited(make):
    return make("shop-db-1", id=LIMITED, pid=4712)


def expected(tree, *, is_limited):
    """What the recorded trees say; where they differ is written out."""
    is_v1, is_rootless = tree.name == "v1", tree.name == "rootless-v2"
    quota = (0.5, 120, 30, 1.5) if is_limited else (0.0, 0, 0, 0.0)
    detail = CgroupDetail(
        cpu=Cpu() if is_rootless else Cpu(*quota),
        memory=Memory(
            file=12853248,
            kernel=None if is_v1 else 188416,
            working_set=17039360 - 12582912,
            swap=4096,
            high_events=None if is_v1 else 2,
            max_events=5,
            oom_events=None if is_v1 else 1,
        ),
        io=Io() if is_rootless else Io(4097000, 10192, 101, 3),
        pressure=Pressure() if is_v1 else Pressure(1.5, 0.25, 0.2, 3.0, 2.5),
        pids_limit=100 if is_limited else 0,
    )
    held = Processes(1, 6, 2, 2, 1024) if is_limited else Processes(2, 6, 12, 8, 16)
    return ResourceSample(detail, held, (ETH0,))


def test_everything_is_read(tree, clock, free, limited):
    found = Cgroups(clock, tree / "sys", tree / "proc").resources_all([free, limited])

    assert found == {ID: expected(tree, is_limited=False), LIMITED: expected(tree, is_limited=True)}


async def test_memory_that_was_just_read_is_not_read_again(v2, clock, free):
    """memory.stat is the dearest file: the other collector reads it all the time."""
    cgroups = Cgroups(clock, v2 / "sys", v2 / "proc")
    cgroups.sample_all([(ID, 4711)])
    stat = v2 / "sys" / "docker" / ID / "memory.stat"
    stat.write_text(stat.read_text().replace("file 12853248", "file 77"))
    assert cgroups.resources_all([free])[ID].cgroup.memory.file == 12853248
    await clock.advance(RECENT_S + 0.1)

    assert cgroups.resources_all([free])[ID].cgroup.memory.file == 77


def test_memory_of_a_container_that_restarted_is_read_again(v2, clock, free):
    cgroups = Cgroups(clock, v2 / "sys", v2 / "proc")
    cgroups.sample_all([(ID, 4711)])
    shutil.copytree(v2 / "proc" / "4711", v2 / "proc" / "5000")
    (v2 / "sys" / "docker" / ID / "memory.stat").write_text("file 77\n")

    assert cgroups.resources_all([dataclasses.replace(free, pid=5000)])[ID].cgroup.memory.file == 77


@pytest.mark.parametrize("mode", ["host", "container:abc", "ns:/run/netns/a"])
def test_a_network_that_is_not_its_own_is_left_out(v2, clock, free, mode):
    shared = dataclasses.replace(free, network_mode=mode)

    assert Cgroups(clock, v2 / "sys", v2 / "proc").resources_all([shared])[ID].networks == ()


def test_a_pid_that_is_not_in_the_cgroup_is_somebody_elses(v2, clock, make):
    """The engine's pid is of another namespace; here it belongs to a process with another network."""
    (v2 / "proc" / "99" / "net").mkdir(parents=True)
    (v2 / "proc" / "99" / "net" / "dev").write_text("a\nb\n eth9: " + " ".join(["9"] * 16) + "\n")
    found = Cgroups(clock, v2 / "sys", v2 / "proc").resources_all([make(id=ID, pid=99)])[ID]

    assert found.networks == (ETH0,)


def test_processes_that_cannot_be_seen_from_here_are_counted_only(v2, clock, free):
    (v2 / "sys" / "docker" / ID / "cgroup.procs").write_text("0\n0\n0\n")
    found = Cgroups(clock, v2 / "sys", v2 / "proc").resources_all([free])[ID]

    assert (found.processes, found.networks) == (Processes(3, 6), ())


def test_processes_in_cgroups_of_its_own_are_counted(v2, clock, free):
    for name, ids in (("init.scope", "5000\n"), ("system.slice/a.service", "5001\n5002\n")):
        folder = v2 / "sys" / "docker" / ID / name
        folder.mkdir(parents=True)
        (folder / "cgroup.procs").write_text(ids)
        (folder / "cgroup.threads").write_text(ids)
    found = Cgroups(clock, v2 / "sys", v2 / "proc").resources_all([free])[ID]

    assert (found.processes.count, found.processes.threads) == (5, 9)


def test_a_process_that_ends_is_no_trouble(v2, clock, free):
    (v2 / "sys" / "docker" / ID / "cgroup.procs").write_text("4711\n4999\n")
    found = Cgroups(clock, v2 / "sys", v2 / "proc").resources_all([free])[ID]

    assert found.processes == Processes(2, 6, 4, 4, 1024)


def test_a_container_whose_processes_all_end_has_no_open_files_to_tell(v2, clock, free):
    (v2 / "sys" / "docker" / ID / "cgroup.procs").write_text("4999\n")

    assert Cgroups(clock, v2 / "sys", v2 / "proc").resources_all([free])[ID].processes == Processes(1, 6)


def test_the_worst_process_counts_not_the_average(v2, clock, free):
    for pid in range(5000, 5050):
        open_files(v2 / "proc", pid, 1)
        (v2 / "proc" / str(pid) / "limits").write_text("Max open files            1024  4096  files\n")
    procs = v2 / "sys" / "docker" / ID / "cgroup.procs"
    procs.write_text(procs.read_text() + "".join(f"{pid}\n" for pid in range(5000, 5050)))
    found = Cgroups(clock, v2 / "sys", v2 / "proc").resources_all([free])[ID].processes

    assert (found.open_fds, found.worst_fds, found.worst_fd_limit, found.worst_fd_ratio) == (62, 8, 16, 0.5)


def test_no_limit_of_open_files_is_no_share(v2, clock, free):
    for pid in (4711, 4720):
        (v2 / "proc" / str(pid) / "limits").write_text("Max open files            unlimited  unlimited  files\n")
    found = Cgroups(clock, v2 / "sys", v2 / "proc").resources_all([free])[ID].processes

    assert found == Processes(2, 6, 12, 8, 0)
    assert found.worst_fd_ratio == 0.0


def test_thousands_of_processes_cost_no_more_than_hundreds(v2, clock, free):
    pids = range(10_000, 60_000)
    (v2 / "sys" / "docker" / ID / "cgroup.procs").write_text("".join(f"{pid}\n" for pid in pids))
    for pid in pids[:700]:
        open_files(v2 / "proc", pid, 1)
        (v2 / "proc" / str(pid) / "limits").write_text("Max open files            1024  4096  files\n")
    cgroups = Cgroups(clock, v2 / "sys", v2 / "proc")
    start = time.perf_counter()
    found = cgroups.resources_all([free])[ID].processes

    assert time.perf_counter() - start < 0.25
    assert 40_000 < found.count <= 50_000
    assert found.open_fds == processes._MOST_LOOKED_AT


def test_hundreds_of_cgroups_inside_are_not_all_walked(v2, clock, free):
    for number in range(300):
        folder = v2 / "sys" / "docker" / ID / f"{number}.service"
        folder.mkdir()
        (folder / "cgroup.procs").write_text(f"{number + 5000}\n")
    found = Cgroups(clock, v2 / "sys", v2 / "proc").resources_all([free])[ID].processes

    assert found.count == 2 + processes._MOST_FOLDERS - 1


def test_the_kernels_own_count_of_open_files_is_right():
    """Since Linux 6.2 a folder's size; before, a listing. Either must be what there is."""
    reader = processes.ProcessReader("/proc")
    before = reader.sample(processes.Members([os.getpid()], 1), plainly)
    held = [os.open("/dev/null", os.O_RDONLY) for _ in range(20)]
    after = reader.sample(processes.Members([os.getpid()], 1), plainly)
    for descriptor in held:
        os.close(descriptor)

    assert after.open_fds - before.open_fds == 20
    assert after.worst_fd_ratio > before.worst_fd_ratio > 0


LOOK = """
import os, sys
from exporters.cgroups.processes import Members, ProcessReader
from exporters.rawfiles import read
os.setgid(65534); os.setuid(65534)
reader = ProcessReader("/proc")
reader._has_sizes = False
print(reader.sample(Members([int(sys.argv[1]), os.getpid()], 7), lambda paths: [read(path) for path in paths]))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes somebody else")
def test_open_files_that_may_not_be_looked_at_are_not_told():
    output = subprocess.run(
        [sys.executable, "-c", LOOK, str(os.getpid())], check=True, capture_output=True, text=True
    ).stdout

    assert output.strip() == repr(Processes(2, 7))


def net(*names):
    return "Inter-| a\n face | b\n" + "".join(f"{name:>6}: 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n" for name in names)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["lo", "eth0", "eth1"], ["eth0", "eth1"]),
        (["lo", "tunl0", "sit0", "ip6tnl0", "ip_vti0", "gre0", "tap0"], ["tap0"]),
        (["eth0", "docker0", "br-0123456789ab", "veth12ab"], ["eth0"]),  # Docker in Docker
        ([f"eth{number}" for number in range(50)], [f"eth{number}" for number in range(8)]),
        (["lo"], []),
    ],
)
def test_the_interfaces_that_are_told(tmp_path, names, told):
    (tmp_path / "1" / "net").mkdir(parents=True)
    (tmp_path / "1" / "net" / "dev").write_text(net(*names))

    assert [each.interface for each in networks(str(tmp_path), 1)] == told


@pytest.mark.parametrize("content", ["", "a\nb\n", "a\nb\nno colon\n", "a\nb\n eth0: 1 2\n"])
def test_a_network_that_makes_no_sense_says_nothing(tmp_path, content):
    (tmp_path / "1" / "net").mkdir(parents=True)
    (tmp_path / "1" / "net" / "dev").write_text(content)

    assert networks(str(tmp_path), 1) == ()


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"max\n", 0), (b"67108864\n", 67108864), (b"9223372036854771712\n", 0), (b"0\n", 0), (b"", None), (None, None)],
)
def test_no_limit_is_0(content, expected):
    assert limit(content) == expected


@pytest.mark.parametrize(
    ("limits", "expected"), [([0, 5], 5), ([7, 5], 5), ([5, 0], 5), ([0, 0], 0), ([None, 0], 0), ([None, None], None)]
)
def test_the_tightest_limit_counts(limits, expected):
    assert tightest(limits) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"max 100000\n", 0.0),
        (b"50000 100000\n", 0.5),
        (b"400000 100000\n", 4.0),
        (b"5 0\n", 0.0),
        (b"", None),
        (b"max\n", None),
        (None, None),
    ],
)
def test_a_quota_is_told_in_cores(content, expected):
    assert cores(content) == expected


def test_a_device_without_a_number_is_no_trouble():
    assert io_stat(b"8:0 rbytes=x wbytes=2\n8:16\n7:0 rbytes=5\n") == Io(5, 2, 0, 0)
    assert io_stat(b"") == Io(0, 0, 0, 0)
    assert io_stat(None) == Io()
    assert blkio(b"8:0 Read x\n8:0 Write 2\nTotal 2\n8:16 Read 5 6\n") == (0, 2)


@pytest.mark.skipif(not Path("/proc/pressure/cpu").exists(), reason="this kernel has no PSI")
def test_pressure_is_read_as_this_kernel_writes_it():
    cpu, memory, io = (Path(f"/proc/pressure/{name}").read_bytes() for name in ("cpu", "memory", "io"))
    found = pressure(cpu, memory, io)

    assert found.cpu_waiting > 0
    assert None not in (found.memory_waiting, found.memory_stalled, found.io_waiting, found.io_stalled)
    assert found.io_waiting >= found.io_stalled


def test_pressure_that_is_not_told_is_absent():
    assert pressure(None, b"", b"some avg10=0.00 total=5000000\n") == Pressure(io_waiting=5.0)
    assert pressure(b"some total=x\n", b"nonsense", None) == Pressure()


@pytest.mark.parametrize("used", ["blkio.bfq.{}_recursive", "blkio.{}_recursive", "blkio.throttle.{}"])
def test_block_io_is_read_from_whoever_counts_it(tmp_path, clock, free, used):
    tree = planted("v1", tmp_path / "v1")
    for kind in ("io_service_bytes", "io_serviced"):
        (tree / "sys" / "blkio" / used.format(kind)).write_text("8:0 Read 70\n8:0 Write 90\nTotal 160\n")
        own = tree / "sys" / "blkio" / "docker" / ID / used.format(kind)
        own.write_text("8:0 Read 7\n8:0 Write 9\nTotal 16\n")

    assert Cgroups(clock, tree / "sys", tree / "proc").resources_all([free])[ID].cgroup.io == Io(7, 9, 7, 9)


def test_without_any_block_io_nothing_is_told(tmp_path, clock, free):
    tree = planted("v1", tmp_path / "v1")
    shutil.rmtree(tree / "sys" / "blkio")

    assert Cgroups(clock, tree / "sys", tree / "proc").resources_all([free])[ID].cgroup.io == Io()


@pytest.mark.skipif(sys.platform != "linux", reason="prlimit(2)")
def test_the_system_call_and_the_file_tell_the_same_limit():
    reader = processes.ProcessReader("/proc")
    asked = reader._soft_limit(os.getpid(), plainly)
    reader._is_live = False

    assert asked == reader._soft_limit(os.getpid(), plainly) > 0
    assert reader._soft_limit(2**22 + 1, plainly) is None
