"""What the responder's neighbours know: alerts that are held, workloads in trouble, and who was asked to do what.

Alertmanager, Prometheus, guardian and the hooks' application are played on one world, so that they never contradict
each other. No sockets here.
"""

import json
import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.responder.alerts import fingerprint
from homeostat.clock import parse_rfc3339, rfc3339

#: The one rule. Like those that ship, it gives a sample for every workload in trouble.
RULE = "max by (workload) (bench_trouble) > 0"
_TROUBLED = 'homeostat_workload_health{state="unhealthy"} == 1 or homeostat_config_file_damaged == 1'
_DEPENDENCIES = "homeostat_workload_dependency_info"
_FRESHNESS = "max(timestamp("
_MATCHER = re.compile(r'(?s)([A-Za-z_][A-Za-z0-9_]*)(=~|=)"(.*)"')
_ESCAPED = re.compile(r"(?s)\\(.)")


class UnknownQuestion(Exception):
    """The responder asked what this world has no answer to."""


@dataclass(frozen=True, slots=True)
class Temper:
    """How workloads react. ``heals``: how likely a hook's name, or ``restart``, ends the trouble; one that is not named
    never does. ``takes_s``: between these, each call. ``ends_after_s``: until Prometheus says that the alert has ended.
    """

    heals: Mapping[str, float] = field(default_factory=dict)
    takes_s: tuple[float, float] = (0.0, 0.0)
    ends_after_s: float = 1.0


@dataclass(slots=True)
class _Held:
    labels: Mapping[str, str]
    ends_at: float
    row: bytes


class World:
    """``now``: epoch seconds."""

    def __init__(self, workloads: Sequence[str], temper: Temper, rng: random.Random, now: Callable[[], float]) -> None:
        self._temper = temper
        self._rng = rng
        self._now = now
        self._held: dict[str, _Held] = {}
        self._of: dict[str, set[str]] = {workload: set() for workload in workloads}
        self._troubled: set[str] = set()
        self._ends: list[tuple[float, frozenset[str]]] = []
        self._started = dict.fromkeys(workloads, now() - 3600.0)
        self._rows: bytes | None = None
        #: (epoch seconds, workload, hook or restart), as they came.
        self.hits: list[tuple[float, str, str]] = []
        #: Fingerprints of alerts that a repair ended, as Prometheus told.
        self.ended: list[str] = []

    # --- Alertmanager

    def post(self, alerts: Iterable[Mapping[str, object]]) -> None:
        """As of Prometheus, or of the responder: an end in the past resolves."""
        for alert in alerts:
            labels = {str(name): str(value) for name, value in _mapping(alert["labels"]).items()}
            name, ends_at = fingerprint(labels), parse_rfc3339(str(alert["endsAt"])) or float("inf")
            if ends_at <= self._now():
                self._end(name)
                continue
            row = json.dumps(_row(name, labels, alert, self._now())).encode()
            self._held[name] = _Held(labels, ends_at, row)
            if "remedy" in labels:
                self._of[labels["workload"]].add(name)
                self._troubled.add(labels["workload"])

    def held(self, matchers: Sequence[str]) -> bytes:
        """The JSON list of those that match all, as GET /api/v2/alerts gives it."""
        self._end_due()
        tests = [_matcher(text) for text in matchers]
        exact = {name: value for name, is_exact, value in tests if is_exact}
        names: Iterable[str] = self._of.get(exact.get("workload", ""), ()) if "workload" in exact else self._held
        found = (self._held[name] for name in names)
        return b"[" + b",".join(held.row for held in found if self._is_meant(held, tests)) + b"]"

    def _is_meant(self, held: _Held, tests: Sequence[tuple[str, bool, str]]) -> bool:
        return held.ends_at > self._now() and all(
            held.labels.get(name) == value if is_exact else bool(re.fullmatch(value, held.labels.get(name, "")))
            for name, is_exact, value in tests
        )

    def _end(self, name: str) -> None:
        held = self._held.pop(name, None)
        if held is None or "remedy" not in held.labels:
            return
        workload = held.labels["workload"]
        self._of[workload].discard(name)
        if not self._of[workload]:
            self._troubled.discard(workload)

    # --- Prometheus

    def query(self, expression: str) -> list[dict[str, object]]:
        """An instant vector. Raises UnknownQuestion."""
        self._end_due()
        now = self._now()
        if expression.startswith(_FRESHNESS):
            return [{"metric": {}, "value": [now, str(now)]}]
        if expression == _DEPENDENCIES:
            return []
        if expression in (RULE, _TROUBLED):
            return [{"metric": {"workload": workload}, "value": [now, "1"]} for workload in sorted(self._troubled)]
        raise UnknownQuestion(expression)

    # --- The applications and the guardian

    def hit(self, workload: str, what: str) -> float:
        """A hook is called, or a restart asked for. How long that takes; :meth:`done` then."""
        self.hits.append((self._now(), workload, what))
        return self._rng.uniform(*self._temper.takes_s)

    def done(self, workload: str, what: str) -> None:
        """It has been done, and may have helped."""
        if what == "restart":
            self._started[workload] = self._now()
            self._rows = None
        if self._rng.random() < self._temper.heals.get(what, 0.0):
            self._troubled.discard(workload)
            self._ends.append((self._now() + self._temper.ends_after_s, frozenset(self._of[workload])))

    def processes(self, name: str = "") -> bytes:
        """The JSON list that the guardian gives: of all, or of the one of this name."""
        if name:
            workload = f"local/{name}"
            return json.dumps([_process(workload, self._started[workload])]).encode()
        if self._rows is None:
            self._rows = json.dumps([_process(*item) for item in self._started.items()]).encode()
        return self._rows

    def _end_due(self) -> None:
        now = self._now()
        due = [names for at, names in self._ends if at <= now]
        self._ends = [(at, names) for at, names in self._ends if at > now]
        for name in (name for names in due for name in names if name in self._held):
            self._end(name)
            self.ended.append(name)


def _mapping(value: object) -> Mapping[str, object]:
    assert isinstance(value, dict)
    return value


def _matcher(text: str) -> tuple[str, bool, str]:
    """(label, whether it is ``=``, value). Raises UnknownQuestion for others than ``=`` and ``=~``."""
    found = _MATCHER.fullmatch(text)
    if found is None:
        raise UnknownQuestion(text)
    value = _ESCAPED.sub(lambda match: "\n" if match[1] == "n" else match[1], found[3])
    return found[1], found[2] == "=", value


def _row(name: str, labels: Mapping[str, str], alert: Mapping[str, object], now: float) -> dict[str, object]:
    return {
        "annotations": alert.get("annotations", {}),
        "endsAt": alert["endsAt"],
        "fingerprint": name,
        "receivers": [{"name": "responder"}],
        "startsAt": alert["startsAt"],
        "status": {"inhibitedBy": [], "mutedBy": [], "silencedBy": [], "state": "active"},
        "updatedAt": rfc3339(now),
        "generatorURL": alert.get("generatorURL", ""),
        "labels": labels,
    }


def _process(workload: str, started_at: float) -> dict[str, object]:
    return {
        "name": workload.partition("/")[2],
        "workload": workload,
        "state": "running",
        "pid": 4711,
        "exit_code": None,
        "restarts": 0,
        "started_at": started_at,
        "rss_bytes": 50_000_000,
        "cpu_seconds": 12.5,
        "open_fds": 20,
        "memory_limit_bytes": 60_000_000,
        "stopped_by_request": False,
        "crash_looping": False,
        "last_check_ok": True,
    }
