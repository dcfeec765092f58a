"""Supervised processes, as the guardian tells of them over its local socket."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from exporters.sources import Sources
from homeostat import names
from homeostat.families import Family, Metric, counter, gauge, labels
from homeostat.guardian_client import ProcessStatus

STATES = ("starting", "running", "backoff", "exited", "crash_looping", "stopped")

#: What a metric says of one process; None when there is nothing to say.
Value = Callable[[ProcessStatus], float | None]


def _alive(value: Value) -> Value:
    return lambda process: value(process) if process.pid else None


_OWN = (names.WORKLOAD, names.PROCESS)
_STATE = gauge(names.PROCESS_STATE, "1 for the state that the guardian tells.", *_OWN, "state")


def _gauge(name: str, help_text: str) -> Metric:
    return gauge(name, help_text, *_OWN)


def _counter(name: str, help_text: str) -> Metric:
    return counter(name, help_text, *_OWN)


#: One row per metric of one value. Adding one is adding a row.
VALUES: tuple[tuple[Metric, Value], ...] = (
    (_gauge(names.PROCESS_RUNNING, "Whether it runs."), lambda p: p.is_running),
    (_gauge(names.PROCESS_STOPPED, "Whether its end was asked for."), lambda p: p.stopped_by_request),
    (
        _gauge(names.PROCESS_CRASH_LOOPING, "Whether the guardian gave up restarting it."),
        lambda p: p.crash_looping,
    ),
    (_counter(names.PROCESS_RESTARTS, "Restarts by the guardian."), lambda p: p.restarts),
    (_gauge(names.PROCESS_EXIT_CODE, "How it last ended; absent before its first end."), lambda p: p.exit_code),
    (_gauge(names.PROCESS_STARTED, "When it last started."), lambda p: p.started_at),
    (
        _gauge(names.PROCESS_MEMORY_LIMIT, "Memory that it may use; 0 means no limit."),
        lambda p: p.memory_limit_bytes or 0,
    ),
    (_gauge(names.PROCESS_RSS, "Resident memory of its whole tree."), _alive(lambda p: p.rss_bytes)),
    (_counter(names.PROCESS_CPU, "CPU time used since it started."), _alive(lambda p: p.cpu_seconds)),
    (_gauge(names.PROCESS_FDS, "Open file descriptors."), _alive(lambda p: p.open_fds)),
)
METRICS: tuple[Metric, ...] = (_STATE, *(metric for metric, _ in VALUES))


def make(sources: Sources) -> "ProcessesCollector | None":
    is_wanted = bool(sources.settings.processes) or sources.guardian.is_there
    return ProcessesCollector(sources.supervised) if is_wanted else None


@dataclass(frozen=True, slots=True)
class ProcessesCollector:
    """Every process that the guardian keeps alive. Unreachable when no guardian answers."""

    supervised: Callable[[], Awaitable[list[ProcessStatus]]]

    @property
    def name(self) -> str:
        return "processes"

    async def collect(self) -> list[Family]:
        processes = await self.supervised()
        state = _STATE.family()
        own = [{names.WORKLOAD: process.workload, names.PROCESS: process.name} for process in processes]
        for pairs, process in zip(own, processes, strict=True):
            for value in STATES:
                state.add(labels(pairs | {"state": value}), value == process.state)
        rendered = [labels(pairs) for pairs in own]
        found = [state]
        for metric, value_of in VALUES:
            family = metric.family()
            for labels_, process in zip(rendered, processes, strict=True):
                if (number := value_of(process)) is not None:
                    family.add(labels_, number)
            found.append(family)
        return found
