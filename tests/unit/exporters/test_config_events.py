"""Who looks at files is woken by what happens to them, and by nothing else; where the kernel is silent, by polling."""

import asyncio
import contextlib
import errno
import threading
import time

import pytest
from blockbuster import blockbuster_ctx
from structlog.testing import capture_logs

from exporters.configevents import Events

#: Much longer than an event takes, also where it is polled for.
LONG_S = 10.0
#: In which nothing must come.
SHORT_S = 0.3


async def is_woken(events, at_most_s):
    """Whether it did not have to wait for so long."""
    begun = time.monotonic()
    await events.wait(at_most_s)
    return time.monotonic() - begun < at_most_s


def rename_over(path):
    (new := path.with_name("new")).write_text("2")
    new.replace(path)


CHANGES = {
    "written": lambda path: path.write_text("2"),
    "replaced": rename_over,
    "moved away": lambda path: path.rename(path.with_name("old")),
    "removed": lambda path: path.unlink(),
    "of another mode": lambda path: path.chmod(0o600),
}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / ".env"
    path.write_text("1")
    return path


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_what_happens_to_a_file_wakes(change, path):
    events = Events([path])
    async with events.running():
        change(path)

        assert await is_woken(events, LONG_S)


async def test_a_file_that_appears_wakes(path):
    path.unlink()
    events = Events([path])
    async with events.running():
        path.write_text("1")

        assert await is_woken(events, LONG_S)


async def test_reading_it_and_what_happens_beside_it_wakes_nobody(path):
    events = Events([path])
    async with events.running():
        path.read_text()
        (path.parent / "growing.log").write_text("1")

        assert not await is_woken(events, SHORT_S)


async def test_two_files_of_one_folder_both_wake(path):
    other = path.parent / "other.yml"
    events = Events([path, other])
    async with events.running():
        for each in (path, other):
            each.write_text("2")
            assert await is_woken(events, LONG_S)
            await is_woken(events, SHORT_S)  # what else belongs to the same write


async def test_where_the_kernel_is_silent_it_is_polled(path, tmp_path):
    mounts = tmp_path / "mounts"
    folder = str(path.parent).replace(" ", "\\040")
    mounts.write_text(f"proc /proc proc rw 0 0\nC:\\134 {folder} 9p rw 0 0\n")
    events = Events([path], mounts)
    async with events.running():
        threads = {type(thread).__name__ for thread in threading.enumerate()}
        path.write_text("22")

        assert await is_woken(events, LONG_S)
    assert "PollingObserver" in threads
    assert not {name for name in threads if "notify" in name.lower()}


async def test_a_folder_that_is_not_there_is_said_once_and_the_others_are_watched(path, tmp_path):
    with capture_logs() as logs:
        events = Events([tmp_path / "nowhere" / "x.yml", path])
        async with events.running():
            path.write_text("2")
            woken = await is_woken(events, LONG_S)

    assert woken
    [said] = logs
    assert (said["event"], said["folder"]) == ("config.folder_not_watched", str(tmp_path / "nowhere"))


async def test_a_kernel_that_has_no_watches_left_keeps_nobody_from_looking(path, monkeypatch):
    def refuse():
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("watchdog.observers.Observer", refuse)
    with capture_logs() as logs:
        events = Events([path])
        async with events.running():
            path.write_text("2")
            woken = await is_woken(events, SHORT_S)

    assert not woken
    assert [(each["event"], each["error"]) for each in logs] == [("config.folder_not_watched", "Too many open files")]


async def test_nothing_blocks_the_loop_and_no_thread_is_left(path):
    before = set(threading.enumerate())
    events = Events([path])
    with blockbuster_ctx():
        async with events.running():
            await events.wait(0.01)
    await ended({each for each in set(threading.enumerate()) - before if "asyncio" not in each.name})


async def ended(threads):
    """They do so soon after they were told."""
    begun = time.monotonic()
    while left := [each for each in threads if each.is_alive()]:
        assert time.monotonic() - begun < LONG_S, left
        await asyncio.sleep(0.02)


async def test_it_ends_when_its_user_is_cancelled(path):
    entered = asyncio.Event()
    events = Events([path])

    async def use():
        async with events.running():
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(use())
    await entered.wait()
    watching = [each for each in threading.enumerate() if type(each).__module__.startswith("watchdog")]
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task

    assert watching
    await ended(watching)
