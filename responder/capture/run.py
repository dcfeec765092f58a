"""Takes the evidence before a hard step: all sources at once, within a bound, and never in the way of the repair."""

import asyncio

from homeostat.containers import Container
from homeostat.errors import HomeostatError
from responder.capture.asking import in_thread
from responder.capture.assemble import assemble
from responder.capture.base import CaptureBounds, CaptureTools, Section, Source, Subject
from responder.capture.sources import SOURCES
from responder.targets import Target

#: Of a scaled workload, those that look worst: a room for all of them would be too small for each.
_MOST_SUBJECTS = 4
#: Read of all logs together and searched for causes; less of it is kept.
_LOG_BYTES = 128 * 1024
#: Of the seconds, for the sources; the rest is for redacting and cutting what they found.
_LOOKING = 0.9


async def capture(target: Target, tools: CaptureTools, bounds: CaptureBounds) -> dict[str, object]:
    """The evidence, JSON of at most ``bounds.bytes``, within ``bounds.seconds``; what is not there says why.

    ``{"seconds": 0.2, "causes": [{"cause", "count", "line"}], "subjects": {name: {source: data}}}``, or
    ``{"seconds", "not_there": why}``. Never raises but for cancellation.
    """
    began = tools.clock.monotonic()
    try:
        async with asyncio.timeout(bounds.seconds):
            evidence = await _capture(target, tools, bounds)
    except TimeoutError:
        evidence = {"not_there": f"not within {bounds.seconds:g} s"}
    except Exception as err:  # noqa: BLE001 - a defect here must not cost the repair; its text may hold what it was about
        evidence = {"not_there": f"unexpected {type(err).__name__}"}
    return {"seconds": round(tools.clock.monotonic() - began, 3), **evidence}


async def _capture(target: Target, tools: CaptureTools, bounds: CaptureBounds) -> dict[str, object]:
    subjects = subjects_of(target)
    deadline = asyncio.get_running_loop().time() + bounds.seconds * _LOOKING
    async with asyncio.TaskGroup() as group:
        tasks = {
            subject.name: {
                source.name: group.create_task(_look(source, subject, tools, bounds, deadline)) for source in SOURCES
            }
            for subject in subjects
        }
    found = {name: {source: task.result() for source, task in each.items()} for name, each in tasks.items()}
    room = CaptureBounds(bounds.seconds, bounds.bytes - len('"seconds": 12.345, '))
    secrets = {secret.decode(errors="replace") for secret in tools.secrets()}
    return await in_thread(lambda: assemble(found, SOURCES, secrets, room))


def subjects_of(target: Target) -> list[Subject]:
    """The process, or the containers that look worst."""
    if target.process:
        return [Subject(target.process, None, _LOG_BYTES)]
    worst = sorted(target.containers, key=_looks_good)[:_MOST_SUBJECTS]
    return [Subject(container.name, container, _LOG_BYTES // len(worst)) for container in worst]


def _looks_good(container: Container) -> tuple[bool, bool]:
    return container.status == "running", container.health != "unhealthy"


async def _look(
    source: Source, subject: Subject, tools: CaptureTools, bounds: CaptureBounds, deadline: float
) -> Section | str:
    """What it found, or why not."""
    within_s = bounds.seconds * _LOOKING
    try:
        async with asyncio.timeout_at(deadline):
            return await source.look(subject, tools, within_s)
    except TimeoutError:
        return f"not within {bounds.seconds:g} s"
    except HomeostatError as err:
        return str(err)
    except Exception as err:  # noqa: BLE001 - one source's defect must not cost the others
        return f"unexpected: {err!r}"
