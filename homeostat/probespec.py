"""What an owner says about one probe: its kind by the key that names the target, and what only that kind knows."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Annotated, Literal

from homeostat.explain import At, shown
from homeostat.quantities import (
    Block,
    Line,
    Period,
    Regex,
    at_least,
    at_most,
    entries,
    is_port,
    parse_listen,
    parse_url,
)
from homeostat.workloads import (
    CommandOptions,
    DnsOptions,
    HttpOptions,
    PostgresOptions,
    ProbeOptions,
    ProbeRole,
    ProbeSpec,
    PromqlOptions,
    RedisOptions,
)

# A host that every reader of the URL takes for the same one: none of dots only, nor with what ends it, as ? and # do.
_HTTP_HOST = r"([^\s/:?#@\\]+@)?\.*[\w-][\w.-]*"
_HTTP_TARGET = re.compile(rf"(https?://{_HTTP_HOST}|(?=:))(:(?P<port>\d+))?(/\S*)?")
_TCP_TARGET = re.compile(r"[^\s:]*:(?P<port>\d+)")
_POSTGRES_TARGET = re.compile(r"[^\s:/]*:(?P<port>\d+)/[^\s/]+")
_DNS_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,253}")
_LONGEST_NAME = 100
#: Kinds whose target may leave the host out.
ADDRESSED = ("http", "tcp", "redis", "postgres")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeEntry:
    """Exactly one of ``http``, ``tcp``, ``dns``, ``redis``, ``postgres``, ``command`` and ``promql``: the target."""

    #: `http://HOST:PORT/PATH`, or `:PORT/PATH` of the container.
    http: str | None = None
    #: `HOST:PORT`, or `:PORT` of the container.
    tcp: str | None = None
    #: A name to look up.
    dns: str | None = None
    #: `HOST:PORT`, or `:PORT` of the container: PING.
    redis: str | None = None
    #: `HOST:PORT/DATABASE`, or `:PORT/DATABASE` of the container.
    postgres: str | None = None
    #: A program and its arguments, run without a shell where homeostat runs; exit code 0 is good.
    command: Annotated[tuple[str, ...], entries(1)] | None = None
    #: An expression; good with at least one sample, and none of them 0.
    promql: Block | None = None
    # Two seconds each: with a rule that waits 4 s, a hang is known within 10 s, for about 1 ms of CPU a check.
    interval: Period = 2.0
    timeout: Period = 2.0
    #: Results in a row before it counts as failing, and as good again.
    failures: Annotated[int, at_least(1)] = 1
    successes: Annotated[int, at_least(1)] = 1
    #: `liveness`: a restart mends it. `readiness`: it may not, so only people are told.
    role: ProbeRole = ProbeRole.LIVENESS
    #: Shown instead of kind and target.
    name: Line | None = None
    #: http: status codes that are good, instead of all below 400.
    status: Annotated[tuple[Annotated[int, at_least(100), at_most(599)], ...], entries(1)] | None = None
    #: http: a regular expression that the first 64 KiB of the body must match somewhere.
    body: Regex | None = None
    #: http: who may sign the server's certificate, over the system's own.
    ca_file: Path | None = None
    #: dns: HOST:PORT to ask, instead of the system's. promql: URL of the Prometheus, instead of the stack's.
    server: str | None = None
    #: dns: kind of record to ask for, instead of A.
    record: Literal["A", "AAAA", "CNAME", "MX", "TXT", "SRV", "NS"] | None = None
    #: dns: what one of the records must say.
    answer: Line | None = None
    #: redis, postgres: required for postgres.
    user: Line | None = None
    #: redis, postgres: relative to the settings file.
    password_file: Path | None = None
    #: postgres: must succeed, and not give a single false or no row; instead of SELECT 1.
    query: Block | None = None

    def __post_init__(self) -> None:
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            *most, last = KINDS
            raise ValueError(f"allowed: exactly one of {', '.join(most)} and {last}")
        problems = [*_of_target(self), *_of_foreign_keys(self), *KINDS[given[0]].problems(self)]
        if self.name is not None and len(self.name) > _LONGEST_NAME:
            problems.append(At(("name",), f"{shown(self.name)}must have at most {_LONGEST_NAME} characters"))
        if problems:
            raise ExceptionGroup("a probe", problems)

    @property
    def kind(self) -> str:
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def target(self) -> str:
        """As in :class:`~homeostat.workloads.ProbeSpec`."""
        target: str | tuple[str, ...] = getattr(self, self.kind)
        return target if isinstance(target, str) else PurePath(target[0]).name

    @property
    def goes_to_container(self) -> bool:
        """Whether the target leaves the host out."""
        return self.kind in ADDRESSED and self.target.startswith(":")

    def to_spec(self) -> ProbeSpec:
        return ProbeSpec(
            kind=self.kind,
            target=self.target,
            interval_s=self.interval,
            timeout_s=self.timeout,
            failures=self.failures,
            successes=self.successes,
            role=self.role,
            options=KINDS[self.kind].options(self),
            given_name=self.name or "",
        )


def _no_options(_entry: ProbeEntry) -> None:
    return None


def _no_problems(_entry: ProbeEntry) -> list[At]:
    return []


@dataclass(frozen=True, slots=True)
class _Kind:
    """``allowed``: of targets, in words. ``keys``: what not every kind takes. ``problems``: of these keys."""

    is_target: Callable[[str], bool]
    allowed: str
    keys: tuple[str, ...] = ()
    options: Callable[[ProbeEntry], ProbeOptions | None] = _no_options
    problems: Callable[[ProbeEntry], list[At]] = _no_problems


def is_http_target(text: str) -> bool:
    """Whether ``text`` is a URL or ``:PORT/PATH``."""
    return _has_form(_HTTP_TARGET, text)


def _is_tcp_target(text: str) -> bool:
    return _has_form(_TCP_TARGET, text)


def _is_postgres_target(text: str) -> bool:
    return _has_form(_POSTGRES_TARGET, text)


def _is_dns_name(text: str) -> bool:
    return _DNS_NAME.fullmatch(text) is not None


def _has_form(form: re.Pattern[str], text: str) -> bool:
    match = form.fullmatch(text)
    return match is not None and (match["port"] is None or is_port(match["port"]))


def _of_target(entry: ProbeEntry) -> list[At]:
    row = KINDS[entry.kind]
    if row.is_target(entry.target):
        return []
    return [At((entry.kind,), f"{entry.target!r:.60}: allowed: {row.allowed}")]


def _of_foreign_keys(entry: ProbeEntry) -> list[At]:
    """Keys that stand here and belong to other kinds."""
    problems: list[At] = []
    for key in dict.fromkeys(key for row in KINDS.values() for key in row.keys):
        if getattr(entry, key) is not None and key not in KINDS[entry.kind].keys:
            owners = " and ".join(kind for kind, row in KINDS.items() if key in row.keys)
            problems.append(At((key,), f"does not belong to {entry.kind}; allowed: with {owners}"))
    return problems


def _of_server(entry: ProbeEntry, parse: Callable[[object], str]) -> list[At]:
    try:
        if entry.server is not None:
            parse(entry.server)
    except ValueError as err:
        return [At(("server",), f"{shown(entry.server)}{err}")]
    return []


def _of_dns(entry: ProbeEntry) -> list[At]:
    return _of_server(entry, parse_listen)


def _of_promql(entry: ProbeEntry) -> list[At]:
    return _of_server(entry, parse_url)


def _of_postgres(entry: ProbeEntry) -> list[At]:
    return [] if entry.user is not None else [At(("user",), "required with postgres, but missing")]


def _http_options(entry: ProbeEntry) -> HttpOptions | None:
    options = HttpOptions(status=entry.status or (), body=entry.body or "", ca_file=entry.ca_file)
    return None if options == HttpOptions() else options


def _dns_options(entry: ProbeEntry) -> DnsOptions:
    return DnsOptions(server=entry.server or "", record=entry.record or "A", answer=entry.answer or "")


def _redis_options(entry: ProbeEntry) -> RedisOptions:
    return RedisOptions(user=entry.user or "", password_file=entry.password_file)


def _postgres_options(entry: ProbeEntry) -> PostgresOptions:
    options = PostgresOptions(user=entry.user or "", password_file=entry.password_file)
    return options if entry.query is None else replace(options, query=entry.query)


def _command_options(entry: ProbeEntry) -> CommandOptions:
    return CommandOptions(argv=entry.command or ())


def _promql_options(entry: ProbeEntry) -> PromqlOptions:
    return PromqlOptions(server=(entry.server or "").rstrip("/"))


_OF_CONTAINER = "of the container"
#: Adding a kind: a key of ``ProbeEntry``, its options in homeostat.workloads, a row here and one in homeostat.probes.
KINDS: Mapping[str, _Kind] = {
    "http": _Kind(
        is_http_target,
        f"http://HOST:PORT/PATH or :PORT/PATH {_OF_CONTAINER}",
        ("status", "body", "ca_file"),
        _http_options,
    ),
    "tcp": _Kind(_is_tcp_target, f"HOST:PORT or :PORT {_OF_CONTAINER}"),
    "dns": _Kind(
        _is_dns_name, "a name, for example db.example.org", ("server", "record", "answer"), _dns_options, _of_dns
    ),
    "redis": _Kind(_is_tcp_target, f"HOST:PORT or :PORT {_OF_CONTAINER}", ("user", "password_file"), _redis_options),
    "postgres": _Kind(
        _is_postgres_target,
        f"HOST:PORT/DATABASE or :PORT/DATABASE {_OF_CONTAINER}",
        ("user", "password_file", "query"),
        _postgres_options,
        _of_postgres,
    ),
    "command": _Kind(bool, "a list of a program and its arguments", (), _command_options),
    "promql": _Kind(bool, "an expression", ("server",), _promql_options, _of_promql),
}
