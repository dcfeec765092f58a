"""Ending commands as on Windows: jobs, no way to ask, refusals. Real processes of this machine under Windows' code."""

import os
import sys
from pathlib import Path

import psutil
import pytest
from fakes.clock import FakeClock

from homeostat.commandexecutor import CommandResult, Executor
from homeostat.commandlaunch import Command
from homeostat.commands import Suspended, SystemLauncher
from homeostat.errors import NotFound, NotSupported, Temporary
from homeostat.platforms import Platform, System
from homeostat.processes import ProcessId
from homeostat.processes_portable import PsutilProcesses, WindowsTrees

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX programs, under the code of Windows")

WINDOWS = Platform(System.WINDOWS, is_wsl=False, has_pidfd=False, has_unix_sockets=False)
#: Writes its pid and its child's, which has a session of its own; both say so when they are asked to end.
TREE = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, lambda *_: open("asked", "a").write("asked"))
if len(sys.argv) == 1:
    subprocess.Popen([sys.executable, __file__, "child"], start_new_session=True)
with open("pids", "a") as pids:
    print(os.getpid(), file=pids)
while True:
    time.sleep(1)
"""


class Windows:
    """What is below the launcher. ``failing``: calls that are refused with ERROR_ACCESS_DENIED; ``log``: all calls."""

    def __init__(self, *failing: str) -> None:
        self.failing = failing
        self.log: list[str] = []
        self.resume = lambda pid: self._call("resume")
        self.clock = FakeClock()

    def create(self) -> int:
        self._call("create")
        return 77

    def assign(self, job: int, process: int) -> None:
        self._call("assign")

    def terminate(self, job: int) -> None:
        self._call("terminate job")

    def close(self, job: int) -> None:
        self._call("close")

    def end(self, process: ProcessId) -> None:
        self._call("terminate")
        psutil.Process(process.pid).kill()

    def taskkill(self, pid: int) -> None:
        self._call("taskkill")
        psutil.Process(pid).kill()

    async def run(self, argv: list[str], timeout_s: float = 10, cwd: Path | None = None) -> CommandResult:
        processes = PsutilProcesses(WindowsTrees(self, self.end, lambda process: None, self.taskkill))
        launcher = SystemLauncher(WINDOWS, processes, Suspended(self, self.resume))
        return await Executor(launcher, self.clock, lambda: 0.0).run(Command(argv, cwd), timeout_s)

    def _call(self, name: str) -> None:
        self.log.append(name)
        if name in self.failing:
            err = PermissionError(13, f"{name}: access is denied")
            err.winerror = 5
            raise err


@pytest.fixture
def tree(tmp_path):
    script = tmp_path / "tree.py"
    script.write_text(TREE)
    return [sys.executable, str(script)]


def pids(tmp_path: Path) -> list[int]:
    return [int(pid) for pid in (tmp_path / "pids").read_text().split()]


def running(tmp_path: Path) -> list[int]:
    return [pid for pid in pids(tmp_path) if is_running(pid)]


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_a_command_is_in_its_job_before_it_runs_and_what_it_leaves_behind_goes_on():
    windows = Windows()

    result = await windows.run(["sh", "-c", "sleep 30 & echo $!; exit 3"])

    assert (result.exit_code, windows.log) == (3, ["create", "assign", "resume", "close"])
    os.kill(int(result.output), 9)  # it still runs, else this raises


async def test_at_the_timeout_the_job_is_ended_then_what_it_did_not_take_and_nobody_is_asked(tmp_path, tree):
    windows = Windows()

    result = await windows.run(tree, 1.5, tmp_path)

    assert (result.exit_code, len(pids(tmp_path)), running(tmp_path)) == (None, 2, [])
    assert windows.log[:4] == ["create", "assign", "resume", "terminate job"]
    assert set(windows.log[4:-1]) == {"terminate"} and windows.log[-1] == "close"
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize("refused", ["create", "assign"])
async def test_a_command_that_no_job_takes_is_run_and_ended_process_by_process(tmp_path, tree, refused):
    windows = Windows(refused)

    result = await windows.run(tree, 1.5, tmp_path)

    assert (result.exit_code, len(pids(tmp_path)), running(tmp_path)) == (None, 2, [])
    assert "terminate job" not in windows.log and windows.log.count("close") == (refused == "assign")


async def test_what_refuses_to_be_ended_is_left_to_taskkill(tmp_path, tree):
    windows = Windows("terminate job", "terminate")

    result = await windows.run(tree, 1.5, tmp_path)

    assert (result.exit_code, len(pids(tmp_path)), running(tmp_path)) == (None, 2, [])
    assert windows.log.count("taskkill") >= 1 and windows.log[-1] == "close"


async def test_a_command_that_cannot_be_resumed_is_ended_and_not_tried_again():
    windows = Windows()
    suspended: list[int] = []

    def refuse(pid: int) -> None:
        suspended.append(pid)
        raise Temporary(f"process {pid} cannot be resumed: access is denied")

    windows.resume = refuse
    with pytest.raises(Temporary, match="cannot be resumed"):
        await windows.run(["sleep", "60"])

    assert (windows.log, windows.clock.slept) == (["create", "assign", "close"], [])
    assert not psutil.pid_exists(suspended[0])


async def test_a_batch_file_is_not_started(tmp_path):
    batch = tmp_path / "check.bat"
    batch.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    batch.chmod(0o755)

    with pytest.raises(NotSupported, match="batch file"):
        await Windows().run([str(batch)])

    assert not (tmp_path / "ran").exists()


async def test_a_path_of_wsl_is_told_by_its_windows_name():
    with pytest.raises(NotFound, match=r"no C:\\no\\such\\program"):
        await Windows().run(["/mnt/c/no/such/program"])
