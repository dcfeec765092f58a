"""The action ``exec`` on this host: the owner's argv to the letter, a small environment, told in one line."""

import asyncio
import dataclasses
import json
import os
import re
import sys
from pathlib import Path

import pytest
from fakes.acting import act, containers_of, process, settings_with
from fakes.containers import container
from fakes.databases import until

from homeostat.commandspec import Command
from homeostat.errors import NotFound, Permanent
from homeostat.steps import ExecStep
from responder.actions.exec import Exec, last_line

STEP = ExecStep(action="exec", command="flush", timeout=10.0)
#: A name that would do harm in a shell, in a path, and in a log.
HOSTILE = "$(touch /tmp/owned);`id`|x&&y'\"\\ ../../etc/passwd\n-rf --\r\x1b[2J\u202e"


def python(script, *arguments, **command):
    return settings_with(flush=Command(argv=(sys.executable, "-c", script, *arguments), **command))


def reporting(folder, *arguments, **command):
    """A command that writes what it got to a file, and how to read that."""
    path = str(folder / "r")
    script = f"import json, os, sys; json.dump([sys.argv[1:], dict(os.environ), os.getcwd()], open({path!r}, 'w'))"
    return python(script, *arguments, **command), lambda: json.loads((folder / "r").read_text())


async def test_a_command_runs_with_its_own_arguments_and_a_small_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("HOMEOSTAT_TOKEN", "secret")
    monkeypatch.setenv("LANG", "C.UTF-8")
    settings, report = reporting(tmp_path, "a b", "*", env={"MODE": "all", "LANG": "de"}, cwd=tmp_path)

    result = await act(Exec(), STEP, containers_of(container("shop-web-1"), container("shop-web-2")), settings=settings)

    argv, env, folder = report()
    assert re.fullmatch(r"flush: \d\.\d s", result.detail)
    assert (argv, folder) == (["a b", "*"], str(tmp_path))
    assert {name: env.pop(name) for name in ("MODE", "LANG", "HOMEOSTAT_WORKLOAD", "HOMEOSTAT_CONTAINER")} == {
        "MODE": "all",
        "LANG": "de",
        "HOMEOSTAT_WORKLOAD": "shop/web",
        "HOMEOSTAT_CONTAINER": "shop-web-1 shop-web-2",
    }
    assert env.keys() <= {"PATH", "HOME", "LC_CTYPE"}  # the last is Python's own
    assert env["PATH"] == os.environ["PATH"]


async def test_hostile_names_are_data_and_nothing_else(tmp_path):
    settings, report = reporting(tmp_path, "{HOMEOSTAT_CONTAINER}", "$HOMEOSTAT_WORKLOAD")
    hostile = dataclasses.replace(container(), name=HOSTILE)

    await act(Exec(), STEP, containers_of(hostile, workload=f"shop/{HOSTILE}"), settings=settings)

    argv, env, _ = report()
    assert argv == ["{HOMEOSTAT_CONTAINER}", "$HOMEOSTAT_WORKLOAD"]
    assert env["HOMEOSTAT_CONTAINER"] == HOSTILE
    assert env["HOMEOSTAT_WORKLOAD"] == f"shop/{HOSTILE}"
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


async def test_the_owners_environment_cannot_lie_about_the_workload(tmp_path):
    settings, report = reporting(tmp_path, env={"HOMEOSTAT_WORKLOAD": "other/one", "HOMEOSTAT_CONTAINER": "x"})

    await act(Exec(), STEP, process(), settings=settings)

    assert (report()[1]["HOMEOSTAT_WORKLOAD"], report()[1]["HOMEOSTAT_CONTAINER"]) == ("local/api", "")


async def test_a_name_that_no_environment_can_hold_is_an_error_and_nothing_runs(tmp_path):
    settings, _ = reporting(tmp_path)
    hostile = dataclasses.replace(container(), name="a\0b")

    with pytest.raises(Permanent, match="null byte"):
        await act(Exec(), STEP, containers_of(hostile), settings=settings)

    assert list(tmp_path.iterdir()) == []


async def test_the_last_line_is_told(tmp_path):
    settings = python("print('one'); print('\\x1b[31mfreed', 12, 'MB\\x07'); print('  ')")

    result = await act(Exec(), STEP, process(), settings=settings)

    assert re.fullmatch(r"flush: \d\.\d s: \[31mfreed 12 MB", result.detail)


async def test_a_command_that_fails_is_told_with_its_code_and_last_line():
    settings = python("import sys; print('working', flush=True); print('no such shop', file=sys.stderr); sys.exit(3)")

    with pytest.raises(Permanent, match=r"^flush ended with 3: no such shop$"):
        await act(Exec(), STEP, process(), settings=settings)


async def test_a_program_that_is_not_there_is_told():
    settings = settings_with(flush=Command(argv=("/nowhere/flush",)))

    with pytest.raises(NotFound, match=r"^/nowhere/flush: cannot be started"):
        await act(Exec(), STEP, process(), settings=settings)


async def test_a_command_that_is_no_longer_in_the_settings_is_not_run():
    with pytest.raises(Permanent, match=r"^flush: no such command in responder.commands$"):
        await act(Exec(), STEP, process(), settings=settings_with())


async def test_a_command_past_its_time_is_ended_with_all_that_it_started(tmp_path):
    pids = tmp_path / "pids"
    script = f"""
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
with open({str(pids)!r}, "w") as file:
    print(os.getpid(), child.pid, file=file)
time.sleep(60)
"""

    with pytest.raises(TimeoutError):
        await act(Exec(), dataclasses.replace(STEP, timeout=1.5), process(), settings=python(script))

    for pid in map(int, pids.read_text().split()):
        assert await until(lambda pid=pid: not _is_alive(pid))


def _is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_a_command_for_containers_is_passed_over_where_none_runs():
    settings = settings_with(flush=Command(argv=("true",), in_container=True))
    stopped = dataclasses.replace(container(), status="exited")

    for target in (process(), containers_of(stopped)):
        result = await act(Exec(), STEP, target, engine=object(), settings=settings)

        assert result.reason == "flush: no container of it runs"


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("", ""),
        ("\n \n", ""),
        ("a\nb\n\n", "b"),
        ("a\r\nb\r\n", "b"),
        ("x" * 5000, "x" * 200),
        ("\u202eevil\u2066", "evil"),
        ("a\x85b\u2028c", "c"),
        ("\ufffd\0", "\ufffd"),
    ],
)
def test_the_last_line_is_one_line_that_can_be_printed(output, expected):
    assert last_line(output) == expected


async def test_others_go_on_while_a_command_runs():
    settings = python("import time; time.sleep(0.5)")
    ticks = 0

    async def tick():
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.01)

    async with asyncio.TaskGroup() as group:
        ticking = group.create_task(tick())
        await act(Exec(), STEP, process(), settings=settings)
        ticking.cancel()

    assert ticks > 20
