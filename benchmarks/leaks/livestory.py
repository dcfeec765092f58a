"""What became of each leak, and of those who did not leak, from what was written down. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chaos.faults.leaks import LEAKS
from homeostat.clock import parse_rfc3339
from homeostat.ladders import DEFAULT_LADDERS

Recording = Mapping[str, Any]
Row = Mapping[str, Any]

#: What is seen of the time after a repair: the first readings of it, a leak that goes on has not come far.
_AFTER_S = 60.0
#: The load asks five times a second, probes every 2 s: failures so near to each other are one gap.
_ONE_GAP_S = 3.0
_LAST_GOOD = 399
_NO_ERROR = 499


@dataclass(frozen=True, slots=True)
class Step:
    """``at``: epoch seconds. ``alert``: of the recovery that took it. ``what``: ``hook gc``, ``restart``."""

    at: float
    alert: str
    what: str


@dataclass(frozen=True, slots=True)
class Story:
    """One leak. Times are epoch seconds, None where that has not come.

    ``exhausted_at``: when it would have met its limit by itself. ``alerts``: first firing. ``before`` and ``after``:
    the highest level until the repair, the lowest just after it. ``helped``: the last step of the first recovery that
    was verified, ``repaired_at`` its end. ``failed``: requests without a good answer since the onset, of ``asked``;
    ``longest_gap_s``: between the first and the last of those that belong together, errors of the shop's own log (what
    probes were told, too) among them.
    """

    leak: str
    onset: float
    exhausted_at: float
    verdicts: Mapping[str, float]
    alerts: Mapping[str, float]
    steps: tuple[Step, ...]
    finals: tuple[str, ...]
    helped: str
    helped_at: float | None
    repaired_at: float | None
    before: float
    after: float | None
    asked: int
    failed: int
    longest_gap_s: float
    contradictions: tuple[str, ...]

    @property
    def is_in_time(self) -> bool:
        return self.repaired_at is not None and self.repaired_at < self.exhausted_at


def stories(recording: Recording) -> list[Story]:
    """Of the copies that leak."""
    return [_story(leak, shop, recording) for leak, shop in recording["shops"].items() if leak in LEAKS]


def is_repaired(recoveries: Sequence[Row]) -> bool:
    """Whether a step has been verified, and nothing is open."""
    return all(row["final"] for row in recoveries) and any(
        row["final"] == "verified" and _steps(row) for row in recoveries
    )


def _story(leak: str, shop: Row, recording: Recording) -> Story:
    kind, onset, workload = LEAKS[leak], shop["onset"], shop["workload"]
    level = _level(recording, kind.resource, workload)
    rate = kind.headroom * kind.unit / (recording["minutes"] * 60)
    start = next((value for at, value in reversed(level) if at <= onset), 0.0)
    repair = next((row for row in shop["recoveries"] if row["final"] == "verified" and _steps(row)), None)
    repaired_at = parse_rfc3339(repair["finished_at"]) if repair else None
    helped = _steps(repair)[-1] if repair else None
    before = [value for at, value in level if onset <= at <= (helped.at if helped else recording["until"])]
    after = [value for at, value in level if repaired_at is not None and 0 <= at - repaired_at <= _AFTER_S]
    errors = [at for at, status in shop["log"] if at >= onset and status > _NO_ERROR]
    failures = [due for due, status in shop["requests"] if due >= onset and not 0 < status <= _LAST_GOOD]
    return Story(
        leak=leak,
        onset=onset,
        exhausted_at=onset + (kind.limit - start) / rate,
        verdicts=_first(recording, "verdict", "verdict", workload, kind.resource),
        alerts=_first(recording, "alerts", "alertname", workload),
        steps=tuple(sorted((step for row in shop["recoveries"] for step in _steps(row)), key=lambda step: step.at)),
        finals=tuple(f"{row['alert']} {row['final'] or 'open'}" for row in shop["recoveries"]),
        helped=f"{helped.what} ({helped.alert})" if helped else "",
        helped_at=helped.at if helped else None,
        repaired_at=repaired_at,
        before=max(before, default=0.0),
        after=min(after, default=None),
        asked=sum(due >= onset for due, _ in shop["requests"]),
        failed=len(failures),
        longest_gap_s=longest_gap([*failures, *errors]),
        contradictions=tuple(contradicted(shop)),
    )


def _steps(row: Row) -> list[Step]:
    """Those that acted; evidence only looks."""
    skipped = {entry["token"] for entry in row["entries"] if entry.get("status") == "skipped"}
    return [
        Step(parse_rfc3339(entry["at"]) or 0.0, row["alert"], _what(entry))
        for entry in row["entries"]
        if entry["kind"] == "started" and entry["id"] not in skipped and entry["action"] != "evidence"
    ]


def _what(entry: Row) -> str:
    hook = entry.get("step", {}).get("hook")
    return f"{entry['action']} {hook}" if hook else str(entry["action"])


def _level(recording: Recording, resource: str, workload: str) -> list[tuple[float, float]]:
    """Of the workload, summed up over its series (a restarted container has a new one)."""
    found = [row["values"] for row in recording["series"][resource] if row["metric"]["workload"] == workload]
    return sorted((float(at), float(value)) for values in found for at, value in values)


def _first(
    recording: Recording, series: str, label: str, workload: str, resource: str | None = None
) -> dict[str, float]:
    """Value of ``label`` -> when it was first seen."""
    found: dict[str, float] = {}
    for row in recording["series"][series]:
        metric = row["metric"]
        if metric["workload"] == workload and (resource is None or metric["resource"] == resource):
            at = float(row["values"][0][0])
            found[metric[label]] = min(at, found.get(metric[label], at))
    return dict(sorted(found.items(), key=lambda item: item[1]))


def longest_gap(failures: Sequence[float]) -> float:
    """Seconds from the first to the last of failures that follow each other."""
    longest, begun, last = 0.0, float("-inf"), float("-inf")
    for at in sorted(failures):
        if at - last > _ONE_GAP_S:
            begun = at
        last = at
        longest = max(longest, at - begun)
    return longest


def contradicted(shop: Row) -> Iterator[str]:
    """What users and the shop's own log have to say against its verified recoveries."""
    for row in shop["recoveries"]:
        if row["final"] != "verified" or not (steps := [e for e in row["entries"] if e["kind"] == "started"]):
            continue
        end = parse_rfc3339(row["finished_at"]) or 0.0
        # A little inside the hold: its first look and the request in flight then may lie apart.
        since = end - DEFAULT_LADDERS[row["remedy"]].steps[steps[-1]["rung"]].verify.hold + 0.5
        answers = [status for at, status in shop["log"] if since <= at <= end]
        failed = sum(since <= due <= end and not 0 < status <= _LAST_GOOD for due, status in shop["requests"])
        errors = sum(status > _NO_ERROR for status in answers)
        if failed or errors or not answers:
            yield f"{row['alert']}: {failed} requests failed, {errors} errors of {len(answers)} in the log in the hold"


def false_alarms(recording: Recording) -> list[str]:
    """Alerts of leaks of what does not leak: the leak-free copy, the others' stores and workers, other resources."""
    true = {(shop["workload"], LEAKS[leak].resource) for leak, shop in recording["shops"].items() if leak in LEAKS}
    found = set()
    for row in recording["series"]["alerts"]:
        metric = row["metric"]
        resource = metric.get("resource", "connections" if metric["alertname"] == "PoolLeak" else "")
        if resource and (metric["workload"], resource) not in true:
            found.add(f"{metric['alertname']} {resource} of {metric['workload']}")
    return sorted(found)


def needless_steps(recording: Recording) -> list[str]:
    """Steps on copies that do not leak."""
    shops = [shop for leak, shop in recording["shops"].items() if leak not in LEAKS]
    return [f"{step.what} for {step.alert}" for shop in shops for row in shop["recoveries"] for step in _steps(row)]
