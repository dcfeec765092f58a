"""One process as the wire shows it."""

from guardian.model import State
from guardian.policy import Cause
from guardian.supervise import Supervisor
from homeostat.guardian_client import ProcessStatus


async def status(supervisor: Supervisor) -> ProcessStatus:
    """What it is now. pid is 0, and usage zero, while it does not run."""
    usage = await supervisor.usage()
    running = supervisor.running
    state = supervisor.state
    return ProcessStatus(
        name=supervisor.process.name,
        workload=supervisor.process.workload,
        state=state.value,
        pid=running.id.pid if running else 0,
        exit_code=supervisor.exit_code,
        # By itself, as Docker counts: a restart that was asked for says nothing about the process.
        restarts=sum(count for cause, count in supervisor.restarts.items() if cause is not Cause.REQUEST),
        started_at=running.started_at if running else None,
        rss_bytes=usage.rss_bytes,
        cpu_seconds=round(usage.cpu_seconds, 3),
        open_fds=usage.open_fds,
        memory_limit_bytes=supervisor.process.spec.memory_limit,
        stopped_by_request=state is State.STOPPED,
        crash_looping=state is State.CRASH_LOOPING,
        last_check_ok=supervisor.last_check_ok,
    )
