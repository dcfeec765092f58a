"""examples/shop as a victim: in compose or natively, with what faults need to know of it."""

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml

from homeostat import commands
from homeostat.containers import DockerEngine
from homeostat.errors import HomeostatError, Permanent
from homeostat.guardian_client import GuardianClient
from homeostat.platforms import control_socket_path
from homeostat.rendering import ROOT

FOLDER = ROOT / "examples/shop"
_COMPOSE_TIMEOUT_S = 600.0


class Victim(Protocol):
    """The shop's web service, however it runs."""

    @property
    def workload(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def request_log(self) -> Path: ...
    async def pid(self) -> int: ...
    async def pause(self) -> None: ...


@dataclass(frozen=True, slots=True)
class ComposeShop:
    """The shop as a compose project of its own name, port and log folder."""

    project: str
    port: int
    logs: Path
    config: Path = FOLDER / "config"

    @property
    def workload(self) -> str:
        return f"{self.project}/web"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def request_log(self) -> Path:
        return self.logs / "requests.jsonl"

    def container(self, service: str = "web") -> str:
        return f"{self.project}-{service}-1"

    async def up(self) -> None:
        """Build and start; returns when every service is healthy. Raises Permanent."""
        self.logs.mkdir(parents=True, exist_ok=True)
        self.logs.chmod(0o777)  # the container's user is not ours
        await self.compose("up", "--detach", "--build", "--wait")

    async def down(self) -> None:
        await self.compose("down", "--volumes", "--remove-orphans", "--timeout", "2")

    async def pid(self) -> int:
        return await container_pid(self.container())

    async def pause(self) -> None:
        await run_or_raise("docker", "pause", self.container())

    async def compose(self, *arguments: str) -> str:
        environment = {
            **os.environ,
            "COMPOSE_PROJECT_NAME": self.project,
            "SHOP_WEB_PORT": str(self.port),
            "SHOP_LOG_DIR": str(self.logs),
            "SHOP_CONFIG_DIR": str(self.config),
            "SHOP_FAULTS": "1",
        }
        return await run_or_raise(
            "docker", "compose", "-f", str(FOLDER / "docker-compose.yml"), *arguments, env=environment
        )


@dataclass(frozen=True, slots=True)
class NativeShop:
    """The shop as processes of the guardian of ``state_dir``."""

    state_dir: Path
    port: int
    request_log: Path

    @property
    def workload(self) -> str:
        return "local/web"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def pid(self) -> int:
        statuses = await GuardianClient(control_socket_path(self.state_dir)).processes()
        return next(status.pid for status in statuses if status.workload == self.workload)

    async def pause(self) -> None:
        await run_or_raise("kill", "-STOP", str(await self.pid()))


async def container_pid(name: str) -> int:
    """The pid of a container's first process, on this host. Raises Permanent when it does not run."""
    engine = DockerEngine()
    try:
        container = await engine.inspect(name)
    finally:
        await engine.close()
    if not container.pid:
        raise Permanent(f"{name} does not run: {container.status}")
    return container.pid


async def has_engine() -> bool:
    """Whether a container engine answers."""
    engine = DockerEngine()
    try:
        await engine.version()
    except HomeostatError:
        return False
    finally:
        await engine.close()
    return True


async def run_or_raise(*argv: str, env: Mapping[str, str] | None = None) -> str:
    """The command's output. Raises Permanent with it when the command fails."""
    result = await commands.run(argv, timeout_s=_COMPOSE_TIMEOUT_S, env=env)
    if result.exit_code != 0:
        raise Permanent(f"{' '.join(argv)} failed:\n{result.output}")
    return result.output


async def served(shop: Victim, since: float, until: float) -> list[Mapping[str, object]]:
    """Lines of the shop's own request log whose request ended in that time (epoch seconds)."""
    text = await asyncio.to_thread(shop.request_log.read_text)
    rows = [json.loads(line) for line in text.splitlines() if line.endswith("}")]
    return [row for row in rows if since <= row["ts"] <= until]


def native_sections(state_dir: Path, ports: Sequence[int], python: str) -> dict[str, Any]:
    """``workloads`` and ``processes`` of examples/shop/homeostat.native.yml on four ports and folders of one's own.

    ``ports``: web, worker, redis, postgres.
    """
    text = (FOLDER / "homeostat.native.yml").read_text()
    for shipped, port in zip(("8088", "8089", "6390", "5433"), ports, strict=True):
        text = text.replace(shipped, str(port))
    data: dict[str, Any] = yaml.safe_load(text.replace("state/postgres", str(state_dir / "postgres")))
    for process in data["processes"].values():
        process["cwd"] = str(FOLDER)
        process["command"] = [python if word == "python3" else word for word in process["command"]]
        if "env" in process:
            process["env"]["SHOP_REQUEST_LOG"] = str(state_dir / "requests.jsonl")
    return data
