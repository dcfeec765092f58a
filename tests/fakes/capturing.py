"""What a capture looks at: an engine that tells what a test says, and a target."""

import asyncio
import contextlib
import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

from fakes.containers import container

from homeostat.clock import SystemClock
from homeostat.containerinfo import ContainerDetails, ContainerProcess, ContainerStats, HealthCheck
from homeostat.containers import Container
from homeostat.guardian_client import GuardianClient
from homeostat.workloads import Kind, Workload
from responder.capture import CaptureTools
from responder.targets import Target


@dataclass
class FakeEngine:
    """homeostat.containers.Engine, as far as a capture asks. ``problems``: method -> what it raises; ``slow``: methods
    that never answer. ``asked`` counts calls.
    """

    log: str = "2026-11-24T06:35:23Z ready\n"
    checks: tuple[HealthCheck, ...] = (HealthCheck(1.0, 1, "bad"),)
    environment: dict[str, str] = field(default_factory=dict)
    changes: dict[str, object] = field(default_factory=dict)
    problems: dict[str, Exception] = field(default_factory=dict)
    slow: frozenset[str] = frozenset()
    known: dict[str, Container] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def _answer(self, method: str) -> None:
        self.asked.append(method)
        if method in self.problems:
            raise self.problems[method]
        if method in self.slow:
            await asyncio.Event().wait()

    async def details(self, container_id: str, _timeout_s: float) -> ContainerDetails:
        await self._answer("details")
        told = self.known.get(container_id) or dataclasses.replace(container(), **self.changes)
        return ContainerDetails(told, "", "sha256:abc", self.checks, self.environment)

    async def image_digests(self, _image_id: str, _timeout_s: float) -> tuple[str, ...]:
        await self._answer("image_digests")
        return ("shop@sha256:abc",)

    async def top(self, _container_id: str, _timeout_s: float) -> tuple[ContainerProcess, ...]:
        await self._answer("top")
        return (ContainerProcess(7, "python", "S", 4096, 2, "do_wait"),)

    async def stats(self, _container_id: str, _timeout_s: float) -> ContainerStats:
        await self._answer("stats")
        figures = dict.fromkeys(ContainerStats.__dataclass_fields__)
        return ContainerStats(**{**figures, "memory_usage": 5, "memory": {"anon": 3}, "networks": ()})

    async def logs(self, _container_id: str, _lines: int, _most_bytes: int, _timeout_s: float) -> str:
        await self._answer("logs")
        return self.log


def tools(engine: object, folder: Path, **changes: object) -> CaptureTools:
    """With no processes to see, unless told otherwise."""
    given = {
        "engine": engine,
        "guardian": GuardianClient(folder / "guardian.sock"),
        "clock": SystemClock(),
        "logs": folder / "logs",
        "proc": folder / "proc",
        "cgroups": folder / "cgroups",
    }
    return CaptureTools(**{**given, **changes})


def target(*containers: Container, process: str = "") -> Target:
    """Of these containers, or of a supervised process."""
    name = f"local/{process}" if process else "shop/web"
    return Target(Workload(name, Kind.PROCESS if process else Kind.CONTAINER), containers, process)


@contextlib.contextmanager
def timed(least_s: float, most_s: float):
    """The block takes as long as that."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    yield
    assert least_s <= loop.time() - start <= most_s
