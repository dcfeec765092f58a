"""Commands end, whatever they do: bounded output, whole trees, clear errors."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import textwrap
import threading
import time
from pathlib import Path

import psutil
import pytest
from fakes.clock import FakeClock

from homeostat import commands
from homeostat.clock import SystemClock
from homeostat.errors import NotFound, NotSupported, Permanent
from homeostat.platforms import detect
from homeostat.processes import system_processes
from homeostat.processtrees import end_tree

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX programs")
linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc, and refusals of Linux")
is_root = hasattr(os, "geteuid") and os.geteuid() == 0

SLEEP = ["sleep", "60"]
#: A child in its own session and a grandchild, both deaf to SIGTERM; their pids go to argv[1].
DEAF_TREE = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if len(sys.argv) > 2:
    depth = int(sys.argv[2])
    with open(sys.argv[1], "a") as pids:
        print(os.getpid(), file=pids)
    if depth:
        subprocess.Popen([sys.executable, __file__, sys.argv[1], str(depth - 1)], start_new_session=True)
time.sleep(60)
"""


@pytest.fixture
def deaf_tree(tmp_path):
    """(command of a tree of three deaf processes, function that waits for and returns their pids)"""
    script, pids = tmp_path / "deaf.py", tmp_path / "pids"
    script.write_text(DEAF_TREE)

    async def wait() -> list[int]:
        async with asyncio.timeout(10):
            while not pids.exists() or len(pids.read_text().split()) < 3:
                await asyncio.sleep(0.01)
        return [int(pid) for pid in pids.read_text().split()]

    yield [sys.executable, str(script), str(pids), "2"], wait
    for pid in pids.read_text().split() if pids.exists() else []:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)


def is_gone(pid: int) -> bool:
    row = system_processes(detect()).row(pid)
    return row is None or row.is_zombie


def kill(pid: int) -> None:
    """Raises ProcessLookupError when it does not run."""
    os.kill(pid, signal.SIGKILL)


async def test_output_and_errors_come_together_with_the_exit_code():
    result = await commands.run(["sh", "-c", "echo out; echo err >&2; exit 3"], 10)

    assert result == commands.CommandResult(3, "out\nerr\n", is_truncated=False)


async def test_a_signal_is_reported_as_the_shell_does():
    assert (await commands.run(["sh", "-c", "kill -9 $$"], 10)).exit_code == 137


async def test_folder_and_environment_are_given(tmp_path):
    result = await commands.run(["/bin/sh", "-c", "pwd; echo $A"], 10, cwd=tmp_path, env={"A": "b"})

    assert result.output == f"{tmp_path.resolve()}\nb\n"


async def test_nothing_is_ever_read_from_us():
    assert (await commands.run(["cat"], 10)).exit_code == 0


async def test_a_gigabyte_is_drained_and_only_its_end_kept():
    before = peak_rss_bytes()

    result = await commands.run(["sh", "-c", "head -c 1073741824 /dev/zero; echo the end"], 60)

    assert (result.exit_code, result.is_truncated, len(result.output)) == (0, True, commands.TAIL_BYTES)
    assert result.output.endswith("\0the end\n")
    assert peak_rss_bytes() - before < 16 * 2**20


async def test_one_line_of_64_megabytes_is_no_problem():
    result = await commands.run(["sh", "-c", "head -c 67108864 /dev/zero | tr '\\0' x"], 60)

    assert (result.exit_code, result.output) == (0, "x" * commands.TAIL_BYTES)


#: Prints what the commands of ``LOUD`` cost a process that does little else, and how long its loop stood still.
MEASURE = """
import asyncio, json, sys, time
from homeostat import commands

def field(name):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(name))

async def main():
    await commands.run(["true"], 10)
    with open("/proc/self/clear_refs", "w") as peak:
        peak.write("5")
    gaps, before = [0.0], field("VmRSS")

    async def beat():
        while True:
            start = time.monotonic()
            await asyncio.sleep(0.01)
            gaps.append(time.monotonic() - start)

    beating = asyncio.create_task(beat())
    result = await commands.run(["sh", "-c", sys.argv[1]], 60)
    beating.cancel()
    grown = field("VmHWM") - before
    print(json.dumps([result.exit_code, result.is_truncated, result.output[-9:], grown, max(gaps)]))

asyncio.run(main())
"""
LOUD = {
    "1 GB in lines": ("yes some line of some length | head -c 1073741824; echo the end", "hthe end\n"),
    "1 GB on stderr": ("yes some line of some length | head -c 1073741824 >&2; echo the end", "hthe end\n"),
    "64 MB in one line": ("head -c 67108864 /dev/zero | tr '\\0' x; echo the end", "xthe end\n"),
}


@linux
@pytest.mark.parametrize(("script", "end"), LOUD.values(), ids=LOUD)
async def test_a_loud_command_costs_little_memory_and_blocks_nobody(script, end):
    measured = await commands.run([sys.executable, "-c", MEASURE, script], 60)

    exit_code, is_truncated, output, grown_bytes, longest_gap_s = json.loads(measured.output)
    assert (exit_code, is_truncated, output) == (0, True, end)
    assert grown_bytes < 8 * 2**20
    assert longest_gap_s < 1


