"""Words of the guardian: what it supervises, the states of it, and what may be asked."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from guardian.child import Launcher
from guardian.escalate import Notify
from guardian.state import StateFile
from guardian.usage import UsageReader
from homeostat.probes import ProbeContext
from homeostat.processspec import ProcessSpec


class State(StrEnum):
    """On the wire. ``starting``: runs, but no check was good yet. ``exited``: the policy leaves it so."""

    STARTING = "starting"
    RUNNING = "running"
    BACKOFF = "backoff"
    EXITED = "exited"
    CRASH_LOOPING = "crash_looping"
    STOPPED = "stopped"


class Order(StrEnum):
    """What may be asked for one process; the last part of its URL."""

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
    notify: Notify | None = None
