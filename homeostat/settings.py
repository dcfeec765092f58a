"""homeostat.yml -> frozen Settings. Strict: an unknown key, a wrong unit or a duplicate is an error that names
file, line, key path, value and what is allowed. ``HOMEOSTAT__RESPONDER__LISTEN=...`` overrides the file.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from homeostat import yamlfile
from homeostat.errors import SettingsError
from homeostat.explain import At, KeyPath, dotted, explain
from homeostat.ladders import DEFAULT_LADDERS, Ladder
from homeostat.quantities import WRITTEN, Duration, Listen, Period, Size, Url, host_port, is_loopback
from homeostat.workloads import LOCAL, is_workload_id
from homeostat.workloadspec import WorkloadSpec

ENV_PREFIX = "HOMEOSTAT__"


def _process_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", value):
        raise ValueError("must be letters, digits, _, . and -, for example api")
    return value


ProcessName = Annotated[str, AfterValidator(_process_name)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Server(_Strict):
    """Where a process listens. Other than loopback only with ``expose: true``: these ports have no TLS."""

    listen: Listen
    expose: bool = False

    @model_validator(mode="after")
    def _loopback(self) -> "Server":
        host, _ = host_port(self.listen)
        if not self.expose and not is_loopback(host):
            allowed = "127.0.0.1:PORT, or expose: true behind a firewall"
            raise At(("listen",), f"{self.listen!r}: is not loopback; allowed: {allowed}")
        return self


class ExporterSettings(Server):
    """GET /metrics for Prometheus."""

    listen: Listen = "127.0.0.1:9801"


class Cap(_Strict):
    """At most ``count`` hard steps on one workload in any ``window``."""

    count: Annotated[int, Field(ge=1)]
    window: Period


class ResponderSettings(Server):
    """The receiver of Alertmanager's webhook."""

    listen: Listen = "127.0.0.1:9802"
    #: One or two: both are valid while a token is being rotated. Relative to the settings file.
    token_files: Annotated[tuple[Path, ...], Field(min_length=1, max_length=2)] = (
        Path("alertmanager/secrets/webhook-token"),
    )
    alertmanager_url: Url = "http://127.0.0.1:9093"
    prometheus_url: Url = "http://127.0.0.1:9090"
    #: 10,000 alerts in one group are about 8 MiB.
    body_limit: Size = 16 * 2**20
    #: Decide and record, never act.
    dry_run: bool = False
    #: Repair that has to be repeated is no repair: past these, people are called.
    caps: tuple[Cap, ...] = (Cap(count=3, window=900.0), Cap(count=10, window=86400.0))
    #: Compare our episodes with Alertmanager's own list this often.
    reconcile_interval: Period = 30.0
    #: No dead-man notification for this long: the alert path itself is broken.
    dead_man_timeout: Period = 180.0


class GuardianSettings(Server):
    """The supervisor of plain processes. Control is a local socket; this port serves only /metrics."""

    listen: Listen = "127.0.0.1:9803"
    #: Told of crash loops directly. For a guardian that no Prometheus watches; else the rule tells it.
    alertmanager_url: Url | None = None


class StackSettings(_Strict):
    """Prometheus, Alertmanager and Grafana as `homeostat up` runs them."""

    prometheus: Listen = "127.0.0.1:9090"
    alertmanager: Listen = "127.0.0.1:9093"
    grafana: Listen = "127.0.0.1:3000"
    retention_time: Period = 15 * 86400.0
    retention_size: Size = 2 * 2**30


class DockerSettings(_Strict):
    """Whether containers are watched: ``auto`` when an engine answers at ``host`` (DOCKER_HOST or the usual socket)."""

    enabled: bool | Literal["auto"] = "auto"
    host: str | None = None

    @field_validator("enabled", mode="before")
    @classmethod
    def _one_of_three(cls, value: object) -> object:
        if not isinstance(value, bool) and value != "auto":
            raise ValueError("must be true, false or auto")
        return value


class CheckSpec(_Strict):
    """The guardian's own liveness check of one process: exactly one of ``http`` and ``tcp``."""

    http: Url | None = None
    tcp: Listen | None = None
    interval: Period = 5.0
    timeout: Period = 2.0
    #: Consecutive failures before the process is restarted.
    failures: Annotated[int, Field(ge=1)] = 3

    @model_validator(mode="after")
    def _one(self) -> "CheckSpec":
        if (self.http is None) == (self.tcp is None):
            raise ValueError("allowed: exactly one of http and tcp")
        return self


class LimitsSpec(_Strict):
    """Past a limit for ``for`` in a row, the process is restarted."""

    rss: Size | None = None
    #: Share of one core, averaged over ``for``; 1.5 is one and a half cores.
    cpu: Annotated[float, Field(gt=0)] | None = None
    fds: Annotated[int, Field(gt=0)] | None = None
    for_: Annotated[Duration, Field(alias="for")] = 30.0


class BackoffSpec(_Strict):
    """Wait before restart n: initial x 2^(n-1), at most ``max``, spread by ``jitter`` (a share) against beats."""

    initial: Period = 0.5
    max: Period = 60.0
    jitter: Annotated[float, Field(ge=0, le=1)] = 0.2
    #: A process that ran this long has recovered: the wait starts over.
    reset_after: Duration = 60.0


class CrashLoopSpec(_Strict):
    """``count`` ends by itself within ``window``: stop restarting and call people."""

    count: Annotated[int, Field(ge=2)] = 5
    #: Long enough for ends that a failing check brings about, grace and waits between them included.
    window: Period = 300.0


