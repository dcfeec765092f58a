"""People are told once, and that they could not be is no reason to stop."""

import pytest
from structlog.testing import capture_logs

from guardian.escalate import CrashLoopNotice, escalate

NOTICE = CrashLoopNotice("web", "local/web", 5, 120.0, 3, log="web.log")


async def test_people_are_told():
    told = []

    async def notify(notice):
        told.append(notice)

    with capture_logs() as logs:
        await escalate(NOTICE, notify)

    assert told == [NOTICE]
    assert [(line["event"], line["log_level"], line["workload"]) for line in logs] == [
        ("process.crash_looping", "error", "local/web")
    ]


async def test_without_a_way_to_tell_it_is_logged_alone():
    with capture_logs() as logs:
        await escalate(NOTICE, None)

    assert [line["event"] for line in logs] == ["process.crash_looping"]


@pytest.mark.parametrize("error", [OSError("refused"), ValueError("bug"), TimeoutError()])
async def test_a_failure_to_tell_is_logged(error):
    async def notify(notice):
        raise error

    with capture_logs() as logs:
        await escalate(NOTICE, notify)

    assert [line["event"] for line in logs] == ["process.crash_looping", "process.escalation_failed"]
