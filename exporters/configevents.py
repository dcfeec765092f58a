"""Wakes who looks at files as soon as something happens to them: watchdog tells, but what is true is looked up.

Editors replace files, so their folders are watched. Where the kernel tells nothing (a Windows drive under WSL, network
file systems), watchdog's polling observer does.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from homeostat.threads import run_in_thread

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers.api import BaseObserver

log = structlog.get_logger()

#: File systems whose changes are made elsewhere: the kernel here does not hear of them.
_SILENT = frozenset(
    {"9p", "drvfs", "nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "vboxsf", "virtiofs", "fuse.grpcfuse"}
)
_POLL_S = 2.0
_MOUNTS = Path("/proc/self/mounts")
#: Threads that are told to end do so within milliseconds.
_END_S = 5.0
#: What we do ourselves, when we look.
_NO_NEWS = frozenset({"opened", "closed_no_write"})


class Events:
    """About these files, while :meth:`running`; of what else happens in their folders (a log grows) nothing is told."""

    def __init__(self, paths: Iterable[Path], mounts: Path = _MOUNTS) -> None:
        self._names: dict[Path, set[str]] = {}
        for path in paths:
            self._names.setdefault(path.parent, set()).add(path.name)
        self._mounts = mounts
        self._happened = asyncio.Event()

    async def wait(self, at_most_s: float) -> None:
        """Until something happened, or so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await self._happened.wait()
        self._happened.clear()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """A folder that cannot be watched is said once, and looked at by stat alone."""
        loop = asyncio.get_running_loop()

        def tell() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(self._happened.set)

        observers = await run_in_thread(partial(self._start, tell), lambda: None)
        try:
            yield
        finally:
            await asyncio.shield(asyncio.to_thread(_stop, observers))

    def _start(self, tell: Callable[[], None]) -> "Sequence[BaseObserver]":
        # Imported here: only who manages files pays for it.
        from watchdog.observers import Observer  # noqa: PLC0415
        from watchdog.observers.polling import PollingObserver  # noqa: PLC0415

        silent = _silent_mounts(self._mounts)
        observers: dict[bool, BaseObserver] = {}
        for folder, names in sorted(self._names.items()):
            is_silent = any(folder.is_relative_to(mount) for mount in silent)
            try:
                if is_silent not in observers:
                    observer = PollingObserver(timeout=_POLL_S) if is_silent else Observer()
                    observer.start()
                    observers[is_silent] = observer
                observers[is_silent].schedule(_handler(names, tell), str(folder), recursive=False)
            except OSError as err:
                log.warning("config.folder_not_watched", folder=str(folder), error=err.strerror or str(err))
        return list(observers.values())


def _handler(names: set[str], tell: Callable[[], None]) -> "FileSystemEventHandler":
    from watchdog.events import FileSystemEventHandler  # noqa: PLC0415

    class Handler(FileSystemEventHandler):
        """In watchdog's threads."""

        def on_any_event(self, event: "FileSystemEvent") -> None:
            about = {Path(os.fsdecode(path)).name for path in (event.src_path, event.dest_path)}
            if event.event_type not in _NO_NEWS and about & names:
                tell()

    return Handler()


def _stop(observers: "Sequence[BaseObserver]") -> None:
    for observer in observers:
        observer.stop()
    for observer in observers:
        observer.join(timeout=_END_S)


def _silent_mounts(table: Path) -> list[Path]:
    try:
        lines = table.read_text().splitlines()
    except OSError:
        return []
    fields = [line.split(maxsplit=3) for line in lines]
    return [Path(at.replace("\\040", " ")) for _, at, kind, *_ in fields if kind in _SILENT]
