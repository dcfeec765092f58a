"""A small compose project on the real engine, and what an action needs to act on it."""

import contextlib
import json
import subprocess
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from homeostat import settings as settings_module
from homeostat.clock import SystemClock
from homeostat.containers import Container, DockerEngine
from homeostat.directory import describe
from homeostat.guardian_client import GuardianClient
from homeostat.settings import Settings
from responder.actions.base import Memo, Skipped, Tools, Undoable
from responder.targets import Target

#: Without the volume that its image would get for each container, and that compose leaves behind.
REDIS = {
    "image": "redis:8.0",
    "command": ["redis-server", "--save", ""],
    "stop_grace_period": "1s",
    "tmpfs": ["/data"],
}
ENABLED = {"homeostat.enable": "true"}


@dataclass
class Composed:
    """One project in ``folder``. Its containers are removed by :meth:`down`, whoever made them."""

    folder: Path
    name: str = field(default_factory=lambda: f"hs-act-{uuid.uuid4().hex[:8]}")

    @property
    def file(self) -> Path:
        return self.folder / "compose.yml"

    def write(self, services: Mapping[str, Mapping[str, Any]]) -> None:
        self.file.write_text(yaml.safe_dump({"services": services}))

    def compose(self, *words: str) -> str:
        """As its operator does."""
        return docker("compose", "-p", self.name, "-f", str(self.file), *words)

    def up(self, services: Mapping[str, Mapping[str, Any]]) -> None:
        self.write(services)
        self.compose("up", "--detach", "--pull", "never")

    def down(self) -> None:
        label = f"label=com.docker.compose.project={self.name}"
        remove(*docker("ps", "--all", "--quiet", "--filter", label).split())
        for network in docker("network", "ls", "--quiet", "--filter", label).split():
            docker("network", "rm", network)

    def id(self, service: str) -> str:
        """The workload's."""
        return f"{self.name}/{service}"


@dataclass
class Scene:
    """``settings`` may be replaced by a test."""

    project: Composed
    engine: DockerEngine
    tools: Tools
    settings: Settings

    async def containers(self, service: str) -> list[Container]:
        found = await self.engine.list(self.project.id(service))
        return sorted(found, key=lambda each: each.name)

    async def one(self, service: str) -> Container:
        [container] = await self.containers(service)
        return container

    async def target(self, service: str) -> Target:
        """As the resolver finds it for an alert that names no container."""
        containers = await self.containers(service)
        running = tuple(each for each in containers if each.is_running) or tuple(containers)
        return Target(describe(self.project.id(service), containers, self.settings), running, "")

    async def plain_target(self, name: str) -> Target:
        containers = await self.engine.list(f"container/{name}")
        return Target(describe(f"container/{name}", containers, self.settings), tuple(containers), "")


@contextlib.asynccontextmanager
async def scene_of(project: Composed, folder: Path) -> AsyncIterator[Scene]:
    engine = DockerEngine()
    async with aiohttp.ClientSession() as session:
        guardian = GuardianClient(folder / "guardian.sock")
        tools = Tools(engine, guardian, session, SystemClock(), lambda: scene.settings)
        scene = Scene(project, engine, tools, settings_module.defaults(folder, {}))
        try:
            yield scene
        finally:
            await engine.close()
            project.down()


def docker(*words: str) -> str:
    done = subprocess.run(["docker", *words], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def remove(*containers: str) -> None:
    if containers:
        docker("rm", "--force", "--volumes", *containers)


async def remembered(action: Undoable, step: Any, target: Target, tools: Tools) -> Memo:
    """The memo as the ledger gives it back."""
    memo = await action.prepare(step, target, tools)
    assert not isinstance(memo, Skipped), memo.reason
    back: Memo = json.loads(json.dumps(memo))
    return back
