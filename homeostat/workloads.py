"""What is watched and repaired: a compose service, a plain container, a supervised process.

homeostat.yml and compose labels both end here, in the same :class:`Workload`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

#: ``<project>/<name>``. No character of it means anything to a shell, PromQL or a template.
WORKLOAD_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}/[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")

#: Project of workloads that the guardian supervises.
LOCAL = "local"
#: Project of containers that no compose project owns.
PLAIN = "container"
#: Project of managed configuration files.
FILES = "file"


class Kind(StrEnum):
    """What carries the workload."""

    CONTAINER = "container"
    PROCESS = "process"
    FILE = "file"


class ProbeRole(StrEnum):
    """What a failing probe means, as Kubernetes has it: a restart mends failed liveness, and may not mend the rest."""

    LIVENESS = "liveness"
    READINESS = "readiness"


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """``status``: codes that are good; empty for any below 400. ``body``: a regular expression that the first 64 KiB
    must match somewhere; empty for any. ``ca_file``: who may sign the server's certificate, over the system's own.
    """

    status: tuple[int, ...] = ()
    body: str = ""
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class DnsOptions:
    """``server``: HOST:PORT to ask; empty for the system's. ``answer``: what a record must say; empty for anything."""

    server: str = ""
    record: str = "A"
    answer: str = ""


@dataclass(frozen=True, slots=True)
class RedisOptions:
    """Without ``password_file`` nobody is authenticated."""

    user: str = ""
    password_file: Path | None = None


@dataclass(frozen=True, slots=True)
class PostgresOptions:
    """``query`` must succeed; one that returns a single false or no row is bad."""

    user: str = ""
    password_file: Path | None = None
    query: str = "SELECT 1"


@dataclass(frozen=True, slots=True)
class CommandOptions:
    """``argv``: no shell ever sees it; exit code 0 is good. Never from labels: they may not run programs here."""

    argv: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PromqlOptions:
    """``server``: base URL of the Prometheus to ask. Good: at least one sample, and none of them 0 or NaN."""

    server: str = ""


ProbeOptions = HttpOptions | DnsOptions | RedisOptions | PostgresOptions | CommandOptions | PromqlOptions


@dataclass(frozen=True, slots=True)
class ProbeSpec:
    """One check from outside.

    ``target`` by ``kind``: a full URL (http), ``host:port`` (tcp, redis), ``host:port/database`` (postgres), a name to
    look up (dns), the expression (promql), the program's name (command). A container's target may leave the host
    out (``:8080/health``, ``:5432/shop``); it is then the container's own address.

    ``failures``, ``successes``: results in a row that change what the probe is taken to say.
    """

    kind: str
    target: str
    interval_s: float
    timeout_s: float
    failures: int = 1
    successes: int = 1
    role: ProbeRole = ProbeRole.LIVENESS
    options: ProbeOptions | None = None
    given_name: str = ""

    @property
    def name(self) -> str:
        """Label value: stable while the specification is."""
        return self.given_name or f"{self.kind} {self.target}"


@dataclass(frozen=True, slots=True)
class HookSpec:
    """One HTTP POST that the application offers for its own repair. ``url`` as in :class:`ProbeSpec`."""

    url: str


@dataclass(frozen=True, slots=True)
class Workload:
    """One thing that can be in trouble and be repaired.

    ``id`` matches :data:`WORKLOAD_ID`. ``enabled``: its owner opted in to repair. ``hold``: its owner asked
    for hands off. ``ladders``: remedy -> ladder name, over the defaults.
    """

    id: str
    kind: Kind
    enabled: bool = False
    hold: bool = False
    probes: tuple[ProbeSpec, ...] = ()
    hooks: Mapping[str, HookSpec] = field(default_factory=lambda: MappingProxyType({}))
    ladders: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    memory_threshold: float = 0.9
    start_grace_s: float = 10.0
    #: Share of the time in which its owner promises that it does what it is for; None for no promise.
    objective: float | None = None
    #: Ids of workloads that this one needs: when they are in trouble, it is not to blame.
    depends_on: tuple[str, ...] = ()
    #: URL or ``:PORT/PATH`` of the application's own metrics (docs/application-metrics.md); empty for none.
    metrics: str = ""


def is_workload_id(text: str) -> bool:
    """Whether ``text`` can name a workload at all."""
    return WORKLOAD_ID.fullmatch(text) is not None
