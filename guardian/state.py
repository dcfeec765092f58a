"""What survives the guardian: which processes run, so that the next one adopts them, and what it was told."""

import asyncio
import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import structlog

from guardian.policy import Cause
from guardian.waiting import to_the_end
from homeostat import files
from homeostat.processes import ProcessId
from homeostat.processspec import ProcessSpec
from homeostat.structure import stored

log = structlog.get_logger()

_FILE = "guardian.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One process. ``pid`` and ``start`` are those of the running one, None when there is none.

    ``settled``: it ended and is left alone. ``is_stopped``: a request stopped it. ``spec_hash``: of what was started.
    """

    pid: int | None = None
    start: float | None = None
    spec_hash: str = ""
    exit_code: int | None = None
    restarts: Mapping[Cause, int] = field(default_factory=dict)
    settled: Literal["exited", "crash_looping"] | None = None
    is_stopped: bool = False

    @property
    def process(self) -> ProcessId | None:
        if self.pid is None or self.start is None:
            return None
        return ProcessId(self.pid, self.start)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    version: Literal[1] = 1
    #: Pids and starts mean nothing after a reboot.
    boot_id: str
    processes: Mapping[str, Record] = field(default_factory=dict)


class StateFile:
    """``guardian.json`` in the state folder; the holder of the folder's lock is its only writer."""

    def __init__(self, state_dir: Path, boot_id: str) -> None:
        self._path = state_dir / _FILE
        self._boot_id = boot_id
        self._records: dict[str, Record] = {}
        self._lock = asyncio.Lock()

    def load(self) -> Mapping[str, Record]:
        """The records. Blocks. A file that is no state file is set aside as ``*.corrupt``, and said so.

        Raises OSError when it cannot be read: its processes may run, so nothing may be started.
        """
        files.remove_stale(self._path)
        try:
            document = stored(_Document, json.loads(self._path.read_bytes()))
        except FileNotFoundError:
            return {}
        except (ValueError, RecursionError) as err:  # no JSON, or not ours
            aside = self._path.with_name(f"{_FILE}.corrupt")
            self._path.replace(aside)
            log.error("state.corrupt", path=str(self._path), aside=str(aside), problem=str(err))  # noqa: TRY400 - data, no bug
            return {}
        self._records = dict(document.processes)
        if document.boot_id != self._boot_id:
            self._records = {n: after_reboot(record) for n, record in self._records.items()}
        return dict(self._records)

    async def put(self, name: str, record: Record | None) -> None:
        """Keep ``record`` durably; None forgets the process. A failure is logged: keeping alive goes on without."""
        if self._records.get(name) == record:
            return
        async with self._lock:
            if record is None:
                self._records.pop(name, None)
            else:
                self._records[name] = record
            await to_the_end(self._write())

    async def _write(self) -> None:
        document = _Document(boot_id=self._boot_id, processes=self._records)
        data = json.dumps(dataclasses.asdict(document), indent=1).encode()
        try:
            await asyncio.to_thread(files.write_atomic, self._path, data)
        except OSError as err:
            log.error("state.write_failed", path=str(self._path), error=str(err))  # noqa: TRY400 - the disk, no bug


def after_reboot(record: Record) -> Record:
    """No process runs any more, and what ended by itself gets a new chance; a stopped one stays stopped."""
    return dataclasses.replace(record, pid=None, start=None, settled=None)


def spec_hash(spec: ProcessSpec) -> str:
    """Of what the process itself sees: when that changed, the one that runs is not the one that is wanted."""
    cwd = None if spec.cwd is None else str(spec.cwd)
    seen = {"command": spec.command, "cwd": cwd, "env": dict(spec.env), "user": spec.user}
    return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()[:16]
