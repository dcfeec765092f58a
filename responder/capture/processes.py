"""Which processes it has: how many, dead or stuck ones, and the largest."""

from collections.abc import Collection, Sequence
from pathlib import Path

from homeostat.containerinfo import ContainerProcess
from homeostat.errors import HomeostatError
from homeostat.processes import LinuxProcesses, ProcessRow
from homeostat.processtrees import tree_of
from responder.capture.asking import engine_of, in_thread, pid_of
from responder.capture.base import CaptureTools, Section, Subject
from responder.capture.procfiles import fields, read

_LARGEST = 5
_STATES_STUCK = ("D",)
_STATES_DEAD = ("Z", "X")


async def look(subject: Subject, tools: CaptureTools, within_s: float) -> Section:
    """Of a container as the engine's host sees it, who does not have to be here. Only zombies it does not tell."""
    if subject.container is None:
        pid = await pid_of(subject, tools)
        return Section(summary(await in_thread(lambda: tree(pid, tools.proc))))
    listed = await engine_of(tools).top(subject.container.id, within_s)
    try:
        await pid_of(subject, tools)
    except HomeostatError:
        return Section(summary(listed) | {"zombies": None})
    return Section(summary([*listed, *await in_thread(lambda: zombies({each.pid for each in listed}, tools.proc))]))


def summary(processes: Sequence[ContainerProcess]) -> dict[str, object]:
    """Stuck ones first, then by memory; ``zombies`` is None where they are not seen."""
    worst = sorted(processes, key=lambda each: (each.state not in _STATES_STUCK, -each.rss_bytes))
    return {
        "count": len(processes),
        "zombies": sum(each.state in _STATES_DEAD for each in processes),
        "stuck": sum(each.state in _STATES_STUCK for each in processes),
        "threads": sum(each.threads for each in processes),
        "worst": [
            {
                "pid": each.pid,
                "name": each.name,
                "state": each.state,
                "rss_bytes": each.rss_bytes,
                "threads": each.threads,
                "waits_in": each.waits_in,
            }
            for each in worst[:_LARGEST]
        ],
    }


def tree(pid: int, proc: Path) -> list[ContainerProcess]:
    """A supervised process with all that it started, zombies too. Blocks."""
    rows = LinuxProcesses(has_pidfd=False, proc=str(proc)).rows()
    root = rows.get(pid)
    if root is None:
        return []
    members = {each.pid for each in tree_of(root.id, rows)}
    dead = {each.id.pid for each in rows.values() if each.is_zombie and (each.ppid in members or each.id.pid == pid)}
    return [_process(rows[each], proc) for each in sorted(members | dead)]


def zombies(parents: Collection[int], proc: Path) -> list[ContainerProcess]:
    """Their dead children, which a cgroup no longer counts. Blocks."""
    rows = LinuxProcesses(has_pidfd=False, proc=str(proc)).rows().values()
    dead = (row for row in rows if row.is_zombie and row.ppid in parents and row.id.pid not in parents)
    return [_process(row, proc) for row in dead]


def _process(row: ProcessRow, proc: Path) -> ContainerProcess:
    folder = proc / str(row.id.pid)
    stat = (read(folder / "stat") or b"").decode(errors="replace")
    name, _, rest = stat.partition(" (")[2].rpartition(") ")
    waits_in = (read(folder / "wchan") or b"").decode(errors="replace")
    return ContainerProcess(
        pid=row.id.pid,
        name=name,
        state=rest[:1],
        rss_bytes=row.rss_bytes,
        threads=fields(read(folder / "status")).get("Threads", 0),
        waits_in="" if waits_in == "0" else waits_in,
    )
