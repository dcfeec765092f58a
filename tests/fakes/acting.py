"""One step taken as the engine takes it: once, under its timeout, on a target made by hand."""

import asyncio
import dataclasses
from pathlib import Path
from unittest.mock import Mock

import aiohttp

from homeostat import settings as settings_module
from homeostat.clock import SystemClock
from homeostat.guardian_client import GuardianClient
from homeostat.workloads import Kind, Workload
from responder.actions.base import Tools
from responder.targets import Target

NOWHERE = Path("/nowhere")


def containers_of(*containers, workload="shop/web"):
    return Target(Workload(workload, Kind.CONTAINER), containers, "")


def process(name="api"):
    return Target(Workload(f"local/{name}", Kind.PROCESS), (), name)


def settings_with(folder=NOWHERE, **commands):
    """Defaults, with these in ``responder.commands``."""
    settings = settings_module.defaults(folder, {})
    return dataclasses.replace(settings, responder=dataclasses.replace(settings.responder, commands=commands))


async def act(action, step, target, *, engine=None, socket=NOWHERE, settings=None):
    """What the action says; raises what it raises, and TimeoutError when it takes longer than the step may."""
    settings = settings or settings_with()
    session = Mock(spec=aiohttp.ClientSession)
    tools = Tools(engine, GuardianClient(socket), session, SystemClock(), lambda: settings)
    async with asyncio.timeout(step.timeout):
        return await action.apply(step, target, tools)
