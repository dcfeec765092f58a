"""homeostat itself: does it run, does it see, what does it cost?"""

from grafana.dashboards.events import events
from grafana.dashboards.shapes import bars, gauge, in_range, lines, links, number, or_zero, timeline
from grafana.dashboards.states import BAD_IF_YES, GOOD_BAD, YES_NO
from grafana.dashboards.steps import worst
from grafana.dashboards.uids import Uid
from grafana.lib import Column, Dashboard, Heading, Key, Panel, Query, Table, Unit
from grafana.lib.thresholds import DEAD_MAN, FEW_WANTED, NONE_WANTED
from homeostat import names

JOB = "job"
NOT_APPS = 'job!="applications"'

NUMBERS = (
    number(
        "Parts that do not answer",
        "Of exporter, responder, guardian, Prometheus and Alertmanager, as Prometheus scrapes them. The guardian is "
        "only there where homeostat runs natively.",
        or_zero(f"count(up{{{NOT_APPS}}} == 0)", "up"),
        empty="no Prometheus",
        thresholds=NONE_WANTED,
    ),
    number(
        "Failing collectors",
        "Parts of the measurements that are missing now. Alerts that rest on them cannot fire.",
        or_zero(f"count({names.SCRAPE_SUCCESS} == 0)", names.SCRAPE_SUCCESS),
        empty="no exporter",
        thresholds=NONE_WANTED,
    ),
    number(
        "Age of the dead-man alert",
        "Since the alert that always fires arrived last. Red: alerts no longer reach the responder (180 s by default).",
        "time() - (max(homeostat_dead_man_timestamp_seconds) > 0)",
        empty="never came",
        unit=Unit.SECONDS,
        thresholds=DEAD_MAN,
    ),
    number(
        "Settings not loaded",
        "Processes that go on with older settings than homeostat.yml has, as that cannot be loaded.",
        or_zero(f"count({names.CONFIG_RELOAD_OK} == 0)", names.CONFIG_RELOAD_OK),
        empty="no responder",
        thresholds=NONE_WANTED,
    ),
    number(
        "Ledger",
        "Lines of the ledger: every step with its evidence.",
        gauge("homeostat_ledger_lines"),
        empty="no responder",
        runbooks=("LedgerDamaged",),
    ),
    number(
        "Clock jumps",
        "How often the wall clock was set under the responder, in the time that is shown.",
        in_range("homeostat_clock_jumps_total"),
        empty="no responder",
        thresholds=FEW_WANTED,
    ),
)
PARTS = (
    timeline(
        "Parts",
        "Whether each answered Prometheus. One scrape that failed within a step makes it failing.",
        GOOD_BAD,
        Query(f"min by (job) ({worst(f'up{{{NOT_APPS}}}', is_low_worse=True)})", "{{job}}"),
        runbooks=("ExporterDown", "ResponderDown", "ResourcesUnmeasured"),
    ),
    timeline(
        "Collectors",
        "Whether each part of the measurements succeeded. One failure within a step makes it failing.",
        GOOD_BAD,
        Query(f"min by (job, collector) ({worst(names.SCRAPE_SUCCESS, is_low_worse=True)})", "{{job}} {{collector}}"),
        runbooks=("CollectorFailing",),
    ),
    lines(
        "Duration of scrapes",
        "The exporter's fast job has 1.9 s.",
        Unit.SECONDS,
        Query(f"max by (job) (scrape_duration_seconds{{{NOT_APPS}}})", "{{job}}"),
    ),
    lines(
        "Duration of collectors",
        "A collector that nears the scrape's timeout, 1.9 s for the exporter, fails soon.",
        Unit.SECONDS,
        Query(f"max by (job, collector) ({names.SCRAPE_DURATION})", "{{job}} {{collector}}"),
    ),
)
COST = (
    lines(
        "Memory",
        "Resident, of each part that tells it.",
        Unit.BYTES,
        Query("max by (job) (process_resident_memory_bytes)", "{{job}}"),
        width=8,
    ),
    lines(
        "CPU",
        "Cores in full use.",
        Unit.COUNT,
        Query("max by (job) (rate(process_cpu_seconds_total[$__rate_interval]))", "{{job}}"),
        width=8,
    ),
    lines(
        "Open files",
        "Of each part that tells it.",
        Unit.COUNT,
        Query("max by (job) (process_open_fds)", "{{job}}"),
        width=8,
    ),
)
GUARDIAN = (
    timeline(
        "Supervised processes",
        "What the guardian keeps alive: homeostat's own parts where it runs natively, and the user's processes.",
        YES_NO,
        Query(f"min by (workload) ({worst(names.GUARDIAN_UP, is_low_worse=True)})", "{{workload}}"),
        runbooks=("GuardianDown",),
    ),
    timeline(
        "Given up",
        "Processes that kept ending until the guardian gave up on them.",
        BAD_IF_YES,
        Query(f"max by (workload) ({worst(names.GUARDIAN_CRASH_LOOPING)})", "{{workload}}"),
        runbooks=("WorkloadCrashLooping",),
    ),
    bars(
        "Restarts by the guardian",
        "By what led to them.",
        Query(
            f"sum by (workload, reason) (increase({names.GUARDIAN_RESTARTS}[$__rate_interval])) > 0",
            "{{workload}} {{reason}}",
        ),
    ),
    lines(
        "Memory of supervised processes",
        "Resident, with all descendants.",
        Unit.BYTES,
        Query(gauge(names.GUARDIAN_RSS, names.WORKLOAD), "{{workload}}"),
    ),
)
PROMETHEUS = (
    lines(
        "Series",
        "In memory. Much more than usual: some label has too many values.",
        Unit.COUNT,
        Query(gauge("prometheus_tsdb_head_series"), "series"),
        width=8,
    ),
    lines(
        "Samples",
        "Taken in per second.",
        Unit.COUNT_RATE,
        Query("sum(rate(prometheus_tsdb_head_samples_appended_total[$__rate_interval]))", "samples"),
        width=8,
        runbooks=("RemoteWriteFailing",),
    ),
    lines(
        "Stored",
        "Blocks and write-ahead log, against `stack.retention_size`.",
        Unit.BYTES,
        Query(gauge("prometheus_tsdb_storage_blocks_bytes"), "blocks"),
        Query(gauge("prometheus_tsdb_wal_storage_size_bytes"), "log"),
        Query(f"{gauge('prometheus_tsdb_retention_limit_bytes')} > 0", "limit"),
        width=8,
    ),
)
VERSIONS = Panel(
    "Versions",
    "What runs. Parts of different versions are an update that was not finished.",
    Unit.NONE,
    Table(
        keys=(Key(JOB, "Part"),),
        columns=(
            Column(
                "Version",
                f"max by (job, version) ({names.BUILD_INFO} or prometheus_build_info or alertmanager_build_info)",
                label="version",
            ),
            Column("Python", f"max by (job, python) ({names.BUILD_INFO})", label="python"),
            Column("Settings loaded", f"max by (job) ({names.CONFIG_RELOAD_TIMESTAMP}) * 1000", Unit.AGO),
        ),
    ),
    width=24,
    height=6,
    links=links(("SettingsReloadFailed",)),
)

ITSELF = Dashboard(
    uid=Uid.ITSELF,
    title="homeostat / homeostat itself",
    description="Whether homeostat runs and sees, and what it costs.",
    annotations=events(),
    parts=(
        *NUMBERS,
        *PARTS,
        Heading("What it costs"),
        *COST,
        Heading("Guardian"),
        *GUARDIAN,
        Heading("Prometheus"),
        *PROMETHEUS,
        VERSIONS,
    ),
)
