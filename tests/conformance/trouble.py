"""What is really the matter with the workloads of the kit: the truth that alerts and receivers only tell of."""

from collections.abc import Iterable
from dataclasses import dataclass, field

#: Every workload is a process of this project; homeostat takes only such ones without an engine.
PROJECT = "local"
METRIC = "conformance_trouble"


def label_value(workload: str) -> str:
    """The label ``workload`` of its alerts."""
    return f"{PROJECT}/{workload}"


def short_name(label: str) -> str:
    return label.removeprefix(f"{PROJECT}/")


@dataclass(slots=True)
class Troubles:
    """Which workloads are in trouble now, and of which the receiver's action ends it."""

    workloads: Iterable[str]
    _now: dict[str, bool] = field(default_factory=dict)

    def begin(self, workload: str, *, mends: bool) -> None:
        """``mends``: an action ends it."""
        self._now[workload] = mends

    def end(self, workload: str) -> None:
        self._now.pop(workload, None)

    def act(self, workload: str) -> None:
        """The receiver has acted on it."""
        if self._now.get(workload):
            self.end(workload)

    def page(self) -> str:
        """In Prometheus's text format, for receivers that ask Prometheus whether an alert is still true."""
        rows = (f'{METRIC}{{workload="{label_value(name)}"}} {int(name in self._now)}' for name in self.workloads)
        return "\n".join((f"# TYPE {METRIC} gauge", *rows, ""))
