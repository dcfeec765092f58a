"""Who is asked about a subject, and what its process is here."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from homeostat.containers import Container, Engine
from homeostat.errors import NotFound, NotSupported
from homeostat.guardian_client import ProcessStatus
from homeostat.threads import run_in_thread
from responder.capture.base import CaptureTools, Subject
from responder.capture.procfiles import read

T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """``work``'s result. Who gives up waiting leaves the thread behind: reading of a stuck process may never end."""
    return await run_in_thread(work, lambda: None)


def engine_of(tools: CaptureTools) -> Engine:
    """Raises NotSupported when there is none."""
    if tools.engine is None:
        raise NotSupported("no container engine is configured")
    return tools.engine


async def status_of(subject: Subject, tools: CaptureTools) -> ProcessStatus:
    """What the guardian says of a supervised process. Raises Unreachable or NotFound."""
    return await tools.guardian.process(subject.name)


async def pid_of(subject: Subject, tools: CaptureTools) -> int:
    """Its process as it is numbered here. Raises NotFound when it does not run, NotSupported when it is not seen."""
    if subject.container is not None:
        container = subject.container
        return await in_thread(lambda: _pid_of_container(container, tools.proc))
    status = await status_of(subject, tools)
    if not status.pid:
        raise NotFound(f"it does not run: {status.state}")
    folder = tools.proc / str(status.pid)
    if not await in_thread(folder.is_dir):
        raise NotSupported(f"processes are not seen from here: no {folder}")
    return status.pid


def _pid_of_container(container: Container, proc: Path) -> int:
    if not container.is_running:
        raise NotFound(f"it does not run: {container.status}")
    if not container.pid:
        raise NotSupported("the engine does not tell its process")
    # The engine numbers processes as its host does, which may not be this one: 4711 here may be anybody.
    membership = read(proc / str(container.pid) / "cgroup")
    if membership is None:
        raise NotSupported(f"the processes of the engine's host are not seen from here: no {proc}/{container.pid}")
    if container.id.encode() not in membership:
        raise NotSupported(f"the processes of the engine's host are not seen from here: {container.pid} is another one")
    return container.pid
