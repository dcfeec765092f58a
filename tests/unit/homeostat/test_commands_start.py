"""What is tried again when a program cannot be started, and how it is told when it is given up."""

import asyncio
import errno
import gc
import os
import random
import threading
from pathlib import Path

import pytest
from fakes.clock import FakeClock
from fakes.processes import FakeProcesses

from homeostat import commands
from homeostat.commandexecutor import Executor
from homeostat.commandlaunch import Command, Launcher, Started
from homeostat.commandstart import PASSING_ERRNOS, PASSING_WINERRORS, check_batch_file, may_pass, start_error, waits_s
from homeostat.errors import HomeostatError, NotFound, NotSupported, Permanent, Temporary
from homeostat.platforms import detect

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX programs")
HELLO = Command(["echo", "hello"])
ARGV = ["check", "--now"]


def posix_error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def windows_error(winerror: int, number: int = errno.EACCES, text: str = "") -> OSError:
    """As Python raises it on Windows; elsewhere OSError takes no Windows error."""
    err = OSError(number, text or f"Windows error {winerror}")
    err.winerror = winerror
    return err


class Refusing:
    """Launcher that refuses with one error after the other, and starts for real then."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.attempts = 0

    def start(self, command: Command) -> Started:
        self.attempts += 1
        if self.errors:
            raise self.errors.pop(0)
        return commands.system_launcher(detect()).start(command)


def executor(launcher: Launcher, clock: FakeClock) -> Executor:
    return Executor(launcher, clock, random=lambda: 0.0)


PASSING = [posix_error(number) for number in PASSING_ERRNOS] + [windows_error(number) for number in PASSING_WINERRORS]
LASTING = [
    posix_error(errno.EACCES),
    posix_error(errno.ENOENT),
    posix_error(errno.ENOEXEC),
    posix_error(errno.E2BIG),
    windows_error(2, errno.ENOENT),
    windows_error(193, errno.ENOEXEC),
    windows_error(206, errno.ENOENT),
    windows_error(267, errno.ENOTDIR),
    windows_error(740, errno.EINVAL),
    windows_error(87, errno.EAGAIN),  # the Windows error counts, whatever POSIX error Python translates it to
    ValueError("embedded null byte"),
]


def name(err: Exception) -> str:
    number = getattr(err, "winerror", None)
    return f"WinError {number}" if number else errno.errorcode.get(getattr(err, "errno", 0), "ValueError")


@posix
@pytest.mark.parametrize("err", PASSING, ids=name)
async def test_what_may_pass_is_tried_again(err):
    launcher, clock = Refusing(err, err), FakeClock()

    result = await executor(launcher, clock).run(HELLO, 10)

    assert (result.output, launcher.attempts, clock.slept) == ("hello\n", 3, [0.05, 0.1])


@pytest.mark.parametrize("err", LASTING, ids=name)
async def test_what_will_not_pass_is_told_at_once(err):
    launcher, clock = Refusing(err), FakeClock()

    with pytest.raises(Permanent, match=r"^echo: cannot be started: "):
        await executor(launcher, clock).run(HELLO, 10)

    assert (launcher.attempts, clock.slept) == (1, [])


@pytest.mark.parametrize("err", PASSING, ids=name)
async def test_what_does_not_pass_is_given_up_and_told(err):
    launcher, clock = Refusing(*[err] * 99), FakeClock()

    with pytest.raises(HomeostatError, match=f"^echo: cannot be started: {err.strerror}$") as raised:
        await executor(launcher, clock).run(HELLO, 10)

    assert isinstance(raised.value, Permanent if name(err) == "WinError 5" else Temporary)
    assert (launcher.attempts, clock.slept) == (6, [0.05, 0.1, 0.2, 0.4, 0.8])


async def test_it_is_not_tried_past_the_timeout():
    launcher, clock = Refusing(*[posix_error(errno.EAGAIN)] * 99), FakeClock()

    with pytest.raises(Temporary):
        await executor(launcher, clock).run(HELLO, 0.3)

    assert (launcher.attempts, clock.slept) == (3, [0.05, 0.1])


@posix
async def test_the_time_spent_on_starting_is_taken_from_the_timeout():
    launcher, clock = Refusing(*[posix_error(errno.EAGAIN)] * 5), FakeClock()

    result = await executor(launcher, clock).run(Command(["sleep", "60"]), 1.7)

    assert (result.exit_code, launcher.attempts) == (None, 6)


def test_waits_are_spread_so_that_many_do_not_come_again_together():
    waits = [list(waits_s(random.Random(seed).random)) for seed in range(100)]

    assert len({wait for each in waits for wait in each}) == 500
    assert all(0.77 <= sum(each) <= 1.55 for each in waits)


async def test_a_thread_that_cannot_be_had_is_a_shortage(monkeypatch):
    clock = FakeClock()

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(Temporary, match="echo: cannot be started: can't start new thread"):
        await executor(Refusing(), clock).run(HELLO, 10)

    assert len(clock.slept) == 5


class Forgetful(FakeProcesses):
    """A process table that refuses to be read."""

    def row(self, pid):
        self.asked = pid
        raise posix_error(errno.EMFILE)


@posix
async def test_what_has_started_but_cannot_be_followed_is_ended_and_not_tried_again(tmp_path):
    processes, clock = Forgetful(), FakeClock()
    launcher = commands.SystemLauncher(detect(), processes)

    with pytest.raises(Temporary, match=r"sleep: started, but it cannot be followed: .*Too many open files"):
        await executor(launcher, clock).run(Command(["sleep", "60"]), 10)

    assert clock.slept == []
    with pytest.raises(ProcessLookupError):
        os.kill(processes.asked, 0)


@posix
async def test_a_process_that_the_system_does_not_show_is_run_all_the_same():
    """macOS shows none that has ended; Linux none of other users, where /proc hides them."""
    launcher = commands.SystemLauncher(detect(), FakeProcesses())

    assert (await executor(launcher, FakeClock()).run(HELLO, 10)).output == "hello\n"


class Slow:
    """A launcher on a disk that does not answer until ``disk`` is set. ``started``: what it started at last."""

    def __init__(self, launcher: Launcher) -> None:
        self.launcher = launcher
        self.disk = threading.Event()
        self.started: Started | None = None

    def start(self, command: Command) -> Started:
        self.disk.wait(10)
        self.started = self.launcher.start(command)
        return self.started


@posix
@pytest.mark.parametrize("answers_before_the_end", [True, False])
async def test_a_command_cancelled_while_it_is_started_does_not_run(answers_before_the_end):
    launcher = Slow(Refusing())
    running = asyncio.create_task(executor(launcher, FakeClock()).run(Command(["sleep", "60"]), 60))
    await asyncio.sleep(0.05)

    running.cancel()
    if answers_before_the_end:
        launcher.disk.set()
    async with asyncio.timeout(3):
        with pytest.raises(asyncio.CancelledError):
            await running
    launcher.disk.set()

    async with asyncio.timeout(5):
        while launcher.started is None or launcher.started.popen.returncode is None:
            await asyncio.sleep(0.01)
    assert launcher.started.popen.returncode == -9


async def test_a_command_that_is_refused_after_it_was_cancelled_is_neither_tried_again_nor_told(caplog):
    refusing = Refusing(posix_error(errno.EAGAIN))
    launcher = Slow(refusing)
    running = asyncio.create_task(executor(launcher, FakeClock()).run(HELLO, 60))
    await asyncio.sleep(0.05)

    running.cancel()
    launcher.disk.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    gc.collect()

    assert (refusing.attempts, caplog.records) == (1, [])


@pytest.mark.parametrize(
    ("err", "kind", "message"),
    [
        (windows_error(2, errno.ENOENT), NotFound, "no check"),
        (windows_error(267, errno.ENOTDIR), NotFound, "no /srv/shop"),
        (windows_error(206, errno.ENOENT, "The filename or extension is too long"), Permanent, "The filename or ext"),
        (windows_error(193, errno.ENOEXEC, "%1 is not a valid Win32 application"), Permanent, "%1 is not a valid"),
        (windows_error(32, text="The process cannot access the file"), Temporary, "The process cannot access the f"),
        (windows_error(5, text="Access is denied"), Permanent, "Access is denied"),
        (ValueError("embedded null byte"), Permanent, "embedded null byte"),
    ],
)
def test_what_windows_says_is_told(err, kind, message):
    told = start_error(err, ARGV, Path("/srv/shop"))

    assert type(told) is kind
    assert str(told).startswith(f"check: cannot be started: {message}")


def test_an_error_that_is_not_of_the_system_does_not_pass():
    assert not may_pass(ValueError("embedded null byte"))


@pytest.mark.parametrize("program", ["check.bat", r"C:\tools\check.CMD", "check.bat.", "check.cmd ", "check.bat. ."])
def test_a_batch_file_is_refused_because_a_shell_would_read_its_arguments(program):
    with pytest.raises(NotSupported, match="a shell would read the arguments of a batch file; allowed: a program"):
        check_batch_file([program, "&calc"])


@pytest.mark.parametrize("argv", [["check.exe"], ["cmd.exe", "/c", "check.bat"], ["batch"], ["x.bat/check"]])
def test_a_program_is_no_batch_file(argv):
    check_batch_file(argv)
