"""The action ``prune`` on real files: what is old and meant goes, and nothing leads out of the folder."""

import asyncio
import contextlib
import dataclasses
import mmap
import os
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from fakes.acting import act, containers_of, process, settings_with
from fakes.containers import container

from homeostat.errors import NotSupported, Permanent
from homeostat.globs import parse_file_glob
from homeostat.steps import PruneStep
from responder.actions import oldfiles
from responder.actions.oldfiles import Sweep, is_held
from responder.actions.prune import Prune

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows opens no folder by another")

HOUR = 3600.0


@pytest.fixture
def logs(tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


def put(path, age_s=2 * HOUR, content=b"x" * 5000):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (time.time(), time.time() - age_s))
    return path


def pruning(*globs, **values):
    return PruneStep(action="prune", files=tuple(map(str, globs)), **{"older_than": HOUR, **values})


async def prune(*globs, state_dir=None, target=None, **values):
    settings = settings_with()
    if state_dir:
        settings = dataclasses.replace(settings, state_dir=state_dir)
    return await act(Prune(), pruning(*globs, **values), target or containers_of(container()), settings=settings)


def left(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


@pytest.mark.parametrize("target", [process(), containers_of(container())], ids=["process", "containers"])
async def test_old_files_that_are_meant_are_deleted_and_told(logs, target):
    put(logs / "a.log.1")
    put(logs / "a.log.2", content=b"x" * 2**20)
    put(logs / "a.log")
    put(logs / "a.log.3", age_s=60.0)
    put(logs / "sub" / "a.log.4")

    result = await prune(logs / "*.log.*", target=target)

    assert result.detail == "2 files deleted, 1.0 MiB"
    assert left(logs) == ["a.log", "a.log.3", "sub/a.log.4"]


async def test_all_of_several_globs_and_all_folders_below(logs, tmp_path):
    put(logs / "a.log.1")
    put(logs / "x" / "y" / "a.log.1")
    put(logs / "x" / "y" / "a.txt")
    put(tmp_path / "dumps" / "core.12")

    result = await prune(logs / "**" / "*.log.*", tmp_path / "dumps" / "core.*")

    assert result.detail.startswith("3 files deleted, ")
    assert left(logs) == ["x/y/a.txt"]


async def test_a_file_written_just_now_or_in_the_future_stays(logs):
    put(logs / "a.log", age_s=0.0)
    put(logs / "b.log", age_s=-HOUR)

    result = await prune(logs / "*.log")

    assert result.reason == "there is nothing older than 3600 s to delete"
    assert left(logs) == ["a.log", "b.log"]


async def test_with_no_such_folder_it_is_passed_over(tmp_path):
    result = await prune(tmp_path / "nothing" / "*.log")

    assert result.reason == "there is nothing older than 3600 s to delete"


# --- What it must not touch


async def test_only_plain_files_are_deleted(logs, tmp_path):
    put(tmp_path / "outside")
    (logs / "folder.log").mkdir()
    (logs / "link.log").symlink_to(tmp_path / "outside")
    (logs / "dangling.log").symlink_to(tmp_path / "nothing")
    os.mkfifo(logs / "pipe.log")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(logs / "socket.log"))
    old = (time.time(), time.time() - 2 * HOUR)
    for path in logs.iterdir():
        os.utime(path, old, follow_symlinks=False)

    result = await prune(logs / "*.log")
    listening.close()

    assert result.reason == "there is nothing older than 3600 s to delete"
    assert len(list(logs.iterdir())) == 5
    assert (tmp_path / "outside").exists()


@pytest.mark.parametrize("glob", ["*/*.log", "**/*.log"])
async def test_a_link_to_a_folder_is_not_followed(logs, tmp_path, glob):
    put(tmp_path / "outside" / "a.log")
    (logs / "link").symlink_to(tmp_path / "outside")

    result = await prune(f"{logs}/{glob}")

    assert result.reason == "there is nothing older than 3600 s to delete"
    assert (tmp_path / "outside" / "a.log").exists()


async def test_a_link_in_the_spelt_out_folder_is_refused_and_told(logs, tmp_path):
    put(logs / "a.log")
    (tmp_path / "link").symlink_to(logs)

    with pytest.raises(Permanent) as caught:
        await prune(tmp_path / "link" / "*.log")

    words = "a link, or no folder; links are not followed"
    assert str(caught.value) == f"nothing could be deleted: 1 left: {tmp_path}/link: {words}"
    assert (logs / "a.log").exists()


