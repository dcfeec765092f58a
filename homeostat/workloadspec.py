"""What an owner says about one workload, in homeostat.yml or in compose labels; both make the same Workload."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from homeostat.errors import SettingsError
from homeostat.explain import At, KeyPath, explain
from homeostat.names import LABEL_PREFIX
from homeostat.quantities import WRITTEN, Duration, Period, is_port
from homeostat.workloads import HookSpec, Kind, ProbeSpec, Workload

_HTTP_TARGET = re.compile(r"(https?://[^\s/:]+|(?=:))(:(?P<port>\d+))?(/\S*)?")
_TCP_TARGET = re.compile(r"[^\s:]*:(?P<port>\d+)")
_NUMBER = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4})?")


def _hook_name(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,40}", value):
        raise ValueError("must be lower-case letters, digits and -, for example cache-clear")
    return value


def _remedy(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", value):
        raise ValueError("must be lower-case letters, digits and _, for example memory")
    return value


def _is_target(form: re.Pattern[str], text: str) -> bool:
    match = form.fullmatch(text)
    return match is not None and (match["port"] is None or is_port(match["port"]))


HookName = Annotated[str, AfterValidator(_hook_name)]
Remedy = Annotated[str, AfterValidator(_remedy)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ProbeEntry(_Strict):
    """Exactly one of ``http`` and ``tcp``."""

    http: str | None = None
    tcp: str | None = None
    # Two seconds each: with a rule that waits 4 s, a hang is known within 10 s, for about 1 ms of CPU a check.
    interval: Period = 2.0
    timeout: Period = 2.0

    @model_validator(mode="after")
    def _target(self) -> "ProbeEntry":
        if (self.http is None) == (self.tcp is None):
            raise ValueError("allowed: exactly one of http and tcp")
        if self.http is not None and not _is_target(_HTTP_TARGET, self.http):
            raise At(("http",), f"{self.http!r}: allowed: http://HOST:PORT/PATH or :PORT/PATH of the container")
        if self.tcp is not None and not _is_target(_TCP_TARGET, self.tcp):
            raise At(("tcp",), f"{self.tcp!r}: allowed: HOST:PORT or :PORT of the container")
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
            if not _is_target(_HTTP_TARGET, url):
                allowed = "http://HOST:PORT/PATH or :PORT/PATH of the container"
                raise At(("hooks", name), f"{url!r}: allowed: {allowed}")
        return self

    def target_without_host(self) -> tuple[str | int, ...] | None:
        """Key path of the first probe or hook that goes to the container's own address, if there is one."""
        for index, probe in enumerate(self.probes):
            if probe.to_spec().target.startswith(":"):
                return ("probes", index)
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
        return WorkloadSpec.model_validate(data, context=WRITTEN)
    except ValidationError as err:
        problems = [explain(error, WorkloadSpec) for error in err.errors()]
        raise SettingsError([f"{source}: label {_label(p.path)}: {p.text}" for p in problems]) from None


def _label(path: KeyPath) -> str:
    """``("probes", 0, "http")`` -> ``homeostat.probe.http``."""
    words = {"probes": "probe", "hooks": "hook", "ladders": "ladder"}
    return LABEL_PREFIX + ".".join(words.get(part, part) for part in path if isinstance(part, str))


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
