"""What an engine tells of containers, as far as homeostat needs it. How it is read: enginejson.py."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from homeostat import names
from homeostat.workloads import PLAIN, is_workload_id


@dataclass(frozen=True, slots=True)
class Bind:
    """A file or folder of the host (``source``) that a container sees at ``target``."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Container:
    """One container as inspect tells it. Times are epoch seconds, None when it never happened."""

    id: str
    name: str
    image: str
    labels: Mapping[str, str]
    status: str  # created, running, paused, restarting, removing, exited, dead
    health: str  # none, starting, healthy, unhealthy
    exit_code: int
    oom_killed: bool
    restart_count: int
    restart_policy: str
    pid: int
    started_at: float | None
    finished_at: float | None
    memory_limit: int
    addresses: tuple[str, ...]
    #: The healthcheck's own start period, seconds.
    start_period_s: float
    #: The image's own stop signal, e.g. ``SIGQUIT``; empty for the engine's default.
    stop_signal: str = ""
    #: How often in a row its own health check has failed now.
    health_failing_streak: int = 0
    #: As inspect spells it: ``host``, ``none``, ``container:ID``, or a network's name.
    network_mode: str = ""
    #: Limit of memory and swap together; 0 for none that was set, -1 for no limit of swap.
    memory_swap: int = 0
    #: Limit of the CPU in billionths of a core; 0 for none, or for one that was set as a quota.
    nano_cpus: int = 0
    #: Ports of the host that it insists on: a second container of its kind could not have them.
    host_ports: tuple[str, ...] = ()
    binds: tuple[Bind, ...] = ()

    @property
    def is_running(self) -> bool:
        """Its process exists (a paused one does, a restarting one does not)."""
        return self.status in ("running", "paused")

    @property
    def has_own_network(self) -> bool:
        """Its interfaces are neither the host's nor another container's."""
        return self.network_mode != "host" and not self.network_mode.startswith(("container:", "ns:"))

    @property
    def workload_id(self) -> str:
        """``project/service`` from compose labels, else ``container/<name>``."""
        service = f"{self.labels.get(names.COMPOSE_PROJECT, '')}/{self.labels.get(names.COMPOSE_SERVICE, '')}"
        # Anybody can label a container: what cannot be a workload's id is not taken for one.
        return service if is_workload_id(service) else f"{PLAIN}/{self.name}"

    @property
    def depends_on(self) -> tuple[str, ...]:
        """Ids of the workloads that its compose file names: ``db:service_healthy:true,cache:service_started:false``."""
        project = self.labels.get(names.COMPOSE_PROJECT, "")
        services = (item.partition(":")[0] for item in self.labels.get(names.COMPOSE_DEPENDS_ON, "").split(","))
        ids = (f"{project}/{service}" for service in services)
        return tuple(workload for workload in ids if is_workload_id(workload))

    @property
    def is_oneoff(self) -> bool:
        """Made by ``docker compose run``: it carries the service's labels but is somebody's errand."""
        return is_oneoff(self.labels)


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One run of a container's own health check. ``ended_at``: epoch seconds; ``output`` as the engine kept it."""

    ended_at: float | None
    exit_code: int
    output: str


@dataclass(frozen=True, slots=True)
class ContainerDetails:
    """What only an examination of one container needs. ``error``: why the engine could not start it.

    ``health_log``: the newest last. ``environment`` holds secrets: never to be shown, logged or written.
    """

    container: Container
    error: str
    image_id: str
    health_log: tuple[HealthCheck, ...]
    environment: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ContainerProcess:
    """One process of a container, as the engine's host sees it. ``state``: the letter of ps(1), ``D`` for one stuck in
    the kernel, then ``waits_in``; texts are empty and numbers 0 where the engine does not tell.
    """

    pid: int
    name: str
    state: str
    rss_bytes: int
    threads: int
    waits_in: str


@dataclass(frozen=True, slots=True)
class EngineHost:
    """The machine that the engine runs containers on, which need not be this one."""

    memory_bytes: int
    cpus: int


@dataclass(frozen=True, slots=True)
class ContainerRow:
    """One container as the list tells it: little, but of all containers in one call."""

    id: str
    names: frozenset[str]
    status: str
    #: As in Container; None where this engine's list does not tell.
    health: str | None
    is_oneoff: bool


@dataclass(frozen=True, slots=True)
class NetworkCounters:
    """What went over one interface of a container. ``*_errors``: packets that did not, errors and drops."""

    interface: str
    receive_bytes: int
    receive_packets: int
    receive_errors: int
    transmit_bytes: int
    transmit_packets: int
    transmit_errors: int


@dataclass(frozen=True, slots=True)
class ContainerStats:
    """What the engine's own measurement tells: for containers that cannot be measured from here. None: not told.

    ``memory``: the kernel's memory.stat as the engine passes it on, by the kernel's own names.
    """

    memory_usage: int | None
    memory: Mapping[str, int]
    memory_failures: int | None
    cpu_seconds: float | None
    cpu_periods: int | None
    cpu_throttled_periods: int | None
    cpu_throttled_seconds: float | None
    pids: int | None
    pids_limit: int | None
    read_bytes: int | None
    written_bytes: int | None
    reads: int | None
    writes: int | None
    networks: tuple[NetworkCounters, ...]


@dataclass(frozen=True, slots=True)
class ContainerEvent:
    """One event of the engine: a hint, never the truth (the engine drops events silently)."""

    container_id: str
    action: str
    signal: str
    at: float


def is_oneoff(labels: Mapping[str, str]) -> bool:
    """Whether ``docker compose run`` set these labels."""
    return labels.get(names.COMPOSE_ONEOFF, "").lower() == "true"
