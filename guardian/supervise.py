"""The loop for one process: start it, watch its exit, check and limits, restart it, or stop and call people."""

import asyncio
from collections import deque
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import structlog

from guardian import limits, logs
from guardian.check import until_failing
from guardian.child import Running
from guardian.escalate import CrashLoopNotice, escalate
from guardian.model import Order, State, Supervised, Tools
from guardian.policy import Cause, CrashLoop, End, Restart, Stay, decide, history_length
from guardian.state import Record, spec_hash
from guardian.usage import NOTHING, Usage
from guardian.waiting import first, to_the_end
from homeostat.errors import HomeostatError, Permanent, Unreachable
from homeostat.processes import ProcessId
from homeostat.processspec import CheckSpec

log = structlog.get_logger()

#: What is left alone by the next guardian too.
_SETTLED: Mapping[State, Literal["exited", "crash_looping"]] = {
    State.EXITED: "exited",
    State.CRASH_LOOPING: "crash_looping",
}
#: After an error that nobody foresaw; the process goes on meanwhile.
_AFTER_ERROR_S = 5.0


@dataclass(frozen=True, slots=True)
class _Request:
    order: Order
    grace_s: float
    done: asyncio.Future[None] | None = None

    def answer(self, problem: HomeostatError | None) -> None:
        """Unless nobody asked, or the asker has left."""
        if self.done is None or self.done.done():
            return
        if problem is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(problem)


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
        # Else a check or a limit could only end it: the check is shown, and that is all.
        self._is_restarted = process.spec.restart != "never"
        self._tools = tools
        self._clock = tools.launcher.clock
        self._log = log.bind(workload=process.workload)
        self._log_path = logs.log_path(tools.launcher.state_dir, process.name)
        # What it is while it does not run; before a start, in how long and after what.
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
        """Take up what the guardian before us left: its ``record``, and its process if that still runs."""
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
                self._put(_Request(Order.RESTART, self._spec.stop_grace))
        elif record.pid is not None:
            self._log.warning("process.ended_unwatched", pid=record.pid)
            await self._decide(End(self._clock.monotonic(), 0.0, Cause.EXIT, None))

    async def run(self) -> None:
        """Until cancelled; the process goes on then."""
        try:
            while True:
                try:
                    await (self._rest() if self.running is None else self._watch(self.running))
                except Exception:  # noqa: BLE001 - worker loop: no error may end the watch over this or any process
                    self._log.exception("process.supervision_failed")
                    await self._clock.sleep(_AFTER_ERROR_S)
        finally:
            self._is_over = True
            if self._request is not None:
                self._request.answer(Unreachable("the guardian is ending"))

    async def ask(self, order: Order, grace_s: float | None = None) -> None:
        """Returns when the order is carried out. Raises Permanent when it cannot be.

        Raises Unreachable when the guardian ends.
        """
        async with self._turn:
            if self._is_over:
                raise Unreachable("the guardian is ending")
            done = asyncio.get_running_loop().create_future()
            grace_s = self._spec.stop_grace if grace_s is None else grace_s
            self._put(_Request(order, grace_s, done))
            await done

    async def shut_down(self) -> None:
        """End the process, after :meth:`run`. The next guardian starts it, unless a request had stopped it."""
        if self.running is not None:
            await self._end(self.running, self._spec.stop_grace)
        if self._idle is not State.STOPPED:
            self._idle = State.BACKOFF
        await self._save()

    def leave(self) -> None:
        """Let the process go on without us, after :meth:`run`."""
        if self.running is not None and self.running.child is not None:
            self.running.child.let_go()

    def read_usage(self) -> Usage:
        """Of the whole tree; zeros when it does not run. Blocks: use a thread."""
        running = self.running
        return NOTHING if running is None else self._tools.usage.read(running.id)

    async def _watch(self, running: Running) -> None:
        match await first(*self._causes(running)):
            case _Request() as request:
                await self._obey(request)
            case _Trouble(cause, reason):
                ran_s = self._clock.monotonic() - running.started
                self._log.warning(
                    "process.ending",
                    pid=running.id.pid,
                    cause=cause.value,
                    reason=reason,
                    ran_s=round(ran_s, 3),
                )
                # After an exit too: what it left behind.
                await self._end(running, self._spec.stop_grace)
                await self._decide(End(self._clock.monotonic(), ran_s, cause, self.exit_code))

    def _causes(self, running: Running) -> list[Coroutine[Any, Any, _Request | _Trouble]]:
        """All that may end the watch."""
        waits: list[Coroutine[Any, Any, _Request | _Trouble]] = [self._next_request(), self._until_exit(running)]
        if self._spec.check is not None:
            waits.append(self._until_check_fails(self._spec.check))
        if self._is_restarted and limits.are_set(self._spec.limits):
            waits.append(self._until_limit_exceeded())
        return waits

    async def _rest(self) -> None:
        request = await first(self._next_request(), self._pause())
        if request is not None:
            await self._obey(request)
        elif self._idle is State.BACKOFF:
            await self._start()

    async def _pause(self) -> None:
        if self._idle is State.BACKOFF:
            await self._clock.sleep(self._delay_s)
        elif self._untold is not None:
            await escalate(self._untold, self._tools.notify)
            self._untold = None
        else:
            await asyncio.Event().wait()

    def _put(self, request: _Request) -> None:
        self._request = request
        self._asked.set()

    async def _next_request(self) -> _Request:
        while self._request is None:
            await self._asked.wait()
        return self._request

    async def _until_exit(self, running: Running) -> _Trouble:
        code = await self._tools.launcher.ended(running)
        return _Trouble(Cause.EXIT, f"exit code {'unknown' if code is None else code}")

    async def _until_check_fails(self, check: CheckSpec) -> _Trouble:
        def note(ok: bool) -> None:
            self.last_check_ok = ok

        while True:
            reason = await until_failing(check, self._tools.probes, self._is_in_grace, note)
            if self._is_restarted:
                return _Trouble(Cause.CHECK, reason)

    async def _usage(self) -> Usage:
        return await asyncio.to_thread(self.read_usage)

    async def _until_limit_exceeded(self) -> _Trouble:
        reason = await limits.until_exceeded(self._spec.limits, self._clock, self._is_in_grace, self._usage)
        return _Trouble(Cause.LIMIT, reason)

    def _is_in_grace(self) -> bool:
        if self.running is None:
            return False
        return self._clock.monotonic() - self.running.started < self._spec.start_grace

    async def _decide(self, end: End) -> None:
        self._ends.append(end)
        match decide(self._spec, self._ends, end.at, self._tools.random):
            case Restart(delay_s):
                self._idle, self._delay_s, self._cause = State.BACKOFF, delay_s, end.cause
                self._log.info("process.backing_off", delay_s=round(delay_s, 3))
            case Stay(reason):
                self._idle = State.EXITED
                self._log.info("process.left_ended", reason=reason)
            case CrashLoop(count):
                self._idle = State.CRASH_LOOPING
                self._untold = CrashLoopNotice(
                    name=self.process.name,
                    workload=self.process.workload,
                    count=count,
                    window_s=self._spec.crash_loop.window,
                    exit_code=end.exit_code,
                    log=self._log_path,
                )
        await self._save()

    async def _obey(self, request: _Request) -> None:
        try:
            await self._carry_out(request)
        except HomeostatError as err:
            request.answer(err)
        except BaseException:
            request.answer(Unreachable("the guardian failed or ended; its log says why"))
            raise
        else:
            request.answer(None)
        finally:
            # Its asker may have left, and another taken its place.
            if self._request is request:
                self._request = None
                self._asked.clear()

    async def _carry_out(self, request: _Request) -> None:
        if request.order is Order.START and self.running is not None:
            return
        self._log.info("process.asked", order=request.order.value)
        if self.running is not None:
            await self._end(self.running, request.grace_s)
        self._ends.clear()
        self._untold = None
        if request.order is Order.STOP:
            self._idle = State.STOPPED
            await self._save()
            return
        self._cause = Cause.REQUEST if request.order is Order.RESTART else None
        await self._start()
        if self.running is None:
            raise Permanent(f"{self.process.name}: {self._start_problem}")

    async def _start(self) -> None:
        await self._save()  # without a process: should we die before the next save, its mark tells of the new one
        try:
            await self._tools.launcher.end_leftovers(self.process.name, self._spec.stop_grace)
            await asyncio.to_thread(logs.rotate, self._log_path)
            # What is started has to be known, to be ended or left in order.
            await to_the_end(self._launch())
        except (HomeostatError, OSError) as err:
            self._start_problem = str(err)
            self._log.warning("process.start_failed", error=str(err))
            await self._decide(End(self._clock.monotonic(), 0.0, Cause.EXIT, None))
            return
        if self._cause is not None:
            self.restarts[self._cause] += 1
        self._cause = None
        self._idle = State.BACKOFF
        await self._save()

    async def _launch(self) -> None:
        self.running = await self._tools.launcher.start(self.process.name, self._spec, self._log_path)
        self._log.info("process.started", pid=self.running.id.pid)

    async def _end(self, running: Running, grace_s: float) -> None:
        launcher = self._tools.launcher
        self.exit_code = await launcher.end(self.process.name, running, grace_s)
        self.running = None
        self.last_check_ok = None

    async def _save(self) -> None:
        process = self.running.id if self.running else None
        record = Record(
            pid=process.pid if process else None,
            start=process.start if process else None,
            spec_hash=spec_hash(self._spec),
            exit_code=self.exit_code,
            restarts=dict(self.restarts),
            settled=_SETTLED.get(self._idle) if process is None else None,
            is_stopped=process is None and self._idle is State.STOPPED,
        )
        await self._tools.state.put(self.process.name, record)
