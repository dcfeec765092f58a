"""Restart a workload, then those that depend on it: what was connected to the old one starts again with the new one."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from homeostat.errors import HomeostatError, NotSupported, Permanent
from homeostat.steps import RestartStackStep, Step
from responder.actions.base import Applied, Skipped, Tools
from responder.actions.dependents import Reach, reach
from responder.actions.stack import Stack, read_stack
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

    def text(self, found: Reach) -> str:
        return "; ".join([f"restarted {', then '.join(self.levels)}", *_left(found, self.idle), *self.failures])


class RestartStack:
    """The one action that waits between its parts: a dependent that is started before what it needs is well again finds
    nothing there, and needs the next restart. It waits for a share of its time only, then goes on.
    """

    async def apply(self, step: Step, target: Target, tools: Tools) -> Applied | Skipped:
        assert isinstance(step, RestartStackStep)  # noqa: S101 - the table pairs them
        deadline = tools.clock.monotonic() + step.timeout - _MARGIN_S
        stack = await read_stack(tools)
        found = reach(target.workload.id, stack.needs, step.depth, stack.why_not)
        if len(found.levels) == 1:
            return Skipped("; ".join(["no dependent to restart: on its own, restart is for it", *_left(found)]))
        report = _Report()
        await _restart(target, step, tools, step.timeout)
        report.levels.append(target.workload.id)
        await _restart_dependents(step, found, target, stack, deadline, report)
        text = report.text(found)
        if report.failures:
            raise Permanent(text)
        return Applied(text)


def _left(found: Reach, idle: Sequence[str] = ()) -> list[str]:
    out = [*(f"{workload} ({reason})" for workload, reason in found.left.items()), *idle]
    return [f"left out: {', '.join(out)}"] if out else []


async def _restart_dependents(
    step: RestartStackStep, found: Reach, target: Target, stack: Stack, deadline: float, report: _Report
) -> None:
    clock, before = stack.tools.clock, [target]
    wait_s = step.timeout * _WAITING / (len(found.levels) - 1)
    for level in found.levels[1:]:
        unwell = await _wait(before, stack, min(wait_s, deadline - clock.monotonic()))
        if unwell:
            report.levels[-1] += f" ({', '.join(unwell)} not well after {wait_s:g} s)"
        timeout_s = deadline - clock.monotonic()
        if timeout_s <= 0:
            report.failures.append(f"no time was left for {', '.join(level)}")
            return
        before = [stack.target(workload) for workload in level]
        problems = await asyncio.gather(*(_restart_or_problem(each, step, stack.tools, timeout_s) for each in before))
        report.failures += [problem for problem in problems if problem]
        report.levels.append(", ".join(level))
        report.idle += [name for workload in level for name in stack.idle(workload)]


async def _wait(targets: Sequence[Target], stack: Stack, within_s: float) -> list[str]:
    """Those that are not well at the end of it."""
    clock = stack.tools.clock
    end = clock.monotonic() + within_s
    while True:
        results = await asyncio.gather(*map(stack.is_well, targets))
        unwell = [each.workload.id for each, is_well in zip(targets, results, strict=True) if not is_well]
        if not unwell or clock.monotonic() >= end:
            return unwell
        await clock.sleep(_LOOK_EVERY_S)


async def _restart_or_problem(target: Target, step: RestartStackStep, tools: Tools, timeout_s: float) -> str:
    """Why it failed: the others of its level must not suffer for it."""
    try:
        await _restart(target, step, tools, timeout_s)
    except HomeostatError as err:
        return f"{target.workload.id} could not be restarted: {err}"
    return ""


async def _restart(target: Target, step: RestartStackStep, tools: Tools, timeout_s: float) -> None:
    """One container after the other, so that a scaled workload keeps serving."""
    if target.process:
        await tools.guardian.restart(target.process, step.grace, timeout_s)
    for container in target.containers:
        if tools.engine is None:
            raise NotSupported("no container engine is configured")
        await tools.engine.restart(container.id, step.grace, timeout_s)
