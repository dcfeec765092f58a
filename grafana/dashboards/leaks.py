"""What grows and does not come back: how fast, how sure, and when the limit is met."""

from grafana.dashboards.events import events
from grafana.dashboards.shapes import gauge, lines, links, number, or_zero, timeline
from grafana.dashboards.states import LEAK_VERDICTS, state_number
from grafana.dashboards.uids import TO_WORKLOAD, Uid
from grafana.lib import Column, Dashboard, Heading, Key, Panel, Query, Table, Unit, Variable
from grafana.lib.thresholds import FEW_WANTED, NONE_WANTED, TIME_LEFT
from homeostat import names

CHOSEN = 'workload=~"$workload"'
EACH = "workload, container"
SERIES = f"{EACH}, resource"
NAME = "{{workload}} {{container}}"
#: What comes back within this time is no floor. The exporter's own looks at four lengths: docs/leak-detection.md.
FLOOR = "10m"
DAY_S = 86400
HOUR_S = 3600
VERDICT = state_number(names.LEAK_VERDICT, "verdict", LEAK_VERDICTS, SERIES, CHOSEN)
MEMORY_SLOPE = f'homeostat_leak_memory_slope_bytes_per_second{{{CHOSEN}, estimate="median"}}'
RESTART, ONSET = names.LEAK_RESTART, "homeostat_leak_onset_timestamp_seconds"
MEDIAN = f'{CHOSEN}, estimate="median"'


def per_hour(resource: str) -> Query:
    metric = f"homeostat_leak_{resource}_slope_per_second"
    return Query(f"max by ({EACH}, estimate) ({metric}{{{CHOSEN}}}) * {HOUR_S}", f"{NAME} {{{{estimate}}}}")


def verdicts(words: str) -> str:
    return or_zero(
        f'count(max by ({SERIES}) ({names.LEAK_VERDICT}{{{CHOSEN}, verdict=~"{words}"}}))', names.LEAK_VERDICT
    )