async def test_names_are_names_whatever_is_in_them(logs, tmp_path):
    put(tmp_path / "b.log")
    hostile = ["-rf", "a\nb.log", "$(id).log", "*.log", "[a].log", "\udcff.log", " .log"]
    for name in hostile:
        put(logs / name)

    await prune(logs / "*.log")

    assert left(logs) == ["-rf"]
    assert (tmp_path / "b.log").exists()


async def test_state_dir_is_not_entered(logs):
    put(logs / "state" / "ledger.db")
    put(logs / "state" / "deeper" / "x.db")
    put(logs / "other" / "x.db")

    result = await prune(logs / "**" / "*.db", state_dir=logs / "state")

    assert result.detail.startswith("1 files deleted")
    assert left(logs) == ["state/deeper/x.db", "state/ledger.db"]


@pytest.mark.parametrize("glob", ["state/*.db", "state/deeper/*.db", "s*/*.db"])
async def test_state_dir_is_known_by_what_it_is_and_not_by_its_name(logs, tmp_path, glob):
    put(logs / "state" / "ledger.db")
    put(logs / "state" / "deeper" / "x.db")
    (tmp_path / "link").symlink_to(logs / "state")

    result = await prune(f"{logs}/{glob}", state_dir=tmp_path / "link")

    assert result.reason
    assert left(logs) == ["state/deeper/x.db", "state/ledger.db"]


# --- Who holds it


async def test_a_file_that_a_process_holds_open_stays(logs):
    for name in ("read.log", "written.log", "mapped.log", "free.log"):
        put(logs / name)
    with (
        (logs / "read.log").open("rb"),
        (logs / "written.log").open("ab"),
        (logs / "mapped.log").open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
    ):
        file.close()
        result = await prune(logs / "*.log")

        assert result.detail == "1 files deleted, 0.0 MiB, 3 left that a process holds open"
        assert left(logs) == ["mapped.log", "read.log", "written.log"]
        assert mapped[:1] == b"x"
        result = await prune(logs / "*.log")
        words = "that no process holds open (3 are held)"
        assert result.reason == f"there is nothing older than 3600 s to delete {words}"


def test_who_opens_a_file_while_it_is_looked_at_does_us_no_harm(logs):
    """The kernel tells the holder of a lease by a signal: by default one that would end the responder."""
    put(logs / "a.log")
    over = threading.Event()

    def open_it():
        while not over.is_set():
            (logs / "a.log").open("rb").close()

    opener = threading.Thread(target=open_it)
    opener.start()
    folder = os.open(logs, os.O_RDONLY)
    try:
        found = {is_held(folder, "a.log") for _ in range(3000)}
    finally:
        over.set()
        opener.join()
        os.close(folder)

    assert False in found  # and we are still here


async def test_a_file_with_another_name_frees_nothing(logs, tmp_path):
    put(logs / "a.log", content=b"x" * 2**20)
    os.link(logs / "a.log", tmp_path / "kept")

    result = await prune(logs / "*.log")

    assert result.detail == "1 files deleted, 0.0 MiB"
    assert (tmp_path / "kept").stat().st_size == 2**20


# --- Races: somebody changes folders under our hands


@pytest.fixture
def before_opening(monkeypatch):
    """Calls a function just before a folder of this name is opened."""
    true_open = os.open

    def arrange(name, change):
        def opened(path, *arguments, **keywords):
            if path == name:
                change()
            return true_open(path, *arguments, **keywords)

        monkeypatch.setattr(oldfiles.os, "open", opened)

    return arrange


@pytest.mark.parametrize("glob", ["sub/*.log", "s*/*.log", "**/*.log"])
async def test_a_link_put_in_the_place_of_a_folder_leads_nowhere(logs, tmp_path, before_opening, glob):
    put(logs / "sub" / "a.log")
    put(tmp_path / "outside" / "a.log")

    def swap():
        if not (logs / "sub").is_symlink():
            (logs / "sub").rename(logs / "moved")
            (logs / "sub").symlink_to(tmp_path / "outside")

    before_opening("sub", swap)

    with contextlib.suppress(Permanent):
        await prune(f"{logs}/{glob}")

    assert (logs / "sub").is_symlink()
    assert (tmp_path / "outside" / "a.log").exists()


async def test_a_file_that_became_a_link_meanwhile_takes_its_target_not_along(logs, tmp_path, before_opening):
    put(logs / "a.log")
    put(tmp_path / "outside")

    def swap():
        (logs / "a.log").unlink(missing_ok=True)
        (logs / "a.log").symlink_to(tmp_path / "outside")

    before_opening("a.log", swap)

    with pytest.raises(Permanent, match=r"a\.log"):
        await prune(logs / "*.log")

    assert (tmp_path / "outside").exists()


