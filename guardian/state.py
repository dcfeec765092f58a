"""What survives the guardian: which processes run, so that the next one adopts them, and what it was told."""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from guardian.policy import Cause
from guardian.waiting import to_the_end
from homeostat import files
from homeostat.processes import ProcessId
from homeostat.settings import ProcessSpec

log = structlog.get_logger()

_FILE = "guardian.json"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Record(_Strict):
    """One process. ``pid`` and ``start`` are those of the running one, None when there is none.

    ``settled``: it ended and is left alone. ``is_stopped``: a request stopped it. ``spec_hash``: of what was started.
    """

    pid: int | None = None
    start: float | None = None
    spec_hash: str = ""
    exit_code: int | None = None
    restarts: Mapping[Cause, int] = Field(default_factory=dict)
    settled: Literal["exited", "crash_looping"] | None = None
    is_stopped: bool = False

    @property
    def process(self) -> ProcessId | None:
        if self.pid is None or self.start is None:
            return None
        return ProcessId(self.pid, self.start)


class _Document(_Strict):
    version: Literal[1] = 1
    #: Pids and starts mean nothing after a reboot.
    boot_id: str
    processes: Mapping[str, Record] = Field(default_factory=dict)


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
            document = _Document.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except ValidationError as err:
            aside = self._path.with_name(f"{_FILE}.corrupt")
            self._path.replace(aside)
            problem = err.errors(include_url=False, include_input=False)[0]["msg"]
            log.error("state.corrupt", path=str(self._path), aside=str(aside), problem=problem)  # noqa: TRY400 - data, no bug
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
        data = document.model_dump_json(indent=1).encode()
        try:
            await asyncio.to_thread(files.write_atomic, self._path, data)
        except OSError as err:
            log.error("state.write_failed", path=str(self._path), error=str(err))  # noqa: TRY400 - the disk, no bug


def after_reboot(record: Record) -> Record:
    """No process runs any more, and what ended by itself gets a new chance; a stopped one stays stopped."""
    return record.model_copy(update={"pid": None, "start": None, "settled": None})


def spec_hash(spec: ProcessSpec) -> str:
    """Of what the process itself sees: when that changed, the one that runs is not the one that is wanted."""
    seen = spec.model_dump(mode="json", include={"command", "cwd", "env", "user"})
    return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()[:16]
