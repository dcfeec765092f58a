"""Processes out of /proc: odd names, vanished files, old kernels; and this test's own process beside psutil."""

import os
import shutil
import sys
import threading

import psutil
import pytest
from fakes.processtable import write_process

from exporters import processtable
from exporters.processtable import LinuxTable, State, system_table
from exporters.processtable_portable import PsutilTable
from homeostat import platforms

BOOT = 1_795_000_000


@pytest.fixture
def proc(tmp_path):
    (tmp_path / "stat").write_text(f"cpu 1 2 3\nbtime {BOOT}\n")
    (tmp_path / "self").mkdir()
    return tmp_path


def found(proc):
    return {process.key[0]: process for process in LinuxTable(str(proc)).processes()}


@pytest.mark.parametrize(
    "name",
    [
        "bash",
        "(sd-pam)",
        "Web Content",
        "a) R 1 (b",
        "())(",
        "tmux: server",
        "kworker/0:1-ev",
        "",
        ")",
        "naïve",
        " lead",
    ],
)
def test_a_name_is_whatever_stands_between_the_brackets(proc, name):
    write_process(proc, 7, name, state="D")

    assert (found(proc)[7].name, found(proc)[7].state) == (name, State.BLOCKED)


def test_a_name_that_is_no_utf8_is_read_all_the_same(proc):
    write_process(proc, 7, b"\xff\xfe x")

    assert found(proc)[7].name == "\ufffd\ufffd x"


def test_a_process_is_measured_in_base_units(proc):
    write_process(proc, 7, "api", rss=10, anon=20, soft=4096)
    usage = found(proc)[7].usage()

    assert usage.cpu_seconds == 150 / os.sysconf("SC_CLK_TCK")  # its own: its children's are theirs
    assert usage.resident_bytes == 10 * os.sysconf("SC_PAGE_SIZE")
    assert usage.anon_bytes == 20 * 1024
    assert (usage.threads, usage.max_fds) == (3, 4096)
    assert (usage.voluntary_switches, usage.involuntary_switches) == (11, 4)


def test_a_limit_that_is_none_is_none(proc):
    write_process(proc, 7, "api", soft="unlimited")

    assert found(proc)[7].usage().max_fds is None


def test_a_start_is_told_by_the_wall_clock(proc):
    write_process(proc, 7, "api", start=250 * os.sysconf("SC_CLK_TCK"))

    assert found(proc)[7].started_at == BOOT + 250


def test_a_start_does_not_move_while_the_clock_is_being_corrected(proc):
    write_process(proc, 7, "api")
    table = LinuxTable(str(proc))
    starts = []
    for shift in (0, 1, -1, 100):
        (proc / "stat").write_text(f"btime {BOOT + shift}\n")
        starts += [process.started_at for process in table.processes()]

    assert [start - starts[0] for start in starts] == [0, 0, 0, 100]


def test_arguments_are_joined_and_may_be_anything(proc):
    write_process(proc, 7, "api", command=b"/usr/bin/api\0--name\0\xff two words\0\0")

    assert found(proc)[7].command() == "/usr/bin/api --name \ufffd two words"


def test_a_kernel_thread_has_no_command_and_no_memory(proc):
    folder = write_process(proc, 2, "kthreadd", rss=0)
    (folder / "status").write_text("Name:\tkthreadd\nThreads:\t1\nvoluntary_ctxt_switches:\t9\n")
    process = found(proc)[2]

    assert process.command() == ""
    assert process.usage().anon_bytes == 0
    assert process.usage().voluntary_switches == 9


def test_a_kernel_that_does_not_tell_anonymous_memory_is_no_zero(proc):
    folder = write_process(proc, 7, "api")
    (folder / "status").write_text("Name:\tapi\nVmRSS:\t40000 kB\n")

    assert found(proc)[7].usage().anon_bytes is None


@pytest.mark.parametrize("gone", ["status", "limits"])
def test_a_process_that_ends_while_it_is_read_is_gone(proc, gone):
    folder = write_process(proc, 7, "api")
    process = found(proc)[7]
    (folder / gone).unlink()

    assert process.usage() is None


def test_a_process_that_ends_before_its_stat_is_read_is_left_out(proc):
    write_process(proc, 7, "api")
    (proc / "8").mkdir()
    (proc / "9").mkdir()
    (proc / "9" / "stat").write_bytes(b"")

    assert list(found(proc)) == [7]


def test_a_process_without_its_folder_has_no_command(proc):
    folder = write_process(proc, 7, "api", command=b"api")
    process = found(proc)[7]
    shutil.rmtree(folder)

    assert process.command() == ""
    assert process.usage() is None


def test_a_zombie_tells_only_what_it_used(proc):
    folder = write_process(proc, 7, "api", state="Z")
    (folder / "status").unlink()
    process = found(proc)[7]

    assert process.state is State.ZOMBIE
    assert process.usage() == processtable.Usage(150 / os.sysconf("SC_CLK_TCK"))


class _OldKernel:
    """os as it is before Linux 6.2: the size of a folder of descriptors is 0."""

    def __init__(self, entries):
        self._entries = entries

    def __getattr__(self, name):
        return getattr(os, name)

    def stat(self, path):
        return os.stat_result((0,) * 10)

    def listdir(self, path):
        if isinstance(self._entries, Exception):
            raise self._entries
        return self._entries


@pytest.mark.parametrize(
    ("entries", "expected"),
    [(["0", "1", "2"], 3), ([], 0), (PermissionError(13, "not yours"), None), (FileNotFoundError(2, "gone"), 0)],
)
def test_on_old_kernels_descriptors_are_counted_where_that_is_allowed(proc, monkeypatch, entries, expected):
    write_process(proc, 7, "api")
    process = found(proc)[7]
    monkeypatch.setattr(processtable, "os", _OldKernel(entries))

    assert process.usage().open_fds == expected


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
@pytest.mark.parametrize("table", [LinuxTable(), PsutilTable()], ids=["raw", "portable"])
def test_this_process_is_as_psutil_says(table):
    me = psutil.Process()
    barrier = threading.Event()
    thread = threading.Thread(target=barrier.wait)
    thread.start()
    process = next(process for process in table.processes() if process.key[0] == me.pid)
    usage = process.usage()

    assert process.command() == " ".join(me.cmdline())
    assert process.started_at == pytest.approx(me.create_time(), abs=2)
    assert usage.cpu_seconds == pytest.approx(sum(me.cpu_times()[:2]), abs=0.5)
    assert usage.resident_bytes == pytest.approx(me.memory_info().rss, rel=0.1)
    assert usage.threads == me.num_threads() >= 2
    assert abs(usage.open_fds - me.num_fds()) <= 2
    assert usage.voluntary_switches == pytest.approx(me.num_ctx_switches().voluntary, abs=200)
    barrier.set()
    thread.join()


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_the_limit_of_descriptors_is_this_process_own():
    import resource

    process = next(process for process in LinuxTable().processes() if process.key[0] == os.getpid())

    assert process.usage().max_fds == resource.getrlimit(resource.RLIMIT_NOFILE)[0]


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_both_tables_see_the_same_processes():
    raw, portable = ({process.key[0] for process in table.processes()} for table in (LinuxTable(), PsutilTable()))

    assert isinstance(system_table(platforms.detect()), LinuxTable)
    assert len(raw ^ portable) <= 5 + len(raw) / 10


def test_programs_are_known_by_as_many_bytes_as_the_system_keeps():
    assert LinuxTable().known_as("prometheus-node-exporter") == "prometheus-node"
    assert PsutilTable().known_as("prometheus-node-exporter") == "prometheus-node-exporter"
