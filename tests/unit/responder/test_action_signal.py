"""The action ``signal`` on real processes of this host, which a guardian tells of."""

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import time

import pytest
from fakes.acting import act, containers_of, process
from fakes.containers import container
from fakes.databases import until
from fakes.guardian import FakeGuardian

from homeostat.errors import Permanent
from homeostat.steps import SignalStep
from responder.actions.hostprocess import Delivery, deliver, is_in_container, listens
from responder.actions.signal import Signal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals")

HUP = SignalStep(action="signal", signal="HUP")
#: Writes "ready", and then the name of every signal that comes, to the file.
LISTENER = """
import signal, sys
out = open(sys.argv[1], "a", buffering=1)
for number in (signal.SIGHUP, signal.SIGUSR1):
    signal.signal(number, lambda number, frame: print(signal.Signals(number).name, file=out))
print("ready", file=out)
while True:
    signal.pause()
"""
#: Takes it with sigwait(3), as threads of servers do.
WAITER = """
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
out = open(sys.argv[1], "a", buffering=1)
print("ready", file=out)
print(signal.Signals(signal.sigwait([signal.SIGHUP])).name, file=out)
signal.pause()
"""
#: As tini and dumb-init: an init that hands on what it gets to its only child.
INIT = """
import os, signal, subprocess, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
child = subprocess.Popen([sys.executable, "-c", sys.argv[2], sys.argv[1]], restore_signals=True,
    preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGHUP]))
child.send_signal(signal.sigwait([signal.SIGHUP]))
child.wait()
"""
DEAF = "import sys, time; print('ready', file=open(sys.argv[1], 'a'), flush=True); time.sleep(60)"


@pytest.fixture
async def start(tmp_path):
    """Starts a script; its process, and what it has written."""
    started = []

    async def run(script, *arguments):
        log = tmp_path / f"log{len(started)}"
        log.touch()
        # A session of its own, to be ended as a whole.
        child = subprocess.Popen([sys.executable, "-c", script, str(log), *arguments], start_new_session=True)
        started.append(child)
        assert await until(lambda: log.read_text() == "ready\n")
        return child, lambda: log.read_text().split()[1:]

    yield run
    for child in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


@pytest.fixture
async def guardian(tmp_path):
    guardian = FakeGuardian("api")
    await guardian.start(tmp_path / "g" / "guardian.sock")
    yield guardian
    await guardian.stop()


@pytest.fixture
def socket(tmp_path):
    return tmp_path / "g" / "guardian.sock"


@pytest.mark.parametrize("script", [LISTENER, WAITER], ids=["by a handler", "by sigwait"])
async def test_a_supervised_process_gets_the_signal(start, guardian, socket, script):
    child, heard = await start(script)
    guardian.processes["api"].pid = child.pid

    result = await act(Signal(), HUP, process(), socket=socket)

    assert result.detail == "sent SIGHUP to process api"
    assert await until(lambda: heard() == ["SIGHUP"])
    assert child.poll() is None


async def test_a_process_that_the_signal_would_end_is_spared(start, guardian, socket):
    child, _ = await start(DEAF)
    guardian.processes["api"].pid = child.pid

    result = await act(Signal(), HUP, process(), socket=socket)

    assert result.reason == "process api does not listen to SIGHUP"
    time.sleep(0.2)
    assert child.poll() is None


async def test_an_init_hands_the_signal_on(start, guardian, socket):
    init, heard = await start(INIT, LISTENER)
    guardian.processes["api"].pid = init.pid

    result = await act(Signal(), HUP, process(), socket=socket)

    assert result.detail == "sent SIGHUP to process api"
    assert await until(lambda: heard() == ["SIGHUP"])


async def test_an_init_whose_child_the_signal_would_end_is_spared(start, guardian, socket):
    init, _ = await start(INIT, DEAF)
    guardian.processes["api"].pid = init.pid

    result = await act(Signal(), HUP, process(), socket=socket)

    assert result.reason == "process api does not listen to SIGHUP"
    time.sleep(0.2)
    assert init.poll() is None


