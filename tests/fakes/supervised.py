"""A supervisor over processes that a test scripts, in virtual time."""

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path

from fakes.clock import FakeClock
from fakes.processes import FakeProcesses

from guardian.child import Running
from guardian.escalate import CrashLoopNotice
from guardian.model import Supervised, Tools
from guardian.state import Record, StateFile
from guardian.supervise import Supervisor
from guardian.usage import UsageReader
from homeostat.processes import ProcessId
from homeostat.processspec import ProcessSpec
from homeostat.structure import stored, written


@dataclass
class Plan:
    """One run of the process: it ends by itself after ``ran_s`` with ``code``, or never when that is None."""

    code: int | None = None
    ran_s: float = 0.0
    problem: Exception | None = None
    watch_problem: Exception | None = None


@dataclass
class FakeLauncher:
    """guardian.child.Launcher by script; once the script is used up, processes run until they are ended."""

    clock: FakeClock
    state_dir: Path
    plans: list[Plan] = field(default_factory=list)
    processes: FakeProcesses = field(default_factory=FakeProcesses)
    calls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._current = Plan()
        self._last_pid = 100

    async def start(self, name: str, spec: ProcessSpec, log: Path) -> Running:
        self._current = self.plans.pop(0) if self.plans else Plan()
        if self._current.problem:
            self.calls.append("failed to start")
            raise self._current.problem
        self._last_pid += 1
        self.calls.append("start")
        return Running(ProcessId(self._last_pid, 1.0), self.clock.now(), self.clock.monotonic(), None)

    async def adopt(self, process: ProcessId) -> Running:
        self.calls.append("adopt")
        return Running(process, self.clock.now() - 100, self.clock.monotonic() - 100, None)

    async def ended(self, running: Running) -> int | None:
        plan = self._current
        if plan.watch_problem:
            problem, plan.watch_problem = plan.watch_problem, None
            raise problem
        if plan.code is None:
            await asyncio.Event().wait()
        self.clock.advance(plan.ran_s)
        return plan.code

    async def end(self, name: str, running: Running, grace_s: float) -> int | None:
        self.calls.append(f"end {grace_s:g}")
        return 143 if self._current.code is None else self._current.code

    async def end_leftovers(self, name: str, grace_s: float, known=()) -> None:
        pass


class World:
    """One supervisor that runs, and all that it did."""

    def __init__(self, tmp_path: Path) -> None:
        self.clock = FakeClock()
        self.launcher = FakeLauncher(self.clock, tmp_path)
        self.state = StateFile(tmp_path, "boot")
        self.told: list[CrashLoopNotice] = []

    def supervisor(self, *plans: Plan, **spec: object) -> Supervisor:
        async def notify(notice: CrashLoopNotice) -> None:
            self.told.append(notice)

        self.launcher.plans = list(plans)
        tools = Tools(
            launcher=self.launcher,
            probes=None,
            usage=UsageReader(self.launcher.processes, self.clock),
            state=self.state,
            random=lambda: 0.5,
            notify=notify,
        )
        process = written(ProcessSpec, {"command": ("web",), "stop_grace": "7s", **spec})
        return Supervisor(Supervised("web", "local/web", process), tools)

    def saved(self) -> Record:
        document = json.loads((self.launcher.state_dir / "guardian.json").read_text())
        return stored(Record, document["processes"]["web"])
