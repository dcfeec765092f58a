"""Processes as the wire shows them."""

import asyncio
from collections.abc import Sequence

from guardian.model import State
from guardian.policy import Cause
from guardian.supervise import Supervisor
from guardian.usage import Usage
from homeostat.guardian_client import ProcessStatus


async def statuses(supervisors: Sequence[Supervisor]) -> list[ProcessStatus]:
    """What they are now. pid is 0, and usage zero, while one does not run."""
    return [_status(each, usage) for each, usage in zip(supervisors, await usages(supervisors), strict=True)]


async def usages(supervisors: Sequence[Supervisor]) -> list[Usage]:
    """Of all in one thread: the way there and back costs more than what is done there."""
    return await asyncio.to_thread(lambda: [supervisor.read_usage() for supervisor in supervisors])


def _status(supervisor: Supervisor, usage: Usage) -> ProcessStatus:
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
