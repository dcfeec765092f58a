"""What is known of one container's use of resources. Bytes and seconds. None: this kernel, engine or container does not
tell; for limits, 0 means none. Counters begin with the cgroup, which is: with each start of the container.

They are not frozen because that makes each four times as dear to make, and there are eight for each container; nobody
changes one.
"""

from dataclasses import dataclass, field

from homeostat.containerinfo import NetworkCounters


@dataclass(slots=True)
class CgroupSample:
    """What rules rest on: read with every scrape."""

    anon: int | None
    shmem: int | None
    usage: int | None
    limit: int | None
    oom_kills: int | None
    cpu_seconds: float | None
    pids: int | None


@dataclass(slots=True)
class Cpu:
    """``limit_cores``: quota by period; periods are counted only while there is a quota."""

    limit_cores: float | None = None
    periods: int | None = None
    throttled_periods: int | None = None
    throttled_seconds: float | None = None


@dataclass(slots=True)
class Memory:
    """``kernel``: what of it cannot be reclaimed. ``*_events``: how often a boundary was met."""

    file: int | None = None
    kernel: int | None = None
    working_set: int | None = None
    swap: int | None = None
    high_events: int | None = None
    max_events: int | None = None
    oom_events: int | None = None


@dataclass(slots=True)
class Io:
    """Summed over block devices."""

    read_bytes: int | None = None
    written_bytes: int | None = None
    reads: int | None = None
    writes: int | None = None


@dataclass(slots=True)
class Pressure:
    """Seconds in which some task waited for the resource, or all of them did at once (stalled)."""

    cpu_waiting: float | None = None
    memory_waiting: float | None = None
    memory_stalled: float | None = None
    io_waiting: float | None = None
    io_stalled: float | None = None


@dataclass(slots=True)
class CgroupDetail:
    """What its cgroup tells beyond CgroupSample."""

    cpu: Cpu = field(default_factory=Cpu)
    memory: Memory = field(default_factory=Memory)
    io: Io = field(default_factory=Io)
    pressure: Pressure = field(default_factory=Pressure)
    pids_limit: int | None = None


@dataclass(slots=True)
class Processes:
    """What its processes hold. ``worst_fds``: open files of the one that is nearest to its own soft limit,
    ``worst_fd_limit`` (0 for none).
    """

    count: int | None = None
    threads: int | None = None
    open_fds: int | None = None
    worst_fds: int | None = None
    worst_fd_limit: int | None = None

    @property
    def worst_fd_ratio(self) -> float | None:
        """The largest share of its own limit that one of them has open."""
        if self.worst_fds is None or self.worst_fd_limit is None:
            return None
        return self.worst_fds / self.worst_fd_limit if self.worst_fd_limit else 0.0


@dataclass(slots=True)
class ResourceSample:
    """The rest: slower to read, or not looked at as often."""

    cgroup: CgroupDetail = field(default_factory=CgroupDetail)
    processes: Processes = field(default_factory=Processes)
    networks: tuple[NetworkCounters, ...] = ()


NOTHING = CgroupSample(None, None, None, None, None, None, None)
NO_RESOURCES = ResourceSample()
