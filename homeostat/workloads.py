"""What is watched and repaired: a compose service, a plain container, a supervised process.

homeostat.yml and compose labels both end here, in the same :class:`Workload`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

#: ``<project>/<name>``. No character of it means anything to a shell, PromQL or a template.
WORKLOAD_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}/[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")

#: Project of workloads that the guardian supervises.
LOCAL = "local"
#: Project of containers that no compose project owns.
PLAIN = "container"


class Kind(StrEnum):
    """What carries the workload."""

    CONTAINER = "container"
    PROCESS = "process"


@dataclass(frozen=True, slots=True)
class ProbeSpec:
    """One check from outside.

    ``target`` is a full URL (http) or ``host:port`` (tcp). A container's target may leave the host out
    (``:8080/health``, ``:5432``); it is then the container's own address.
    """

    kind: str
    target: str
    interval_s: float
    timeout_s: float

    @property
    def name(self) -> str:
        """Label value: stable while the specification is."""
        return f"{self.kind} {self.target}"


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


def is_workload_id(text: str) -> bool:
    """Whether ``text`` can name a workload at all."""
    return WORKLOAD_ID.fullmatch(text) is not None
