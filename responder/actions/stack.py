"""All workloads as they are just now, for an action on several of them: who may be touched, and whether one is well
again.
"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from homeostat.containers import Container
from homeostat.directory import describe_all, group_by_workload, resolve_probe
from homeostat.errors import HomeostatError, NotSupported
from homeostat.guardian_client import ProcessStatus
from homeostat.probes import ProbeContext, run_probe
from homeostat.workloads import LOCAL, Kind, ProbeRole, ProbeSpec, Workload
from responder.actions.base import Tools
from responder.actions.handsoff import HandsOff, read_hands_off
from responder.targets import Target

#: Of a container or process that somebody wants to run.
_UP = ("running", "restarting")
_SUPERVISED = ("starting", "running", "backoff", "crash_looping")


@dataclass(frozen=True, slots=True)
class Stack:
    """``processes``: by name; None when the guardian does not answer."""

    workloads: Mapping[str, Workload]
    containers: Mapping[str, Collection[Container]]
    processes: Mapping[str, ProcessStatus] | None
    hands_off: HandsOff
    tools: Tools

    @property
    def needs(self) -> Mapping[str, Collection[str]]:
        return {workload.id: workload.depends_on for workload in self.workloads.values()}

    def why_not(self, workload_id: str) -> str:
        """Why a workload is not to be touched beside another; empty when it may be."""
        workload = self.workloads[workload_id]
        if reason := self.hands_off.reason(workload):
            return reason
        if workload.kind is Kind.PROCESS:
            return self._why_not_process(_process_name(workload_id))
        states = sorted({each.status for each in self.containers[workload_id]})
        return "" if set(states) & set(_UP) else ", ".join(states) or "no container"

    def idle(self, workload_id: str) -> list[str]:
        """Names of those containers of a workload that are left alone."""
        return [f"{each.name} ({each.status})" for each in self.containers[workload_id] if each.status not in _UP]

    def target(self, workload_id: str) -> Target:
        """The workload as a step may touch it: those of its containers that somebody wants to run."""
        workload = self.workloads[workload_id]
        containers = tuple(each for each in self.containers[workload_id] if each.status in _UP)
        return Target(workload, containers, _process_name(workload_id) if workload.kind is Kind.PROCESS else "")

    async def is_well(self, target: Target) -> bool:
        """Runs, and its own health checks and liveness probes are good, as far as it has any. Never raises for a bad
        answer.
        """
        try:
            if target.process:
                containers: list[Container] = []
                found = {each.name: each for each in await self.tools.guardian.processes()}
                is_up = found[target.process].is_running
            else:
                containers = await self._now(target.containers)
                is_up = all(each.status == "running" and each.health in ("none", "healthy") for each in containers)
        except (HomeostatError, KeyError):
            return False
        return is_up and await self._answers(target.workload, containers)

    async def _now(self, containers: Collection[Container]) -> list[Container]:
        if self.tools.engine is None:
            raise NotSupported("no container engine is configured")
        return list(await asyncio.gather(*(self.tools.engine.inspect(each.id) for each in containers)))

    async def _answers(self, workload: Workload, containers: Collection[Container]) -> bool:
        specs = [spec for spec in workload.probes if spec.role is ProbeRole.LIVENESS]
        places = {resolve_probe(spec, each) for spec in specs for each in containers or (None,)}
        if None in places:
            return False
        context = ProbeContext(self.tools.session, self.tools.clock)
        results = await asyncio.gather(*(run_probe(each, context) for each in places if isinstance(each, ProbeSpec)))
        return all(result.ok for result in results)

    def _why_not_process(self, name: str) -> str:
        if self.processes is None:
            return "the guardian does not answer"
        if name not in self.processes:
            return "the guardian does not know it"
        state = self.processes[name].state
        return "" if state in _SUPERVISED else state


async def read_stack(tools: Tools) -> Stack:
    """Raises Unreachable when the engine does not answer: nobody knows then who depends on whom."""
    settings = tools.settings()
    containers = await tools.engine.list() if tools.engine else []
    # Wrong labels are told where workloads are watched; such a workload is not enabled.
    workloads, _ = describe_all(containers, settings)
    processes: Mapping[str, ProcessStatus] | None = {}
    if settings.processes:
        try:
            processes = {each.name: each for each in await tools.guardian.processes()}
        except HomeostatError:
            processes = None
    by_id = {workload.id: workload for workload in workloads}
    return Stack(by_id, group_by_workload(containers, settings), processes, await read_hands_off(tools), tools)


def _process_name(workload_id: str) -> str:
    return workload_id.removeprefix(f"{LOCAL}/")
