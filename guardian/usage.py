"""What a process uses, together with all that it started."""

from collections.abc import Mapping
from dataclasses import dataclass, field

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


@dataclass(frozen=True, slots=True)
class _Table:
    """All processes at one moment. ``trees``: those that somebody asked for."""

    read_at: float
    rows: Mapping[int, ProcessRow]
    trees: dict[ProcessId, frozenset[ProcessId]] = field(default_factory=dict)


class UsageReader:
    """Reads the usage of trees. A new child counts after at most 15 s, an ended one not at all."""

    def __init__(self, processes: Processes, clock: Clock) -> None:
        self._processes = processes
        self._clock = clock
        self._table = _Table(float("-inf"), {})

    def read(self, root: ProcessId) -> Usage:
        """Blocks for some 10 us a process: use a thread."""
        members = self._members(root)
        rows = [row for member in members if (row := self._processes.row(member.pid))]
        alive = [row for row in rows if row.id in members]
        return Usage(
            rss_bytes=sum(row.rss_bytes for row in alive),
            cpu_seconds=sum(row.cpu_seconds for row in alive),
            open_fds=sum(self._processes.open_fds(row.id.pid) for row in alive),
        )

    def _members(self, root: ProcessId) -> frozenset[ProcessId]:
        table = self._fresh_table()
        if root not in table.trees:
            table.trees[root] = frozenset({root} | tree_of(root, table.rows))
        return table.trees[root]

    def _fresh_table(self) -> _Table:
        now = self._clock.monotonic()
        if now - self._table.read_at >= _TREES_MAX_AGE_S:
            self._table = _Table(now, self._processes.rows())
        return self._table
