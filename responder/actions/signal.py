"""Send a signal that asks the application to help itself. Nothing is stopped, restarted or lost.

Never by the engine's own kill: whatever the signal, that marks the container as stopped by hand, and its restart policy
ends (moby, daemon/kill.go, HasBeenManuallyStopped). From this host, or by a shell's ``kill`` in the container.
"""

import asyncio
import functools
import signal
from typing import assert_never

from homeostat.containers import Container, Engine
from homeostat.errors import NotFound, NotSupported, Permanent
from homeostat.platforms import detect
from homeostat.processes import system_processes
from homeostat.steps import SignalStep, Step
from responder.actions.base import Applied, Skipped, Tools
from responder.actions.hostprocess import Delivery, deliver, is_as_started, is_in_container
from responder.targets import Target

_IN_CONTAINER_S = 3.0
#: A shell's words for a program that is not there or cannot be run.
_NO_PROGRAM = (126, 127)


class Signal:
    """To the main process of each running container, one after another, or to the supervised process.

    ``proc``: the host's, for engines on this machine.
    """

    def __init__(self, proc: str = "/proc") -> None:
        self._proc = proc

    async def apply(self, step: Step, target: Target, tools: Tools) -> Applied | Skipped:
        assert isinstance(step, SignalStep)  # noqa: S101 - the table pairs them
        name = f"SIG{step.signal}"
        if target.process:
            return await _signal_process(target.process, name, tools)
        running = [container for container in target.containers if container.status == "running"]
        if not running or tools.engine is None:
            return Skipped("no container of it runs")
        heard = [each.name for each in running if await self._signal_container(each, name, tools.engine)]
        spared = ", ".join(each.name for each in running if each.name not in heard)
        why = f"does not listen to {name}, or is stopped by it"
        if not heard:
            return Skipped(f"{spared} {why}")
        return Applied(f"sent {name} to {', '.join(heard)}" + (f"; not to {spared}, which {why}" if spared else ""))

    async def _signal_container(self, container: Container, name: str, engine: Engine) -> bool:
        """Whether it was sent; else it would end the container, or do nothing."""
        if name in (container.stop_signal, f"SIG{container.stop_signal}", _named(container.stop_signal)):
            return False
        is_meant = functools.partial(is_in_container, container.pid, container.id, self._proc)
        delivery = await asyncio.to_thread(_send, container.pid, name, is_meant)
        match delivery:
            case Delivery.SENT:
                return True
            case Delivery.DEAF:
                return False
            case Delivery.UNKNOWN | Delivery.FORBIDDEN:
                await _signal_from_inside(container, name, engine)
                return True
            case _:
                assert_never(delivery)


async def _signal_from_inside(container: Container, name: str, engine: Engine) -> None:
    """Its main process is pid 1 there, which never ends by a signal from inside that it does not listen to."""
    if not await engine.has_own_pids(container.id):
        raise NotSupported(
            f"{container.name}: its process cannot be signalled from here, and pid 1 in it is another's (pid mode)"
        )
    argv = ["sh", "-c", f"kill -{name.removeprefix('SIG')} 1"]
    result = await engine.exec(container.id, argv, _IN_CONTAINER_S, {})
    if result.exit_code in _NO_PROGRAM:
        raise NotSupported(f"{container.name}: its process cannot be signalled from here, and there is no shell in it")
    if result.exit_code != 0:
        raise Permanent(f"{container.name}: kill in the container ended with {result.exit_code}")


async def _signal_process(process: str, name: str, tools: Tools) -> Applied | Skipped:
    if not hasattr(signal, name):
        raise NotSupported(f"this system has no {name}")
    try:
        status = await tools.guardian.process(process)
    except NotFound:
        status = None
    if status is None or not status.is_running:
        return Skipped(f"process {process} does not run")
    processes = system_processes(detect())
    is_meant = functools.partial(is_as_started, processes, status.pid, status.started_at, tools.clock.now())
    delivery = await asyncio.to_thread(_send, status.pid, name, is_meant)
    match delivery:
        case Delivery.SENT:
            return Applied(f"sent {name} to process {process}")
        case Delivery.DEAF:
            return Skipped(f"process {process} does not listen to {name}")
        case Delivery.UNKNOWN:
            raise Permanent(f"process {process}: pid {status.pid} is not the one that the guardian started")
        case Delivery.FORBIDDEN:
            raise NotSupported(f"process {process}: the responder's user may not signal it")
        case _:
            assert_never(delivery)


def _named(number: str) -> str:
    """An image may give its stop signal by number."""
    return next((each.name for each in signal.Signals if str(each.value) == number), "")


def _send(pid: int, name: str, is_meant: functools.partial[bool]) -> Delivery:
    if not hasattr(signal, name):  # Windows; the container may have it
        return Delivery.UNKNOWN
    return deliver(pid, signal.Signals[name], is_meant)
