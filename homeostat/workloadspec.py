"""What an owner says about one workload, in homeostat.yml or in compose labels; both make the same Workload."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from homeostat.errors import SettingsError
from homeostat.names import LABEL_PREFIX
from homeostat.quantities import Duration
from homeostat.workloads import HookSpec, Kind, ProbeSpec, Workload

_HTTP_TARGET = re.compile(r"(https?://[^\s/:]+(:\d+)?|:\d+)(/\S*)?")
_TCP_TARGET = re.compile(r"[^\s:]*:\d+")
_NUMBER = re.compile(r"[0-9.]{1,8}")
HookName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")]
Remedy = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ProbeEntry(_Strict):
    """Exactly one of ``http`` and ``tcp``."""

    http: str | None = None
    tcp: str | None = None
    # Two seconds each: with a rule that waits 4 s, a hang is known within 10 s, for about 1 ms of CPU a check.
    interval: Duration = 2.0
    timeout: Duration = 2.0

    @model_validator(mode="after")
    def _target(self) -> "ProbeEntry":
        if (self.http is None) == (self.tcp is None):
            raise ValueError("allowed: exactly one of http and tcp")
        if self.http is not None and not _HTTP_TARGET.fullmatch(self.http):
            raise ValueError(
                f"{self.http!r} is no http target; allowed: http://HOST:PORT/PATH or :PORT/PATH of the container"
            )
        if self.tcp is not None and not _TCP_TARGET.fullmatch(self.tcp):
            raise ValueError(f"{self.tcp!r} is no tcp target; allowed: HOST:PORT or :PORT of the container")
        return self

    def to_spec(self) -> ProbeSpec:
        if self.http is not None:
            return ProbeSpec("http", self.http, self.interval, self.timeout)
        return ProbeSpec("tcp", self.tcp or "", self.interval, self.timeout)


class WorkloadSpec(_Strict):
    """One entry of ``workloads:``. Everything is off until ``enable: true``."""

    enable: bool = False
    hold: bool = False
    probes: tuple[ProbeEntry, ...] = ()
    #: Hook name -> URL to POST to, or ``:PORT/PATH`` of the container.
    hooks: Mapping[HookName, str] = Field(default_factory=dict)
    ladders: Mapping[Remedy, str] = Field(default_factory=dict)
    #: Share of the memory limit above which WorkloadMemoryHigh fires.
    memory_threshold: Annotated[float, Field(gt=0, le=1)] = 0.9
    #: Failing probes say nothing this long after a start.
    start_grace: Duration = 10.0

    @model_validator(mode="after")
    def _hook_targets(self) -> "WorkloadSpec":
        for name, url in self.hooks.items():
            if not _HTTP_TARGET.fullmatch(url):
                raise ValueError(
                    f"hooks.{name}: {url!r} is no target; allowed: http://HOST:PORT/PATH or :PORT/PATH of the container"
                )
        return self

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
        )


_SCALARS = ("enable", "hold", "memory_threshold", "start_grace")
_LABELS_ALLOWED = (
    "homeostat.enable, .hold, .probe.http, .probe.tcp, .probe.interval, .probe.timeout, .hook.NAME, "
    ".ladder.REMEDY, .memory_threshold, .start_grace"
)


def from_labels(labels: Mapping[str, str], source: str) -> WorkloadSpec:
    """The same from container labels; ``source`` names the container in errors. Raises SettingsError.

    ``autoheal=true`` (willfarrell/docker-autoheal) counts as ``homeostat.enable=true`` unless that is given.
    """
    data = _nested(labels, source)
    try:
        return WorkloadSpec.model_validate(data)
    except ValidationError as err:
        raise SettingsError(
            [
                f"{source}: label homeostat.{'.'.join(map(str, p['loc']))}: {p['input']!r:.60}: {p['msg']}"
                for p in err.errors()
            ]
        ) from None


def _nested(labels: Mapping[str, str], source: str) -> dict[str, object]:
    """Labels in the shape of a ``workloads:`` entry."""
    data: dict[str, object] = {"enable": labels.get("autoheal", "") == "true"}
    probes: list[dict[str, str]] = []
    timing: dict[str, str] = {}
    groups: dict[str, dict[str, str]] = {"hook": {}, "ladder": {}}
    for label, value in sorted(labels.items()):
        if not label.startswith(LABEL_PREFIX):
            continue
        match label.removeprefix(LABEL_PREFIX).split("."):
            case [key] if key in _SCALARS:
                data[key] = float(value) if key == "memory_threshold" and _NUMBER.fullmatch(value) else value
            case ["probe", ("http" | "tcp") as kind]:
                probes.append({kind: value})
            case ["probe", ("interval" | "timeout") as key]:
                timing[key] = value
            case [("hook" | "ladder") as group, name]:
                groups[group][name] = value
            case _:
                raise SettingsError([f"{source}: label {label}: unknown; allowed: {_LABELS_ALLOWED}"])
    data["probes"] = [{**probe, **timing} for probe in probes]
    return data | {"hooks": groups["hook"], "ladders": groups["ladder"]}
