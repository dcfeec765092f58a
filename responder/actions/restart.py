"""Restart the container or the supervised process. Its memory is lost, its volumes are not; nothing else is touched."""

from homeostat.errors import NotSupported
from homeostat.steps import RestartStep, Step
from responder.actions.base import Applied, Skipped, Tools
from responder.targets import Target


class Restart:
    """One after another, so that a scaled workload keeps serving."""

    async def apply(self, step: Step, target: Target, tools: Tools) -> Applied | Skipped:
        assert isinstance(step, RestartStep)  # noqa: S101 - the table pairs them
        if target.process:
            await tools.guardian.restart(target.process, step.grace, step.timeout)
            return Applied(f"restarted process {target.process}")
        if tools.engine is None:
            raise NotSupported("no container engine is configured")
        for container in target.containers:
            await tools.engine.restart(container.id, step.grace, step.timeout)
        return Applied(f"restarted {', '.join(container.name for container in target.containers)}")
