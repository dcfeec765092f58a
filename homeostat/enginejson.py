"""The engine's JSON -> containerinfo. Engines differ (Docker 20.10 to 29, Podman's compatible API) and may be broken:
what homeostat cannot do without is required, the rest has defaults. They raise ValueError and nothing else.

Source: Docker Engine API v1.41 to v1.52, inspect, list, top and events; Podman, pkg/api/handlers/compat.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from homeostat.clock import parse_rfc3339
from homeostat.containerinfo import (
    Bind,
    Container,
    ContainerDetails,
    ContainerEvent,
    ContainerProcess,
    ContainerRow,
    EngineHost,
    HealthCheck,
    is_oneoff,
)
from homeostat.loosejson import count, number, part, required, required_text, text, texts

_HEALTHS = frozenset({"starting", "healthy", "unhealthy"})
#: Health in the list's text, before API 1.52: ``Up 5 minutes (healthy)``, ``Up 2 seconds (health: starting)``.
_HEALTH_IN_TEXT = re.compile(r"\((?:health: )?(starting|healthy|unhealthy)\)$")
#: No engine lets a name become longer: it is a label of every series and a file's name on the host.
_LONGEST_NAME = 255
#: Of a number in a table of texts: what is longer was not measured.
_LONGEST_FIGURE = 19
#: Words of ps(1) for a process that waits for nothing in the kernel.
_NOWHERE = ("-", "0")
#: Words that only Podman's list has, and what its inspect and Docker call that.
_STATUSES = {"configured": "created", "initialized": "created", "stopped": "exited", "stopping": "running"}


def container(raw: object) -> Container:
    """From an inspect answer. Required: its id and its state."""
    top = required(raw, "the answer")
    container_id = required_text(top, "Id")
    state, config, host = required(top.get("State"), "State"), part(top, "Config"), part(top, "HostConfig")
    health = part(state, "Health") or part(state, "Healthcheck")  # Podman's own name for it
    network_mode = text(host, "NetworkMode")
    return Container(
        id=container_id,
        name=_name(text(top, "Name")) or container_id[:12],
        image=text(config, "Image"),
        labels=texts(config.get("Labels")),
        status=required_text(state, "Status"),
        health=_health(text(health, "Status")),
        exit_code=number(state, "ExitCode"),
        oom_killed=state.get("OOMKilled") is True,
        restart_count=count(top, "RestartCount"),
        restart_policy=text(part(host, "RestartPolicy"), "Name") or "no",
        pid=count(state, "Pid"),
        started_at=_time(state, "StartedAt"),
        finished_at=_time(state, "FinishedAt"),
        memory_limit=count(host, "Memory"),
        addresses=("127.0.0.1",) if network_mode == "host" else tuple(_addresses(top)),
        start_period_s=count(part(config, "Healthcheck"), "StartPeriod") / 1e9,
        stop_signal=str(config.get("StopSignal") or ""),  # a number in some of Podman's versions
        health_failing_streak=count(health, "FailingStreak"),
        network_mode=network_mode,
        memory_swap=number(host, "MemorySwap"),
        nano_cpus=count(host, "NanoCpus"),
        host_ports=tuple(_host_ports(part(host, "PortBindings"))),
        binds=tuple(_binds(top.get("Mounts"))),
    )


def details(raw: object) -> ContainerDetails:
    """From an inspect answer. Required: as for :func:`container`."""
    found = container(raw)
    top = required(raw, "the answer")
    state = part(top, "State")
    health = part(state, "Health") or part(state, "Healthcheck")
    return ContainerDetails(
        container=found,
        error=text(state, "Error"),
        image_id=text(top, "Image"),
        health_log=tuple(_health_check(each) for each in _list(health.get("Log")) if isinstance(each, dict)),
        environment=dict(_environment(part(top, "Config").get("Env"))),
    )


def image_digests(raw: object) -> tuple[str, ...]:
    """From an image's inspect answer: as registries know it, ``name@sha256:...``. None for one that was built here."""
    return tuple(each for each in _list(required(raw, "the image").get("RepoDigests")) if isinstance(each, str))


def processes(raw: object) -> tuple[ContainerProcess, ...]:
    """From a top answer. A row that says less than a process is passed over."""
    top = required(raw, "the list of processes")
    titles = [str(title) for title in _list(top.get("Titles"))]
    if "PID" not in titles:
        raise ValueError("the list of processes has no PID")
    rows = (texts(dict(zip(titles, _list(row), strict=False))) for row in _list(top.get("Processes")))
    return tuple(_process(row) for row in rows if row.get("PID", "").isdecimal())


