"""Five incidents, as the alerts that Prometheus and the responder send of them, second by second."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Alert = dict[str, str]


@dataclass(frozen=True, slots=True)
class Incident:
    """``alerts_at``: what fires at a second of it. ``limit``: messages that people may get in all of it."""

    name: str
    alerts_at: Callable[[float], list[Alert]]
    limit: int
    lasts_s: float = field(default=75.0)


_CONTAINERS = 50


def _workloads(prefix: str = "shop/w") -> Iterator[tuple[str, str]]:
    for number in range(_CONTAINERS):
        yield f"{prefix}{number}", f"shop-w{number}-1"


def _host_dies(second: float) -> list[Alert]:
    """It comes back, and its engine no longer knows how the containers ended: nobody starts them, people are asked of
    each. The responder sees many at once, and tells of a storm.
    """
    down = [
        {"alertname": "WorkloadStopUnexplained", "severity": "critical", "workload": workload, "container": container}
        for workload, container in _workloads()
    ]
    return down + (_storm() if second > 10 else [])


def _storm() -> list[Alert]:
    return [{"alertname": "HomeostatStorm", "severity": "critical"}]


def _host_and_homeostat_die(_second: float) -> list[Alert]:
    """As a Prometheus elsewhere sees it: nothing is known of containers any more."""
    return [
        {"alertname": "ExporterDown", "severity": "critical", "workload": "homeostat/exporter"},
        {"alertname": "ResponderDown", "severity": "critical", "workload": "homeostat/responder"},
        *(
            {"alertname": "WorkloadMissing", "severity": "critical", "workload": workload}
            for workload, _ in _workloads()
        ),
    ]


def _database_down(second: float) -> list[Alert]:
    """It is repaired in vain, and its dependents with it; their readiness was getting worse before."""
    database = {"alertname": "WorkloadDown", "severity": "critical", "remedy": "down", "workload": "shop/db"}
    dependents = [
        {"alertname": "WorkloadUnresponsive", "severity": "critical", "remedy": "unresponsive", "workload": workload}
        for workload, _ in _workloads()
    ]
    slow = [
        {
            "alertname": "WorkloadProbeSlow",
            "severity": "warning",
            "workload": workload,
            "container": container,
            "probe": "p",
        }
        for workload, container in _workloads()
    ]
    escalation = {"alertname": "HomeostatEscalation", "severity": "critical", "workload": "shop/db"}
    return [database, *dependents, *slow, *([escalation] if second > 20 else []), *(_storm() if second > 5 else [])]


def _flapping(second: float) -> list[Alert]:
    """Down for five seconds of ten; after the third time it is a crash loop, and a person is called."""
    labels = {"severity": "critical", "workload": "shop/web", "container": "shop-web-1"}
    found = [{"alertname": "WorkloadDown", "remedy": "down", **labels}] if second % 10 < 5 else []
    found.append({"alertname": "WorkloadRestarted", "remedy": "record", **labels, "severity": "info"})
    if second > 30:
        found.append({"alertname": "WorkloadCrashLooping", "remedy": "crash_loop", **labels})
        found.append({"alertname": "HomeostatEscalation", **labels})
    return found


def _exporter_down(_second: float) -> list[Alert]:
    missing = [
        {"alertname": "WorkloadMissing", "severity": "critical", "workload": workload} for workload, _ in _workloads()
    ]
    return [{"alertname": "ExporterDown", "severity": "critical", "workload": "homeostat/exporter"}, *missing]


def _file_damaged(second: float) -> list[Alert]:
    """Its readers do not answer; the file is put back, and they are started anew."""
    file = {
        "alertname": "ConfigCorrupt",
        "severity": "critical",
        "remedy": "config_restore",
        "workload": "file/app.env",
    }
    readers = [
        {"alertname": "WorkloadUnresponsive", "severity": "critical", "remedy": "unresponsive", "workload": workload}
        for workload, _ in _workloads()
    ]
    outdated = [
        {"alertname": "ConfigReaderOutdated", "severity": "warning", "remedy": "config_restart", "workload": workload}
        for workload, _ in _workloads()
    ]
    return [file, *readers, *_storm()] if second < 20 else [*outdated, *_storm()]


INCIDENTS = (
    Incident("50 containers die with their host", _host_dies, 2),
    Incident("the host is gone, Prometheus is elsewhere", _host_and_homeostat_die, 2),
    Incident("a database is down, 50 depend on it", _database_down, 2),
    Incident("one workload flaps", _flapping, 1),
    Incident("the exporter is down", _exporter_down, 1),
    Incident("a configuration file is damaged, 50 read it", _file_damaged, 1),
)
