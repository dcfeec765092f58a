"""What a process uses, together with all that it started."""

from collections.abc import Mapping
from dataclasses import dataclass

from homeostat.clock import Clock
from homeostat.processes import Processes, ProcessId, ProcessRow
from homeostat.processtrees import tree_of

#: Who belongs to which tree needs all of /proc: once for all processes, and seldom.
_TREES_MAX_AGE_S = 15.0


@dataclass(frozen=True, slots=True)
class Usage:
    """Sums over the tree. A page that two processes share counts twice; CPU includes ended children."""

    rss_bytes: int
    cpu_seconds: float
    open_fds: int


NOTHING = Usage(0, 0.0, 0)


class UsageReader:
    """Reads the usage of trees. A new child counts after at most 15 s, an ended one not at all."""

    def __init__(self, processes: Processes, clock: Clock) -> None:
        self._processes = processes
        self._clock = clock
        self._rows: Mapping[int, ProcessRow] = {}
        self._read_at = float("-inf")

    def read(self, root: ProcessId) -> Usage:
        """Blocks for some 10 us a process: use a thread."""
        members = {root} | tree_of(root, self._fresh_rows())
        rows = [row for member in members if (row := self._processes.row(member.pid))]
        alive = [row for row in rows if row.id in members]
        return Usage(
            rss_bytes=sum(row.rss_bytes for row in alive),
            cpu_seconds=sum(row.cpu_seconds for row in alive),
            open_fds=sum(self._processes.open_fds(row.id.pid) for row in alive),
        )

    def _fresh_rows(self) -> Mapping[int, ProcessRow]:
        if self._clock.monotonic() - self._read_at >= _TREES_MAX_AGE_S:
            self._read_at = self._clock.monotonic()
            self._rows = self._processes.rows()
        return self._rows
