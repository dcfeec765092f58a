"""Alerts as Prometheus makes them and Alertmanager delivers them. Pure."""

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from homeostat.clock import rfc3339

ALERT = "WorkloadMemoryHigh"
REMEDY = "memory"
_RUNBOOK = "https://github.com/homeostat/homeostat/blob/main/docs/runbooks/WorkloadMemoryHigh.md"
_NO_END = "0001-01-01T00:00:00Z"
_SEPARATOR = 0xFF
_FNV_START, _FNV_PRIME, _FNV_BITS = 14695981039346656037, 1099511628211, (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Firing:
    """One alert that fires: ``part`` tells it from the others of its workload. Epoch seconds."""

    workload: str
    part: str
    starts_at: float
    fingerprint: str

    @property
    def labels(self) -> dict[str, str]:
        return labels_of(self.workload, self.part)


def labels_of(workload: str, part: str) -> dict[str, str]:
    return {"alertname": ALERT, "part": part, "remedy": REMEDY, "severity": "warning", "workload": workload}


def firing(workload: str, part: str, starts_at: float) -> Firing:
    return Firing(workload, part, starts_at, fingerprint(labels_of(workload, part)))


def fingerprint(labels: Mapping[str, str]) -> str:
    """As Alertmanager computes it: FNV-1a of the sorted labels (prometheus/common, model/signature.go)."""
    sum_ = _FNV_START
    for name in sorted(labels):
        for byte in (*name.encode(), _SEPARATOR, *labels[name].encode(), _SEPARATOR):
            sum_ = ((sum_ ^ byte) * _FNV_PRIME) & _FNV_BITS
    return f"{sum_:016x}"


def annotations_of(alert: Firing) -> dict[str, str]:
    """As long as those of the shipped rules."""
    return {
        "description": f"{alert.workload} uses 93.4% of its memory limit, not counting page cache.",
        "runbook_url": _RUNBOOK,
        "summary": "A workload is close to its memory limit.",
    }


def posted(alert: Firing, ends_at: float) -> dict[str, object]:
    """As Prometheus posts it to Alertmanager."""
    return {
        "labels": alert.labels,
        "annotations": annotations_of(alert),
        "startsAt": rfc3339(alert.starts_at),
        "endsAt": rfc3339(ends_at),
        "generatorURL": "http://127.0.0.1:9090/graph?g0.expr=bench_trouble&g0.tab=1",
    }


def delivered(alert: Firing, ended_at: float | None = None) -> str:
    """As it stands in ``alerts[]`` of a webhook body."""
    return json.dumps(
        {
            "status": "firing" if ended_at is None else "resolved",
            "labels": alert.labels,
            "annotations": annotations_of(alert),
            "startsAt": rfc3339(alert.starts_at),
            "endsAt": _NO_END if ended_at is None else rfc3339(ended_at),
            "generatorURL": "http://127.0.0.1:9090/graph?g0.expr=bench_trouble&g0.tab=1",
            "fingerprint": alert.fingerprint,
        }
    )


def body(alerts: Iterable[str], status: str = "firing") -> bytes:
    """A webhook body of payload version 4 of alerts that :func:`delivered` made."""
    head = {
        "version": "4",
        "groupKey": f'{{}}/{{remedy=~".+"}}:{{alertname="{ALERT}"}}',
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "responder",
        "groupLabels": {"alertname": ALERT},
        "commonLabels": {"alertname": ALERT, "remedy": REMEDY, "severity": "warning"},
        "commonAnnotations": {},
        "externalURL": "http://127.0.0.1:9093",
    }
    return f'{json.dumps(head)[:-1]}, "alerts": [{", ".join(alerts)}]}}'.encode()


def as_a_pair_sends(distinct: int, lag: int, rng: random.Random) -> list[int]:
    """Each number below ``distinct`` twice: in its turn, and again, from the pair's other half, some 1 to ``lag``
    deliveries later, so that the second ones come in another order and between first ones of others.
    """
    turns = [(2.0 * number, number) for number in range(distinct)]
    turns += [(2.0 * number + rng.uniform(1, lag), number) for number in range(distinct)]
    return [number for _, number in sorted(turns)]


def chunks(items: Sequence[int], size: int) -> list[Sequence[int]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
