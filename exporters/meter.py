"""What containers use: read from their cgroups, else told by their engine, else not known."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from exporters.cgroups import Cgroups, CgroupSample, ResourceSample
from exporters.enginestats import EngineStats
from homeostat.containers import Container


@dataclass(frozen=True, slots=True)
class Meter:
    """Samples by container id, of those of which something is known. ``running``: all containers that run."""

    cgroups: Cgroups
    engine_stats: EngineStats | None

    async def samples(self, running: Sequence[Container]) -> dict[str, CgroupSample]:
        """What rules rest on."""
        keys = [(container.id, container.pid) for container in running]
        found = await asyncio.to_thread(self.cgroups.sample_all, keys)
        if self.engine_stats is not None and len(found) < len(running):
            told = self.engine_stats.latest(container.id for container in running if container.id not in found)
            found |= {container_id: measured.sample for container_id, measured in told.items()}
        return found

    async def resources(self, running: Sequence[Container]) -> dict[str, ResourceSample]:
        """The rest."""
        found = await asyncio.to_thread(self.cgroups.resources_all, running)
        if self.engine_stats is not None and len(found) < len(running):
            told = self.engine_stats.latest(container.id for container in running if container.id not in found)
            found |= {container_id: measured.resources for container_id, measured in told.items()}
        return found
