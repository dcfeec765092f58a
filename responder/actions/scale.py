"""More replicas of a compose service for a time. Those that were there are left as they are."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass

from homeostat.composecli import ComposeCli
from homeostat.composefiles import find_project
from homeostat.containers import Container, Engine
from homeostat.errors import NotSupported, Permanent, Temporary
from homeostat.steps import ScaleStep, Step
from homeostat.workloads import PLAIN
from responder.actions.base import Applied, Memo, Skipped, Tools
from responder.actions.memos import read_memo, write_memo
from responder.targets import Target

#: Nothing but the number of containers changes, and no other service is touched.
_ONLY_COUNT = ("--no-recreate", "--no-deps")
#: What keeps a service from being put back passes, or somebody mends it.
_AGAIN_S = 60.0


@dataclass(frozen=True, slots=True)
class _Scaled:
    """``before``: ids of the containers that were there; ``count``: how many there are when all went well."""

    project: str
    service: str
    before: tuple[str, ...]
    count: int

    @property
    def name(self) -> str:
        return f"{self.project}/{self.service}"


@dataclass(frozen=True, slots=True)
class _Plan:
    """``containers``: all of the service, at least one."""

    scaled: _Scaled
    containers: tuple[Container, ...]


class Scale:
    """``docker compose up --scale``. A service that no second container could be made of is not supported."""

    async def prepare(self, step: Step, target: Target, tools: Tools) -> Memo | Skipped:
        assert isinstance(step, ScaleStep)  # noqa: S101 - the table pairs them
        plan = await _plan(step, target, tools.engine)
        if isinstance(plan, Skipped):
            return plan
        _check_second(plan)
        cli = await _cli(plan.containers, tools)
        preview = await cli.preview(plan.scaled.service, [each.name for each in plan.containers], step.timeout / 2)
        if preview.changed:
            raise NotSupported(
                f"{', '.join(sorted(preview.changed))}: its files, variables or image are others now than those it was"
                " made from, so more of them would be something else; run docker compose up first"
            )
        return write_memo(plan.scaled)

    async def apply(self, step: Step, target: Target, tools: Tools) -> Applied | Skipped:
        assert isinstance(step, ScaleStep)  # noqa: S101 - the table pairs them
        plan = await _plan(step, target, tools.engine)
        if isinstance(plan, Skipped):
            return plan
        cli = await _cli(plan.containers, tools)
        await cli.up(plan.scaled.service, plan.scaled.count, _ONLY_COUNT, step.timeout)
        return Applied(f"{plan.scaled.name}: {plan.scaled.count} replicas, before {len(plan.containers)}")

    async def undo(self, step: Step, memo: Memo, tools: Tools) -> str:
        assert isinstance(step, ScaleStep)  # noqa: S101 - the table pairs them
        scaled = read_memo(_Scaled, memo)
        if tools.engine is None:
            raise NotSupported("no container engine is configured")
        containers = await tools.engine.list(scaled.name)
        if reason := _leave(scaled, containers):
            return f"{scaled.name}: {reason}"
        if idle := _idle([each for each in containers if each.id in scaled.before]):
            raise Temporary(f"{scaled.name}: {idle}: put back once it runs or is gone", _AGAIN_S)
        cli = await _cli(containers, tools)
        await cli.up(scaled.service, len(scaled.before), _ONLY_COUNT, step.timeout)
        left = {each.id for each in await tools.engine.list(scaled.name)}
        if lost := set(scaled.before) - left:
            raise Permanent(f"{scaled.name}: docker compose removed {len(lost)} of the containers of before")
        return f"{scaled.name}: {len(scaled.before)} replicas again, after {len(containers)}"


async def _plan(step: ScaleStep, target: Target, engine: Engine | None) -> _Plan | Skipped:
    project, _, service = target.workload.id.partition("/")
    if engine is None or target.process or project == PLAIN:
        return Skipped("not a service of docker compose")
    containers = tuple(sorted(await engine.list(target.workload.id), key=lambda each: each.name))
    if not containers:
        return Skipped("it has no container")
    if idle := _idle(containers):
        return Skipped(idle)
    count = min(len(containers) + step.by, step.most)
    if count <= len(containers):
        return Skipped(f"it has {len(containers)} replicas already, allowed are {step.most}")
    return _Plan(_Scaled(project, service, tuple(each.id for each in containers), count), containers)


def _idle(containers: Sequence[Container]) -> str:
    """Why compose must not be called; empty when it may."""
    found = sorted(f"{each.name} is {each.status}" for each in containers if each.status != "running")
    return f"{', '.join(found)}, and docker compose would start it" if found else ""


def _check_second(plan: _Plan) -> None:
    """Raises NotSupported for what there can be only one of."""
    container, scaled = plan.containers[0], plan.scaled
    # Compose 1 wrote underscores, and so does --compatibility.
    if not re.fullmatch(rf"{re.escape(scaled.project)}[-_]{re.escape(scaled.service)}[-_][0-9]+", container.name):
        raise NotSupported(f"the service has a container name of its own ({container.name}): there can be only one")
    if container.host_ports:
        ports = ", ".join(container.host_ports)
        raise NotSupported(f"the service takes port {ports} of the host: there can be only one")
    if not container.has_own_network:
        network = container.network_mode.partition(":")[0]
        raise NotSupported(f"the service has no network of its own ({network}): there can be only one on its ports")


async def _cli(containers: Sequence[Container], tools: Tools) -> ComposeCli:
    docker = tools.settings().docker
    return ComposeCli(await asyncio.to_thread(find_project, containers[0], docker), docker.host)


def _leave(scaled: _Scaled, containers: Sequence[Container]) -> str:
    """Why it is not put back; empty when it has to be."""
    count = len(containers)
    if count <= len(scaled.before):
        return f"{count} replicas, nothing to put back"
    if not set(scaled.before) <= {each.id for each in containers}:
        return f"was made anew meanwhile, with {count} replicas: left as it is"
    added = [each for each in containers if each.id not in scaled.before]
    # What did not get as far as running was not wanted by anybody: compose was ended in the middle.
    if count > scaled.count or (count < scaled.count and all(each.is_running for each in added)):
        return f"somebody has set {count} replicas meanwhile: left as it is"
    return ""
