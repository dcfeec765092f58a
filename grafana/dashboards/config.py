"""Managed configuration files: what each is, what is wrong with it, and who still runs with an old one."""

from grafana.dashboards.events import events
from grafana.dashboards.shapes import gauge, lines, links, number, or_zero, timeline
from grafana.dashboards.states import BAD_IF_YES, GOOD_BAD, YES_NO, numbered
from grafana.dashboards.steps import worst
from grafana.dashboards.uids import TO_WORKLOAD, Uid
from grafana.lib import Color, Column, Dashboard, Heading, Key, Panel, Query, Table, Thresholds, Unit
from grafana.lib.thresholds import FEW_WANTED, NONE_WANTED
from homeostat import names

FILE = names.FILE
READER = "workload, container, file"
PARSED, VALID, MODE, VIOLATIONS, CHANGED, GOOD, INFO, VERSIONS, CHECKED, TOOK, STALE, REDEPLOY = (
    f"homeostat_config_file_{name}"
    for name in (
        "parse_success",
        "schema_valid",
        "mode_allowed",
        "violations",
        "last_change_timestamp_seconds",
        "last_good_timestamp_seconds",
        "last_good_info",
        "versions",
        "check_success",
        "check_duration_seconds",
        "stale_in_container",
        "needs_redeploy",
    )
)
INTEGRITY = numbered(("good", Color.GREEN), ("changed", Color.ORANGE), ("damaged", Color.RED))


def integrity(damaged: str, drifted: str) -> str:
    """The number of ``INTEGRITY``."""
    return f"max by ({FILE}) (1 + ({damaged} * 2 > 0 or {drifted}))"


def how_many(title: str, description: str, metric: str, wrong: int, thresholds: Thresholds) -> Panel:
    return number(
        title, description, or_zero(f"count({metric} == {wrong})", metric), empty="none", thresholds=thresholds
    )


NUMBERS = (
    how_many(
        "Damaged",
        "Missing, not of their format, against their schema or rules, or open to others: the last good one comes back.",
        names.CONFIG_DAMAGED,
        1,
        NONE_WANTED,
    ),
    how_many(
        "Changed",
        "Valid, and not what was accepted last: somebody is to accept the change, or to put it back.",
        names.CONFIG_DRIFTED,
        1,
        FEW_WANTED,
    ),
    how_many(
        "Not checked",
        "Their schema is broken or their versions cannot be read: what else is said of them is old.",
        CHECKED,
        0,
        NONE_WANTED,
    ),
    how_many(
        "Outdated readers",
        "Workloads that started while a file of theirs was damaged, and do not read it again by themselves.",
        names.CONFIG_OUTDATED,
        1,
        NONE_WANTED,
    ),
    how_many(
        "Old in containers",
        "Containers that see another file than the host: it is mounted by itself, and was replaced.",
        STALE,
        1,
        NONE_WANTED,
    ),
    how_many(
        "To be deployed",
        "Containers that docker compose would make anew by now: what was changed is not in force.",
        REDEPLOY,
        1,
        FEW_WANTED,
    ),
)
FILES = Panel(
    "Files",
    "As they are now. What they say is nowhere in here; `homeostat config diff` shows it, with secrets masked.",
    Unit.NONE,
    Table(
        keys=(Key(FILE, "File"),),
        columns=(
            Column("Is", integrity(names.CONFIG_DAMAGED, names.CONFIG_DRIFTED), states=INTEGRITY),
            Column("Of its format", f"min by ({FILE}) ({PARSED})", states=GOOD_BAD),
            Column("By its schema and rules", f"min by ({FILE}) ({VALID})", states=GOOD_BAD),
            Column("Mode allowed", f"min by ({FILE}) ({MODE})", states=GOOD_BAD),
            Column("Changed", f"{gauge(CHANGED, FILE)} * 1000", Unit.AGO),
            Column("Last good of", f"{gauge(GOOD, FILE)} * 1000", Unit.AGO),
            Column("Version", f"max by ({FILE}, version) ({INFO})", label="version"),
            Column("SHA-256", f"max by ({FILE}, sha256) ({INFO})", label="sha256"),
            Column("Versions kept", gauge(VERSIONS, FILE), Unit.COUNT),
        ),
    ),
    width=24,
    links=links(("ConfigCorrupt", "ConfigDrifted", "ConfigUnchecked", "ConfigOpenToOthers")),
)
READERS = Panel(
    "Readers",
    "Who reads which file, and whether it has what the file says now.",
    Unit.NONE,
    Table(
        keys=(Key(names.WORKLOAD, "Workload", TO_WORKLOAD), Key("container", "Container"), Key(FILE, "File")),
        columns=(
            Column("Outdated", gauge(names.CONFIG_OUTDATED, READER), states=BAD_IF_YES),
            Column("Old in container", gauge(STALE, READER), states=BAD_IF_YES),
            Column("To be deployed", gauge(REDEPLOY, READER), states=YES_NO),
        ),
    ),
    width=24,
    height=7,
    links=links(("ConfigReaderOutdated", "ConfigStaleInContainer", "ConfigNeedsRedeploy")),
)
OVER_TIME = (
    timeline(
        "Integrity",
        "The worst of each step. A file that is being changed is judged when it has been still for a while.",
        INTEGRITY,
        Query(integrity(worst(names.CONFIG_DAMAGED), worst(names.CONFIG_DRIFTED)), "{{file}}"),
        runbooks=("ConfigKeepsBreaking",),
    ),
    lines(
        "Violations",
        "What is wrong, by rule. Never a value of the file.",
        Unit.COUNT,
        Query(gauge(VIOLATIONS, f"{FILE}, rule"), "{{file}} {{rule}}"),
    ),
    timeline(
        "Checks",
        "Failing: it could not be checked; it may be good or not.",
        GOOD_BAD,
        Query(f"min by ({FILE}) ({worst(CHECKED, is_low_worse=True)})", "{{file}}"),
    ),
    lines(
        "Duration of checks",
        "How long the last check of each file took.",
        Unit.SECONDS,
        Query(gauge(TOOK, FILE), "{{file}}"),
    ),
)

CONFIG = Dashboard(
    uid=Uid.CONFIG,
    title="homeostat / Config integrity",
    description="Managed configuration files: their integrity, their versions, and who runs with an old one.",
    annotations=events(),
    parts=(*NUMBERS, FILES, READERS, Heading("Over time"), *OVER_TIME),
)
