"""Whether a container's process is still that process: known by its start, which no later user of its pid shares."""

from collections.abc import Iterable, Mapping

from exporters.keptfiles import KeptFiles
from exporters.rawfiles import read

#: A running container's (id, pid).
ProcessKey = tuple[str, int]


def look_up(
    proc: str, keys: Iterable[ProcessKey], known: Mapping[ProcessKey, bytes], files: KeptFiles
) -> dict[ProcessKey, bytes | None]:
    """When each of them started; None for one that is not there. Blocking.

    One that is not ``known`` yet counts as not there unless its cgroup names the container: in another pid namespace
    (WSL 2, a container without the host's) the same pid is somebody else's.
    """
    found = {
        key: birth(files.read((f"{proc}/{key[1]}/stat",))[0]) if key in known or _is_containers(proc, *key) else None
        for key in keys
    }
    files.end_pass()
    return found


def _is_containers(proc: str, container_id: str, pid: int) -> bool:
    return container_id.encode() in (read(f"{proc}/{pid}/cgroup") or b"")


def birth(stat: bytes | None) -> bytes | None:
    """When a process started, in the kernel's units; None for a dead one.

    ``stat``: /proc/PID/stat (proc_pid_stat(5)); the command in it may hold spaces and brackets.
    """
    fields = (stat or b"").rpartition(b")")[2].split()
    if len(fields) < 20 or fields[0] in (b"Z", b"X"):  # noqa: PLR2004 - field 22 of the file
        return None
    return fields[19]
