"""Whether an action on one workload may touch another one by the way: what the gates ask of the workload itself."""

import asyncio
from dataclasses import dataclass

from homeostat.maintenance import current
from homeostat.sections import MaintenanceWindow
from homeostat.workloads import Workload
from responder import holds
from responder.actions.base import Tools
from responder.ledger import Hold


@dataclass(frozen=True, slots=True)
class HandsOff:
    """Everybody's word, as of ``now``."""

    holds: tuple[Hold, ...]
    windows: tuple[MaintenanceWindow, ...]
    now: float

    def reason(self, workload: Workload) -> str:
        """Why it is not to be touched; empty when it may be."""
        if not workload.enabled:
            return "not enabled"
        if workload.hold or holds.hold_on(workload.id, self.holds, self.now):
            return "on hold"
        return "in maintenance" if current(self.windows, workload.id, self.now) else ""


async def read_hands_off(tools: Tools) -> HandsOff:
    settings = tools.settings()
    in_file = await asyncio.to_thread(holds.from_file, holds.file_of(settings))
    return HandsOff((*in_file, *await tools.holds()), settings.responder.maintenance, tools.clock.now())
