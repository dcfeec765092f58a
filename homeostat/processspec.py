"""What homeostat.yml says about one process that the guardian keeps alive."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from homeostat.quantities import Duration, Listen, Period, Size, Url, above, at_least, at_most, entries, matching

Name = Annotated[
    str, matching(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", "must be letters, digits, _, . and -, for example api")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSpec:
    """The guardian's own liveness check of one process: exactly one of ``http`` and ``tcp``."""

    http: Url | None = None
    tcp: Listen | None = None
    interval: Period = 5.0
    timeout: Period = 2.0
    #: Consecutive failures before the process is restarted.
    failures: Annotated[int, at_least(1)] = 3

    def __post_init__(self) -> None:
        if (self.http is None) == (self.tcp is None):
            raise ValueError("allowed: exactly one of http and tcp")


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsSpec:
    """Past a limit for ``for`` in a row, the process is restarted."""

    rss: Size | None = None
    #: Share of one core, averaged over ``for``; 1.5 is one and a half cores.
    cpu: Annotated[float, above(0)] | None = None
    fds: Annotated[int, above(0)] | None = None
    for_: Duration = field(default=30.0, metadata={"key": "for"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BackoffSpec:
    """Wait before restart n: initial x 2^(n-1), at most ``max``, spread by ``jitter`` (a share) against beats."""

    initial: Period = 0.5
    max: Period = 60.0
    jitter: Annotated[float, at_least(0), at_most(1)] = 0.2
    #: A process that ran this long has recovered: the wait starts over.
    reset_after: Duration = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashLoopSpec:
    """``count`` ends by itself within ``window``: stop restarting and call people."""

    count: Annotated[int, at_least(2)] = 5
    #: Long enough for ends that a failing check brings about, grace and waits between them included.
    window: Period = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSpec:
    """One process that the guardian keeps alive. ``command`` is an argument list; no shell ever sees it."""

    command: Annotated[tuple[str, ...], entries(1)]
    cwd: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    #: POSIX user to run as (only when the guardian is root).
    user: str | None = None
    restart: Literal["always", "on-failure", "never"] = "on-failure"
    stop_grace: Duration = 10.0
    check: CheckSpec | None = None
    limits: LimitsSpec = LimitsSpec()
    backoff: BackoffSpec = BackoffSpec()
    crash_loop: CrashLoopSpec = CrashLoopSpec()
    #: Checks and limits do not count this long after a start.
    start_grace: Duration = 10.0
    #: Memory that the process may use, for alerts near the limit.
    memory_limit: Size | None = None