async def test_both_outputs_are_drained_and_keep_their_order():
    script = (
        "import os\nfor i in range(200): os.write(1, b'o' * 99_999); os.write(2, b'e' * 99_999)\nos.write(1, b'end')"
    )

    result = await commands.run([sys.executable, "-c", script], 20)

    assert result.output == "e" * (commands.TAIL_BYTES - 3) + "end"


async def test_lines_of_both_outputs_stay_in_order():
    result = await commands.run(["sh", "-c", "for i in 1 2 3 4 5; do echo o$i; echo e$i >&2; done"], 10)

    assert result.output.split() == [f"{name}{i}" for i in range(1, 6) for name in "oe"]


async def test_a_command_that_closes_its_outputs_is_waited_for():
    start = time.monotonic()

    result = await commands.run(["sh", "-c", "echo said; exec >&- 2>&-; sleep 0.4; exit 7"], 10)

    assert (result.exit_code, result.output) == (7, "said\n")
    assert time.monotonic() - start >= 0.4


async def test_a_character_cut_in_two_is_no_problem():
    result = await commands.run([sys.executable, "-c", f"print('ü' * {commands.TAIL_BYTES}, end='!')"], 10)

    assert result.output == "\ufffd" + "ü" * (commands.TAIL_BYTES // 2 - 1) + "!"


async def test_output_that_is_no_text_is_no_problem():
    assert (await commands.run(["printf", r"a\377b"], 10)).output == "a\ufffdb"


async def test_at_the_timeout_the_whole_tree_ends_even_what_ignores_sigterm(deaf_tree):
    argv, wait_for_pids = deaf_tree
    running = asyncio.create_task(commands.run(argv, 1.5, clock=FakeClock()))
    pids = await wait_for_pids()

    result = await running

    assert (result.exit_code, [is_gone(pid) for pid in pids]) == (None, [True] * 3)


async def test_what_was_said_before_the_timeout_is_kept():
    result = await commands.run(["sh", "-c", "echo before; sleep 60"], 0.3)

    assert (result.exit_code, result.output) == (None, "before\n")


async def test_a_cancelled_command_is_ended(deaf_tree):
    argv, wait_for_pids = deaf_tree
    running = asyncio.create_task(commands.run(argv, 60))
    pids = await wait_for_pids()

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert [is_gone(pid) for pid in pids] == [True] * 3


async def test_a_descendant_in_the_background_is_neither_waited_for_nor_ended():
    start = time.monotonic()

    result = await commands.run(["sh", "-c", "sleep 30 & echo $!"], 20)

    assert time.monotonic() - start < 5
    kill(int(result.output))  # it still runs, else this raises


async def test_a_descendant_in_the_background_that_never_stops_talking_is_not_waited_for():
    start = time.monotonic()

    result = await commands.run(["sh", "-c", "yes & echo"], 20)

    assert (result.exit_code, result.is_truncated, len(result.output)) == (0, True, commands.TAIL_BYTES)
    assert time.monotonic() - start < 5


async def test_at_the_timeout_a_daemon_that_cut_all_ties_is_not_found():
    """A session of its own, and a parent that ended before: nothing tells whose it was."""
    daemon = f"import os, subprocess, sys; os.setsid(); print(subprocess.Popen({SLEEP!r}).pid, flush=True)"
    script = f"import subprocess, sys, time; subprocess.run([sys.executable, '-c', {daemon!r}]); time.sleep(60)"

    result = await commands.run([sys.executable, "-c", script], 1.5)

    assert result.exit_code is None
    kill(int(result.output))  # it still runs, else this raises


@pytest.mark.parametrize("again_after_s", [0, 0.05])
async def test_a_command_cancelled_twice_is_ended_all_the_same(deaf_tree, again_after_s):
    argv, wait_for_pids = deaf_tree
    running = asyncio.create_task(commands.run(argv, 60))
    pids = await wait_for_pids()

    running.cancel()
    await asyncio.sleep(again_after_s)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    async with asyncio.timeout(5):
        while not all(is_gone(pid) for pid in pids):
            await asyncio.sleep(0.01)


async def test_a_command_leaves_neither_zombie_nor_thread():
    before = set(threading.enumerate())
    await commands.run(["true"], 10)
    await commands.run(["sleep", "60"], 0.1)

    assert [child for child in psutil.Process().children() if child.status() == psutil.STATUS_ZOMBIE] == []
    async with asyncio.timeout(5):
        while any(thread.name == "homeostat-worker" for thread in {*threading.enumerate()} - before):
            await asyncio.sleep(0.01)


@linux
async def test_a_program_that_is_just_being_installed_is_tried_again(tmp_path):
    program = tmp_path / "program"
    program.write_bytes(Path("/bin/echo").read_bytes())
    program.chmod(0o755)
    installer = program.open("ab")

    class Installed(FakeClock):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            installer.close()

    clock = Installed()
    result = await commands.run([str(program), "done"], 10, clock=clock)

    assert (result.exit_code, result.output, len(clock.slept)) == (0, "done\n", 1)


@pytest.mark.parametrize("code", [1, 5, 11, 26, 32, 126, 127])
async def test_a_command_that_ran_is_never_run_again(tmp_path, code):
    clock = FakeClock()

    result = await commands.run(["sh", "-c", f"echo ran >>{tmp_path}/runs; exit {code}"], 10, clock=clock)

    assert (result.exit_code, (tmp_path / "runs").read_text(), clock.slept) == (code, "ran\n", [])


@pytest.mark.parametrize(
    ("argv", "cwd", "kind", "message"),
    [
        (["/no/such/program"], None, NotFound, "cannot be started: no /no/such/program"),
        (["true"], Path("/no/such/folder"), NotFound, "true: cannot be started: no /no/such/folder"),
        (["/etc/passwd"], None, Permanent, "/etc/passwd: cannot be started: Permission denied"),
        (["true", "\0"], None, Permanent, "true: cannot be started: embedded null byte"),
        (["true"], Path("/etc/passwd"), Permanent, "true: cannot be started: Not a directory"),
        (["true", "x" * 2**21], None, Permanent, "true: cannot be started: Argument list too long"),
    ],
)
async def test_what_cannot_be_started_is_told(argv, cwd, kind, message):
    with pytest.raises(kind, match=message):
        await commands.run(argv, 10, cwd=cwd)


async def test_a_script_whose_interpreter_is_missing_is_told(tmp_path):
    script = tmp_path / "check"
    script.write_bytes(b"#!/bin/sh\r\necho\n")  # as saved on Windows
    script.chmod(0o755)

    with pytest.raises(NotFound, match=r"check: cannot be started: no .*/check, or not what its first line names"):
        await commands.run([str(script)], 10)


def spawn(tmp_path: Path, script: str) -> commands.Child:
    spec = commands.SpawnSpec(
        argv=[sys.executable, "-c", textwrap.dedent(script)], log=tmp_path / "log", env={"A": "b"}, cwd=tmp_path
    )
    return commands.spawn(spec, system_processes(detect()))


async def exit_code(child: commands.Child) -> int:
    async with asyncio.timeout(10):
        while (code := child.exit_code()) is None:
            await asyncio.sleep(0.01)
    return code


async def test_a_spawned_process_leads_its_session_and_appends_to_its_log(tmp_path):
    (tmp_path / "log").write_text("before\n")

    child = spawn(tmp_path, "import os; print(os.getsid(0) == os.getpid(), os.environ.get('A'), os.getcwd())")

    assert await exit_code(child) == 0
    assert (tmp_path / "log").read_text() == f"before\nTrue b {tmp_path.resolve()}\n"


async def test_the_log_of_a_new_process_is_private(tmp_path):
    await exit_code(spawn(tmp_path, ""))

    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


@linux
async def test_a_spawned_process_inherits_none_of_our_files(tmp_path):
    with (tmp_path / "ours").open("w") as ours:
        os.set_inheritable(ours.fileno(), True)
        child = spawn(
            tmp_path, "import os; print(sorted(os.listdir('/proc/self/fd'))[:3], len(os.listdir('/proc/self/fd')))"
        )
        await exit_code(child)

    assert (tmp_path / "log").read_text() == "['0', '1', '2'] 4\n"


async def test_ending_a_spawned_tree_reports_the_signal(tmp_path):
    child = spawn(tmp_path, "import time; time.sleep(60)")

    survivors = await end_tree(child.id, 5, SystemClock(), system_processes(detect()))

    assert (survivors, await exit_code(child)) == (set(), 143)


def test_a_process_that_is_let_go_lives_on_without_a_warning(tmp_path):
    child = spawn(tmp_path, "import time; time.sleep(60)")
    pid = child.id.pid

    child.let_go()
    del child

    os.kill(pid, signal.SIGKILL)  # it still runs, else this raises
    os.waitpid(pid, 0)


def test_an_unknown_user_is_told():
    with pytest.raises(NotFound, match="user 'nobody-of-that-name': no such user"):
        commands.account("nobody-of-that-name")


def test_running_as_ourselves_needs_no_switch():
    import pwd

    assert commands.account(pwd.getpwuid(os.geteuid()).pw_name) is None


@pytest.mark.skipif(not is_root, reason="only root can switch")
async def test_root_can_run_a_process_as_another_user(tmp_path):
    tmp_path.chmod(0o755)
    account = commands.account("nobody")
    log = tmp_path / "log"
    child = commands.spawn(
        commands.SpawnSpec(["/bin/sh", "-c", "id -un; id -Gn"], log, env={"PATH": os.environ["PATH"]}, account=account),
        system_processes(detect()),
    )
    await exit_code(child)

    assert log.read_text() == "nobody\nnogroup\n"


def test_only_root_switches_users(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 12345)

    with pytest.raises(NotSupported, match="only root"):
        commands.account("root")


def peak_rss_bytes() -> int:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
