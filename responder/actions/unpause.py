"""Let a paused container run on. Loses nothing; anything but a paused container is left alone."""

from homeostat.steps import Step
from responder.actions.base import Applied, Skipped, Tools
from responder.targets import Target


class Unpause:
    """Unpauses those of the target's containers that are paused."""

    async def apply(self, step: Step, target: Target, tools: Tools) -> Applied | Skipped:  # noqa: ARG002 - no parameters
        paused = [container for container in target.containers if container.status == "paused"]
        if not paused or tools.engine is None:
            return Skipped("not paused")
        for container in paused:
            await tools.engine.unpause(container.id)
        return Applied(f"unpaused {', '.join(container.name for container in paused)}")
