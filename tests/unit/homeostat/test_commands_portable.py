"""What commands promise on every system, with programs that every system has: Python's."""

import asyncio
import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from homeostat import commands
from homeostat.clock import SystemClock
from homeostat.errors import NotFound
from homeostat.platforms import detect
from homeostat.processes import system_processes
from homeostat.processtrees import end_tree

#: Starts itself once more, and writes both pids.
TREE = """
import os, subprocess, sys, time
if len(sys.argv) == 1:
    subprocess.Popen([sys.executable, __file__, "child"])
with open("pids", "a") as pids:
    print(os.getpid(), file=pids)
time.sleep(60)
"""


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


@pytest.fixture
def tree(tmp_path):
    """(a command, a function that waits for and returns the processes that it became)"""
    script = tmp_path / "tree.py"
    script.write_text(TREE)

    async def processes() -> list[psutil.Process]:
        async with asyncio.timeout(20):
            while not (pids := tmp_path / "pids").exists() or len(pids.read_text().split()) < 2:
                await asyncio.sleep(0.02)
        return [psutil.Process(int(pid)) for pid in pids.read_text().split()]

    return [sys.executable, str(script)], processes


def is_gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def test_output_exit_code_folder_environment_and_arguments(tmp_path):
    code = "import os, sys; os.write(1, f'{os.getcwd()} {os.environ[\"A\"]} {sys.argv[1:]}'.encode()); sys.exit(3)"
    arguments = ['a "b" c', "$A %A% ^&|", "", "\\"]

    result = await commands.run(python(code, *arguments), 30, cwd=tmp_path, env={**os.environ, "A": "b"})

    assert result.exit_code == 3
    assert result.output == f"{os.path.realpath(tmp_path)} b {arguments}"


async def test_both_outputs_are_drained_and_only_the_end_is_kept():
    code = "import os\nfor i in range(400): os.write(1, b'o' * 99_999); os.write(2, b'e' * 99_999)\nos.write(1, b'end')"

    result = await commands.run(python(code), 60)

    assert (result.exit_code, result.is_truncated) == (0, True)
    assert result.output == "e" * (commands.TAIL_BYTES - 3) + "end"


async def test_at_the_timeout_the_whole_tree_ends(tree, tmp_path):
    argv, started = tree
    running = asyncio.create_task(commands.run(argv, 4, cwd=tmp_path))
    processes = await started()

    result = await running

    assert (result.exit_code, [is_gone(process) for process in processes]) == (None, [True, True])


async def test_a_cancelled_command_is_ended(tree, tmp_path):
    argv, started = tree
    running = asyncio.create_task(commands.run(argv, 60, cwd=tmp_path))
    processes = await started()

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert [is_gone(process) for process in processes] == [True, True]


async def test_what_stays_in_the_background_is_neither_waited_for_nor_ended():
    code = "import subprocess, sys\nprint(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).pid)"
    start = time.monotonic()

    result = await commands.run(python(code), 30)

    assert time.monotonic() - start < 10
    psutil.Process(int(result.output)).kill()  # it still runs, else this raises


@pytest.mark.parametrize(
    ("argv", "cwd"), [(["no-such-program-anywhere"], None), (python("0"), Path("/no/such/folder"))]
)
async def test_what_is_missing_is_told(argv, cwd):
    with pytest.raises(NotFound, match=r"cannot be started: no .*no.such"):
        await commands.run(argv, 10, cwd=cwd)


async def test_a_spawned_process_appends_to_its_log_and_is_ended_with_its_tree(tree, tmp_path):
    argv, started = tree
    log = tmp_path / "log"
    log.write_text("before\n")
    processes = system_processes(detect())
    first = commands.spawn(
        commands.SpawnSpec(python("import os; os.write(1, b'first ')"), log, dict(os.environ)), processes
    )
    while first.exit_code() is None:
        await asyncio.sleep(0.01)
    child = commands.spawn(commands.SpawnSpec(argv, log, dict(os.environ), tmp_path), processes)
    members = await started()

    survivors = await end_tree(child.id, 0, SystemClock(), processes)

    assert (survivors, [is_gone(process) for process in members]) == (set(), [True, True])
    assert (first.exit_code(), log.read_text()) == (0, "before\nfirst ")
    async with asyncio.timeout(10):
        while child.exit_code() is None:
            await asyncio.sleep(0.01)
