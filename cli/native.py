"""homeostat without containers: the guardian, detached, which starts and keeps the rest."""

import asyncio
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import psutil
from rich.console import Console

from cli.ready import Part
from guardian.stack import BIN_VARIABLE
from guardian.state import StateFile
from homeostat import commands, files
from homeostat.errors import HomeostatError, Permanent, Unreachable
from homeostat.guardian_client import GuardianClient
from homeostat.platforms import boot_id, control_socket_path, detect
from homeostat.processes import system_processes
from homeostat.rendering import ROOT, render
from homeostat.settings import Settings

_SERVERS_TIMEOUT_S = 300.0
_DOWN_TIMEOUT_S = 60.0
_LOCK_TRIES = 100
_RESTART_S = 30.0


def parts(settings: Settings) -> list[Part]:
    """What is started, in the order that people think of it."""
    logs = settings.state_dir / "logs"
    return [
        Part("prometheus", settings.stack.prometheus, "/-/ready", f"{logs / 'prometheus.log'}", reload=True),
        Part("alertmanager", settings.stack.alertmanager, "/-/ready", f"{logs / 'alertmanager.log'}", reload=True),
        Part("exporter", settings.exporter.listen, "/-/healthy", f"{logs / 'exporter.log'}"),
        Part("responder", settings.responder.listen, "/-/ready", f"{logs / 'responder.log'}", reload=True),
        Part("guardian", settings.guardian.listen, "/-/healthy", f"{logs / 'guardian.log'}"),
    ]


async def runs(settings: Settings) -> bool:
    """Whether a guardian answers, or processes of one that died are left."""
    client = GuardianClient(control_socket_path(settings.state_dir))
    return await _runs(client) or await asyncio.to_thread(_has_orphans, settings)


async def up(settings: Settings, path: Path, errors: Console) -> list[Part]:
    """Start the guardian unless one runs on this state folder. Raises Permanent when the servers cannot be had."""
    client = GuardianClient(control_socket_path(settings.state_dir))
    if await _runs(client):
        errors.print("homeostat runs already")
        # What it runs with may have changed. The exporter reads its settings only when it starts; the others are told
        # to reload; a change of `processes` needs the guardian itself to start anew.
        render(settings, str(settings.responder.token_files[0].parent), with_guardian=True)
        await client.restart("exporter", None, _RESTART_S)
        return parts(settings)
    environment = {**os.environ, BIN_VARIABLE: str(await _servers(errors))}
    await asyncio.to_thread(_start_guardian, settings, path, environment)
    return parts(settings)


def _start_guardian(settings: Settings, path: Path, environment: Mapping[str, str]) -> None:
    logs = settings.state_dir / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    argv = (sys.executable, "-m", "guardian", "--stack", "--settings", str(path.resolve()))
    spec = commands.SpawnSpec(argv, logs / "guardian.log", environment, cwd=ROOT)
    commands.spawn(spec, system_processes(detect())).let_go()


async def down(settings: Settings, path: Path, errors: Console) -> None:
    """Ask the guardian to end everything, itself last; bring back one that died before its processes did."""
    client = GuardianClient(control_socket_path(settings.state_dir))
    if not await _runs(client):
        if not await asyncio.to_thread(_has_orphans, settings):
            errors.print("homeostat does not run here")
            return
        errors.print("the guardian is gone, its processes are not: starting one that ends them")
        environment = {**os.environ, BIN_VARIABLE: str(await _servers(errors))}
        await asyncio.to_thread(_start_guardian, settings, path, environment)
        await _until(client, runs=True)
    await client.shutdown(_DOWN_TIMEOUT_S)
    await _until(client, runs=False)
    await asyncio.to_thread(_wait_for_lock, settings)


def _wait_for_lock(settings: Settings) -> None:
    """Its socket closes a little before the guardian ends; the lock is the last that it gives back."""
    for _ in range(_LOCK_TRIES):
        try:
            with files.lock(settings.state_dir / "guardian.lock"):
                return
        except files.Locked:
            threading.Event().wait(0.1)
    raise Unreachable(f"the guardian of {settings.state_dir} does not end; see its log")


def _has_orphans(settings: Settings) -> bool:
    if not settings.state_dir.is_dir():
        return False
    records = StateFile(settings.state_dir, boot_id()).load()
    return any(record.pid is not None and psutil.pid_exists(record.pid) for record in records.values())


async def _until(client: GuardianClient, *, runs: bool) -> None:
    try:
        async with asyncio.timeout(_DOWN_TIMEOUT_S):
            while await _runs(client) != runs:  # noqa: ASYNC110 - another process; nothing here could set an event
                await asyncio.sleep(0.1)
    except TimeoutError:
        state = "does not start" if runs else "does not end"
        raise Unreachable(f"the guardian {state} within {_DOWN_TIMEOUT_S:g} s; see its log") from None


async def _runs(client: GuardianClient) -> bool:
    try:
        await client.processes()
    except Unreachable:
        return False
    except HomeostatError:
        return True
    return True


async def _servers(errors: Console) -> Path:
    """The folder of the server binaries; scripts/servers finds or gets them, and says what it cannot."""
    with errors.status("looking for Prometheus and Alertmanager"):
        result = await commands.run((str(ROOT / "scripts/servers"), "--print"), timeout_s=_SERVERS_TIMEOUT_S)
    lines = result.output.strip().splitlines()
    if result.exit_code != 0 or not lines:
        raise Permanent("Prometheus and Alertmanager cannot be had:\n" + result.output)
    return Path(lines[-1])
