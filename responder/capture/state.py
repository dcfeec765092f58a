"""What it is and how it ended before: exit code, OOM kill, restarts, times, image."""

from homeostat.clock import rfc3339
from homeostat.containers import Container, Engine
from homeostat.errors import HomeostatError
from responder.capture.asking import engine_of, status_of
from responder.capture.base import CaptureTools, Section, Subject
from responder.capture.redact import secrets_of


async def look(subject: Subject, tools: CaptureTools, within_s: float) -> Section:
    """Of a container from inspect, with the secrets of its environment; of a process from the guardian."""
    if subject.container is not None:
        return await _container(subject.container, engine_of(tools), within_s)
    status = await status_of(subject, tools)
    return Section(
        {
            "status": status.state,
            "exit_code": status.exit_code,
            "restart_count": status.restarts,
            "started_at": _time(status.started_at),
            "stopped_by_request": status.stopped_by_request,
            "rss_bytes": status.rss_bytes,
            "memory_limit_bytes": status.memory_limit_bytes,
            "open_fds": status.open_fds,
            "cpu_seconds": status.cpu_seconds,
        }
    )


async def _container(container: Container, engine: Engine, within_s: float) -> Section:
    details = await engine.details(container.id, within_s)
    now = details.container
    data = {
        "status": now.status,
        "exit_code": now.exit_code,
        "oom_killed": now.oom_killed,
        "error": details.error,
        "restart_count": now.restart_count,
        "restart_policy": now.restart_policy,
        "started_at": _time(now.started_at),
        "finished_at": _time(now.finished_at),
        "image": now.image,
        "image_id": details.image_id,
        "image_digests": await _digests(details.image_id, engine, within_s),
    }
    return Section(data, secrets_of(details.environment))


async def _digests(image_id: str, engine: Engine, within_s: float) -> object:
    try:
        return list(await engine.image_digests(image_id, within_s))
    except HomeostatError as err:  # its image may be gone while it runs; the rest is known
        return {"not_there": str(err)}


def _time(epoch_s: float | None) -> str | None:
    return None if epoch_s is None else rfc3339(epoch_s)
