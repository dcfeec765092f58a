"""The loop for one process: start it, watch its exit, check and limits, restart it, or stop and call people."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import structlog

from guardian import limits, logs
from guardian.check import until_failing
from guardian.child import Launcher, Running
from guardian.escalate import CrashLoopNotice, Notify, escalate
from guardian.first import first
from guardian.policy import Cause, CrashLoop, End, Restart, Stay, decide, history_length
from guardian.state import Record, StateFile, spec_hash
from guardian.usage import Usage, UsageReader
from homeostat.errors import HomeostatError, Permanent
from homeostat.probes import ProbeContext
from homeostat.processes import ProcessId
from homeostat.settings import ProcessSpec

log = structlog.get_logger()

#: After an error that nobody foresaw: the process goes on meanwhile.
_AFTER_ERROR_S = 5.0


class State(StrEnum):
    """On the wire. ``starting``: runs, but no check was good yet. ``exited``: the policy leaves it so."""

    STARTING = "starting"
    RUNNING = "running"
    BACKOFF = "backoff"
    EXITED = "exited"
    CRASH_LOOPING = "crash_looping"
    STOPPED = "stopped"


class Order(StrEnum):
    """What may be asked for one process."""

    START = "start"
    STOP = "stop"
    RESTART = "restart"


@dataclass(frozen=True, slots=True)
class Supervised:
    """One process to keep alive."""

    name: str
    workload: str
    spec: ProcessSpec


@dataclass(frozen=True, slots=True)
class Tools:
    """What all supervisors share. ``random``: in [0, 1)."""

    launcher: Launcher
    probes: ProbeContext
    usage: UsageReader
    state: StateFile
    random: Callable[[], float]
    notify: Notify | None


@dataclass(frozen=True, slots=True)
class _Request:
    order: Order
    grace_s: float
    done: asyncio.Future[None]


@dataclass(frozen=True, slots=True)
class _Exited:
    code: int | None


@dataclass(frozen=True, slots=True)
class _Trouble:
    cause: Cause
    reason: str


class Supervisor:
    """Keeps one process alive while :meth:`run` runs, which alone starts and ends it, one thing at a time."""

    def __init__(self, process: Supervised, tools: Tools) -> None:
        self.process = process
        self.running: Running | None = None
        self.restarts = dict.fromkeys(Cause, 0)
        self.exit_code: int | None = None
        self.last_check_ok: bool | None = None
        self._spec = process.spec
        self._tools = tools
        self._clock = tools.launcher.clock
        self._log = log.bind(workload=process.workload)
        self._log_path = logs.log_path(tools.launcher.state_dir, process.name)
        # What it is while it does not run; for BACKOFF, how long yet and why.
        self._idle = State.BACKOFF
        self._delay_s = 0.0
        self._cause: Cause | None = None
        self._ends: deque[End] = deque(maxlen=history_length(process.spec))
        self._untold: CrashLoopNotice | None = None
        self._start_problem = ""
        self._turn = asyncio.Lock()
        self._request: _Request | None = None
        self._asked = asyncio.Event()
        self._is_over = False

    @property
    def state(self) -> State:
        if self.running is None:
            return self._idle
        is_proven = self._spec.check is None or self.last_check_ok is True
        return State.RUNNING if is_proven or not self._is_in_grace() else State.STARTING

    async def resume(self, record: Record, live: ProcessId | None) -> None:
        """Take up what a guardian before us left: its ``record``, and its process if that still runs."""
        self.restarts |= record.restarts
        self.exit_code = record.exit_code
        if record.is_stopped:
            self._idle = State.STOPPED
        elif record.settled is not None:
            self._idle = State(record.settled)
        elif live is not None:
            self.running = await self._tools.launcher.adopt(live)
            self._log.info("process.adopted", pid=live.pid)
            if record.spec_hash not in ("", spec_hash(self._spec)):
                self._log.info("process.changed", pid=live.pid)
                self._cause = Cause.REQUEST
                await self._end_running(self._spec.stop_grace)
        elif record.pid is not None:
            self._log.warning("process.ended_unwatched", pid=record.pid)
            await self._decide(End(self._clock.monotonic(), 0.0, Cause.EXIT, None))

    async def run(self) -> None:
        """Until cancelled; the process is not ended then."""
        try:
            while True:
                try:
                    await (self._rest() if self.running is None else self._watch(self.running))
                except Exception:
                    # Worker loop: an error here must not end the watch over this or any other process.
                    self._log.exception("process.supervision_failed")
                    await self._clock.sleep(_AFTER_ERROR_S)
        finally:
            self._is_over = True
            if self._request is not None and not self._request.done.done():
                self._request.done.set_exception(Permanent("the guardian is ending"))

    async def ask(self, order: Order, grace_s: float | None = None) -> None:
        """Returns when the order is carried out. Raises Permanent when it could not be."""
        async with self._turn:
            if self._is_over:
                raise Permanent("the guardian is ending")
            done = asyncio.get_running_loop().create_future()
            grace_s = self._spec.stop_grace if grace_s is None else grace_s
            self._request = _Request(order, grace_s, done)
            self._asked.set()
            await done

    async def shut_down(self) -> None:
        """End the process; it starts again with the next guardian, unless a request had stopped it."""
        if self.running is not None:
            await self._end_running(self._spec.stop_grace)
        if self._idle is not State.STOPPED:
            self._idle = State.BACKOFF
        await self._save()

    async def leave(self) -> None:
        """Let the process go on without us."""
        if self.running is not None and self.running.child is not None:
            self.running.child.let_go()

    async def usage(self) -> Usage:
        """Of the whole tree; zeros when it does not run."""
        if self.running is None:
            return Usage(0, 0.0, 0)
        return await asyncio.to_thread(self._tools.usage.read, self.running.id)

    async def _watch(self, running: Running) -> None:
        waits: list[Coroutine[Any, Any, _Request | _Exited | _Trouble]] = [
            self._next_request(),
            self._exit(running),
        ]
        if self._spec.restart != "never":
            waits += self._troubles()
        match await first(*waits):
            case _Request() as request:
                await self._obey(request)
            case _Exited(code):
                ran_s = self._clock.monotonic() - running.started
                self._log.warning("process.exited", pid=running.id.pid, exit_code=code, ran_s=round(ran_s, 3))
                await self._end_running(self._spec.stop_grace)  # what it left behind
                self.exit_code = code
                await self._decide(End(self._clock.monotonic(), ran_s, Cause.EXIT, code))
            case _Trouble(cause, reason):
                ran_s = self._clock.monotonic() - running.started
                self._log.warning("process.unhealthy", pid=running.id.pid, cause=cause, reason=reason)
                await self._end_running(self._spec.stop_grace)
                await self._decide(End(self._clock.monotonic(), ran_s, cause, self.exit_code))
