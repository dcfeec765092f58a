"""Many containers: real ones where there is an engine; else, and for growth, real cgroups with a sleeping process each
and an engine of our own that tells of them over the wire.
"""

import asyncio
import contextlib
import itertools
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
from aiohttp import web

_IMAGE = "python:3.13-slim"
_CGROUPS = Path("/sys/fs/cgroup")
#: Of v1; where two are one, each name links to the pair.
_V1 = ("memory", "cpu", "cpuacct", "cpu,cpuacct", "pids", "blkio")
_V2 = "+cpu +memory +pids +io"
_AT_ONCE = 4


@dataclass(slots=True)
class RealContainers:
    """Sleeping containers of one compose project's labels."""

    client: docker.DockerClient
    project: str = field(default_factory=lambda: f"bench-{secrets.token_hex(4)}")
    _ids: list[str] = field(default_factory=list)
    _number: Iterator[int] = field(default_factory=itertools.count)

    async def add(self, count: int) -> None:
        slots = asyncio.Semaphore(_AT_ONCE)

        async def one() -> None:
            async with slots:
                self._ids.append(await asyncio.to_thread(self._create, is_started=True))

        await asyncio.gather(*(one() for _ in range(count)))

    async def cycle(self, *, is_started: bool) -> None:
        """Create one and remove it."""

        def both() -> None:
            container = self._create(is_started=is_started)
            self.client.api.remove_container(container, force=True)

        await asyncio.to_thread(both)

    async def remove(self) -> None:
        ids, self._ids = self._ids, []
        for container in ids:
            await asyncio.to_thread(self.client.api.remove_container, container, force=True)

    def _create(self, *, is_started: bool) -> str:
        number = next(self._number)
        container = self.client.api.create_container(
            _IMAGE,
            ["sleep", "3600"],
            name=f"{self.project}-web-{number}",
            labels={
                "com.docker.compose.project": self.project,
                "com.docker.compose.service": f"web{number}",
                "com.docker.compose.container-number": "1",
            },
            host_config=self.client.api.create_host_config(mem_limit="64m", init=False),
        )["Id"]
        if is_started:
            self.client.api.start(container)
        return str(container)


@dataclass(slots=True)
class OwnCgroups:
    """Cgroups made here, found by the exporter as any container's are. Needs root."""

    parent: str = field(default_factory=lambda: f"homeostat-bench-{secrets.token_hex(4)}")
    pids: dict[str, int] = field(default_factory=dict)
    _processes: list[asyncio.subprocess.Process] = field(default_factory=list)

    @staticmethod
    def is_possible() -> bool:
        return os.geteuid() == 0 and os.access(_CGROUPS, os.W_OK)

    async def add(self, count: int) -> None:
        for top in self._tops():
            (top / self.parent).mkdir(exist_ok=True)
            if (control := top / self.parent / "cgroup.subtree_control").exists():
                control.write_text(_V2)
        for _ in range(count):
            process = await asyncio.create_subprocess_exec("sleep", "3600")
            self._processes.append(process)
            container = secrets.token_hex(32)
            for folder in self._folders(container):
                folder.mkdir()
                (folder / "cgroup.procs").write_text(str(process.pid))
            self.pids[container] = process.pid

    async def remove(self) -> None:
        for process in self._processes:
            process.kill()
            await process.wait()
        for container in self.pids:
            for folder in self._folders(container):
                folder.rmdir()
        for top in self._tops():
            with contextlib.suppress(FileNotFoundError):
                (top / self.parent).rmdir()

    def _folders(self, container: str) -> list[Path]:
        return [top / self.parent / container for top in self._tops()]

    @staticmethod
    def _tops() -> list[Path]:
        if (_CGROUPS / "cgroup.controllers").exists():
            return [_CGROUPS]
        return [_CGROUPS / name for name in _V1 if (_CGROUPS / name).is_dir() and not (_CGROUPS / name).is_symlink()]


@contextlib.asynccontextmanager
async def engine_of(crowd: OwnCgroups, socket: Path) -> AsyncIterator[None]:
    """An engine on a Unix socket that lists ``crowd``: as much of Docker's API as the exporter asks for."""
    routes = web.RouteTableDef()

    @routes.get("/version")
    @routes.get("/v{version}/version")
    async def version(_request: web.Request) -> web.Response:
        return web.json_response({"Version": "26.1.5", "ApiVersion": "1.45", "MinAPIVersion": "1.24"})

    @routes.get("/v{version}/info")
    async def info(_request: web.Request) -> web.Response:
        return web.json_response({"SystemTime": "2026-01-01T00:00:00Z"})

    @routes.get("/v{version}/containers/json")
    async def listed(_request: web.Request) -> web.Response:
        return web.json_response([_row(container) for container in crowd.pids])

    @routes.get("/v{version}/containers/{id}/json")
    async def inspected(request: web.Request) -> web.Response:
        container = request.match_info["id"]
        return web.json_response(_inspect(container, crowd.pids[container]))

    @routes.get("/v{version}/events")
    async def events(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        await asyncio.Event().wait()
        return response

    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.UnixSite(runner, str(socket)).start()
    try:
        yield
    finally:
        await runner.cleanup()


def _labels(container: str) -> dict[str, str]:
    return {"com.docker.compose.project": "bench", "com.docker.compose.service": f"s{container[:8]}"}


def _row(container: str) -> dict[str, Any]:
    return {
        "Id": container,
        "Names": [f"/bench-{container[:8]}-1"],
        "Image": _IMAGE,
        "Labels": _labels(container),
        "State": "running",
        "Status": "Up 2 minutes",
        "Created": 1_790_000_000,
    }


def _inspect(container: str, pid: int) -> dict[str, Any]:
    return {
        "Id": container,
        "Name": f"/bench-{container[:8]}-1",
        "RestartCount": 0,
        "Config": {"Image": _IMAGE, "Labels": _labels(container)},
        "HostConfig": {"Memory": 0, "NetworkMode": "bridge", "RestartPolicy": {"Name": "always"}},
        "NetworkSettings": {"Networks": {"bench": {"IPAddress": "172.30.0.2"}}},
        "State": {
            "Status": "running",
            "Running": True,
            "Pid": pid,
            "ExitCode": 0,
            "OOMKilled": False,
            "StartedAt": "2026-01-01T00:00:00.5Z",
            "FinishedAt": "0001-01-01T00:00:00Z",
        },
    }
