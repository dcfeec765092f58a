"""What an owner says about one workload, in homeostat.yml or in container labels; both make the same Workload."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated

from homeostat.explain import At, KeyPath, shown
from homeostat.probespec import ProbeEntry, is_http_target
from homeostat.quantities import Duration, above, at_most, matching
from homeostat.structure import Checked
from homeostat.workloads import HookSpec, Kind, Workload, is_workload_id

_HTTP_TARGET = "http://HOST:PORT/PATH or :PORT/PATH of the container"


def _is_id(value: str) -> None:
    if not is_workload_id(value):
        raise ValueError("must be PROJECT/SERVICE, for example shop/db or local/api")


def _is_http_target(value: str) -> None:
    if not is_http_target(value):
        raise ValueError(f"allowed: {_HTTP_TARGET}")


HookName = Annotated[
    str, matching(r"[a-z][a-z0-9-]{0,40}", "must be lower-case letters, digits and -, for example cache-clear")
]
Remedy = Annotated[
    str, matching(r"[a-z][a-z0-9_]{0,40}", "must be lower-case letters, digits and _, for example memory")
]
HttpTarget = Annotated[str, Checked(_is_http_target)]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadSpec:
    """One entry of ``workloads:``. Everything is off until ``enable: true``."""

    enable: bool = False
    hold: bool = False
    probes: tuple[ProbeEntry, ...] = ()
    #: Hook name -> URL to POST to, or ``:PORT/PATH`` of the container.
    hooks: Mapping[HookName, HttpTarget] = field(default_factory=dict)
    ladders: Mapping[Remedy, str] = field(default_factory=dict)
    #: Share of the memory limit above which WorkloadMemoryHigh fires.
    memory_threshold: Annotated[float, above(0), at_most(1)] = 0.9
    #: Failing probes say nothing this long after a start.
    start_grace: Duration = 10.0
    #: Share of 30 days in which it is to be available, for example 0.999; alerts tell how fast the rest is used up
    #: (docs/alerting.md). Without one, none of them.
    objective: Annotated[float, above(0), at_most(0.99999)] | None = None
    #: Workloads that this one needs (PROJECT/SERVICE): while one of them is in trouble, this one is not to blame.
    depends_on: tuple[Annotated[str, Checked(_is_id)], ...] = ()
    #: The application's own metrics: a URL, or ``:PORT/PATH`` of the container.
    metrics: HttpTarget | None = None

    def __post_init__(self) -> None:
        problems = list(_same_names(self.probes))
        if problems:
            raise ExceptionGroup("a workload", problems)

    def target_without_host(self) -> KeyPath | None:
        """Key path of the first target that is at the container's own address, if there is one."""
        for index, probe in enumerate(self.probes):
            if probe.goes_to_container:
                return ("probes", index)
        if self.metrics is not None and self.metrics.startswith(":"):
            return ("metrics",)
        return next((("hooks", name) for name, url in self.hooks.items() if url.startswith(":")), None)

    def to_workload(self, workload_id: str, kind: Kind) -> Workload:
        return Workload(
            id=workload_id,
            kind=kind,
            enabled=self.enable,
            hold=self.hold,
            probes=tuple(entry.to_spec() for entry in self.probes),
            hooks=MappingProxyType({name: HookSpec(url) for name, url in self.hooks.items()}),
            ladders=MappingProxyType(dict(self.ladders)),
            memory_threshold=self.memory_threshold,
            start_grace_s=self.start_grace,
            objective=self.objective,
            depends_on=self.depends_on,
            metrics=self.metrics or "",
        )


def _same_names(probes: tuple[ProbeEntry, ...]) -> Iterator[At]:
    """A probe is told from its neighbours by its name."""
    seen: set[str] = set()
    for index, probe in enumerate(probes):
        name = probe.to_spec().name
        if name in seen:
            yield At(("probes", index), f"{shown(name)}named as another probe; allowed: a `name` of its own")
        seen.add(name)