def test_folders_that_are_swapped_all_the_time_lead_nowhere(logs, tmp_path):
    outside = [put(tmp_path / "outside" / f"{n}.log") for n in range(20)]
    (tmp_path / "link").symlink_to(tmp_path / "outside")
    over = threading.Event()

    def swap():
        while not over.is_set():
            with contextlib.suppress(OSError):
                (logs / "sub").rename(tmp_path / "real")
                (tmp_path / "link").rename(logs / "sub")
                (logs / "sub").rename(tmp_path / "link")
                (tmp_path / "real").rename(logs / "sub")

    put(logs / "sub" / "0.log")
    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        sweep = Sweep(before=time.time() - HOUR, forbidden=(), is_over=lambda: False)
        deadline = time.monotonic() + 1.0
        while time.monotonic() < deadline:
            sweep.run([parse_file_glob(f"{logs}/*/*.log"), parse_file_glob(f"{logs}/sub/*.log")])
    finally:
        over.set()
        swapper.join()

    assert all(path.exists() for path in outside)
    assert sweep.swept.refused > 0  # links were met


# --- Where it fails


@contextlib.contextmanager
def as_nobody():
    """Root may delete everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def foreign():
    """A folder of somebody else's, that everybody may enter."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        put(folder / "a.log")
        folder.chmod(0o555)
        yield folder
        folder.chmod(0o755)


async def test_what_may_not_be_deleted_is_told(foreign):
    with as_nobody(), pytest.raises(Permanent) as caught:
        await prune(foreign / "*.log")

    assert str(caught.value) == f"nothing could be deleted: 1 left: {foreign}/a.log: Permission denied"
    assert (foreign / "a.log").exists()


async def test_what_could_be_deleted_counts_and_the_rest_is_told(logs, foreign):
    put(logs / "a.log")
    (logs / "link").symlink_to("/")
    for folder in (logs.parent.parent.parent, logs.parent.parent, logs.parent, logs):
        assert folder.exists()

    result = await prune(logs / "*.log", logs / "link" / "*.log")

    assert result.detail == (
        f"1 files deleted, 0.0 MiB, 1 left: {logs}/link: a link, or no folder; links are not followed"
    )


async def test_without_an_engine_there_are_no_images_to_delete(logs):
    with pytest.raises(NotSupported, match="no container engine is configured"):
        await prune(dangling_images=True)


async def test_more_than_a_bound_is_left_for_the_next_time(logs, monkeypatch):
    monkeypatch.setattr(oldfiles, "MOST_FILES", 3)
    for n in range(5):
        put(logs / f"{n}.log")

    result = await prune(logs / "*.log")

    assert result.detail.startswith("3 files deleted, 0.0 MiB, more are left")
    assert len(left(logs)) == 2


async def test_folders_are_not_followed_for_ever(logs):
    deepest = logs.joinpath(*["d"] * 40)
    put(deepest / "a.log")
    put(logs / "a.log")

    result = await prune(logs / "**" / "*.log")

    assert result.detail.startswith("1 files deleted")
    assert (deepest / "a.log").exists()


async def test_when_the_step_is_given_up_the_thread_ends_soon(logs, monkeypatch):
    for n in range(2000):
        put(logs / f"{n}.log", content=b"")
    true_stat = os.stat

    def slow_stat(*arguments, **keywords):
        time.sleep(0.01)
        return true_stat(*arguments, **keywords)

    monkeypatch.setattr(oldfiles.os, "stat", slow_stat)
    pruned = asyncio.create_task(prune(logs / "*.log"))
    await asyncio.sleep(0.3)
    pruned.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pruned
    monkeypatch.undo()
    await asyncio.sleep(0.1)
    count = len(left(logs))
    await asyncio.sleep(0.3)

    assert 0 < count < 2000
    assert len(left(logs)) == count


async def test_when_its_time_is_over_it_tells_what_it_did(logs, monkeypatch):
    for n in range(200):
        put(logs / f"{n}.log", content=b"")
    true_stat = os.stat

    def slow_stat(*arguments, **keywords):
        time.sleep(0.01)
        return true_stat(*arguments, **keywords)

    monkeypatch.setattr(oldfiles.os, "stat", slow_stat)

    result = await prune(logs / "*.log", timeout=0.5)

    assert "more are left (at most 10000 at a time, within the step's time)" in result.detail
