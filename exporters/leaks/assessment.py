"""What is put into a detector, and what it says."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """``insufficient_data``: too young to say anything. ``warming``: grows since its start, and more slowly as it goes,
    or for too short a time. ``suspect``: looks like a leak, people may want to look. ``leak``: it will be exhausted
    unless something is done. ``exhausting``: soon.
    """

    INSUFFICIENT_DATA = "insufficient_data"
    HEALTHY = "healthy"
    WARMING = "warming"
    SUSPECT = "suspect"
    LEAK = "leak"
    EXHAUSTING = "exhausting"

    @property
    def is_alarm(self) -> bool:
        """Whether something may be restarted for it."""
        return self in (Verdict.LEAK, Verdict.EXHAUSTING)


@dataclass(slots=True)
class Sample:
    """``at``: epoch seconds. ``value`` and ``limit`` in base units (bytes, or a count); ``limit`` is what exhausts it,
    None when nothing does. ``started_at``: when the container or process started. ``work``: a counter of what it has
    done (requests, CPU seconds), where there is one.
    """

    at: float
    value: float
    limit: float | None = None
    started_at: float | None = None
    work: float | None = None


@dataclass(frozen=True, slots=True)
class Assessment:
    """``slope``: units per second, with the bounds of its 90 % confidence interval; 0 when nothing grows.

    ``exhaustion``: epoch seconds at which the median slope meets the limit, ``exhaustion_cautious`` with the high bound
    of the slope; ``onset``: since when it grows. None when it does not. ``confidence``: 0 to 1. ``reasons``: words of
    exporters.leaks.reasons.
    """

    verdict: Verdict
    slope: float = 0.0
    slope_low: float = 0.0
    slope_high: float = 0.0
    confidence: float = 0.0
    exhaustion: float | None = None
    exhaustion_cautious: float | None = None
    onset: float | None = None
    limit: float | None = None
    reasons: tuple[str, ...] = ()
