"""What its own health check said last: the engine's record of a container, the guardian's word on a process."""

from homeostat.clock import rfc3339
from homeostat.errors import NotFound
from responder.capture.asking import engine_of, status_of
from responder.capture.base import CaptureTools, Section, Subject

#: Of the engine's last five: enough to see whether it is always the same.
_LAST = 3


async def look(subject: Subject, tools: CaptureTools, within_s: float) -> Section:
    """The newest last."""
    if subject.container is None:
        return Section({"last_check_ok": (await status_of(subject, tools)).last_check_ok})
    details = await engine_of(tools).details(subject.container.id, within_s)
    if not details.health_log:
        raise NotFound("no health check has run")
    container = details.container
    checks = [
        {
            "ended_at": None if check.ended_at is None else rfc3339(check.ended_at),
            "exit_code": check.exit_code,
            "output": check.output.strip(),
        }
        for check in details.health_log[-_LAST:]
    ]
    return Section({"status": container.health, "failing_streak": container.health_failing_streak, "checks": checks})
