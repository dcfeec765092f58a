"""Where a container's cgroups are: found by its id, never by a fixed path, because drivers and parents differ.

Names: Docker's drivers (``docker/ID``, ``system.slice/docker-ID.scope``, rootless below ``user.slice``), Podman's
(``machine.slice/libpod-ID.scope/container``, ``libpod_parent/libpod-ID``), any of them below another container.
"""

import os
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from exporters.rawfiles import read
from homeostat.clock import Clock

#: A container's (id, pid).
Key = tuple[str, int]

#: Whole names only: systemd keeps a cgroup for the mount of a container's files, and Podman one for its conmon.
_NAME = re.compile(r"(?:[a-z]+-)?([0-9a-f]{64})(?:\.scope)?")
#: A search for containers whose process tells nothing is a walk: at most this often, this deep and this far.
_SEARCH_EVERY_S = 60.0
_SEARCH_DEPTH = 8  # rootless below a user's slice is 5 deep, in a container two more
_SEARCH_FOLDERS = 20_000


@dataclass(frozen=True, slots=True)
class Cgroup:
    """Where a container's files are: the folder that tells its processes, the files of ``memory`` for both kinds of
    sample, and those of either kind.
    """

    folder: str
    memory: tuple[str, ...]
    sample: tuple[str, ...]
    detail: tuple[str, ...]


class Places(Protocol):
    """How a version of cgroups lays out its folders."""

    @property
    def tree(self) -> str:
        """The hierarchy to search."""
        ...

    def locate(self, memberships: Mapping[str, str]) -> Cgroup | None:
        """From ``memberships``: controller -> the container's place there. None when that says nothing."""
        ...

    def locate_at(self, place: str) -> Cgroup:
        """From its place in ``tree``."""
        ...


class Finder:
    """Remembers where running containers are. Blocking; any thread may call it."""

    def __init__(self, places: Places, clock: Clock, proc: str) -> None:
        self._places = places
        self._clock = clock
        self._proc = proc
        self._known: dict[Key, Cgroup] = {}
        self._searched_at: float | None = None
        self._finding = threading.Lock()

    def find(self, running: Iterable[Key]) -> dict[Key, Cgroup]:
        """Of ``running`` those that were found. What else was known is forgotten."""
        wanted = set(running)
        with self._finding:
            known = {key: cgroup for key, cgroup in self._known.items() if key in wanted}
            for key in wanted - known.keys():
                if cgroup := self._from_process(*key):
                    known[key] = cgroup
            lost = wanted - known.keys()
            if lost and self._may_search():
                found = search(self._places.tree)
                known |= {key: self._places.locate_at(found[key[0]]) for key in lost if key[0] in found}
            self._known = known
        return known

    def _from_process(self, container_id: str, pid: int) -> Cgroup | None:
        content = read(f"{self._proc}/{pid}/cgroup") if pid else None
        cgroup = self._places.locate(memberships(content, container_id)) if content else None
        # Seen from another cgroup namespace, paths start somewhere else: believe only what is there.
        return cgroup if cgroup and os.path.isdir(cgroup.folder) else None  # noqa: PTH112 - as a text

    def _may_search(self) -> bool:
        now = self._clock.monotonic()
        if self._searched_at is not None and now - self._searched_at < _SEARCH_EVERY_S:
            return False
        self._searched_at = now
        return True


def named(part: str) -> str | None:
    """The container's id in a folder's name, if that is the folder of a container."""
    match = _NAME.fullmatch(part)
    return match[1] if match else None


def up_to_id(path: str, container_id: str) -> str | None:
    """``path`` down to the part that names the container (``ID``, ``docker-ID.scope``), without its own children."""
    parts = path.split("/")
    for index, part in enumerate(parts):
        if named(part) == container_id:
            return "/".join(parts[: index + 1])
    return None


def memberships(content: bytes, container_id: str) -> dict[str, str]:
    """Controller -> the container's place, from /proc/PID/cgroup of one of its processes (cgroups(7)).

    The one hierarchy of v2 has no controller: its key is empty.
    """
    found: dict[str, str] = {}
    for line in content.decode(errors="replace").splitlines():
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if place := up_to_id(path, container_id):
            found |= dict.fromkeys(controllers.split(","), place.lstrip("/"))
    return found


def search(tree: str) -> dict[str, str]:
    """Container id -> place below ``tree``, over all containers there; those in containers, too."""
    found: dict[str, str] = {}
    pending = [("", 0)]
    for place, depth in pending:  # which grows: breadth first, so that the nearest comes first
        for name in subfolders(f"{tree}/{place}"):
            below = f"{place}/{name}".lstrip("/")
            if container_id := named(name):
                found.setdefault(container_id, below)
            if depth < _SEARCH_DEPTH and len(pending) < _SEARCH_FOLDERS:
                pending.append((below, depth + 1))
    return found


def subfolders(path: str) -> list[str]:
    """Their names; none when the folder is gone."""
    try:
        with os.scandir(path) as entries:
            return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
