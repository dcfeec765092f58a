"""What supervised processes use, with all of their sessions: the guardian tells which, the system tells what."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from exporters.processgroups import GroupSample
from exporters.sources import Sources
from homeostat import names
from homeostat.families import Family, Metric, counter, gauge, labels
from homeostat.guardian_client import ProcessStatus

#: What a metric says of one process's session; None when there is nothing to say.
Value = Callable[[GroupSample], float | None]

_OWN = (names.WORKLOAD, names.PROCESS)
_UNSEEN = "absent when the exporter may not see it of every one"


def _gauge(name: str, help_text: str) -> Metric:
    return gauge(f"homeostat_process_{name}", help_text, *_OWN)


_SWITCHES = counter(
    "homeostat_process_context_switches_total",
    "Context switches of main threads, voluntary (it waited) or involuntary (others had to run), since the exporter "
    "started; those of processes that have ended stay counted.",
    *_OWN,
    "kind",
)
#: One row per metric of one value. Adding one is adding a row.
VALUES: tuple[tuple[Metric, Value], ...] = (
    (_gauge("processes", "Processes of its session, without zombies."), lambda g: g.processes),
    (_gauge("threads", "Threads of all of them."), lambda g: g.threads),
    (_gauge("anon_memory_bytes", "Anonymous resident memory: what leaks. Linux only."), lambda g: g.anon_bytes),
    (
        _gauge("worst_fd_ratio", f"Largest share of its own soft limit of open files that any has open; {_UNSEEN}."),
        lambda g: g.worst_fd_ratio,
    ),
)
METRICS: tuple[Metric, ...] = (_SWITCHES, *(metric for metric, _ in VALUES))


def make(sources: Sources) -> "ProcessResourcesCollector | None":
    is_wanted = bool(sources.settings.processes) or sources.guardian.is_there
    return ProcessResourcesCollector(sources.supervised, sources.machine.sessions) if is_wanted else None


@dataclass(frozen=True, slots=True)
class ProcessResourcesCollector:
    """Every process that the guardian keeps alive and that runs. Unreachable when no guardian answers."""

    supervised: Callable[[], Awaitable[list[ProcessStatus]]]
    sessions: Callable[[Mapping[int, str]], Awaitable[Mapping[str, GroupSample]]]

    @property
    def name(self) -> str:
        return "process_resources"

    async def collect(self) -> list[Family]:
        # The guardian starts each process as the leader of a session of its own.
        running = {process.pid: process for process in await self.supervised() if process.pid}
        samples = await self.sessions({pid: process.workload for pid, process in running.items()})
        return families([(process, samples[process.workload]) for process in running.values()])


def families(rows: list[tuple[ProcessStatus, GroupSample]]) -> list[Family]:
    """All families over all processes."""
    own = [{names.WORKLOAD: process.workload, names.PROCESS: process.name} for process, _ in rows]
    switches = _SWITCHES.family()
    for pairs, (_, sample) in zip(own, rows, strict=True):
        switches.add(labels(pairs | {"kind": "voluntary"}), sample.voluntary_switches)
        switches.add(labels(pairs | {"kind": "involuntary"}), sample.involuntary_switches)
    rendered = [labels(pairs) for pairs in own]
    found = [switches]
    for metric, value_of in VALUES:
        pairs_of = ((labels_, value_of(sample)) for labels_, (_, sample) in zip(rendered, rows, strict=True))
        found.append(metric.family((labels_, value) for labels_, value in pairs_of if value is not None))
    return found
