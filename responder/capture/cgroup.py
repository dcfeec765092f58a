"""The cgroup of one process. Blocks. Files: kernel, Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst."""

from dataclasses import dataclass
from pathlib import Path

from responder.capture.procfiles import fields, number, read

#: v1 spells "no limit" as the largest count of pages in bytes.
_UNLIMITED = 2**62


@dataclass(frozen=True, slots=True)
class Membership:
    """Where a process's memory is counted."""

    folder: Path
    is_v2: bool

    def pids(self) -> list[int]:
        """Processes in it, as they are numbered here."""
        content = read(self.folder / "cgroup.procs") or b""
        return [int(each) for each in content.split() if each.isdigit() and each != b"0"]

    def memory(self) -> dict[str, object]:
        """Bytes; None for what the kernel does not tell, and for no limit."""
        if self.is_v2:
            stat, events = fields(self._read("memory.stat")), fields(self._read("memory.events"))
            return {
                "usage_bytes": number(self._read("memory.current")),
                "limit_bytes": number(self._read("memory.max")),
                "anon_bytes": stat.get("anon"),
                "file_bytes": stat.get("file"),
                "oom_kills": events.get("oom_kill"),
                "pids": number(self._read("pids.current")),
            }
        stat, control = fields(self._read("memory.stat")), fields(self._read("memory.oom_control"))
        limit = number(self._read("memory.limit_in_bytes"))
        return {
            "usage_bytes": number(self._read("memory.usage_in_bytes")),
            "limit_bytes": limit if limit is not None and limit < _UNLIMITED else None,
            "anon_bytes": stat.get("total_rss"),
            "file_bytes": stat.get("total_cache"),
            "oom_kills": control.get("oom_kill"),
            "failures": number(self._read("memory.failcnt")),
        }

    def _read(self, name: str) -> bytes | None:
        return read(self.folder / name)


def membership(pid: int, proc: Path, root: Path) -> Membership | None:
    """From /proc/PID/cgroup (cgroups(7)); None where its folder is not seen from here."""
    places: dict[str, str] = {}
    for line in (read(proc / str(pid) / "cgroup") or b"").decode(errors="replace").splitlines():
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        places |= dict.fromkeys(controllers.split(","), path.lstrip("/"))
    if "memory" in places:
        found = Membership(root / "memory" / places["memory"], is_v2=False)
    elif "" in places:
        found = Membership(root / places[""], is_v2=True)
    else:
        return None
    # Seen from another cgroup namespace, paths start above its root.
    return found if ".." not in found.folder.parts and found.folder.is_dir() else None
