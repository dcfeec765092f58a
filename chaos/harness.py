"""A whole homeostat of its own (ports, state, settings) beside whatever else runs: for demo, benchmarks, tests."""

import contextlib
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from chaos.shop import run_or_raise
from homeostat.settings import Settings, load

_HOMEOSTAT = Path(sys.executable).parent / "homeostat"


@dataclass(slots=True)
class Stack:
    """homeostat on ``workdir/homeostat.yml``. ``mode``: compose or native."""

    workdir: Path
    mode: str
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def settings_file(self) -> Path:
        return self.workdir / "homeostat.yml"

    @property
    def settings(self) -> Settings:
        return load(self.settings_file)

    def configure(self) -> None:
        """Write the settings: free ports, everything else as shipped but for ``extra``."""
        self.workdir.mkdir(parents=True, exist_ok=True)
        listen = [f"127.0.0.1:{port}" for port in free_ports(5)]
        data: dict[str, Any] = {
            "exporter": {"listen": listen[0]},
            "responder": {
                "listen": listen[1],
                "prometheus_url": f"http://{listen[3]}",
                "alertmanager_url": f"http://{listen[4]}",
                "token_files": ["secrets/webhook-token"],
            },
            "guardian": {"listen": listen[2]},
            "stack": {"prometheus": listen[3], "alertmanager": listen[4]},
        }
        for section, values in self.extra.items():
            data[section] = {**data.get(section, {}), **values}
        self.settings_file.write_text(yaml.safe_dump(data, sort_keys=False))

    async def up(self) -> None:
        """Start and wait until ready. Raises Permanent."""
        await self._homeostat("up", "--mode", self.mode)

    async def down(self) -> None:
        """End it; in containers its volumes too, which `homeostat down` keeps."""
        await self._homeostat("down", "--mode", self.mode)
        if self.mode == "compose":
            label = f"label=com.docker.compose.project={self._project}"
            volumes = (await run_or_raise("docker", "volume", "ls", "--quiet", "--filter", label)).split()
            if volumes:
                await run_or_raise("docker", "volume", "rm", *volumes)

    @property
    def _project(self) -> str:
        return f"{self.workdir.name}-stack".lower()

    async def _homeostat(self, *arguments: str) -> None:
        # As users run it: with bytecode that was compiled once, whatever the shell of a developer says.
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment = {**inherited, "COMPOSE_PROJECT_NAME": self._project}
        await run_or_raise(str(_HOMEOSTAT), *arguments, "--settings", str(self.settings_file), env=environment)


@contextlib.contextmanager
def working_folder(name: str) -> Iterator[Path]:
    """A new folder that the shop's database user can enter, too. Kept, to be looked at, when the block fails."""
    folder = Path(tempfile.mkdtemp(prefix=f"homeostat-{name}-", dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def free_ports(count: int) -> list[int]:
    """Loopback ports that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()