def rows(raw: object) -> tuple[ContainerRow, ...]:
    """From a list answer. One row without an id, and all is in doubt: what is not listed counts as removed."""
    if not isinstance(raw, list):
        raise ValueError("the list of containers is none")  # noqa: TRY004 - not a mistake in this program
    return tuple(_row(required(each, "a container of the list")) for each in raw)


def event(raw: object) -> ContainerEvent:
    """From one line of the event stream."""
    top = required(raw, "an event")
    actor = part(top, "Actor")
    return ContainerEvent(
        container_id=text(actor, "ID"),
        action=text(top, "Action"),
        signal=text(part(actor, "Attributes"), "signal"),
        at=number(top, "timeNano") / 1e9,
    )


def system_time(raw: object) -> float:
    """From an info answer: the engine's clock, epoch seconds."""
    moment = parse_rfc3339(required_text(required(raw, "the engine's information"), "SystemTime"))
    if moment is None:
        raise ValueError("SystemTime is no time")
    return moment


def engine_host(raw: object) -> EngineHost:
    """From an info answer."""
    top = required(raw, "the engine's information")
    found = EngineHost(memory_bytes=count(top, "MemTotal"), cpus=count(top, "NCPU"))
    if not found.memory_bytes or not found.cpus:
        raise ValueError("it does not say what the machine has")
    return found


def _binds(raw: object) -> Iterator[Bind]:
    for each in _list(raw):
        if isinstance(each, dict) and each.get("Type") == "bind":
            source, target = text(each, "Source"), text(each, "Destination")
            if source and target:
                yield Bind(source, target)


def _health_check(raw: Mapping[str, Any]) -> HealthCheck:
    return HealthCheck(_time(raw, "End"), number(raw, "ExitCode"), text(raw, "Output"))


def _process(row: Mapping[str, str]) -> ContainerProcess:
    def figure(title: str) -> int:
        told = row.get(title, "")
        return int(told) if told.isdecimal() and len(told) < _LONGEST_FIGURE else 0

    waits_in = row.get("WCHAN", "")
    return ContainerProcess(
        pid=figure("PID"),
        name=row.get("COMMAND") or row.get("CMD") or "",
        state=row.get("STAT", "")[:1],
        rss_bytes=figure("RSS") * 1024,
        threads=figure("NLWP"),
        waits_in="" if waits_in in _NOWHERE else waits_in,
    )


def _environment(raw: object) -> Iterator[tuple[str, str]]:
    for each in _list(raw):
        if isinstance(each, str):
            name, _, value = each.partition("=")
            yield name, value


def _list(raw: object) -> list[Any]:
    return raw if isinstance(raw, list) else []


def _name(told: str) -> str:
    name = told.lstrip("/")
    if len(name) > _LONGEST_NAME:
        raise ValueError(f"Name has {len(name)} characters")
    return name


def _row(raw: Mapping[str, Any]) -> ContainerRow:
    status = text(raw, "State").lower()
    return ContainerRow(
        id=required_text(raw, "Id"),
        names=frozenset(_names(raw.get("Names"))),
        status=_STATUSES.get(status, status),
        health=_row_health(raw),
        is_oneoff=is_oneoff(texts(raw.get("Labels"))),
    )


def _row_health(raw: Mapping[str, Any]) -> str | None:
    if told := text(part(raw, "Health"), "Status"):  # since API 1.52
        return _health(told)
    found = _HEALTH_IN_TEXT.search(text(raw, "Status"))
    return found[1] if found else None


def _names(value: object) -> Iterator[str]:
    # ``/name``; a legacy link to it shows as ``/other/alias``.
    for each in value if isinstance(value, list) else ():
        if isinstance(each, str):
            yield each.lstrip("/")


def _host_ports(bindings: Mapping[str, Any]) -> Iterator[str]:
    # A range, 0 and nothing at all leave the choice to the engine.
    for each in (entry for entries in bindings.values() for entry in _list(entries) if isinstance(entry, dict)):
        if (port := text(each, "HostPort")).isdecimal() and int(port):
            yield port


def _addresses(top: Mapping[str, Any]) -> Iterator[str]:
    for network in part(part(top, "NetworkSettings"), "Networks").values():
        if isinstance(network, dict) and (address := text(network, "IPAddress")):
            yield address


def _health(status: str) -> str:
    return status if status in _HEALTHS else "none"


def _time(raw: Mapping[str, Any], key: str) -> float | None:
    try:
        return parse_rfc3339(text(raw, key))
    except ValueError:
        return None
