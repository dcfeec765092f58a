"""What follows when a process ended: pure, so that every rule is a row of a table in the tests."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from homeostat.processspec import BackoffSpec, ProcessSpec

#: 2^60 x any initial wait is past any cap; more only overflows.
_MOST_DOUBLINGS = 60


class Cause(StrEnum):
    """Why a process ended, and so why it is restarted: label values of the restarts metric."""

    EXIT = "exit"
    CHECK = "check"
    LIMIT = "limit"
    REQUEST = "request"


@dataclass(frozen=True, slots=True)
class End:
    """One end that nobody asked for. ``at``: monotonic. ``exit_code`` None: unknown (adopted, or never started)."""

    at: float
    ran_s: float
    cause: Cause
    exit_code: int | None


@dataclass(frozen=True, slots=True)
class Restart:
    """Start it again after the wait."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class Stay:
    """The policy wants no restart."""

    reason: str


@dataclass(frozen=True, slots=True)
class CrashLoop:
    """It ended ``count`` times within the window: restarting is no repair."""

    count: int


Decision = Restart | Stay | CrashLoop


def decide(spec: ProcessSpec, ends: Sequence[End], now: float, random: Callable[[], float]) -> Decision:
    """``ends``: oldest first, the last one is the one to decide on. ``random``: in [0, 1)."""
    last = ends[-1]
    reason = _reason_to_stay(spec, last)
    if reason is not None:
        return Stay(reason)
    recent = sum(1 for end in ends if now - end.at <= spec.crash_loop.window)
    if recent >= spec.crash_loop.count:
        return CrashLoop(recent)
    return Restart(_delay_s(spec.backoff, ends, random))


def history_length(spec: ProcessSpec) -> int:
    """How many ends :func:`decide` can make use of."""
    return max(spec.crash_loop.count, _MOST_DOUBLINGS)


def _reason_to_stay(spec: ProcessSpec, last: End) -> str | None:
    """An unknown exit code is no success: a process that is to be kept alive is restarted."""
    if spec.restart == "never":
        return "restart is never"
    if spec.restart == "on-failure" and last.cause is Cause.EXIT and last.exit_code == 0:
        return "it ended with success, and restart is on-failure"
    return None


def _delay_s(spec: BackoffSpec, ends: Sequence[End], random: Callable[[], float]) -> float:
    failures = 0
    for end in reversed(ends):
        failures += 1
        if end.ran_s >= spec.reset_after:
            break
    doublings = min(failures - 1, _MOST_DOUBLINGS)
    spread = 1 + spec.jitter * (2 * random() - 1)
    return float(min(spec.initial * 2**doublings, spec.max) * spread)
