"""What is known of the host at one moment, and the seam to the system that tells it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from exporters.host.stack import Stack


@dataclass(frozen=True, slots=True)
class Numbers:
    """Figures of one value. Bytes, seconds, counts since boot; None: this system does not tell."""

    cpus: int | None = None
    load1: float | None = None
    load5: float | None = None
    load15: float | None = None
    memory_total: int | None = None
    memory_available: int | None = None
    memory_free: int | None = None
    memory_buffers: int | None = None
    memory_cached: int | None = None
    memory_shmem: int | None = None
    memory_anon: int | None = None
    memory_slab_reclaimable: int | None = None
    memory_slab_unreclaimable: int | None = None
    memory_dirty: int | None = None
    memory_committed: int | None = None
    swap_total: int | None = None
    swap_free: int | None = None
    swap_in_pages: int | None = None
    swap_out_pages: int | None = None
    major_faults: int | None = None
    oom_kills: int | None = None
    fds: int | None = None
    fds_max: int | None = None
    boot_timestamp: float | None = None
    running: int | None = None
    blocked: int | None = None
    threads: int | None = None
    threads_max: int | None = None
    forks: int | None = None
    context_switches: int | None = None


@dataclass(frozen=True, slots=True)
class Disk:
    """One whole disk since boot. ``io_seconds``: how long it was busy; None: this system does not tell."""

    read_bytes: int
    written_bytes: int
    reads: int
    writes: int
    read_seconds: float
    write_seconds: float
    io_seconds: float | None


@dataclass(frozen=True, slots=True)
class Interface:
    """One network interface since it appeared."""

    receive_bytes: int
    receive_packets: int
    receive_errors: int
    receive_dropped: int
    transmit_bytes: int
    transmit_packets: int
    transmit_errors: int
    transmit_dropped: int


@dataclass(frozen=True, slots=True)
class Place:
    """A filesystem where the host has it mounted. ``paths``: where it can be asked from here, the best first."""

    mountpoint: str
    fstype: str
    is_readonly: bool
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Space:
    """``available``: to users that are not root. ``inodes``: 0 where there is no fixed number of them."""

    size: int
    available: int
    inodes: int
    inodes_free: int


@dataclass(frozen=True, slots=True)
class Reading:
    """All that is read at once.

    ``cpu_seconds``: by mode, over all cpus. ``waiting`` and ``stalled``: seconds in which some, and in which all, tasks
    waited for the resource (pressure stall information); empty where the kernel has it switched off. ``stack``: the
    network's, Linux only.
    """

    numbers: Numbers
    cpu_seconds: Mapping[str, float] = field(default_factory=dict)
    waiting: Mapping[str, float] = field(default_factory=dict)
    stalled: Mapping[str, float] = field(default_factory=dict)
    disks: Mapping[str, Disk] = field(default_factory=dict)
    interfaces: Mapping[str, Interface] = field(default_factory=dict)
    stack: Stack = field(default_factory=dict)


class HostReader(Protocol):
    """The operating system. All calls block; only ``space`` may do so for long."""

    def read(self) -> Reading: ...

    def places(self) -> Sequence[Place]:
        """Local filesystems that hold data, each once."""
        ...

    def space(self, place: Place) -> Space | None:
        """None when it may not be seen from here."""
        ...
