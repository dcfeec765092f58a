"""Which running process is the one that a guardian before us started: pure."""

from collections.abc import Collection, Mapping

from guardian.state import Record
from homeostat.processes import ProcessId, ProcessRow


def find_live(record: Record, marked: Collection[ProcessId], rows: Mapping[int, ProcessRow]) -> ProcessId | None:
    """The recorded process if it runs; without a record, which may be lost or late, the root of what carries our mark.

    Where one is recorded and gone, what carries the mark is what it left behind.
    """
    if record.process is not None:
        return record.process if _is_live(record.process, rows) else None
    live = {process for process in marked if _is_live(process, rows)}
    pids = {process.pid for process in live}
    # A supervised process leads its session; where there are none, no parent of it is marked.
    roots = [p for p in live if rows[p.pid].session in (0, p.pid) and rows[p.pid].ppid not in pids]
    return min(roots, key=lambda process: process.start, default=None)


def _is_live(process: ProcessId, rows: Mapping[int, ProcessRow]) -> bool:
    row = rows.get(process.pid)
    return row is not None and row.id == process and not row.is_zombie