NUMBERS = (
    number(
        "Leaks",
        "Resources that will be used up unless something is done.",
        verdicts("leak|exhausting"),
        empty="none judged",
        thresholds=NONE_WANTED,
    ),
    number(
        "Suspects",
        "Resources that look like leaks, and are not sure enough for anything to be done.",
        verdicts("suspect"),
        empty="none judged",
        thresholds=FEW_WANTED,
    ),
    number(
        "Used up in",
        "Until the first limit is met, by the median slope.",
        f"min({names.LEAK_EXHAUSTION}{{{MEDIAN}}}) - time()",
        empty="nothing grows",
        unit=Unit.SECONDS,
        thresholds=TIME_LEFT,
    ),
    number(
        "Looked at",
        "Series whose growth is judged: memory, open files, threads and connections of each container and process.",
        "max(homeostat_leak_series)",
        empty="no exporter",
    ),
    number(
        "Left out",
        "Series that there is no room for. Nobody looks at them.",
        "max(homeostat_leak_series_left_out)",
        empty="no exporter",
        thresholds=FEW_WANTED,
    ),
    number(
        "Last sample",
        "Since all that is watched was sampled with nothing that failed. Long: verdicts are old.",
        f"time() - max({names.LEAK_LAST_SAMPLE})",
        empty="no exporter",
        unit=Unit.SECONDS,
    ),
)
LIST = Panel(
    "What grows",
    "All that is suspected or worse: since when, how sure that is, when the limit is met at this slope, and when a "
    "restart disturbs least before that. Nothing in it: nothing grows.",
    Unit.NONE,
    Table(
        keys=(Key("container", "Container"), Key("resource", "Resource"), Key(names.WORKLOAD, "Workload", TO_WORKLOAD)),
        columns=(
            Column("Verdict", f"{VERDICT} > 3", states=LEAK_VERDICTS),
            Column("Sure", gauge("homeostat_leak_confidence_ratio", SERIES, CHOSEN), Unit.RATIO),
            Column("Grows since", f"{gauge(ONSET, SERIES, CHOSEN)} * 1000", Unit.AGO),
            Column("Used up", f"{gauge(names.LEAK_EXHAUSTION, SERIES, MEDIAN)} * 1000", Unit.AGO),
            Column("Restart best", f"{gauge(RESTART, SERIES, CHOSEN)} * 1000", Unit.AGO),
            Column("Limit by", f"max by ({SERIES}, bound) (homeostat_leak_bound_info{{{CHOSEN}}})", label="bound"),
        ),
    ),
    width=24,
    height=7,
    links=links(("LeakNoticed", "LeakSuspected", "LeakConfirmed", "LeakExhausting", "LeakRestartDue", "PoolLeak")),
)
FORECAST = (
    lines(
        "Memory, its floor and its limit",
        f"The floor is the least of the last {FLOOR}: what use comes and goes over. A floor that only rises is a leak.",
        Unit.BYTES,
        Query(gauge(names.CONTAINER_MEMORY_ANON, EACH, CHOSEN), f"{NAME}"),
        Query(f"max by ({EACH}) (min_over_time({names.CONTAINER_MEMORY_ANON}{{{CHOSEN}}}[{FLOOR}]))", f"{NAME} floor"),
        Query(f"{gauge(names.CONTAINER_MEMORY_LIMIT, EACH, CHOSEN)} > 0", f"{NAME} limit"),
    ),
    lines(
        "Memory in a day, against the limit",
        "What each container that grows will use a day later if it goes on as it does, and where that ends.",
        Unit.BYTES,
        Query(
            f"max by ({EACH}) ({names.CONTAINER_MEMORY_ANON}{{{CHOSEN}}})"
            f" + on ({EACH}) max by ({EACH}) ({MEMORY_SLOPE}) * {DAY_S}",
            f"{NAME} in a day",
        ),
        Query(
            f"({gauge(names.CONTAINER_MEMORY_LIMIT, EACH, CHOSEN)} > 0) and on ({EACH}) {MEMORY_SLOPE}", f"{NAME} limit"
        ),
    ),
    timeline(
        "Verdicts",
        "Warming may end by itself. A leak does not, and exhausting is soon.",
        LEAK_VERDICTS,
        Query(
            state_number(names.LEAK_VERDICT, "verdict", LEAK_VERDICTS, SERIES, CHOSEN, is_over_time=True),
            f"{NAME} {{{{resource}}}}",
        ),
    ),
    lines(
        "Time left",
        "Until the limit is met, by the median slope and by the high end of its interval (cautious).",
        Unit.SECONDS,
        Query(
            f"max by ({SERIES}, estimate) ({names.LEAK_EXHAUSTION}{{{CHOSEN}}}) - time()",
            f"{NAME} {{{{resource}}}} {{{{estimate}}}}",
        ),
    ),
)
SLOPES = (
    lines(
        "Memory per second",
        "The median of what was seen, and the ends of its 90 % interval. Only what grows has one.",
        Unit.BYTES_RATE,
        Query(
            f"max by ({EACH}, estimate) (homeostat_leak_memory_slope_bytes_per_second{{{CHOSEN}}})",
            f"{NAME} {{{{estimate}}}}",
        ),
    ),
    lines("Open files per hour", "Of the process that is nearest to its limit.", Unit.COUNT, per_hour("fds")),
    lines("Threads per hour", "Of all its processes.", Unit.COUNT, per_hour("threads")),
    lines(
        "Connections per hour",
        "Of a database's clients.",
        Unit.COUNT,
        per_hour("connections"),
        runbooks=("PoolLeak",),
    ),
    lines(
        "How sure",
        "Confidence of verdicts that say that something grows.",
        Unit.RATIO,
        Query(gauge("homeostat_leak_confidence_ratio", SERIES, CHOSEN), f"{NAME} {{{{resource}}}}"),
    ),
    lines(
        "Duration of a round",
        "How long sampling and judging everything took.",
        Unit.SECONDS,
        Query(gauge("homeostat_leak_round_duration_seconds"), "round"),
        runbooks=("LeakDetectionStale",),
    ),
)

LEAKS = Dashboard(
    uid=Uid.LEAKS,
    title="homeostat / Leaks",
    description="What grows and does not come back: floor, slope, forecast against the limit.",
    variables=(Variable("workload", "Workload", f"label_values({names.LEAK_VERDICT}, workload)", has_many=True),),
    annotations=events(CHOSEN),
    parts=(*NUMBERS, LIST, Heading("Floor, forecast, limit"), *FORECAST, Heading("Slopes"), *SLOPES),
)
