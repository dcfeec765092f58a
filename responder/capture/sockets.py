"""TCP sockets by state, and connections that nobody accepts: a program that listens and hangs."""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from responder.capture.asking import in_thread, pid_of
from responder.capture.base import CaptureTools, Section, Subject
from responder.capture.cgroup import membership
from responder.capture.processes import tree
from responder.capture.procfiles import names_in, read
from responder.capture.tcptable import TcpSocket, address, sockets

#: Of each table: 7,000 sockets. The kernel walks all of them for it.
_MOST_BYTES = 1 << 20
_MOST_LISTENERS = 8
_MOST_FILES = 16384


async def look(subject: Subject, tools: CaptureTools, within_s: float) -> Section:  # noqa: ARG001 - reading is local
    """Of its network; of its own sockets where it shares the network with others."""
    pid = await pid_of(subject, tools)
    container = subject.container
    is_shared = container is None or not container.has_own_network
    in_cgroup = container is not None
    return Section(await in_thread(lambda: _here(pid, tools, is_shared=is_shared, in_cgroup=in_cgroup)))


def _here(pid: int, tools: CaptureTools, *, is_shared: bool, in_cgroup: bool) -> dict[str, object]:
    tables = [read(tools.proc / str(pid) / "net" / name, _MOST_BYTES) for name in ("tcp", "tcp6")]
    if tables[0] is None:
        return {"not_there": "it has ended, or may not be seen"}
    found = [socket for table in tables for socket in sockets(table or b"")]
    is_cut = any(len(table or b"") >= _MOST_BYTES for table in tables)
    if not is_shared:
        return summary(found, "its network", is_cut=is_cut)
    place = membership(pid, tools.proc, tools.cgroups) if in_cgroup else None
    pids = place.pids() if place else [each.pid for each in tree(pid, tools.proc)]
    inodes = _inodes(pids, tools.proc)
    if inodes is None:
        return summary(found, "the host: whose they are may not be seen", is_cut=is_cut)
    return summary((socket for socket in found if socket.inode in inodes), "its processes", is_cut=is_cut)


def summary(found: Iterable[TcpSocket], whose: str, *, is_cut: bool) -> dict[str, object]:
    """``unread``: connections with bytes that the program does not read; ``unsent``: that the other side does not."""
    kept = list(found)
    listeners = [socket for socket in kept if socket.state == "LISTEN"]
    open_ = [socket for socket in kept if socket.state in ("ESTABLISHED", "CLOSE_WAIT")]
    waiting = sorted((each for each in listeners if each.receive_queue), key=lambda each: -each.receive_queue)
    return {
        "of": whose,
        "total": len(kept),
        "states": dict(Counter(socket.state for socket in kept).most_common()),
        "unread": sum(socket.receive_queue > 0 for socket in open_),
        "unsent": sum(socket.send_queue > 0 for socket in open_),
        "not_accepted": [
            {"listener": address(each.local), "waiting": each.receive_queue} for each in waiting[:_MOST_LISTENERS]
        ],
        "is_cut": is_cut,
    }


def _inodes(pids: Iterable[int], proc: Path) -> set[str] | None:
    """Of the sockets that they hold; None when that may not be seen."""
    found: set[str] = set()
    is_seen = False
    for pid in pids:
        folder = proc / str(pid) / "fd"
        names = names_in(folder, _MOST_FILES)
        is_seen = is_seen or names is not None
        found.update(filter(None, (_inode(folder / name) for name in names or ())))
    return found if is_seen else None


def _inode(link: Path) -> str | None:
    try:
        target = os.readlink(link)  # noqa: PTH115 - it is no path
    except OSError:
        return None
    return target.removeprefix("socket:[").rstrip("]") if target.startswith("socket:[") else None
