"""``python -m guardian --settings homeostat.yml``: keep the processes of the file alive.

Exit codes: 0 ended by request; 1 unexpected; 2 wrong settings; 3 the state folder or the address is in use.
"""

import argparse
import asyncio
import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path

if __name__ == "__main__":
    from homeostat.lean import start_lean

    start_lean()

from guardian import app, logs
from guardian.model import Supervised
from guardian.notify import alertmanager_notify
from homeostat import files, log, service
from homeostat.clock import SystemClock
from homeostat.errors import SettingsError
from homeostat.platforms import detect
from homeostat.processes import system_processes
from homeostat.processspec import ProcessSpec
from homeostat.settings import Settings
from homeostat.workloads import LOCAL

#: Project of homeostat's own processes.
_STACK = "homeostat"


def main() -> None:
    arguments = _parse()
    log.configure(verbose=arguments.verbose)
    settings = service.load_or_exit(arguments.settings)
    if arguments.state_dir is not None:
        settings = dataclasses.replace(settings, state_dir=arguments.state_dir.resolve())
    processes = _supervised(LOCAL, settings.processes)
    if arguments.stack:
        processes += _stack(settings, arguments.settings)
    state_dir = settings.state_dir.resolve()
    url = settings.guardian.alertmanager_url
    notify = alertmanager_notify(url, SystemClock()) if url else None
    _serve(app.Config(processes, state_dir, settings.guardian.listen, dict(os.environ), notify))


def _stack(settings: Settings, path: Path) -> list[Supervised]:
    from guardian.stack import stack_processes  # noqa: PLC0415 - only with --stack

    try:
        stack = stack_processes(settings, path)
    except SettingsError as err:
        service.fail(str(err), service.EXIT_SETTINGS)
        raise  # not reached
    for name in stack.keys() & settings.processes.keys():
        allowed = f"with --stack: any but {', '.join(sorted(stack))}"
        service.fail(f"{path}: processes.{name}: is homeostat's own; allowed {allowed}", service.EXIT_SETTINGS)
    return _supervised(_STACK, stack)


def _serve(config: app.Config) -> None:
    platform = detect()
    host = app.Host(platform, system_processes(platform), SystemClock())
    try:
        config.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        logs.folder(config.state_dir).mkdir(mode=0o700, exist_ok=True)
        with files.lock(config.state_dir / "guardian.lock"):
            asyncio.run(_run(config, host))
    except files.Locked as err:
        service.fail(f"another guardian runs on this state folder: {err}", service.EXIT_IN_USE)
    except app.ListenError as err:
        service.fail(str(err), service.EXIT_IN_USE)


async def _run(config: app.Config, host: app.Host) -> None:
    loop = asyncio.get_running_loop()
    end: asyncio.Future[bool] = loop.create_future()

    def stop() -> None:
        if not end.done():
            end.set_result(False)

    service.on_stop(loop, stop)
    await app.run(config, host, end)


def _supervised(project: str, specs: Mapping[str, ProcessSpec]) -> list[Supervised]:
    return [Supervised(name, f"{project}/{name}", spec) for name, spec in specs.items()]


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m guardian", description=__doc__)
    add = parser.add_argument
    add("--settings", type=Path, default=service.DEFAULT_FILE, help="default: %(default)s")
    add("--state-dir", type=Path, help="default: state_dir of the settings")
    add("--stack", action="store_true", help="run Prometheus and homeostat's own processes too")
    add("--verbose", action="store_true", help="log details too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
