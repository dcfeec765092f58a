"""The storm brake: when many workloads are in trouble at once, the cause lies elsewhere, and nothing is done."""

from collections.abc import Iterable

from homeostat.sections import Storm
from homeostat.workloads import is_workload_id


class Brake:
    """Told of every opened episode. After a restart told again by the ledger, so a crash does not release it."""

    def __init__(self) -> None:
        self._opened: dict[str, float] = {}

    def opened(self, workloads: Iterable[str], at: float) -> None:
        """Episodes of these were opened; epoch seconds. What is no workload's id names nothing to repair."""
        for workload in filter(is_workload_id, workloads):
            self._opened[workload] = max(at, self._opened.get(workload, at))

    def storm(self, settings: Storm, now: float) -> int:
        """How many workloads came into trouble lately; 0 when that is no storm."""
        since = now - settings.window
        if self._opened and min(self._opened.values()) <= since:
            self._opened = {workload: at for workload, at in self._opened.items() if at > since}
        return len(self._opened) if len(self._opened) >= settings.workloads else 0
