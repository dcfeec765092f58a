"""The run itself, part by part."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp
import docker
import yaml
from rich.console import Console
from rich.progress import Progress

from benchmarks.exporter import encoding
from benchmarks.exporter.crowd import OwnCgroups, RealContainers, engine_of
from benchmarks.exporter.subject import Cost, Subject, samples, started
from chaos.harness import free_ports
from chaos.shop import has_engine

_CONTAINERS = ("containers", "container_resources")
_SETTLE_S = 12.0
_SCRAPES = 40
_EVERY_S = 0.5
_HOST_SCRAPES = 40
_GROWTH_SCRAPES = 15
_STARTED_SHARE = 10
_MB = 1e6


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of what."""

    repetitions: int
    containers: int
    cycles: int
    growth_containers: Sequence[int]
    growth_processes: Sequence[int]
    node_exporter: str


@dataclass(slots=True)
class Figures:
    """Raw results; one entry per repetition. ``growth_*``: (how many, CPU seconds per scrape)."""

    kind: str = ""
    containers: int = 0
    container_costs: list[Cost] = field(default_factory=list)
    baseline_costs: list[Cost] = field(default_factory=list)
    series_per_container: float = 0.0
    rss_mb: float = 0.0
    rss_growth_mb: float | None = None
    host: list[Cost] = field(default_factory=list)
    node_exporter: list[Cost] = field(default_factory=list)
    encoder_us: list[tuple[float, float]] = field(default_factory=list)
    growth_containers: list[tuple[int, float]] = field(default_factory=list)
    growth_processes: list[tuple[int, float]] = field(default_factory=list)


async def measure(plan: Plan, workdir: Path, console: Console, exits: AsyncExitStack) -> Figures:
    """Everything. ``exits`` ends what was started. Raises RuntimeError where nothing can be measured."""
    figures = Figures()
    session = await exits.enter_async_context(aiohttp.ClientSession())
    progress = exits.enter_context(Progress(console=console))
    # Before the crowd: node_exporter tells of each container's mount and interface as if they were the host's.
    await _host_and_encoder(plan, figures, workdir, session, progress)
    crowd = await _crowd(figures, workdir, exits)
    subject = await exits.enter_async_context(_exporter(workdir, session, "containers", crowd.host, _CONTAINERS))
    figures.baseline_costs = [await subject.scrape(_SCRAPES, _EVERY_S)]
    await _fill(crowd, plan.containers, progress)
    await asyncio.sleep(_SETTLE_S)
    task = progress.add_task("container path", total=plan.repetitions)
    for _ in range(plan.repetitions):
        figures.container_costs.append(await subject.scrape(_SCRAPES, _EVERY_S))
        progress.advance(task)
    figures.containers = plan.containers
    figures.series_per_container = _series(await subject.page(), plan.containers)
    figures.rss_mb = subject.rss_bytes() / _MB
    if plan.cycles and isinstance(crowd.containers, RealContainers):
        figures.rss_growth_mb = await _churn(plan.cycles, crowd.containers, subject, progress)
        figures.rss_mb = max(figures.rss_mb, subject.rss_bytes() / _MB)
    await crowd.containers.remove()
    figures.growth_containers = await _grow_containers(plan, workdir, session, progress)
    figures.growth_processes = await _grow_processes(plan, workdir, session, progress)
    return figures


@dataclass(slots=True)
class _Engine:
    """A crowd and the engine that tells of it; ``host`` None is the machine's own."""

    containers: RealContainers | OwnCgroups
    host: str | None


async def _crowd(figures: Figures, workdir: Path, exits: AsyncExitStack) -> _Engine:
    if await has_engine():
        figures.kind = "real containers"
        real = RealContainers(docker.from_env())
        exits.push_async_callback(real.remove)
        return _Engine(real, None)
    if not OwnCgroups.is_possible():
        raise RuntimeError("no engine, and no right to make cgroups: run as root")
    figures.kind = "own cgroups"
    return await _own_crowd(workdir / "crowd.sock", exits)


async def _own_crowd(socket: Path, exits: AsyncExitStack) -> _Engine:
    own = OwnCgroups()
    exits.push_async_callback(own.remove)
    await exits.enter_async_context(engine_of(own, socket))
    return _Engine(own, f"unix://{socket}")


async def _fill(crowd: _Engine, count: int, progress: Progress) -> None:
    task = progress.add_task("starting containers", total=count)
    for _ in range(0, count, 10):
        await crowd.containers.add(10)
        progress.advance(task, 10)


