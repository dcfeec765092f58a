"""What the page shows, ready to be written down. All texts are data of others: templates escape them."""

from dataclasses import dataclass
from enum import StrEnum


class Tone(StrEnum):
    """How much something asks for attention; the page always says it in words, too."""

    GOOD = "good"
    BUSY = "busy"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Moment:
    """``iso`` for machines, ``utc`` for people, ``ago`` as seen when the page was made."""

    iso: str
    utc: str
    ago: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A named value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class WorkloadRow:
    """``why`` is empty while it is well; ``trouble`` is the number of its open recovery, 0 for none."""

    workload: str
    state: str
    tone: Tone
    why: str
    trouble: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Workloads:
    """``rows``: those that are not well first. ``left_out``: how many there is no room for. ``problem``: why their
    state is not known, empty when it is.
    """

    rows: tuple[WorkloadRow, ...]
    left_out: int
    problem: str


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of a ladder, ``number`` from 1. ``state`` is one word or two of what became of it, or will."""

    number: int
    action: str
    tone: Tone
    state: str
    why: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Question:
    """A step that waits for a person. ``entry``: the line of the ledger that asks; ``seal`` is its form's token."""

    recovery: int
    entry: int
    rung: int
    action: str
    expires: Moment
    seal: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a recovery's record, in words. ``details``: what was seen, each with its own lines."""

    at: Moment
    tone: Tone
    text: str
    details: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class Trouble:
    """An episode whose trouble lasts. ``now``: what is going on; ``next``: what is planned, should that not help."""

    recovery: int
    alert: str
    workload: str
    summary: str
    runbook: str
    opened: Moment
    tone: Tone
    now: str
    next: str
    rungs: tuple[Rung, ...]
    question: Question | None
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """A recovery that is over. ``readings``: what its end rests on; ``took`` in words."""

    recovery: int
    alert: str
    workload: str
    tone: Tone
    outcome: str
    reason: str
    ended: Moment
    took: str
    steps: tuple[str, ...]
    readings: tuple[Fact, ...]
    causes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HoldRow:
    """``until`` None: until released."""

    pattern: str
    by: str
    reason: str
    since: Moment | None
    until: Moment | None


@dataclass(frozen=True, slots=True)
class WindowRow:
    """A maintenance window. ``when`` and ``where`` in words."""

    where: str
    when: str
    is_now: bool


@dataclass(frozen=True, slots=True)
class Status:
    """The whole page. ``version`` changes when what it shows may have changed. ``summary``: all of it, in numbers."""

    version: str
    made: Moment
    tone: Tone
    headline: str
    summary: str
    warnings: tuple[str, ...]
    questions: tuple[Trouble, ...]
    troubles: tuple[Trouble, ...]
    troubles_left_out: int
    workloads: Workloads
    ended: tuple[Ended, ...]
    holds: tuple[HoldRow, ...]
    windows: tuple[WindowRow, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """The page of one recovery: ``trouble`` as above, and every line."""

    version: str
    made: Moment
    trouble: Trouble
    is_over: bool
    outcome: str
    reason: str
    labels: tuple[Fact, ...]
    lines: tuple[Line, ...]
