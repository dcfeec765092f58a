"""What grows until it is exhausted: a verdict for every series, and the forecast of those that grow."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from exporters.leakinputs import Resource
from exporters.leakseries import Row
from exporters.leakwatch import LeakWatch, Snapshot
from exporters.sources import Sources
from homeostat import names
from homeostat.families import Family, Metric, counter, gauge, labels, with_label

_OWN = (names.WORKLOAD, names.CONTAINER)
_SERIES = (*_OWN, names.RESOURCE)
_WHILE = "Only while it grows (suspect, leak, exhausting)."

_VERDICT = gauge(
    names.LEAK_VERDICT,
    "1 for what is said of this resource: insufficient_data, healthy, warming, suspect, leak or exhausting; the others "
    "are absent. The container is empty for a supervised process.",
    *_SERIES,
    names.VERDICT,
)


def _slope(name: str, what: str) -> Metric:
    help_text = f"By how much {what}: the median of what was seen, and the ends of its 90 % interval. {_WHILE}"
    return gauge(f"homeostat_leak_{name}", help_text, *_OWN, "estimate")


#: One family each: they have different units.
SLOPES: Mapping[Resource, Metric] = {
    Resource.MEMORY: _slope("memory_slope_bytes_per_second", "memory grows"),
    Resource.FDS: _slope("fds_slope_per_second", "open files of the process nearest to its limit grow"),
    Resource.THREADS: _slope("threads_slope_per_second", "threads grow"),
    Resource.CONNECTIONS: _slope("connections_slope_per_second", "connections grow"),
}


def _of_growth(name: str, help_text: str, *more_labels: str) -> Metric:
    return gauge(name, f"{help_text} {_WHILE}", *_SERIES, *more_labels)


_CONFIDENCE = _of_growth("homeostat_leak_confidence_ratio", "How sure the verdict is.")
_EXHAUSTION = _of_growth(
    names.LEAK_EXHAUSTION,
    "When the limit is met: by the median slope, and by the high end of its interval (cautious).",
    "estimate",
)
_ONSET = _of_growth("homeostat_leak_onset_timestamp_seconds", "Since when it grows, as far as that is remembered.")
_RESTART = _of_growth(
    names.LEAK_RESTART,
    "When a restart is best: in the quietest half hour of the day before exhaustion, half way to it while no day is "
    "known; it is due when this has passed.",
)
_BOUND = _of_growth(
    "homeostat_leak_bound_info",
    "What sets the limit: cgroup, host, rlimit (ulimit of a process), server (a database) or settings (homeostat.yml).",
    "bound",
)
_REASON = _of_growth("homeostat_leak_reason_info", "What speaks for the verdict, one series each.", "reason")

_LAST_SAMPLE = gauge(
    names.LEAK_LAST_SAMPLE,
    "When all that is watched for leaks was last sampled, with nothing that failed; the exporter's start before that.",
)
_COUNT = gauge("homeostat_leak_series", "Series that are looked at.")
_LEFT_OUT = gauge("homeostat_leak_series_left_out", "Series that there is no room for: 2000 are looked at.")
_SET_ASIDE = counter(
    "homeostat_leak_state_set_aside_total",
    "State files that were broken or of another version and were renamed: what was known was forgotten.",
)
_ROUND = gauge("homeostat_leak_round_duration_seconds", "How long the last round of sampling and judging took.")

METRICS: tuple[Metric, ...] = (
    _VERDICT,
    *SLOPES.values(),
    _CONFIDENCE,
    _EXHAUSTION,
    _ONSET,
    _RESTART,
    _BOUND,
    _REASON,
    _LAST_SAMPLE,
    _COUNT,
    _LEFT_OUT,
    _SET_ASIDE,
    _ROUND,
)


def make(sources: Sources) -> "LeaksCollector":
    return LeaksCollector(sources.leaks)


@dataclass(frozen=True, slots=True)
class LeaksCollector:
    """Of the last round: this samples nothing. Fails when rounds stand still."""

    leaks: LeakWatch

    @property
    def name(self) -> str:
        return "leaks"

    async def collect(self) -> list[Family]:
        return families(self.leaks.snapshot())


def families(snapshot: Snapshot) -> list[Family]:
    """All families over all series."""
    found = {metric: metric.family() for metric in METRICS}
    for row in snapshot.rows:
        for metric, labels_, value in _samples(row):
            if value is not None:
                found[metric].add(labels_, value)
    values: Mapping[Metric, float] = {
        _LAST_SAMPLE: snapshot.complete_at,
        _COUNT: len(snapshot.rows),
        _LEFT_OUT: snapshot.left_out,
        _SET_ASIDE: snapshot.set_aside,
        _ROUND: snapshot.took_s,
    }
    for metric, value in values.items():
        found[metric].add("", value)
    return list(found.values())


_Sample = tuple[Metric, str, float | None]


def _samples(row: Row) -> Iterator[_Sample]:
    own = labels({names.WORKLOAD: row.key.workload, names.CONTAINER: row.key.container})
    series = with_label(own, names.RESOURCE, row.key.resource)
    said = row.assessment
    yield _VERDICT, with_label(series, names.VERDICT, said.verdict), 1
    if not row.is_growing:
        return
    for estimate, slope in (("median", said.slope), ("low", said.slope_low), ("high", said.slope_high)):
        yield SLOPES[row.key.resource], with_label(own, "estimate", estimate), slope
    for estimate, at in (("median", said.exhaustion), ("cautious", said.exhaustion_cautious)):
        yield _EXHAUSTION, with_label(series, "estimate", estimate), at
    yield _CONFIDENCE, series, said.confidence
    yield _ONSET, series, said.onset
    yield _RESTART, series, row.restart_at
    yield _BOUND, with_label(series, "bound", row.bound), 1
    for reason in dict.fromkeys(said.reasons):
        yield _REASON, with_label(series, "reason", reason), 1