@asynccontextmanager
async def _exporter(
    workdir: Path,
    session: aiohttp.ClientSession,
    name: str,
    engine: str | None,
    collect: Sequence[str],
    *,
    watches_containers: bool = True,
    **exporter: Any,
) -> AsyncIterator[Subject]:
    """homeostat's exporter as it is run, on a port of its own."""
    listen = f"127.0.0.1:{free_ports(1)[0]}"
    settings = workdir / f"{name}.yml"
    docker_settings: dict[str, Any] = {"enabled": watches_containers} | ({"host": engine} if engine else {})
    settings.write_text(
        yaml.safe_dump(
            {"exporter": {"listen": listen, **exporter}, "docker": docker_settings, "state_dir": str(workdir / name)}
        )
    )
    argv = [sys.executable, "-m", "exporters", "--settings", str(settings)]
    async with started(argv, f"http://{listen}/metrics", session, collect) as subject:
        yield subject


async def _host_and_encoder(
    plan: Plan, figures: Figures, workdir: Path, session: aiohttp.ClientSession, progress: Progress
) -> None:
    """Each beside what it is compared with, in turns."""
    ours = encoding.families()
    registry = encoding.client_registry(ours)
    node_listen = f"127.0.0.1:{free_ports(1)[0]}"
    node_argv = [
        plan.node_exporter,
        f"--web.listen-address={node_listen}",
        "--no-collector.systemd",
        "--no-collector.textfile",
    ]
    task = progress.add_task("host path and encoder", total=plan.repetitions)
    async with (
        _exporter(workdir, session, "host", None, ("host",), watches_containers=False) as host,
        started(node_argv, f"http://{node_listen}/metrics", session) as node,
    ):
        await host.scrape(5)
        await node.scrape(5)
        for _ in range(plan.repetitions):
            figures.host.append(await host.scrape(_HOST_SCRAPES, 0.05))
            figures.node_exporter.append(await node.scrape(_HOST_SCRAPES, 0.05))
            figures.encoder_us.append(encoding.us_per_sample(ours, registry))
            progress.advance(task)


def _series(page: str, containers: int) -> float:
    own = [line for line in page.splitlines() if line.startswith("homeostat_container_")]
    return samples("\n".join(own)) / containers


async def _churn(cycles: int, crowd: RealContainers, subject: Subject, progress: Progress) -> float:
    """Growth of RSS in MB while containers come and go, scraped all the time; one in ten also runs for a moment."""
    task = progress.add_task("containers come and go", total=cycles)
    # What it takes once, whatever comes: buffers of pages, threads of the engine's client.
    for number in range(cycles // 10):
        await crowd.cycle(is_started=number % _STARTED_SHARE == 0)
    await subject.scrape(20, 0.1)
    before = await _settled_rss(subject)
    for number in range(cycles):
        await crowd.cycle(is_started=number % _STARTED_SHARE == 0)
        if number % 5 == 0:
            await subject.page()
        progress.advance(task)
    await asyncio.sleep(_SETTLE_S)
    await subject.scrape(20, 0.1)
    return (await _settled_rss(subject) - before) / _MB


async def _settled_rss(subject: Subject) -> float:
    readings = []
    for _ in range(5):
        await subject.page()
        readings.append(subject.rss_bytes())
        await asyncio.sleep(0.2)
    return median(readings)


async def _grow_containers(
    plan: Plan, workdir: Path, session: aiohttp.ClientSession, progress: Progress
) -> list[tuple[int, float]]:
    if not plan.growth_containers or not OwnCgroups.is_possible():
        return []
    async with AsyncExitStack() as exits:
        crowd = await _own_crowd(workdir / "growth.sock", exits)
        subject = await exits.enter_async_context(_exporter(workdir, session, "growth", crowd.host, _CONTAINERS))
        found, there = [], 0
        for count in plan.growth_containers:
            await _fill(crowd, count - there, progress)
            there = count
            await asyncio.sleep(_SETTLE_S)
            costs = [await subject.scrape(_GROWTH_SCRAPES) for _ in range(plan.repetitions)]
            found.append((count, median(cost.cpu_per_scrape_s for cost in costs)))
        return found


async def _grow_processes(
    plan: Plan, workdir: Path, session: aiohttp.ClientSession, progress: Progress
) -> list[tuple[int, float]]:
    """Processes that a group matches, so that everything about each is read."""
    if not plan.growth_processes:
        return []
    sleepers: list[asyncio.subprocess.Process] = []
    groups = {"sleepers": {"names": ["sleep"]}}
    task = progress.add_task("starting processes", total=plan.growth_processes[-1])
    found = []
    async with _exporter(
        workdir, session, "processes", None, ("process_groups",), watches_containers=False, process_groups=groups
    ) as subject:
        try:
            for count in plan.growth_processes:
                while len(sleepers) < count:
                    sleepers.append(await asyncio.create_subprocess_exec("sleep", "3600"))
                    progress.advance(task)
                await subject.scrape(2)
                costs = [await subject.scrape(_GROWTH_SCRAPES) for _ in range(plan.repetitions)]
                found.append((count, median(cost.cpu_per_scrape_s for cost in costs)))
        finally:
            for sleeper in sleepers:
                sleeper.kill()
            await asyncio.gather(*(sleeper.wait() for sleeper in sleepers))
    return found
