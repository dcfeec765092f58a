"""Checks by a program of the owner's: real processes."""

import asyncio
import os
import sys

import psutil
import pytest

from homeostat.clock import SystemClock
from homeostat.probes import ProbeContext, open_probe, run_probe
from homeostat.workloads import CommandOptions, ProbeSpec


@pytest.fixture
def context():
    return ProbeContext(None, SystemClock())


def python(code, timeout_s=5.0):
    return ProbeSpec("command", "python", 1.0, timeout_s, options=CommandOptions((sys.executable, "-c", code)))


@pytest.mark.parametrize(
    ("code", "ok", "reason"),
    [
        ("pass", True, ""),
        ("raise SystemExit(3)", False, "exit code 3"),
        ("import os; os.kill(os.getpid(), 9)", False, "exit code 137"),
        ("print('secret ' * 1_000_000)", True, ""),
        ("print('secret'); raise SystemExit(1)", False, "exit code 1"),
        ("import sys; raise SystemExit(1 if sys.stdin.read() else 0)", True, ""),
    ],
)
async def test_the_exit_code_decides(context, code, ok, reason):
    result = await run_probe(python(code), context)

    assert (result.ok, result.reason) == (ok, reason)


@pytest.mark.parametrize("argv", [("/nowhere/program",), ("/etc/passwd",), ()])
async def test_a_program_that_cannot_be_started_says_nothing_of_the_target(context, argv):
    result = await run_probe(ProbeSpec("command", "gone", 1.0, 1.0, options=CommandOptions(argv)), context)

    assert result.ok is None
    assert result.reason in ("the command cannot be started", "the target cannot be")


async def test_no_shell_sees_the_arguments(context):
    argv = (
        sys.executable,
        "-c",
        "import sys; raise SystemExit(sys.argv[1:] != ['$HOME; exit 1', '*'])",
        "$HOME; exit 1",
        "*",
    )
    result = await run_probe(ProbeSpec("command", "python", 1.0, 5.0, options=CommandOptions(argv)), context)

    assert result.ok


#: Found again by its number wherever it hangs in the tree of processes.
NAP_S = f"77.{os.getpid()}"
TREE = (
    "import subprocess, sys, time\n"
    f"subprocess.Popen([sys.executable, '-c', 'import time; time.sleep({NAP_S})'], start_new_session=True)\n"
    f"time.sleep({NAP_S})"
)


def nappers():
    return [process for process in psutil.process_iter(["cmdline"]) if NAP_S in "".join(process.info["cmdline"] or ())]


async def test_past_its_timeout_the_whole_tree_is_ended(context):
    result = await run_probe(python(TREE, timeout_s=0.8), context)

    assert (result.ok, result.reason) == (False, "no answer within 0.8 s")
    assert result.seconds < 3
    assert nappers() == []


async def test_a_cancelled_check_leaves_no_process(context):
    probe = open_probe(python(TREE, timeout_s=60.0), context)
    check = asyncio.create_task(probe.check())
    await asyncio.sleep(0.8)
    before = len(nappers())
    check.cancel()
    with pytest.raises(asyncio.CancelledError):
        await check
    await probe.close()

    assert before == 2
    assert nappers() == []
