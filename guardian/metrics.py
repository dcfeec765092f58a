"""The guardian's own view as Prometheus families; the exporter makes workload metrics of the control socket."""

from collections.abc import Iterable, Sequence

from aiohttp import web

from guardian.model import State
from guardian.policy import Cause
from guardian.status import usages
from guardian.supervise import Supervisor
from homeostat import names
from homeostat.clock import Clock
from homeostat.exposition import metrics_route
from homeostat.families import Family, counter, gauge, labels

_UP = gauge(names.GUARDIAN_UP, "Whether the process runs.", names.WORKLOAD)
_RESTARTS = counter(names.GUARDIAN_RESTARTS, "Restarts by the guardian, by what led to them.", names.WORKLOAD, "reason")
_LOOPING = gauge(
    names.GUARDIAN_CRASH_LOOPING, "Whether the guardian gave up on a process that keeps ending.", names.WORKLOAD
)
_RSS = gauge(names.GUARDIAN_RSS, "Resident memory of the process and its descendants.", names.WORKLOAD)
_CPU = counter(names.GUARDIAN_CPU, "CPU time of the process and its descendants.", names.WORKLOAD)
_FDS = gauge(names.GUARDIAN_FDS, "Open file descriptors of the process and its descendants.", names.WORKLOAD)
METRICS = (_UP, _RESTARTS, _LOOPING, _RSS, _CPU, _FDS)


class ProcessCollector:
    """All supervised processes. Usage is of the whole tree, and absent while a process does not run."""

    name = "guardian_processes"

    def __init__(self, supervisors: Sequence[Supervisor]) -> None:
        self._supervisors = supervisors

    async def collect(self) -> Iterable[Family]:
        up, restarts, looping = _UP.family(), _RESTARTS.family(), _LOOPING.family()
        rss, cpu, fds = _RSS.family(), _CPU.family(), _FDS.family()
        for supervisor, usage in zip(self._supervisors, await usages(self._supervisors), strict=True):
            workload = {names.WORKLOAD: supervisor.process.workload}
            rendered = labels(workload)
            up.add(rendered, float(supervisor.running is not None))
            looping.add(rendered, float(supervisor.state is State.CRASH_LOOPING))
            for cause in Cause:
                by_cause = labels({**workload, "reason": cause.value})
                restarts.add(by_cause, supervisor.restarts[cause])
            if supervisor.running is not None:
                rss.add(rendered, usage.rss_bytes)
                cpu.add(rendered, usage.cpu_seconds)
                fds.add(rendered, usage.open_fds)
        return [up, restarts, looping, rss, cpu, fds]


def metrics_app(supervisors: Sequence[Supervisor], clock: Clock) -> web.Application:
    """``/metrics`` and ``/-/healthy``, which answers as long as the loop turns."""

    async def healthy(_request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    app = web.Application()
    app.add_routes([metrics_route([ProcessCollector(supervisors)], clock), web.get("/-/healthy", healthy)])
    return app
