"""What is to be measured now: every workload with its containers, worked out again only when something changed."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from homeostat.containers import Container
from homeostat.directory import describe, group_by_workload
from homeostat.errors import SettingsError
from homeostat.settings import Settings
from homeostat.workloads import Kind, Workload

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Entry:
    """``problems``: why the labels are wrong; the workload is then off (fail closed)."""

    workload: Workload
    containers: tuple[Container, ...]
    problems: tuple[str, ...] = ()


class Catalog:
    """``containers`` gives the same object while nothing has changed."""

    def __init__(self, settings: Settings, containers: Callable[[], tuple[Container, ...]]) -> None:
        self._settings = settings
        self._containers = containers
        self._last: tuple[Container, ...] | None = None
        self._entries: tuple[Entry, ...] = ()
        self._told: set[str] = set()

    def entries(self) -> tuple[Entry, ...]:
        """By workload. The same object while nothing has changed."""
        containers = self._containers()
        if containers is not self._last:
            groups = group_by_workload(containers, self._settings)
            self._entries = tuple(self._entry(workload_id, own) for workload_id, own in groups.items())
            self._last = containers
            self._tell({problem for entry in self._entries for problem in entry.problems})
        return self._entries

    def _entry(self, workload_id: str, own: list[Container]) -> Entry:
        try:
            return Entry(describe(workload_id, own, self._settings), tuple(own))
        except SettingsError as err:
            return Entry(Workload(workload_id, Kind.CONTAINER), tuple(own), tuple(err.problems))

    def _tell(self, problems: set[str]) -> None:
        for problem in sorted(problems - self._told):
            log.warning("workload.labels_wrong", problem=problem)
        self._told = problems
