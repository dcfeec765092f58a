"""Make the containers of a compose service anew, from what they were made from: same files, same image.

Whatever lives in their network namespace loses it with them, so it is made anew as well. All is looked at before
anything is touched.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from homeostat import names
from homeostat.composecli import ComposeCli
from homeostat.composefiles import find_project
from homeostat.containers import Container, Engine
from homeostat.directory import describe
from homeostat.errors import HomeostatError, NotSupported, Permanent, SettingsError
from homeostat.settings import Settings
from homeostat.steps import RecreateStep, Step
from homeostat.workloads import PLAIN
from responder.actions.base import Applied, Skipped, Tools
from responder.actions.handsoff import HandsOff, read_hands_off
from responder.actions.netsharers import network_sharers
from responder.targets import Target

#: Of the step's time for looking, before anything is touched.
_LOOKING = 0.25


@dataclass(frozen=True, slots=True)
class _Part:
    """One service to be made anew. ``options``: what keeps compose from touching others."""

    workload: str
    containers: tuple[Container, ...]
    cli: ComposeCli
    options: tuple[str, ...] = ()

    @property
    def service(self) -> str:
        return self.workload.partition("/")[2]


@dataclass(frozen=True, slots=True)
class _Scope:
    """``workloads``: what is made anew, in order; ``left``: who shares the network and is left out, and why."""

    workloads: tuple[str, ...]
    left: tuple[str, ...]


class Recreate:
    """``docker compose up --force-recreate``, one service after the other."""

    async def apply(self, step: Step, target: Target, tools: Tools) -> Applied | Skipped:
        assert isinstance(step, RecreateStep)  # noqa: S101 - the table pairs them
        engine = tools.engine
        if engine is None or target.process or target.workload.id.startswith(f"{PLAIN}/"):
            return Skipped("not a service of docker compose")
        deadline = tools.clock.monotonic() + step.timeout
        everything = await engine.list()
        if reason := _somebodys_stop(target, everything):
            return Skipped(reason)
        scope = _scope(target.workload.id, everything, tools.settings(), await read_hands_off(tools))
        looking_s = step.timeout * _LOOKING / len(scope.workloads)
        parts = [await _look(workload, scope, everything, tools, looking_s) for workload in scope.workloads]
        for index, part in enumerate(parts):
            try:
                await _make_anew(part, engine, deadline - tools.clock.monotonic())
            except HomeostatError as err:
                done = f" ({_detail(parts[:index], scope)})" if index else ""
                raise Permanent(f"{part.workload}: {err}{done}") from err
        return Applied(_detail(parts, scope))


def _of(workload: str, containers: Sequence[Container]) -> tuple[Container, ...]:
    return tuple(sorted((each for each in containers if each.workload_id == workload), key=lambda each: each.name))


def _somebodys_stop(target: Target, everything: Sequence[Container]) -> str:
    """Compose starts whatever it makes: containers that do not run and that nobody asked us to repair."""
    meant = {each.id for each in target.containers}
    own = _of(target.workload.id, everything)
    idle = [f"{each.name} is {each.status}" for each in own if not each.is_running and each.id not in meant]
    return f"{', '.join(idle)}, and docker compose would start it" if idle else ""


def _scope(workload: str, everything: Sequence[Container], settings: Settings, hands_off: HandsOff) -> _Scope:
    chosen, left = [workload], []
    for container in network_sharers(_of(workload, everything), everything):
        if container.workload_id in chosen:
            continue
        if reason := _why_not(container, _of(container.workload_id, everything), settings, hands_off):
            left.append(f"{container.name} ({reason})")
        else:
            chosen.append(container.workload_id)
    return _Scope(tuple(chosen), tuple(left))


def _why_not(container: Container, own: Sequence[Container], settings: Settings, hands_off: HandsOff) -> str:
    """Why a container in the same network is not touched; empty when it may be. ``own``: all of its workload."""
    if container.workload_id.startswith(f"{PLAIN}/"):
        return "not a service of docker compose"
    try:
        reason = hands_off.reason(describe(container.workload_id, own, settings))
    except SettingsError:
        return "its labels are wrong"
    # Compose would start those that do not run.
    return reason or next((each.status for each in own if not each.is_running), "")


async def _look(workload: str, scope: _Scope, everything: Sequence[Container], tools: Tools, timeout_s: float) -> _Part:
    """Raises NotSupported when what would be made is not what is there."""
    docker = tools.settings().docker
    own = _of(workload, everything)
    project = await asyncio.to_thread(find_project, own[0], docker)
    part = _Part(workload, own, ComposeCli(project, docker.host))
    preview = await part.cli.preview(part.service, [each.name for each in own], timeout_s / 2)
    if preview.changed:
        raise NotSupported(
            f"{', '.join(sorted(preview.changed))}: its files, variables or image are others now than those it was made"
            " from: making it anew would change it; run docker compose up, when that is wanted"
        )
    ours = {each.name for each in everything if each.workload_id in scope.workloads}
    if preview.others - ours or not _is_all_well(own, scope, everything):
        # Compose then forgets in the new container's labels what it depends on, so not without need.
        return _Part(workload, own, part.cli, ("--no-deps",))
    return part


def _is_all_well(own: Sequence[Container], scope: _Scope, everything: Sequence[Container]) -> bool:
    """Whether compose would find what the service depends on as it wants it, and neither wait for it nor give up."""
    needed = {workload for each in own for workload in each.depends_on}
    return all(
        each.health == "none"  # what has just been made anew is not healthy yet
        if each.workload_id in scope.workloads
        else each.status == "running" and each.health in ("none", "healthy")
        for each in everything
        if each.workload_id in needed
    )


async def _make_anew(part: _Part, engine: Engine, timeout_s: float) -> None:
    options = ("--force-recreate", *part.options)
    await part.cli.up(part.service, len(part.containers), options, timeout_s)
    images = {each.labels.get(names.COMPOSE_IMAGE) for each in await engine.list(part.workload)}
    if not images <= {each.labels.get(names.COMPOSE_IMAGE) for each in part.containers}:
        raise Permanent("was made anew, but from another image: the image's name was given away meanwhile")


def _detail(parts: Sequence[_Part], scope: _Scope) -> str:
    first, *sharers = parts
    text = f"made anew: {', '.join(each.name for each in first.containers)}"
    if sharers:
        text += f", then in its network: {', '.join(each.name for part in sharers for each in part.containers)}"
    if scope.left:
        text += f"; left without a network until somebody makes it anew: {', '.join(scope.left)}"
    if alone := [part.workload for part in parts if part.options]:
        text += f"; made with --no-deps, to touch no others: {', '.join(alone)}, which has no depends_on label now"
    return text
