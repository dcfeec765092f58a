"""What a change is about to do, durable before it does it: after a crash the next one finishes it, or takes it back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import structlog

from homeostat import files
from homeostat.configfiles.versions import Version, version_of

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Move:
    """One file's part. ``old``: digest of what is replaced, empty when there was no file; ``old_mode`` and so on: how
    it was. ``version``: what is recorded when it is done.
    """

    name: str
    target: Path
    temp: Path | None
    old: str
    version: Version
    old_mode: int = 0
    old_uid: int = -1
    old_gid: int = -1

    @property
    def new(self) -> str:
        return self.version.digest

    @property
    def in_place(self) -> bool:
        """There is no staged file: the target itself is written."""
        return self.temp is None


class Journal:
    """One file for each change under way, in ``folder``. Raises OSError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self, change: str, moves: Sequence[Move]) -> None:
        """From here on a crash does not stop the change. After an OSError, :meth:`end` it: it may have begun."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.write_atomic(self._path(change), json.dumps([_written(move) for move in moves]).encode())

    def end(self, change: str) -> None:
        """Durable: an entry that came back after a power loss would do again what was refused."""
        if self._path(change).exists():
            self._path(change).unlink()
            files.sync_folder(self._folder)

    def open_ones(self) -> dict[str, list[Move]]:
        """Changes that a crash has cut off. A damaged entry is set aside: nobody knows what it wanted."""
        found = {}
        for path in sorted(self._folder.glob("*.json")):
            try:
                found[path.stem] = [_read(entry) for entry in json.loads(path.read_bytes())]
            except (ValueError, LookupError, TypeError) as err:
                log.warning("config.journal_damaged", path=str(path), problem=str(err))
                files.replace(path, path.with_suffix(".damaged"))
        return found

    def _path(self, change: str) -> Path:
        return self._folder / f"{change}.json"


def _written(move: Move) -> dict[str, object]:
    return asdict(move) | {"target": str(move.target), "temp": str(move.temp or "")}


def _read(entry: Mapping[str, Any]) -> Move:
    parts = {
        "target": Path(entry["target"]),
        "temp": Path(entry["temp"]) if entry["temp"] else None,
        "version": version_of(entry["version"]),
    }
    return Move(**{**entry, **parts})
