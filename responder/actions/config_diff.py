"""Keep what somebody else has made of a configuration file, without secrets: people decide by it."""

import asyncio

from homeostat.configfiles.showing.drift import drift
from homeostat.steps import Step
from homeostat.workloads import Kind
from responder.actions.base import Applied, Skipped, Tools
from responder.targets import Target


class ConfigDiff:
    """Mends nothing. Kept as other evidence is: ``{"subjects": {name: {"diff": lines}}}``."""

    async def apply(self, step: Step, target: Target, tools: Tools) -> Applied | Skipped:  # noqa: ARG002 - as said above
        if target.workload.kind is not Kind.FILE:
            return Skipped("is no configuration file")
        _, _, name = target.workload.id.partition("/")
        lines = await asyncio.to_thread(drift, tools.files(), name)
        if not lines:
            return Skipped("the file is its last good version")
        return Applied(f"{len(lines)} lines of what has changed are kept", {"subjects": {name: {"diff": lines}}})
