"""A real guardian in a process of its own, over real processes, for tests that kill it."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

from guardian.child import Launcher
from homeostat.clock import SystemClock
from homeostat.errors import Unreachable
from homeostat.guardian_client import GuardianClient, ProcessStatus
from homeostat.platforms import control_socket_path, detect
from homeostat.processes import system_processes

PROCESSES = system_processes(detect())


def python(script: str) -> list[str]:
    return [sys.executable, "-u", "-c", script]


class Guarded:
    """One settings file and state folder; guardians come and go on them."""

    def __init__(self, folder: Path, listen: str, processes: Mapping[str, Mapping[str, object]]) -> None:
        self.folder = folder
        self.state_dir = folder / "state"
        self.listen = listen
        self.client = GuardianClient(control_socket_path(self.state_dir))
        self._guardian: asyncio.subprocess.Process | None = None
        self.write(processes)

    def write(self, processes: Mapping[str, Mapping[str, object]]) -> None:
        settings = {"guardian": {"listen": self.listen}, "processes": processes}
        (self.folder / "homeostat.yml").write_text(yaml.safe_dump(settings))

    async def launch(self, *arguments: str) -> asyncio.subprocess.Process:
        """A guardian, which may or may not come up."""
        # Compiled once for all guardians of the test run, whatever the environment says.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(self.folder.parent / "pycache")}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "guardian", "--settings", str(self.folder / "homeostat.yml"), *arguments),
            stderr=asyncio.subprocess.PIPE,
            env=environment,
        )

    async def up(self) -> None:
        """A guardian that answers. Its log is read by :meth:`ended`."""
        self._guardian = await self.launch()
        await self.answers()

    async def answers(self) -> None:
        """Wait until a guardian does."""
        async with asyncio.timeout(15):
            while self._guardian is None or self._guardian.returncode is None:
                with contextlib.suppress(Unreachable):
                    await self.client.processes()
                    return
                await asyncio.sleep(0.02)
        raise AssertionError((await self.ended())[1])

    def signal(self, number: signal.Signals) -> None:
        assert self._guardian is not None
        self._guardian.send_signal(number)

    async def ended(self) -> tuple[int, list[dict[str, object]]]:
        """Exit code and log of the guardian, once it is gone."""
        assert self._guardian is not None
        async with asyncio.timeout(15):
            _, errors = await self._guardian.communicate()
        lines = [json.loads(line) for line in errors.decode().splitlines() if line.startswith("{")]
        code = self._guardian.returncode
        self._guardian = None
        assert code is not None
        return code, lines

    async def status(self, name: str) -> ProcessStatus:
        return next(status for status in await self.client.processes() if status.name == name)

    async def until(self, name: str, timeout_s: float = 10.0, **wanted: object) -> ProcessStatus:
        """The status of the process, once it has all of these values."""
        status = None
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    status = await self.status(name)
                    if all(getattr(status, key) == value for key, value in wanted.items()):
                        return status
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"{name} is {status}, wanted {wanted}") from None

    async def our_pids(self) -> set[int]:
        """Everything that any guardian of this state folder started and that still runs."""
        launcher = Launcher(PROCESSES, SystemClock(), self.state_dir.resolve(), {}, has_pidfd=False)
        return {process.pid for found in (await launcher.marked()).values() for process in found}

    async def clean_up(self) -> None:
        if self._guardian is not None:
            with contextlib.suppress(ProcessLookupError):
                self._guardian.kill()
            await self._guardian.communicate()
        # Until none is left: a process that is being started shows its mark only afterwards.
        async with asyncio.timeout(10):
            while pids := await self.our_pids():
                for pid in pids:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                await asyncio.sleep(0.05)
