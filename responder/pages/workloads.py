"""Prometheus's word on how workloads are -> rows of the page. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from homeostat import names
from homeostat.prometheus_api import Sample
from responder.pages.view import Tone, WorkloadRow, Workloads
from responder.pages.words import shown

#: More are a wall of text; what is not well comes first.
_MOST = 300
#: The worst first: exporters may disagree, and the page is for those who look for trouble. docs/health.md
_STATES = {"unhealthy": Tone.BAD, "degraded": Tone.BUSY, "unknown": Tone.UNKNOWN, "healthy": Tone.GOOD}
_ORDER = list(_STATES)
_WORDS = {
    "labels_invalid": "its labels cannot be read; the exporter's log says why",
    "not_measured": "not measured",
    "missing": "no container or process of it exists",
    "stopped_by_request": "stopped on purpose",
    "crash_looping": "crashes again and again",
    "not_running": "down, and nobody asked for that",
    "paused": "paused",
    "starting": "starting",
    "probe_failing": "its probe fails",
    "not_ready": "not ready",
    "docker_unhealthy": "its own health check fails",
    "unchecked": "nothing checks it",
    "dependency_unhealthy": "something that it needs is unhealthy",
}


@dataclass(frozen=True, slots=True)
class Health:
    """Answers of Prometheus; ``problem`` says why there are none."""

    states: Sequence[Sample] = ()
    reasons: Sequence[Sample] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Around:
    """What else is said of workloads: open recoveries and notes by workload, and those that settings name."""

    troubles: Mapping[str, int]
    notes: Mapping[str, tuple[str, ...]]
    known: Iterable[str]


def workloads_view(health: Health, around: Around) -> Workloads:
    """Every workload that is measured, in trouble or named in the settings."""
    states = _states(health.states)
    reasons = {sample.labels.get(names.WORKLOAD, ""): _reason(sample) for sample in health.reasons}
    every = {*states, *around.troubles, *around.known} - {""}
    rows = [_row(each, states.get(each), reasons.get(each, ""), around) for each in every]
    rows.sort(key=lambda row: (_ORDER.index(row.state) if row.state in _ORDER else len(_ORDER), row.workload))
    return Workloads(tuple(rows[:_MOST]), max(0, len(rows) - _MOST), health.problem)


def _states(samples: Iterable[Sample]) -> dict[str, str]:
    found: dict[str, str] = {}
    for sample in samples:
        workload, state = sample.labels.get(names.WORKLOAD, ""), sample.labels.get("state", "")
        before = found.get(workload, "healthy")
        if sample.value == 1 and state in _STATES and _ORDER.index(state) <= _ORDER.index(before):
            found[workload] = state
    return found


def _reason(sample: Sample) -> str:
    reason, source = sample.labels.get("reason", ""), sample.labels.get("source", "")
    words = _WORDS.get(reason, reason)
    return shown(f"{words} ({source})" if source else words)


def _row(workload: str, state: str | None, reason: str, around: Around) -> WorkloadRow:
    return WorkloadRow(
        workload=shown(workload),
        state=state or "not known",
        tone=_STATES[state] if state else Tone.UNKNOWN,
        why="" if state == "healthy" else reason,
        trouble=around.troubles.get(workload, 0),
        notes=around.notes.get(workload, ()),
    )
