"""Restart a workload, then those that depend on it: what was connected to the old one starts again with the new one."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from homeostat.errors import HomeostatError, Permanent
from homeostat.steps import RestartStackStep, Step
from responder.actions.base import Applied, Skipped, Tools
from responder.actions.dependents import Reach, reach
from responder.actions.stack import Stack, read_stack, restart_container
from responder.targets import Target

#: Of the step's time, for all waits between levels together.
_WAITING = 0.5
_LOOK_EVERY_S = 0.5
#: For the report, before the engine gives up.
_MARGIN_S = 1.0


@dataclass(slots=True)
class _Report:
    """What was done so far, in words."""

    levels: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    idle: list[str] = field(default_factory=list)

    def text(self, left: dict[str, str]) -> str:
        parts = [f"restarted {', then '.join(self.levels)}"] if self.levels else []
        out = [*(f"{workload} ({reason})" for workload, reason in left.items()), *self.idle]
        return "; ".join([*parts, *([f"left out: {', '.join(out)}"] if out else []), *self.failures])


class RestartStack:
    """The one action that waits between its parts: a dependent that is started before what it needs is well again finds
    nothing there, and needs the next restart. It waits for a share of its time only, then goes on.
    """

    async def apply(self, step: Step, target: Target, tools: Tools) -> Applied | Skipped:
        assert isinstance(step, RestartStackStep)  # noqa: S101 - the table pairs them
        deadline = tools.clock.monotonic() + step.timeout - _MARGIN_S
        stack = await read_stack(tools)
        root = target.workload.id
        found = reach(root, stack.needs, step.depth, stack.why_not)
        if found.levels == ((root,),) and not found.left:
            return Skipped("nothing depends on it: restart does the same")
        report = _Report()
        await _restart_target(step, target, tools)
        report.levels.append(root)
        await _restart_dependents(step, found, stack, deadline, report)
        text = report.text(dict(found.left))
        if report.failures:
            raise Permanent(text)
        return Applied(text)


async def _restart_target(step: RestartStackStep, target: Target, tools: Tools) -> None:
    if target.process:
        await tools.guardian.restart(target.process, step.grace, step.timeout)
    for container in target.containers:
        await restart_container(container, step.grace, step.timeout, tools)


async def _restart_dependents(
    step: RestartStackStep, found: Reach, stack: Stack, deadline: float, report: _Report
) -> None:
    clock = stack.tools.clock
    wait_s = step.timeout * _WAITING / max(len(found.levels) - 1, 1)
    for before, level in zip(found.levels, found.levels[1:], strict=False):
        unwell = await _wait(before, stack, min(wait_s, deadline - clock.monotonic()))
        if unwell:
            report.levels[-1] += f" ({', '.join(unwell)} not well after {wait_s:g} s)"
        timeout_s = deadline - clock.monotonic()
        if timeout_s <= 0:
            report.failures.append(f"no time was left for {', '.join(level)}")
            return
        problems = await asyncio.gather(*(_restart(each, step, stack, timeout_s) for each in level))
        report.failures += [problem for problem in problems if problem]
        report.levels.append(", ".join(level))
        report.idle += [name for each in level for name in stack.idle(each)]


async def _wait(workloads: Sequence[str], stack: Stack, within_s: float) -> list[str]:
    """Those that are not well at the end of it."""
    clock = stack.tools.clock
    end = clock.monotonic() + within_s
    while True:
        results = await asyncio.gather(*map(stack.is_well, workloads))
        unwell = [workload for workload, is_well in zip(workloads, results, strict=True) if not is_well]
        if not unwell or clock.monotonic() >= end:
            return unwell
        await clock.sleep(_LOOK_EVERY_S)


async def _restart(workload: str, step: RestartStackStep, stack: Stack, timeout_s: float) -> str:
    """Why it failed: the others of its level must not suffer for it."""
    try:
        await stack.restart(workload, step.grace, timeout_s)
    except HomeostatError as err:
        return f"{workload} could not be restarted: {err}"
    return ""
