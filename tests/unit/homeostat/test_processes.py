"""Reading the process table, here and through psutil, and the Windows layer with every refusal it can meet."""

import os
import subprocess
import sys

import psutil
import pytest

from homeostat.platforms import System, detect
from homeostat.processes import LinuxProcesses, ProcessId, is_alive, parse_stat, system_processes
from homeostat.processes_portable import PsutilProcesses, SignalledTrees, WindowsTrees, posix_processes

linux = pytest.mark.skipif(detect().system is not System.LINUX, reason="/proc")
SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
ROOT = ProcessId(4711, 1.5)


@pytest.fixture
def sleeper():
    with subprocess.Popen(SLEEP, env={**os.environ, "HOMEOSTAT_TEST": "it's me"}, start_new_session=True) as child:
        yield child
        child.kill()


@linux
@pytest.mark.parametrize("name", [b"sleep", b"a) b", b"(", b") S 1 1", b"x\ny"])
def test_the_name_of_a_process_may_be_anything(name):
    stat = b"42 (" + name + b") Z 7 42 40 0 -1 4194560 1 2 3 4 100 50 25 25 20 0 1 0 300 4096 5 184467 1 1\n"

    row = parse_stat(stat)

    ticks, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    assert (row.id, row.ppid, row.session) == (ProcessId(42, 300 / ticks), 7, 40)
    assert (row.is_zombie, row.cpu_seconds, row.rss_bytes) == (True, 200 / ticks, 5 * page)


@linux
def test_psutil_sees_what_proc_says():
    ours, psutils = LinuxProcesses(has_pidfd=True).row(os.getpid()), posix_processes().row(os.getpid())

    assert ours is not None and psutils is not None
    assert (ours.ppid, ours.session, ours.is_zombie) == (psutils.ppid, psutils.session, psutils.is_zombie)
    assert ours.rss_bytes == pytest.approx(psutils.rss_bytes, rel=0.2)
    assert ours.cpu_seconds == pytest.approx(psutils.cpu_seconds, abs=0.5)


@pytest.fixture(params=["this platform", "psutil", "without pidfd"])
def processes(request):
    match request.param:
        case "psutil":
            return posix_processes()
        case "without pidfd" if detect().system is System.LINUX:
            return LinuxProcesses(has_pidfd=False)
    return system_processes(detect())


def test_a_process_is_found_with_its_mark_and_ended(processes, sleeper):
    row = processes.row(sleeper.pid)
    assert row is not None

    assert processes.rows()[sleeper.pid].id == row.id
    assert processes.marked("HOMEOSTAT_TEST")[row.id] == "it's me"
    assert 0 <= processes.age_s(row.id) < 5
    assert processes.open_fds(sleeper.pid) >= 3
    processes.end(row.id, [row.id], force=True)
    assert sleeper.wait(5) == -9
    assert not is_alive(processes, row.id)


def test_a_zombie_is_not_alive(processes, sleeper):
    row = processes.row(sleeper.pid)
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)

    assert not is_alive(processes, row.id)


def test_a_recycled_pid_is_not_signalled(processes, sleeper):
    predecessor = ProcessId(sleeper.pid, 1.0)

    processes.end(predecessor, [predecessor], force=True)

    with pytest.raises(subprocess.TimeoutExpired):
        sleeper.wait(0.1)


def test_who_is_gone_is_no_error(processes):
    gone = ProcessId(2**22 - 7, 1.0)

    processes.end(gone, [gone], force=False)

    assert (processes.row(gone.pid), processes.open_fds(gone.pid)) == (None, 0)


class FakeJobs:
    """Refuses the calls named in ``failing``, as Windows does: an OSError."""

    def __init__(self, *failing: str) -> None:
        self.failing = failing
        self.calls: list[tuple[str, ...] | tuple[str, int]] = []

    def _call(self, name: str, *arguments: int) -> None:
        self.calls.append((name, *arguments))
        if name in self.failing:
            raise PermissionError(5, f"{name} refused")

    def create(self) -> int:
        self._call("create")
        return 77

    def assign(self, job: int, process: int) -> None:
        self._call("assign", job, process)

    def terminate(self, job: int) -> None:
        self._call("terminate", job)

    def close(self, job: int) -> None:
        self._call("close", job)


class Windows:
    """WindowsTrees over fakes. ``refuse``: what ending one process raises."""

    def __init__(self, *failing: str, refuse: Exception | None = None) -> None:
        self.jobs = FakeJobs(*failing)
        self.terminated: list[int] = []
        self.resumed: list[int] = []
        self.taskkilled: list[int] = []
        self.refuse = refuse
        self.trees = WindowsTrees(
            self.jobs, self._terminate, lambda process: self.resumed.append(process.pid), self.taskkilled.append
        )

    def _terminate(self, process: ProcessId) -> None:
        self.terminated.append(process.pid)
        if self.refuse:
            raise self.refuse


def test_windows_puts_a_process_into_its_job_before_it_runs_and_ends_the_job():
    windows = Windows()

    windows.trees.contain(ROOT, 123)
    windows.trees.end(ROOT, [ROOT, ProcessId(4712, 2.0)], force=True)

    assert windows.jobs.calls == [("create",), ("assign", 77, 123), ("terminate", 77), ("close", 77)]
    assert (windows.resumed, windows.terminated, windows.taskkilled) == ([4711], [4711, 4712], [])


def test_windows_runs_a_process_that_no_job_takes_and_ends_it_alone():
    windows = Windows("assign")

    windows.trees.contain(ROOT, 123)
    windows.trees.end(ROOT, [ROOT], force=True)

    assert windows.jobs.calls == [("create",), ("assign", 77, 123), ("close", 77)]
    assert (windows.resumed, windows.terminated) == ([4711], [4711])


def test_windows_runs_a_process_even_when_no_job_can_be_made():
    windows = Windows("create")

    windows.trees.contain(ROOT, 123)

    assert (windows.resumed, windows.jobs.calls) == ([4711], [("create",)])


def test_windows_ends_one_by_one_when_the_job_refuses():
    windows = Windows("terminate")

    windows.trees.contain(ROOT, 123)
    windows.trees.end(ROOT, [ROOT], force=True)
    windows.trees.end(ROOT, [ROOT], force=True)

    assert windows.jobs.calls[2:] == [("terminate", 77), ("close", 77)]
    assert windows.terminated == [4711, 4711]


@pytest.mark.parametrize("refuse", [psutil.AccessDenied(4711), PermissionError(5, "access is denied")])
def test_windows_leaves_what_refuses_to_taskkill(refuse):
    windows = Windows(refuse=refuse)

    windows.trees.end(ROOT, [ROOT, ProcessId(4712, 2.0)], force=True)

    assert windows.taskkilled == [4711, 4712]


def test_trees_give_the_processes_their_powers():
    assert PsutilProcesses(SignalledTrees()).can_ask
    assert not PsutilProcesses(Windows().trees).can_ask
