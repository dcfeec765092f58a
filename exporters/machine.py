"""What is measured of the machine that the exporter runs on: host, clock and groups of processes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from exporters.host.engineclock import EngineClock
from exporters.host.labelsets import HostLabels
from exporters.host.source import HostSample, HostSource, system_reader
from exporters.host.timex import AdjTimex, system_adjtimex
from exporters.processgroups import GroupSample, ProcessGroups
from exporters.processtable import ProcessTable, system_table
from exporters.together import Together
from homeostat import platforms
from homeostat.clock import Clock
from homeostat.sections import ExporterSettings


@dataclass(frozen=True, slots=True)
class Machine:
    """Long-lived; None for what is not measured here. Each may be asked by several scrapes at once."""

    host: Callable[[], Awaitable[HostSample]] | None = None
    host_labels: HostLabels = field(default_factory=HostLabels)
    engine_clock: EngineClock | None = None
    adjtimex: AdjTimex | None = None
    process_groups: Callable[[], Awaitable[Mapping[str, GroupSample]]] | None = None
    sessions: "Sessions" = field(default_factory=lambda: Sessions(system_table(platforms.detect())))


class Sessions:
    """Processes by the sessions that they are of. One scan at a time: a second waits for the first."""

    def __init__(self, table: ProcessTable) -> None:
        self._groups = ProcessGroups({}, table)
        self._scanning = asyncio.Lock()

    async def __call__(self, leaders: Mapping[int, str]) -> Mapping[str, GroupSample]:
        """``leaders``: pid of a session's leader -> what to call it."""
        # Who gives up leaves the scan to end by itself, and the next one waiting for that.
        return await asyncio.shield(asyncio.ensure_future(self._scan(leaders)))

    async def _scan(self, leaders: Mapping[int, str]) -> Mapping[str, GroupSample]:
        async with self._scanning:
            return await asyncio.to_thread(self._groups.sample, leaders)


def connect(settings: ExporterSettings, clock: Clock, engine_time: Callable[[], Awaitable[float]] | None) -> Machine:
    """``engine_time``: the Docker Engine's clock, None without one. A node_exporter tells of the host by itself."""
    platform, groups = platforms.detect(), settings.process_groups
    return Machine(
        host=None if settings.node_exporter else Together(HostSource(system_reader(platform)).sample),
        engine_clock=None if engine_time is None else EngineClock(engine_time, clock),
        adjtimex=system_adjtimex(),
        process_groups=_shared(ProcessGroups(groups, system_table(platform))) if groups else None,
    )


def _shared(groups: ProcessGroups) -> Together[Mapping[str, GroupSample]]:
    async def sample() -> Mapping[str, GroupSample]:
        return await asyncio.to_thread(groups.sample)

    return Together(sample)
