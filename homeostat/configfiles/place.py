"""Where managed files are remembered: versions, journal and lock in one folder; and what a crash left there, ended."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from homeostat.configfiles import staging
from homeostat.configfiles.disk import Disk
from homeostat.configfiles.errors import FileRefused
from homeostat.configfiles.journal import Journal, Move
from homeostat.configfiles.locks import locked
from homeostat.configfiles.moves import finish
from homeostat.configfiles.spec import ManagedFile
from homeostat.configfiles.versions import Version, Versions

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Place:
    """``folder``: for homeostat's user alone. ``disk``: what is written with. ``now``: Unix time in seconds."""

    folder: Path
    now: Callable[[], float]
    wait_s: float = 30.0
    disk: Disk = field(default_factory=Disk)

    @property
    def journal(self) -> Journal:
        return Journal(self.folder / "pending")

    def versions(self, name: str) -> Versions:
        return Versions(self.folder / "files" / name)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else changes managed files while the block runs, and what a crash left is ended. Raises Busy,
        FileRefused.
        """
        with locked(self.folder / "lock", self.wait_s):
            try:
                for change, moves in self.journal.open_ones().items():
                    self._end(change, moves)
            except OSError as err:
                raise FileRefused(
                    f"{self.folder}: a change that was cut off cannot be ended: {err.strerror or err}; free disk space "
                    "there, or let homeostat's user write in it; nothing else was changed"
                ) from err
            yield

    def _end(self, change: str, moves: Sequence[Move]) -> None:
        # Of one that is recorded nothing was left to do; what others wrote since is no reason to take it back.
        is_recorded = all(self.versions(move.name).has_change(change) for move in moves)
        is_done = is_recorded or finish(moves, self.versions, self.disk)
        log.warning("config.change_finished" if is_done else "config.change_taken_back", change=change)
        if is_done:
            record(moves, self)
        self.journal.end(change)

    def sweep(self) -> None:
        """Remove what crashes left in the folder itself. Only in :meth:`alone`."""
        staging.sweep_folder(self.folder)
        staging.sweep_folder(self.folder / "pending")
        for folder in (self.folder / "files").glob("*/"):
            staging.sweep_folder(folder)
            staging.sweep_folder(folder / "objects")

    def prune(self, name: str, spec: ManagedFile) -> None:
        """That old versions stay is no reason to say that a change failed."""
        try:
            self.versions(name).prune(spec.keep, self.now() - spec.keep_for)
        except OSError as err:
            log.warning("config.versions_not_pruned", file=name, error=str(err))


def record(moves: Sequence[Move], place: Place) -> list[Version]:
    """In the history, once. Raises OSError."""
    versions = []
    for move in moves:
        history = place.versions(move.name)
        last = history.last()
        is_done = last is not None and last.change == move.version.change
        versions.append(last if is_done and last else history.append(move.version))
    return versions


@contextlib.contextmanager
def keeping(versions: Versions) -> Iterator[None]:
    """What the versions' disk refuses, in words. Raises FileRefused; only where nothing else was changed yet."""
    try:
        yield
    except OSError as err:
        raise FileRefused(
            f"{versions.folder}: versions cannot be kept: {err.strerror or err}; free disk space there, or let "
            "homeostat's user write in it; nothing was changed"
        ) from err
