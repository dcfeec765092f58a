"""Whether docker compose would make containers anew, from its files as they are now: what was changed is not in force
yet.

Compose itself is asked, as it compares (its own hash of a service with the label of its containers): no copy of its
rules could follow its versions. It is a program that takes half a second of a core, so it is asked only when files or
containers have changed, and then when nothing has changed any more for a while.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from homeostat.clock import Clock
from homeostat.composecli import ComposeCli
from homeostat.composefiles import find_project
from homeostat.configfiles.spec import ManagedFile, Rereads
from homeostat.containers import Container
from homeostat.errors import HomeostatError
from homeostat.sections import DockerSettings

log = structlog.get_logger()

#: Who edits files, or deploys, is not asked after each step.
_STILL_S = 10.0
_WITHIN_S = 30.0
#: A file that compose reads and nobody manages may have changed, too.
_AGAIN_S = 1800.0


@dataclass(slots=True)
class _Asked:
    """One service. ``about``: what the answer rests on. ``changed``: by container id; of others nothing is known."""

    about: object = None
    since: float = 0.0
    at: float | None = None
    changed: Mapping[str, bool] = field(default_factory=dict)


@dataclass(slots=True)
class Redeploy:
    """One service at a time, at most one program in a round."""

    docker: DockerSettings
    clock: Clock
    _asked: dict[str, _Asked] = field(default_factory=dict)

    def of(self, spec: ManagedFile, container: Container) -> bool | None:
        """None while it is not known, and for files that compose does not read."""
        asked = self._asked.get(container.workload_id)
        if spec.rereads is not Rereads.AT_CREATION or asked is None:
            return None
        return asked.changed.get(container.id)

    async def look(self, specs: Mapping[str, ManagedFile], containers: Sequence[Container]) -> None:
        """Ask about the service that waits longest, if any does."""
        read_by = [spec for spec in specs.values() if spec.rereads is Rereads.AT_CREATION]
        wanted = {workload for spec in read_by for workload in spec.workloads}
        self._asked = {workload: self._asked.get(workload, _Asked()) for workload in sorted(wanted)}
        due = []
        for workload, asked in self._asked.items():
            own = [each for each in containers if each.workload_id == workload]
            paths = [spec.path for spec in read_by if workload in spec.workloads]
            if own and self._is_due(asked, (tuple(each.id for each in own), tuple(map(_stat, paths)))):
                due.append((asked.since, workload, own))
        for _, workload, own in sorted(due, key=lambda each: each[:2])[:1]:
            await self._ask(self._asked[workload], workload, own)

    def _is_due(self, asked: _Asked, about: object) -> bool:
        now = self.clock.monotonic()
        if about != asked.about:
            asked.about, asked.since, asked.at = about, now, None
        return now - asked.since >= _STILL_S and (asked.at is None or now - asked.at >= _AGAIN_S)

    async def _ask(self, asked: _Asked, workload: str, own: Sequence[Container]) -> None:
        asked.at = self.clock.monotonic()
        try:
            project = await asyncio.to_thread(find_project, own[0], self.docker)
            cli = ComposeCli(project, self.docker.host)
            preview = await cli.preview(workload.partition("/")[2], [each.name for each in own], _WITHIN_S)
            asked.changed = {each.id: each.name in preview.changed for each in own}
        except HomeostatError as err:
            log.warning("config.redeploy_unknown", workload=workload, error=str(err))
            asked.changed = {}


def _stat(path: Path) -> object:
    try:
        found = path.stat()
    except OSError as err:
        return err.errno
    return (found.st_mtime_ns, found.st_size, found.st_ino)
