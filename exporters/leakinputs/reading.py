"""What is looked at for leaks: which series there are, and one reading of one of them."""

import math
from dataclasses import dataclass
from enum import StrEnum

from exporters.leaks.assessment import Sample


class Resource(StrEnum):
    """What may leak; the label ``resource``."""

    MEMORY = "memory"
    FDS = "fds"
    THREADS = "threads"
    CONNECTIONS = "connections"


class Bound(StrEnum):
    """What sets the limit: the container's cgroup, the machine, a limit of the process (ulimit), the database server,
    or ``memory_limit`` of a process in homeostat.yml.
    """

    CGROUP = "cgroup"
    HOST = "host"
    RLIMIT = "rlimit"
    SERVER = "server"
    SETTINGS = "settings"


@dataclass(frozen=True, slots=True, order=True)
class SeriesKey:
    """``container``: its name, not its id: the one that takes its place is a new life of the same series. Empty for a
    supervised process, and for a probe that goes to no container.
    """

    workload: str
    container: str
    resource: Resource


@dataclass(frozen=True, slots=True)
class Level:
    """How much of a resource is in use, and what it is held to."""

    value: float
    limit: float
    bound: Bound


@dataclass(frozen=True, slots=True)
class Reading:
    """One sample of one series, which a detector can be fed with."""

    key: SeriesKey
    sample: Sample
    bound: Bound


def level(value: float | None, limit: float | None, bound: Bound, host: float | None = None) -> Level | None:
    """``value`` against the ``limit`` that ``bound`` sets (0 is none), else against the ``host``'s.

    None when something is not told, is no number, or has no limit: that cannot be exhausted.
    """
    held_to, by = (limit, bound) if limit else (host, Bound.HOST)
    if value is None or not 0 <= value < math.inf:
        return None
    return Level(value, held_to, by) if held_to is not None and 0 < held_to < math.inf else None