class ProcessSpec(_Strict):
    """One process that the guardian keeps alive. ``command`` is an argument list; no shell ever sees it."""

    command: Annotated[tuple[str, ...], Field(min_length=1)]
    cwd: Path | None = None
    env: Mapping[str, str] = Field(default_factory=dict)
    #: POSIX user to run as (only when the guardian is root).
    user: str | None = None
    restart: Literal["always", "on-failure", "never"] = "on-failure"
    stop_grace: Duration = 10.0
    check: CheckSpec | None = None
    limits: LimitsSpec = LimitsSpec()
    backoff: BackoffSpec = BackoffSpec()
    crash_loop: CrashLoopSpec = CrashLoopSpec()
    #: Checks and limits do not count this long after a start.
    start_grace: Duration = 10.0
    #: Memory that the process may use, for alerts near the limit.
    memory_limit: Size | None = None


class Settings(_Strict):
    """Everything homeostat is told. Paths are absolute after loading."""

    state_dir: Path = Path("state")
    exporter: ExporterSettings = ExporterSettings()
    responder: ResponderSettings = ResponderSettings()
    guardian: GuardianSettings = GuardianSettings()
    stack: StackSettings = StackSettings()
    docker: DockerSettings = DockerSettings()
    workloads: Mapping[str, WorkloadSpec] = Field(default_factory=dict)
    processes: Mapping[ProcessName, ProcessSpec] = Field(default_factory=dict)
    ladders: Mapping[str, Ladder] = Field(default_factory=dict)

    @field_validator("workloads")
    @classmethod
    def _ids(cls, value: Mapping[str, WorkloadSpec]) -> Mapping[str, WorkloadSpec]:
        for name in value:
            if not is_workload_id(name):
                raise At((name,), "is not a workload; allowed: PROJECT/SERVICE, for example shop/web or local/api")
        return value

    @model_validator(mode="after")
    def _references(self) -> "Settings":
        known = sorted(self.all_ladders())
        for name, spec in self.workloads.items():
            for remedy, ladder in spec.ladders.items():
                if ladder not in known:
                    path = ("workloads", name, "ladders", remedy)
                    raise At(path, f"no ladder {ladder!r}; allowed: {', '.join(known)}")
            project, _, process = name.partition("/")
            if project == LOCAL and process not in self.processes:
                allowed = ", ".join(sorted(self.processes)) or "add it to processes"
                raise At(("workloads", name), f"no process {process!r}; allowed: {allowed}")
            if project == LOCAL and (target := spec.target_without_host()):
                raise At(
                    ("workloads", name, *target), "a process has no address of its own; allowed: a target with a host"
                )
        return self

    def all_ladders(self) -> dict[str, Ladder]:
        """Shipped ladders, with the file's in front."""
        return {**DEFAULT_LADDERS, **self.ladders}

    def ladder(self, remedy: str, overrides: Mapping[str, str]) -> Ladder | None:
        """The ladder for a remedy of a workload with these ladder overrides; None when there is none."""
        return self.all_ladders().get(overrides.get(remedy, remedy))


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings from ``path`` and overrides from the environment. Raises SettingsError, one line per problem."""
    data, lines = yamlfile.load(path)
    return build(data, lines, str(path), base=path.parent.resolve(), environ=environ)


def defaults(base: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings when there is no file."""
    return build({}, {}, "defaults", base=base.resolve(), environ=environ)


def build(
    data: dict[str, object],
    lines: Mapping[KeyPath, int],
    source: str,
    *,
    base: Path,
    environ: Mapping[str, str],
) -> Settings:
    """Validate parsed data. Relative paths become absolute against ``base``."""
    places = {path: f"{source}:{line}" for path, line in lines.items()} | _overlay(data, environ)
    try:
        settings = Settings.model_validate(data, context=WRITTEN)
    except ValidationError as err:
        raise SettingsError([_explain(error, places, source) for error in err.errors()]) from None
    return _absolute(settings, base)


def _absolute(settings: Settings, base: Path) -> Settings:
    responder = settings.responder.model_copy(
        update={"token_files": tuple(base / token for token in settings.responder.token_files)}
    )
    processes = {
        name: spec.model_copy(update={"cwd": base / spec.cwd if spec.cwd else base})
        for name, spec in settings.processes.items()
    }
    return settings.model_copy(
        update={
            "state_dir": base / settings.state_dir,
            "responder": responder,
            "processes": processes,
        }
    )


def _overlay(data: dict[str, object], environ: Mapping[str, str]) -> dict[KeyPath, str]:
    """Put the environment's values into ``data``; the variable of each key path that it gave."""
    given: dict[KeyPath, str] = {}
    for variable, value in environ.items():
        if not variable.startswith(ENV_PREFIX):
            continue
        *sections, key = variable.removeprefix(ENV_PREFIX).lower().split("__")
        target = data
        for section in sections:
            inner = target.setdefault(section, {})
            if not isinstance(inner, dict):
                raise SettingsError([f"{variable}: {section} is not a section"])
            target = inner
        # As in the file: a number, a boolean or a [list] is one here too.
        target[key] = yamlfile.parse(f"value: {value}", variable)[0]["value"]
        given[*sections, key] = variable
    return given


def _explain(error: ErrorDetails, places: Mapping[KeyPath, str], source: str) -> str:
    """``homeostat.yml:12: responder.listen: 'x': must be ...``."""
    problem = explain(error, Settings)
    above = (problem.path[:length] for length in range(len(problem.path), 0, -1))
    where = next((places[path] for path in above if path in places), source)
    return f"{where}: {dotted(problem.path)}: {problem.text}"
