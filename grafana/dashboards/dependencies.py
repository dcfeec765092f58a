"""Who needs whom, who is to blame, and how the databases are that others need."""

from grafana.dashboards.databases import POSTGRES, POSTGRES_PANELS, REDIS, REDIS_PANELS, SERVER
from grafana.dashboards.events import events
from grafana.dashboards.shapes import lines, links, number, or_zero, timeline
from grafana.dashboards.states import GOOD_BAD, WORKLOAD_HEALTH, state_number
from grafana.dashboards.steps import worst
from grafana.dashboards.uids import TO_WORKLOAD, Uid
from grafana.lib import Column, Dashboard, Heading, Key, Panel, Query, Table, Unit
from grafana.lib.thresholds import FEW_WANTED, FILLING, NONE_WANTED
from homeostat import names

HEALTH = state_number(names.WORKLOAD_HEALTH, "state", WORKLOAD_HEALTH, names.WORKLOAD)
HEALTH_OF_NEEDED = f'label_replace({HEALTH}, "dependency", "$1", "workload", "(.+)")'
PAIR = "workload, dependency"
INFO = f"max by ({PAIR}) ({names.WORKLOAD_DEPENDENCY_INFO})"


def with_health(state: str) -> str:
    return f'count(max by (workload) ({names.WORKLOAD_HEALTH}{{state="{state}"}} == 1))'


NUMBERS = (
    number(
        "Healthy",
        "Workloads that do what they are for.",
        or_zero(with_health("healthy"), names.WORKLOAD_HEALTH),
        empty="no exporter",
    ),
    number(
        "Degraded",
        "Workloads that run, with something that is not as it should be: often a dependency.",
        or_zero(with_health("degraded"), names.WORKLOAD_HEALTH),
        empty="no exporter",
        thresholds=FEW_WANTED,
    ),
    number(
        "Unhealthy",
        "Workloads that do not do what they are for, by their own fault or by another's.",
        or_zero(with_health("unhealthy"), names.WORKLOAD_HEALTH),
        empty="no exporter",
        thresholds=NONE_WANTED,
    ),
    number(
        "Fullest pool",
        "Connections of the database that is nearest to its limit of them.",
        f"max(sum by ({SERVER}) ({POSTGRES}_connections) / max by ({SERVER}) ({POSTGRES}_max_connections)"
        f" or max by ({SERVER}) ({REDIS}_connected_clients) / max by ({SERVER}) ({REDIS}_max_clients))",
        empty="no database",
        unit=Unit.RATIO,
        thresholds=FILLING,
    ),
    number(
        "Lock waits",
        "Locks that somebody waits for in PostgreSQL.",
        f"sum(max by ({SERVER}) ({POSTGRES}_lock_waits))",
        empty="no PostgreSQL",
        thresholds=FEW_WANTED,
    ),
    number(
        "Replicas cut off",
        "Redis replicas that do not reach what they copy.",
        or_zero(f"count({REDIS}_replication_link_up == 0)", f"{REDIS}_connected_clients"),
        empty="no Redis",
        thresholds=NONE_WANTED,
    ),
)
TABLES = (
    Panel(
        "Who needs whom",
        "By compose's depends_on and homeostat.yml. When both are bad, the one that is needed is repaired first.",
        Unit.NONE,
        Table(
            keys=(
                Key(names.WORKLOAD, "Workload", TO_WORKLOAD),
                Key("dependency", "Needs", TO_WORKLOAD),
            ),
            columns=(
                Column("Its health", f"{INFO} * on (workload) group_left {HEALTH}", states=WORKLOAD_HEALTH),
                Column(
                    "Health of what it needs",
                    f"{INFO} * on (dependency) group_left {HEALTH_OF_NEEDED}",
                    states=WORKLOAD_HEALTH,
                ),
            ),
        ),
        links=links(("WorkloadUnresponsive",)),
    ),
    Panel(
        "Why",
        "Of each workload that is not healthy: the reason, and what it is about. Empty: all are healthy.",
        Unit.NONE,
        Table(
            keys=(
                Key(names.WORKLOAD, "Workload", TO_WORKLOAD),
                Key("reason", "Reason"),
                Key("source", "About"),
            ),
            columns=(
                Column(
                    "Health",
                    f'max by (workload, reason, source) ({names.WORKLOAD_HEALTH_INFO}{{reason!=""}})'
                    f" * on (workload) group_left {HEALTH}",
                    states=WORKLOAD_HEALTH,
                ),
            ),
        ),
    ),
)
OVER_TIME = (
    timeline(
        "Health",
        "What homeostat makes of processes, probes, Docker's health and dependencies together.",
        WORKLOAD_HEALTH,
        Query(
            state_number(names.WORKLOAD_HEALTH, "state", WORKLOAD_HEALTH, names.WORKLOAD, is_over_time=True),
            "{{workload}}",
        ),
    ),
    timeline(
        "Probes",
        "Whether each answered, after its thresholds. Readiness probes fail for a dependency's sake, too.",
        GOOD_BAD,
        Query(
            f"min by (workload, probe, role) ({worst(names.PROBE_HEALTHY, is_low_worse=True)})",
            "{{workload}} {{probe}} {{role}}",
        ),
        runbooks=("WorkloadProbeFlapping",),
    ),
    lines(
        "Half of the probes within",
        "The median of five minutes: what is usual.",
        Unit.SECONDS,
        Query(
            "max by (workload, probe) (workload_probe:homeostat_probe_duration_seconds:p50_rate5m)",
            "{{workload}} {{probe}}",
        ),
    ),
    lines(
        "99 of 100 probes within",
        "Of five minutes. What slows down before it fails shows here first.",
        Unit.SECONDS,
        Query(
            "max by (workload, probe) (workload_probe:homeostat_probe_duration_seconds:p99_rate5m)",
            "{{workload}} {{probe}}",
        ),
        runbooks=("WorkloadProbeSlow",),
    ),
    lines(
        "Certificates end in",
        "Of the servers that are probed over TLS. Empty without any.",
        Unit.SECONDS,
        Query(
            "min by (workload, probe) (homeostat_probe_tls_expiry_timestamp_seconds) - time()", "{{workload}} {{probe}}"
        ),
        width=24,
        runbooks=("CertificateExpiring", "CertificateExpired"),
    ),
)
DEPENDENCIES = Dashboard(
    uid=Uid.DEPENDENCIES,
    title="homeostat / Dependencies",
    description="Who needs whom and who is to blame; probes; PostgreSQL and Redis.",
    annotations=events(),
    parts=(
        *NUMBERS,
        *TABLES,
        Heading("Over time"),
        *OVER_TIME,
        Heading("PostgreSQL"),
        *POSTGRES_PANELS,
        Heading("Redis"),
        *REDIS_PANELS,
    ),
)
