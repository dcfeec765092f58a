"""Run one of the owner's commands. What it touches is the owner's choice; its arguments are his, too, to the letter."""

import asyncio
import os

from homeostat.commands import run
from homeostat.commandspec import Command
from homeostat.containers import Container, ExecResult
from homeostat.errors import Permanent
from homeostat.platforms import detect
from homeostat.processes import system_processes
from homeostat.processtrees import end_tree
from homeostat.steps import ExecStep, Step
from responder.actions.base import Applied, Skipped, Tools
from responder.actions.deadline import Deadline
from responder.actions.hostprocess import is_in_container
from responder.targets import Target

#: What a command on the host inherits; tokens and addresses of the responder's own are none of its business.
#: SYSTEMROOT: without it few programs start on Windows.
_INHERITED = ("PATH", "HOME", "LANG", "SYSTEMROOT")
_LINE_CHARACTERS = 200
#: The engine ends the step, and with it the whole tree of the command, before that.
_NEVER = 2.0


class Exec:
    """Once on this host, or once in each running container, one after another until one fails."""

    async def apply(self, step: Step, target: Target, tools: Tools) -> Applied | Skipped:
        assert isinstance(step, ExecStep)  # noqa: S101 - the table pairs them
        command = tools.settings().responder.commands.get(step.command)
        if command is None:  # settings were reloaded since the plan was made
            raise Permanent(f"{step.command}: no such command in responder.commands")
        if command.in_container:
            return await _run_in_containers(step, command, target, tools)
        begin = tools.clock.monotonic()
        env = _inherited() | _env(command, target, " ".join(container.name for container in target.containers))
        result = await run(command.argv, _NEVER * step.timeout, cwd=command.cwd, env=env, clock=tools.clock)
        return Applied(_told(step.command, result.exit_code, result.output, tools.clock.monotonic() - begin))


async def _run_in_containers(step: ExecStep, command: Command, target: Target, tools: Tools) -> Applied | Skipped:
    running = [container for container in target.containers if container.status == "running"]
    if not running or tools.engine is None:
        return Skipped(f"{step.command}: no container of it runs")
    deadline = Deadline.of_step(step.timeout, tools.clock)
    details: list[str] = []
    for container in running:
        begin = tools.clock.monotonic()
        place = f"{step.command} in {container.name}"
        if deadline.is_over:
            raise Permanent(f"{place}: not run, the time was over ({'; '.join(details)})")
        env = _env(command, target, container.name)
        result = await tools.engine.exec(container.id, command.argv, deadline.left_s, env)
        if result.exit_code is None:
            raise Permanent(f"{place}: not done in time; {await _end(result, container, tools)}")
        details.append(_told(place, result.exit_code, result.output, tools.clock.monotonic() - begin))
    return Applied("; ".join(details))


async def _end(result: ExecResult, container: Container, tools: Tools) -> str:
    """No engine can end what it runs so, but its process is one of this host's, where the engine is. What was done."""
    processes = system_processes(detect())
    row = await asyncio.to_thread(processes.row, result.pid) if result.pid else None
    if row is None or not await asyncio.to_thread(is_in_container, row.id.pid, container.id):
        return "it may still run there"
    survivors = await end_tree(row.id, 0, tools.clock, processes)
    return "it may still run there" if survivors else "it was ended"


def _env(command: Command, target: Target, containers: str) -> dict[str, str]:
    return {**command.env, "HOMEOSTAT_WORKLOAD": target.workload.id, "HOMEOSTAT_CONTAINER": containers}


def _inherited() -> dict[str, str]:
    return {name: os.environ[name] for name in _INHERITED if name in os.environ}


def _told(place: str, exit_code: int | None, output: str, seconds: float) -> str:
    """For the ledger. Raises Permanent for a command that failed."""
    line = last_line(output)
    said = f": {line}" if line else ""
    if exit_code != 0:
        raise Permanent(f"{place} ended with {exit_code}{said}")
    return f"{place}: {seconds:.1f} s{said}"


def last_line(output: str) -> str:
    """The last line that says something, what cannot be printed left out."""
    printable = ("".join(filter(str.isprintable, line)).strip() for line in reversed(output.splitlines()))
    return next((line[:_LINE_CHARACTERS] for line in printable if line), "")
