"""Who reads managed files, against what is in them: what they started with, and what they see now.

A file that is mounted by itself into a container is another one there once it is replaced on the host: the container
goes on seeing the old one, through ``/proc/PID/root``.
"""

import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import structlog

from exporters.configredeploy import Redeploy
from exporters.configwatch import ConfigWatch, Report
from homeostat.clock import Clock
from homeostat.configfiles.integrity import State
from homeostat.configfiles.spec import ManagedFile, Rereads
from homeostat.containers import Container
from homeostat.errors import HomeostatError
from homeostat.guardian_client import ProcessStatus
from homeostat.threads import run_in_thread
from homeostat.workloads import LOCAL

log = structlog.get_logger()

ROUND_S = 5.0


@dataclass(frozen=True, slots=True)
class Reader:
    """One container, or one supervised process (``container`` is empty), that reads one file. None: cannot be told."""

    file: str
    workload: str
    container: str
    #: It started while the file was damaged, and will not read it again by itself.
    is_outdated: bool | None = None
    #: It sees another file than the host.
    is_stale: bool | None = None
    #: Docker Compose would make it anew by now.
    needs_redeploy: bool | None = None


@dataclass(slots=True)
class ConfigReaders:
    """``containers``: those that run now. ``processes``: all, as of now. ``proc``: the host's."""

    watch: ConfigWatch
    clock: Clock
    containers: Callable[[], Awaitable[Sequence[Container]]]
    processes: Callable[[], Awaitable[Sequence[ProcessStatus]]]
    redeploy: Redeploy | None = None
    proc: Path = Path("/proc")
    _readers: Sequence[Reader] = ()

    def readers(self) -> Sequence[Reader]:
        """As of the last round; none of those that could not be asked for."""
        return self._readers

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                self._readers = await self._round()
            except HomeostatError:  # rounds of the watch stand still: its collector tells of it
                self._readers = ()
            except Exception:  # a worker loop: one round that fails must not end the exporter
                log.exception("config.readers_failed")
                self._readers = ()
            await self.clock.sleep(ROUND_S)

    async def _round(self) -> Sequence[Reader]:
        reports = {report.name: report for report in self.watch.reports()}
        specs = {name: spec for name, spec in self.watch.files.specs.items() if spec.workloads}
        wanted = {workload for spec in specs.values() for workload in spec.workloads}
        containers = await self._containers(wanted)
        processes = await self._processes(wanted)
        if self.redeploy is not None:
            await self.redeploy.look(specs, containers)
        found = []
        for name, spec in specs.items():
            report = reports.get(name, Report(name))
            found += await run_in_thread(partial(self._of, spec, report, containers), lambda: None)
            found += [_process(spec, report, each) for each in processes if _is_reader(each, spec)]
        return found

    async def _containers(self, wanted: set[str]) -> Sequence[Container]:
        if all(workload.startswith(f"{LOCAL}/") for workload in wanted):
            return ()
        try:
            return [each for each in await self.containers() if each.workload_id in wanted]
        except HomeostatError:
            return ()  # the containers collector tells of it

    async def _processes(self, wanted: set[str]) -> Sequence[ProcessStatus]:
        if not any(workload.startswith(f"{LOCAL}/") for workload in wanted):
            return ()
        try:
            return await self.processes()
        except HomeostatError:
            return ()

    def _of(self, spec: ManagedFile, report: Report, containers: Sequence[Container]) -> list[Reader]:
        own = (each for each in containers if each.workload_id in spec.workloads and each.is_running)
        return [self._one(spec, report, container) for container in own]

    def _one(self, spec: ManagedFile, report: Report, container: Container) -> Reader:
        return Reader(
            file=report.name,
            workload=container.workload_id,
            container=container.name,
            is_outdated=_is_outdated(spec, report, container.started_at),
            is_stale=_is_stale(spec.path, container, self.proc),
            needs_redeploy=self.redeploy.of(spec, container) if self.redeploy is not None else None,
        )


def _is_reader(status: ProcessStatus, spec: ManagedFile) -> bool:
    """One that was stopped reads nothing, and must not be started again for it."""
    return status.is_running and status.workload in spec.workloads


def _process(spec: ManagedFile, report: Report, status: ProcessStatus) -> Reader:
    return Reader(report.name, status.workload, "", _is_outdated(spec, report, status.started_at))


def _is_outdated(spec: ManagedFile, report: Report, started_at: float | None) -> bool | None:
    """None while the file is damaged, too: nobody can read it any better then."""
    if spec.rereads is not Rereads.AT_START or started_at is None:
        return None
    if report.integrity is None or report.integrity.state is State.DAMAGED:
        return None
    if report.damaged_spell is None:
        return False
    begun_at, ended_at = report.damaged_spell
    return begun_at <= started_at <= ended_at


def _is_stale(path: Path, container: Container, proc: Path) -> bool | None:
    """None for a container that does not see the file, or that we may not look into."""
    inside = _path_inside(path, container)
    if inside is None or not container.pid:
        return None
    root = proc / str(container.pid) / "root"
    try:
        # From here a link in the container would lead somewhere on the host; `root` itself is one, of the kernel's.
        if any((root / each.relative_to("/")).is_symlink() for each in inside.parents[:-1]):
            return None
        seen = _identity((root / inside.relative_to("/")).lstat())
        # The same link in a folder that both see, or what a link leads to, mounted by itself.
        return seen not in {_identity(path.stat()), _identity(path.lstat())}
    except OSError:
        return None


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _path_inside(path: Path, container: Container) -> PurePosixPath | None:
    """Where the container sees the file: the deepest mount that has it."""
    at = PurePosixPath(path)
    for bind in sorted(container.binds, key=lambda each: len(each.source), reverse=True):
        if at.is_relative_to(bind.source):
            return PurePosixPath(bind.target) / at.relative_to(bind.source)
    return None
