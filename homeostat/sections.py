"""The sections of homeostat.yml that tell homeostat's own processes what to do."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from homeostat.explain import At
from homeostat.processspec import Name
from homeostat.quantities import (
    Line,
    Listen,
    Period,
    Regex,
    Size,
    Url,
    at_least,
    entries,
    host_port,
    is_loopback,
)
from homeostat.steps import Command
from homeostat.structure import Parsed


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where a process listens. Other than loopback only with ``expose: true``: these ports have no TLS."""

    listen: Listen
    expose: bool = False

    def __post_init__(self) -> None:
        host, _ = host_port(self.listen)
        if not self.expose and not is_loopback(host):
            allowed = "127.0.0.1:PORT, or expose: true behind a firewall"
            raise At(("listen",), f"{self.listen!r}: is not loopback; allowed: {allowed}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessGroup:
    """Processes of the host that are measured together: of one of ``names``, or with a matching ``command``."""

    #: Exact names as `ps -o comm` shows them: the kernel keeps 15 characters.
    names: tuple[Line, ...] = ()
    #: Regular expression that matches somewhere in the command line, its arguments joined by spaces.
    command: Regex | None = None

    def __post_init__(self) -> None:
        if not self.names and not self.command:
            raise ValueError("allowed: at least one of names and command")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExporterSettings(Server):
    """GET /metrics for Prometheus."""

    listen: Listen = "127.0.0.1:9801"
    #: A node_exporter runs on this host: what it tells already is left out.
    node_exporter: bool = False
    #: Group name -> processes to measure one by one and together, besides those of workloads.
    process_groups: Mapping[Name, ProcessGroup] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """At most ``count`` hard steps on one workload in any ``window``."""

    count: Annotated[int, at_least(1)]
    window: Period


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponderSettings(Server):
    """The receiver of Alertmanager's webhook."""

    listen: Listen = "127.0.0.1:9802"
    #: One or two: both are valid while a token is being rotated. Relative to the settings file.
    token_files: Annotated[tuple[Path, ...], entries(1, 2)] = (Path("alertmanager/secrets/webhook-token"),)
    alertmanager_url: Url = "http://127.0.0.1:9093"
    prometheus_url: Url = "http://127.0.0.1:9090"
    #: 10,000 alerts in one group are about 8 MiB.
    body_limit: Size = 16 * 2**20
    #: Decide and record, never act.
    dry_run: bool = False
    #: Repair that has to be repeated is no repair: past these, people are called.
    caps: tuple[Cap, ...] = (Cap(count=3, window=900.0), Cap(count=10, window=86400.0))
    #: Name -> program, for the action `exec`. Nothing else is ever run by name.
    commands: Mapping[Name, Command] = field(default_factory=dict)
    #: Compare our episodes with Alertmanager's own list this often.
    reconcile_interval: Period = 30.0
    #: No dead-man notification for this long: the alert path itself is broken.
    dead_man_timeout: Period = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardianSettings(Server):
    """The supervisor of plain processes. Control is a local socket; this port serves only /metrics."""

    listen: Listen = "127.0.0.1:9803"
    #: Told of crash loops directly. For a guardian that no Prometheus watches; else the rule tells it.
    alertmanager_url: Url | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteWrite:
    """Where Prometheus sends what is worth keeping (docs/storage.md). At most one of a bearer token and a user."""

    url: Url
    #: Relative to the settings file, as the other two files.
    bearer_token_file: Path | None = None
    #: Of HTTP's basic authentication; needs ``password_file``.
    username: Line | None = None
    password_file: Path | None = None
    #: Who may sign the server's certificate, instead of the system's own authorities.
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        if re.match("https?://[^/?#]*@", self.url):  # it would end in logs and on web pages
            raise At(("url",), "carries a user or password; allowed: username and password_file")
        if (self.username is None) != (self.password_file is None):
            raise ValueError("allowed: username and password_file together, or neither")
        if self.username is not None and self.bearer_token_file is not None:
            raise ValueError("allowed: bearer_token_file, or username and password_file, not both")


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSettings:
    """Prometheus, Alertmanager and Grafana as `homeostat up` runs them."""

    prometheus: Listen = "127.0.0.1:9090"
    alertmanager: Listen = "127.0.0.1:9093"
    grafana: Listen = "127.0.0.1:3000"
    retention_time: Period = 15 * 86400.0
    retention_size: Size = 2 * 2**30
    remote_write: RemoteWrite | None = None


def _enabled(value: object) -> object:
    if not isinstance(value, bool) and value != "auto":
        raise ValueError("must be true, false or auto")
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerSettings:
    """Whether containers are watched: ``auto`` when an engine answers at ``host`` (DOCKER_HOST or the usual socket)."""

    enabled: Annotated[bool | Literal["auto"], Parsed(_enabled)] = "auto"
    host: str | None = None
