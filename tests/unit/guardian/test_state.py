"""What survives the guardian, and what a damaged file costs: nothing but a line in the log."""

import dataclasses
import hashlib
import json
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from guardian.policy import Cause
from guardian.state import Record, StateFile, spec_hash
from homeostat import files
from homeostat.processes import ProcessId
from homeostat.processspec import ProcessSpec

RUNNING = Record(pid=42, start=12.25, spec_hash="ab", exit_code=1, restarts={Cause.EXIT: 3})


async def written(tmp_path, boot_id: str = "boot", **records: Record) -> None:
    state = StateFile(tmp_path, boot_id)
    for name, record in records.items():
        await state.put(name, record)


async def test_records_come_back(tmp_path):
    await written(tmp_path, web=RUNNING, job=Record(settled="exited"))

    found = StateFile(tmp_path, "boot").load()

    assert found == {"web": RUNNING, "job": Record(settled="exited")}
    assert found["web"].process == ProcessId(42, 12.25)


def test_the_file_of_an_earlier_release_is_read(tmp_path):
    record = {"pid": 42, "start": 12.25, "spec_hash": "ab", "exit_code": 1, "restarts": {"exit": 3}, "settled": None}
    document = {"version": 1, "boot_id": "boot", "processes": {"web": {**record, "is_stopped": False}}}
    (tmp_path / "guardian.json").write_text(json.dumps(document, indent=1))

    assert StateFile(tmp_path, "boot").load() == {"web": RUNNING}


async def test_a_forgotten_process_is_gone(tmp_path):
    state = StateFile(tmp_path, "boot")
    await state.put("web", RUNNING)
    await state.put("web", None)

    assert StateFile(tmp_path, "boot").load() == {}


async def test_after_a_reboot_no_process_runs_and_only_what_was_stopped_stays_so(tmp_path):
    await written(tmp_path, web=RUNNING, loop=Record(settled="crash_looping"), off=Record(is_stopped=True))

    found = StateFile(tmp_path, "next boot").load()

    assert (found["web"].process, found["web"].restarts) == (None, {Cause.EXIT: 3})
    assert (found["loop"].settled, found["off"].is_stopped) == (None, True)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 500,
        b"{",
        b"[]",
        b'{"version": 2, "boot_id": "x"}',
        b'{"boot_id": "x", "processes": {"a": {"pid": "x"}}}',
    ],
)
def test_a_damaged_file_is_set_aside_and_said_so(tmp_path, content):
    (tmp_path / "guardian.json").write_bytes(content)

    with capture_logs() as logs:
        found = StateFile(tmp_path, "boot").load()

    assert found == {}
    assert [line["event"] for line in logs] == ["state.corrupt"]
    assert (tmp_path / "guardian.json.corrupt").read_bytes() == content
    assert not (tmp_path / "guardian.json").exists()


def test_no_file_is_no_problem(tmp_path):
    with capture_logs() as logs:
        assert StateFile(tmp_path, "boot").load() == {}

    assert logs == []


def test_a_file_that_cannot_be_read_is_not_taken_for_an_empty_one(tmp_path):
    (tmp_path / "guardian.json").mkdir()

    with pytest.raises(OSError, match="directory"):
        StateFile(tmp_path, "boot").load()


async def test_a_full_disk_is_said_and_survived(tmp_path, monkeypatch):
    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "write_atomic", full)
    with capture_logs() as logs:
        await StateFile(tmp_path, "boot").put("web", RUNNING)

    assert [line["event"] for line in logs] == ["state.write_failed"]


def test_the_hash_of_earlier_releases_is_kept_so_that_an_upgrade_restarts_nothing():
    spec = ProcessSpec(command=("a", "-b"), cwd=Path("/srv"), env={"A": "b"})
    seen = '{"command": ["a", "-b"], "cwd": "/srv", "env": {"A": "b"}, "user": null}'

    assert spec_hash(spec) == hashlib.sha256(seen.encode()).hexdigest()[:16]


def test_only_what_the_process_sees_changes_its_hash():
    spec = ProcessSpec(command=("a",))

    assert spec_hash(spec) == spec_hash(dataclasses.replace(spec, restart="always", stop_grace=1.0))
    for change in ({"command": ("b",)}, {"env": {"A": "b"}}, {"user": "nobody"}):
        assert spec_hash(spec) != spec_hash(dataclasses.replace(spec, **change))
