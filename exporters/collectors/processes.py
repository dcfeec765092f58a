"""Supervised processes, as the guardian tells of them over its local socket."""

from collections.abc import Callable
from dataclasses import dataclass

from homeostat import names
from homeostat.exposition import Family, MetricType, gauge, labels
from homeostat.guardian_client import GuardianClient, ProcessStatus

STATES = ("starting", "running", "backoff", "exited", "crash_looping", "stopped")

#: What a metric says of one process; None when there is nothing to say.
Value = Callable[[ProcessStatus], float | None]


def _alive(value: Value) -> Value:
    return lambda process: value(process) if process.pid else None


_GAUGE, _COUNTER = MetricType.GAUGE, MetricType.COUNTER
#: One row per metric. Adding one: a name in homeostat.names and a row here.
METRICS: tuple[tuple[str, MetricType, str, Value], ...] = (
    (names.PROCESS_RUNNING, _GAUGE, "Whether it runs.", lambda p: p.is_running),
    (names.PROCESS_STOPPED, _GAUGE, "Whether its end was asked for.", lambda p: p.stopped_by_request),
    (names.PROCESS_CRASH_LOOPING, _GAUGE, "Whether the guardian gave up restarting it.", lambda p: p.crash_looping),
    (names.PROCESS_RESTARTS, _COUNTER, "Restarts by the guardian.", lambda p: p.restarts),
    (names.PROCESS_EXIT_CODE, _GAUGE, "How it last ended; absent before its first end.", lambda p: p.exit_code),
    (names.PROCESS_STARTED, _GAUGE, "When it last started.", lambda p: p.started_at),
    (
        names.PROCESS_MEMORY_LIMIT,
        _GAUGE,
        "Memory that it may use; 0 means no limit.",
        lambda p: p.memory_limit_bytes or 0,
    ),
    (names.PROCESS_RSS, _GAUGE, "Resident memory of its whole tree.", _alive(lambda p: p.rss_bytes)),
    (names.PROCESS_CPU, _COUNTER, "CPU time used since it started.", _alive(lambda p: p.cpu_seconds)),
    (names.PROCESS_FDS, _GAUGE, "Open file descriptors.", _alive(lambda p: p.open_fds)),
)


@dataclass(frozen=True, slots=True)
class ProcessesCollector:
    """Every process that the guardian keeps alive. Unreachable when no guardian answers."""

    guardian: GuardianClient

    @property
    def name(self) -> str:
        return "processes"

    async def collect(self) -> list[Family]:
        processes = await self.guardian.processes()
        state = gauge(names.PROCESS_STATE, "1 for the state that the guardian tells.")
        own = [{names.WORKLOAD: process.workload, names.PROCESS: process.name} for process in processes]
        for pairs, process in zip(own, processes, strict=True):
            for value in STATES:
                state.add(labels(pairs | {"state": value}), value == process.state)
        rendered = [labels(pairs) for pairs in own]
        found = [state]
        for name, type_, help_text, value_of in METRICS:
            family = Family(name, type_, help_text)
            for labels_, process in zip(rendered, processes, strict=True):
                if (number := value_of(process)) is not None:
                    family.add(labels_, number)
            found.append(family)
        return found