async def test_a_stopped_process_is_continued_though_it_listens_to_nothing(start, guardian, socket):
    child, _ = await start(DEAF)
    guardian.processes["api"].pid = child.pid
    child.send_signal(signal.SIGSTOP)
    assert await until(lambda: os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT))

    await act(Signal(), SignalStep(action="signal", signal="CONT"), process(), socket=socket)

    assert await until(lambda: os.waitid(os.P_PID, child.pid, os.WCONTINUED | os.WNOHANG | os.WNOWAIT))


@pytest.mark.parametrize("apart_s", [-60.0, 60.0])
async def test_another_process_with_the_same_pid_is_not_touched(start, guardian, socket, apart_s):
    child, heard = await start(LISTENER)
    guardian.processes["api"].pid = child.pid
    guardian.processes["api"].started_at = time.time() + apart_s

    with pytest.raises(Permanent, match=rf"^process api: pid {child.pid} is not the one that the guardian started$"):
        await act(Signal(), HUP, process(), socket=socket)

    time.sleep(0.2)
    assert heard() == []


async def test_a_process_that_has_ended_meanwhile_is_told(start, guardian, socket):
    child, _ = await start(LISTENER)
    guardian.processes["api"].pid = child.pid
    child.kill()
    child.wait()

    with pytest.raises(Permanent, match="is not the one"):
        await act(Signal(), HUP, process(), socket=socket)


@pytest.mark.parametrize("name", ["api", "another"])
async def test_a_process_that_does_not_run_is_passed_over(guardian, socket, name):
    guardian.processes["api"].state = "backoff"
    guardian.processes["api"].pid = 0

    result = await act(Signal(), HUP, process(name), socket=socket)

    assert result.reason == f"process {name} does not run"


@pytest.mark.parametrize("status", ["exited", "paused", "created"])
async def test_containers_that_do_not_run_are_passed_over(status):
    stopped = dataclasses.replace(container(), status=status, pid=os.getpid())

    result = await act(Signal(), HUP, containers_of(stopped), engine=object())

    assert result.reason == "no container of it runs"


@pytest.mark.parametrize("stop_signal", ["SIGUSR1", "USR1", str(signal.SIGUSR1.value)])
async def test_what_stops_a_container_is_not_sent_to_it(stop_signal):
    """As of haproxy's image by SIGUSR1, and of httpd's by SIGWINCH."""
    stoppable = dataclasses.replace(container(), stop_signal=stop_signal, pid=os.getpid())

    result = await act(Signal(), SignalStep(action="signal", signal="USR1"), containers_of(stoppable), engine=object())

    assert result.reason == "shop-web-1 does not listen to SIGUSR1, or is stopped by it"


@pytest.mark.parametrize("pid", [0, -1, -os.getpgid(0), 2**22 + 1])
def test_no_pid_means_nobody_and_never_a_group(pid):
    assert deliver(pid, signal.SIGWINCH, lambda: True) is Delivery.UNKNOWN


def test_a_process_of_this_host_is_of_no_container(tmp_path):
    assert not is_in_container(os.getpid(), "f" * 64)
    assert not is_in_container(os.getpid(), "")
    assert not is_in_container(4711, "f" * 64, str(tmp_path))


def test_what_a_process_listens_to_is_read_from_its_masks():
    status = "Name:\tx\nSigQ:\t0/1\nSigBlk:\t0000000000000200\nSigIgn:\t0000000000000001\nSigCgt:\t0000000008000000\n"

    assert listens(status, signal.SIGWINCH)  # caught
    assert listens(status, signal.SIGUSR1)  # blocked
    assert not listens(status, signal.SIGHUP)  # ignored
    assert not listens(status, signal.SIGUSR2)
