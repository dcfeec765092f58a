"""Memory, and open files against their limit: what a leak fills before it ends a process."""

from collections.abc import Sequence
from pathlib import Path

from homeostat.containers import Container
from homeostat.errors import HomeostatError
from responder.capture.asking import engine_of, in_thread, pid_of
from responder.capture.base import CaptureTools, Section, Subject
from responder.capture.cgroup import membership
from responder.capture.processes import tree
from responder.capture.procfiles import fields, names_in, read

#: Of processes and of open files: to count more says no more.
_MOST_PROCESSES = 200
_MOST_FILES = 65536
_UNSEEN = {"not_there": "its cgroup is not seen from here"}
_FIGURES = {"VmRSS": "rss_bytes", "VmHWM": "peak_rss_bytes", "VmSwap": "swap_bytes", "Threads": "threads"}


async def look(subject: Subject, tools: CaptureTools, within_s: float) -> Section:
    """Its processes from /proc, its cgroup from the kernel, or from the engine where that is not seen from here."""
    try:
        pid = await pid_of(subject, tools)
    except HomeostatError as err:
        if subject.container is None or not subject.container.is_running:
            raise
        return Section(
            {"cgroup": await _engine(subject.container, tools, within_s), "process": {"not_there": str(err)}}
        )
    has_cgroup = subject.container is not None
    here = await in_thread(lambda: _here(pid, tools, has_cgroup=has_cgroup))
    if here["cgroup"] is None:
        here["cgroup"] = await _engine(subject.container, tools, within_s) if subject.container else _UNSEEN
    return Section(here)


async def _engine(container: Container, tools: CaptureTools, within_s: float) -> dict[str, object]:
    try:
        stats = await engine_of(tools).stats(container.id, within_s)
    except HomeostatError as err:
        return {"not_there": str(err)}
    return {
        "usage_bytes": stats.memory_usage,
        "limit_bytes": container.memory_limit or None,
        "anon_bytes": stats.memory.get("anon", stats.memory.get("total_rss")),
        "file_bytes": stats.memory.get("file", stats.memory.get("total_cache")),
        "pids": stats.pids,
        "pids_limit": stats.pids_limit,
    }


def _here(pid: int, tools: CaptureTools, *, has_cgroup: bool) -> dict[str, object]:
    place = membership(pid, tools.proc, tools.cgroups)
    # A supervised process is in the cgroup of its guardian, with all the others.
    pids = place.pids() if place and has_cgroup else [each.pid for each in tree(pid, tools.proc)]
    return {
        "cgroup": place.memory() if place else None,
        "process": {"pid": pid, **_figures(tools.proc / str(pid))},
        "open_files": _open_files(pids[:_MOST_PROCESSES] or [pid], tools.proc),
    }


def _figures(folder: Path) -> dict[str, object]:
    status = fields(read(folder / "status"))
    return {ours: status.get(theirs) for theirs, ours in _FIGURES.items()}


def _open_files(pids: Sequence[int], proc: Path) -> dict[str, object]:
    """Of the process that is nearest to its limit."""
    seen = []
    for pid in pids:
        folder = proc / str(pid)
        names, limit = names_in(folder / "fd", _MOST_FILES), soft_limit(read(folder / "limits") or b"")
        if names is not None:
            seen.append((len(names) / (limit or _MOST_FILES), pid, len(names), limit))
    if not seen:
        return {"not_there": "open files of other users' processes may not be seen"}
    _, pid, count, limit = max(seen)
    name = (read(proc / str(pid) / "comm") or b"").decode(errors="replace").strip()
    return {"pid": pid, "name": name, "open": count, "soft_limit": limit}


def soft_limit(limits: bytes) -> int | None:
    """Of open files, from /proc/PID/limits (proc(5)); None for none."""
    for line in limits.decode(errors="replace").splitlines():
        if line.startswith("Max open files"):
            soft = line.removeprefix("Max open files").split()[:1]
            return int(soft[0]) if soft and soft[0].isdecimal() else None
    return None
