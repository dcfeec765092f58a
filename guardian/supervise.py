"""The loop for one process: start it, watch its exit, check and limits, restart it, or stop and call people."""

import asyncio
import hashlib
import json
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import structlog

from guardian import limits, logs
from guardian.check import until_failing
from guardian.child import Launcher, Running
from guardian.escalate import CrashLoopNotice, Notify, escalate
from guardian.first import first
from guardian.policy import Cause, CrashLoop, End, Restart, Stay, decide, history_length
from guardian.state import Record, StateFile
from guardian.usage import NOTHING, Usage, UsageReader
from homeostat.errors import HomeostatError, Permanent, Temporary
from homeostat.guardian_client import ProcessStatus
from homeostat.probes import ProbeContext
from homeostat.processes import ProcessId, is_alive
from homeostat.processtrees import end_tree
from homeostat.settings import ProcessSpec

log = structlog.get_logger()

#: After an error that nobody foresaw: the process goes on, and so does watching it.
_AFTER_ERROR_S = 5.0
#: The kernel has ended it; until it says so takes microseconds.
_REAP_S = 1.0


class State(StrEnum):
    """On the wire. ``starting``: it runs, but no check was good yet. ``exited``: the policy leaves it so."""

    STARTING = "starting"
    RUNNING = "running"
    BACKOFF = "backoff"
    EXITED = "exited"
    CRASH_LOOPING = "crash_looping"
    STOPPED = "stopped"


class Order(StrEnum):
    """What can be asked of the guardian for one process."""

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
class Request:
    order: Order
    grace_s: float
    done: asyncio.Future[None]


@dataclass(frozen=True, slots=True)
class Exited:
    code: int | None


@dataclass(frozen=True, slots=True)
class Trouble:
    cause: Cause
    reason: str


class Supervisor:
    """Keeps one process alive while :meth:`run` runs. Only :meth:`run` starts and ends it, one thing at a time."""

    def __init__(self, process: Supervised, tools: Tools) -> None:
        self.name = process.name
        self.workload = process.workload
        self.spec = process.spec
        self.restarts = dict.fromkeys(Cause, 0)
        self._tools = tools
        self._clock = tools.launcher.clock
        self._processes = tools.launcher.processes
        self._log_path = logs.log_path(tools.launcher.state_dir, process.name)
        self._log = log.bind(workload=process.workload)
        self._running: Running | None = None
        #: What it is while it does not run, and with BACKOFF how long and why.
        self._idle = State.BACKOFF
        self._delay_s = 0.0
        self._cause: Cause | None = None
        self._ends: deque[End] = deque(maxlen=history_length(process.spec))
        self._exit_code: int | None = None
        self._problem = ""
        self._last_check_ok: bool | None = None
        self._notice: CrashLoopNotice | None = None
        self._turn = asyncio.Lock()
        self._request: Request | None = None
        self._asked = asyncio.Event()
        self._is_over = False
