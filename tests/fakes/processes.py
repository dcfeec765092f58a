"""homeostat.processes.Processes without an operating system: a table, and processes that end as they are told to."""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from homeostat.processes import ProcessId, ProcessRow


def row(
    pid: int, ppid: int = 1, session: int = 0, *, start: float | None = None, is_zombie: bool = False
) -> ProcessRow:
    identity = ProcessId(pid, float(pid) if start is None else start)
    return ProcessRow(identity, ppid, session, is_zombie, cpu_seconds=1.0, rss_bytes=100)


@dataclass
class FakeProcesses:
    """``deaf``: pids that SIGTERM does not end; ``stuck``: nor SIGKILL. ``forks``: pid -> what it starts at SIGTERM."""

    table: dict[int, ProcessRow] = field(default_factory=dict)
    deaf: set[int] = field(default_factory=set)
    stuck: set[int] = field(default_factory=set)
    forks: dict[int, ProcessRow] = field(default_factory=dict)
    marks: dict[ProcessId, str] = field(default_factory=dict)
    can_ask: bool = True
    #: (pid, forced), in order.
    ended: list[tuple[int, bool]] = field(default_factory=list)
    table_reads: int = 0

    @classmethod
    def of(cls, *rows: ProcessRow) -> "FakeProcesses":
        return cls({r.id.pid: r for r in rows})

    def rows(self) -> Mapping[int, ProcessRow]:
        self.table_reads += 1
        return dict(self.table)

    def row(self, pid: int) -> ProcessRow | None:
        return self.table.get(pid)

    def age_s(self, process: ProcessId) -> float:
        return 100.0

    def open_fds(self, pid: int) -> int:
        return 3 if pid in self.table else 0

    def marked(self, variable: str) -> Mapping[ProcessId, str]:
        return {process: mark for process, mark in self.marks.items() if process.pid in self.table}

    def contain(self, root: ProcessId, handle: int) -> None:
        pass

    def end(self, root: ProcessId, members: Iterable[ProcessId], *, force: bool) -> None:
        for member in members:
            self.ended.append((member.pid, force))
            if not force and member.pid in self.forks:
                child = self.forks.pop(member.pid)
                self.table[child.id.pid] = child
            if member.pid not in self.stuck and (force or member.pid not in self.deaf):
                self._remove(member.pid)

    def _remove(self, pid: int) -> None:
        self.table.pop(pid, None)
        for child in [r for r in self.table.values() if r.ppid == pid]:
            self.table[child.id.pid] = dataclasses.replace(child, ppid=1)
