"""When restarting is no repair: one line, and one call to people for each crash loop."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

log = structlog.get_logger()

#: For ``notify``: an Alertmanager that does not answer must not keep the guardian.
_DEADLINE_S = 10.0


@dataclass(frozen=True, slots=True)
class CrashLoopNotice:
    """``count`` ends within ``window_s``; ``exit_code`` of the last one, None when unknown."""

    name: str
    workload: str
    count: int
    window_s: float
    exit_code: int | None
    log: Path


Notify = Callable[[CrashLoopNotice], Awaitable[None]]


async def escalate(notice: CrashLoopNotice, notify: Notify | None) -> None:
    """Tell people. Never raises: that nobody could be told is logged."""
    log.error(
        "process.crash_looping",
        workload=notice.workload,
        ends=notice.count,
        window_s=notice.window_s,
        exit_code=notice.exit_code,
        log=str(notice.log),
    )
    if notify is None:
        return
    try:
        async with asyncio.timeout(_DEADLINE_S):
            await notify(notice)
    except Exception as err:  # noqa: BLE001 - whatever keeps people from being told, watching goes on
        log.error("process.escalation_failed", workload=notice.workload, error=repr(err))  # noqa: TRY400 - as above
