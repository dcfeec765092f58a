"""A process with all that it started, and the end of it."""

import asyncio
import os
from collections.abc import Collection, Iterable, Mapping

from homeostat.clock import Clock
from homeostat.processes import Processes, ProcessId, ProcessRow, is_alive

#: How long SIGKILL may take: longer only for a process that is stuck in the kernel.
_FORCE_S = 1.5
_POLL_S = 0.02


def tree_of(root: ProcessId, rows: Mapping[int, ProcessRow]) -> set[ProcessId]:
    """``root``, its descendants, and the session that it leads with theirs. Zombies are left out.

    The session outlives its leader, and the kernel gives no new process a pid that still names a
    session. Empty when the pid is another process's by now.
    """
    own = rows.get(root.pid)
    if own is not None and own.id != root:
        return set()
    session = {row.id for row in rows.values() if row.session == root.pid}
    return with_descendants({root} | session, rows)


def with_descendants(seeds: Collection[ProcessId], rows: Mapping[int, ProcessRow]) -> set[ProcessId]:
    """Those of ``seeds`` that live, and all their descendants that do."""
    children: dict[int, list[ProcessRow]] = {}
    for row in rows.values():
        children.setdefault(row.ppid, []).append(row)
    waiting = [rows[s.pid] for s in seeds if s.pid in rows and rows[s.pid].id == s]
    found: dict[ProcessId, ProcessRow] = {}
    while waiting:
        row = waiting.pop()
        if row.id not in found:
            found[row.id] = row
            # A child is never older than its parent: what looks so is a pid given again meanwhile.
            waiting += [c for c in children.get(row.id.pid, []) if c.id.start >= row.id.start]
    return {identity for identity, row in found.items() if not row.is_zombie}


async def end_tree(
    root: ProcessId,
    grace_s: float,
    clock: Clock,
    processes: Processes,
    also: Iterable[ProcessId] = (),
) -> set[ProcessId]:
    """Ask the whole tree of ``root`` to end, wait up to ``grace_s``, then force what is left.

    ``also``: processes that belong to it though neither parent nor session ties them to it.
    Returns those that outlived SIGKILL (normally none). Never signals a recycled pid, nor us.
    """
    members = await asyncio.to_thread(_members, root, set(also), processes)
    if members and processes.can_ask and grace_s > 0:
        await asyncio.to_thread(processes.end, root, members, force=False)
        await _wait_gone(members, grace_s, clock, processes)
    deadline = clock.monotonic() + _FORCE_S
    # Again and again: what is forked while its parent ends is met on the next turn.
    while members := await asyncio.to_thread(_members, root, members, processes):
        if clock.monotonic() >= deadline:
            break
        await asyncio.to_thread(processes.end, root, members, force=True)
        await _wait_gone(members, _POLL_S * 5, clock, processes)
    return members


def _members(root: ProcessId, known: set[ProcessId], processes: Processes) -> set[ProcessId]:
    """What of the tree lives. ``known``: members seen before; one whose parent ended is still one."""
    rows = processes.rows()
    found = tree_of(root, rows) | with_descendants(known, rows)
    return {member for member in found if member.pid != os.getpid()}


async def _wait_gone(members: Collection[ProcessId], seconds: float, clock: Clock, processes: Processes) -> None:
    def any_left() -> bool:
        return any(is_alive(processes, member) for member in members)

    deadline = clock.monotonic() + seconds
    while clock.monotonic() < deadline and await asyncio.to_thread(any_left):
        await clock.sleep(_POLL_S)
