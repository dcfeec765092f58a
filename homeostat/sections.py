"""The sections of homeostat.yml that tell homeostat's own processes what to do."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from homeostat.commandspec import Command
from homeostat.explain import At
from homeostat.processspec import Name
from homeostat.quantities import (
    Duration,
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
    matching,
)
from homeostat.structure import Checked, Parsed


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where a process listens. Other than loopback only with ``expose: true``: only `responder.tls` has TLS."""

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


class Scope(StrEnum):
    """What a cap counts together."""

    WORKLOAD = "workload"
    ACTION = "action"
    PROJECT = "project"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """At most ``count`` hard steps in any ``window``: on one workload, by one action, on one project's workloads, or
    altogether.
    """

    count: Annotated[int, at_least(1)]
    window: Period
    per: Scope = Scope.WORKLOAD


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """So many workloads in trouble within so short a time have one cause, and it is not theirs: nothing is done until
    no more come, and people are called at once.
    """

    workloads: Annotated[int, at_least(2)] = 6
    window: Period = 120.0


Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WorkloadPattern = Annotated[
    str,
    matching(
        r"\*|[A-Za-z0-9][A-Za-z0-9_.-]*/(\*|[A-Za-z0-9][A-Za-z0-9_.-]*)",
        "must be PROJECT/SERVICE, PROJECT/* or *, for example shop/*",
    ),
]
TimeOfDay = Annotated[str, matching(r"([01][0-9]|2[0-3]):[0-5][0-9]", "must be a time of day, for example 02:30")]


def _is_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # unknown, and what only looks like a path
        raise ValueError("must be a time zone, for example Europe/Berlin or UTC") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceWindow:
    """Every week at these times nothing is done to these workloads, and people are not called for them. One that ends
    before it starts goes past midnight.
    """

    workloads: Annotated[tuple[WorkloadPattern, ...], entries(1)]
    start: TimeOfDay
    end: TimeOfDay
    #: The days on which it starts; every day when left out.
    weekdays: tuple[Weekday, ...] = ()
    timezone: Annotated[str, Checked(_is_zone)] = "UTC"

    def __post_init__(self) -> None:
        if self.start == self.end:
            raise ValueError("allowed: an end that is not the start")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls(Server):
    """The webhook once more, by TLS 1.2 or newer, for an Alertmanager on another host; nothing else is served there.
    Files are PEM, relative to the settings file, and read again on reload (docs/security.md).
    """

    #: Behind the certificate, those between it and its authority.
    cert_file: Path
    #: Without a passphrase. Its mode has to keep others out: 0600 or 0640.
    key_file: Path
    #: With it, a client has to show a certificate that one of these has signed, besides the token.
    client_ca_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedStore:
    """A Redis that several responders share. It must keep what it answers: `appendonly yes`, `appendfsync always` (or,
    since 7.2, everysec), `maxmemory-policy noeviction`.
    """

    #: redis://[USER@]HOST[:PORT][/DATABASE], rediss:// for TLS, or unix://PATH.
    redis: Line
    #: Relative to the settings file.
    password_file: Path | None = None
    #: Responders with the same prefix share a ledger.
    prefix: Annotated[str, matching("[A-Za-z0-9._-]{1,64}", "must be letters, digits, ., _ and -")] = "homeostat"
    #: It is known to keep what it answers, though it does not let us ask (CONFIG GET).
    trusted: bool = False


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
    caps: tuple[Cap, ...] = (
        Cap(count=3, window=900.0),
        Cap(count=10, window=86400.0),
        Cap(count=10, window=900.0, per=Scope.PROJECT),
        Cap(count=20, window=900.0, per=Scope.ALL),
        Cap(count=60, window=86400.0, per=Scope.ALL),
    )
    #: Between the hard step of one trouble and that of the next on the same workload.
    cooldown: Duration = 30.0
    storm: Storm = Storm()
    maintenance: tuple[MaintenanceWindow, ...] = ()
    #: Hands off as long as this file is there: of the workloads in it, one a line (PROJECT/SERVICE, PROJECT/* or *), or
    #: of all when it is empty or cannot be read. Left out: `hold` in state_dir.
    hold_file: Path | None = None
    #: Evidence before a hard step: it may take so long, and be so large.
    evidence_time: Period = 3.0
    evidence_size: Size = 32 * 2**10
    #: For replicas. Left out: a file in state_dir, for one responder.
    store: SharedStore | None = None
    #: Name -> program, for the action `exec`. Nothing else is ever run by name.
    commands: Mapping[Name, Command] = field(default_factory=dict)
    #: Compare our episodes with Alertmanager's own list this often.
    reconcile_interval: Period = 30.0
    #: No dead-man notification for this long: the alert path itself is broken.
    dead_man_timeout: Period = 180.0
    tls: Tls | None = None


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
class ComposeFiles:
    """Where a compose project's files are, for the actions that run `docker compose` on it."""

    #: In the order of `docker compose --file`.
    files: Annotated[tuple[Path, ...], entries(1)]
    #: In the order of `docker compose --env-file`; left out, the `.env` beside the first file.
    env_files: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerSettings:
    """Whether containers are watched: ``auto`` when an engine answers at ``host`` (DOCKER_HOST or the usual socket)."""

    enabled: Annotated[bool | Literal["auto"], Parsed(_enabled)] = "auto"
    host: str | None = None
    #: Compose project -> its files. Without an entry they are where the labels of its containers say, and are used when
    #: nobody but root and the responder's own user can write them.
    compose: Mapping[Name, ComposeFiles] = field(default_factory=dict)
