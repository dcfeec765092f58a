"""Crash-safe files: whatever happens at whatever step, a reader sees the old content or the new."""

import errno
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from homeostat import files

OLD, NEW = b"old " * 2000, b"new " * 3000

#: Runs write_atomic and is killed at system call number argv[2], before or after it is made.
KILLED = """
import os, signal, sys
from pathlib import Path
from homeostat import files
calls = 0
def wrap(name):
    real = getattr(os, name)
    def call(*args, **kwargs):
        global calls
        calls += 1
        if calls == int(sys.argv[2]) and sys.argv[3] == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        if name == "write":
            args = (args[0], args[1][:5000])  # more than one write
        result = real(*args, **kwargs)
        if calls == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return call
for name in ("open", "fchmod", "write", "fsync", "close"):
    setattr(os, name, wrap(name))
files.replace.__defaults__ = (wrap("replace"), *files.replace.__defaults__[1:])
files.write_atomic(Path(sys.argv[1]), b"new " * 3000)
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write_and_die(path: Path, step: int, when: str) -> int:
    return subprocess.run([sys.executable, "-c", KILLED, str(path), str(step), when], check=False).returncode


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_any_step_the_content_is_old_or_new(tmp_path, when):
    path = tmp_path / "state"
    seen = []
    for step in range(1, 30):
        path.write_bytes(OLD)
        code = write_and_die(path, step, when)
        seen.append(path.read_bytes())
        files.remove_stale(path)
        assert names(tmp_path) == ["state"]
        if code == 0:
            break
        assert code == -signal.SIGKILL

    assert set(seen) == {OLD, NEW} and len(seen) > 9
    assert seen == sorted(seen, reverse=True)  # once new, new: "o" sorts after "n"


def test_a_new_file_has_exactly_the_mode_asked_for(tmp_path):
    mask = os.umask(0o077)
    try:
        files.write_atomic(tmp_path / "open", b"x", 0o644)
        files.write_atomic(tmp_path / "closed", b"x")
    finally:
        os.umask(mask)

    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("open", "closed")]
    assert modes == [0o644, 0o600]


def test_a_link_is_followed_not_replaced(tmp_path):
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "target", tmp_path / "link"
    target.write_bytes(OLD)
    link.symlink_to(target)

    files.write_atomic(link, NEW)

    assert (link.is_symlink(), target.read_bytes()) == (True, NEW)


def test_a_full_disk_leaves_the_old_content_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "state"
    path.write_bytes(OLD)

    def full(descriptor, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        files.write_atomic(path, NEW)

    assert (path.read_bytes(), names(tmp_path)) == (OLD, ["state"])


def test_readers_never_see_a_mixture(tmp_path):
    path = tmp_path / "state"
    path.write_bytes(OLD)
    stop = threading.Event()
    seen: set[bytes] = set()

    def read() -> None:
        while not stop.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(50):
        files.write_atomic(path, NEW)
        files.write_atomic(path, OLD)
    stop.set()
    reader.join()

    assert seen <= {OLD, NEW}


def test_only_our_own_litter_is_removed(tmp_path):
    for name in (".state.homeostat-1a2b", ".state.swp", ".other.homeostat-1a2b", "state"):
        (tmp_path / name).touch()

    files.remove_stale(tmp_path / "state")

    assert names(tmp_path) == [".other.homeostat-1a2b", ".state.swp", "state"]


class BusyWindows:
    """os.replace as on Windows while somebody holds the target open."""

    def __init__(self, winerror: int, times: int) -> None:
        self.winerror = winerror
        self.left = times
        self.slept: list[float] = []

    def rename(self, source: Path, target: Path) -> None:
        if self.left:
            self.left -= 1
            err = PermissionError(13, "busy")
            err.winerror = self.winerror
            raise err

    def replace(self) -> None:
        files.replace(Path("a"), Path("b"), self.rename, self.slept.append)


@pytest.mark.parametrize("winerror", [5, 32, 33])
def test_windows_waits_for_a_reader_that_goes_away(winerror):
    busy = BusyWindows(winerror, 3)

    busy.replace()

    assert (busy.left, len(busy.slept)) == (0, 3)


def test_windows_gives_up_after_a_bounded_time():
    busy = BusyWindows(32, 10**6)

    with pytest.raises(PermissionError):
        busy.replace()

    assert 2.0 < sum(busy.slept) < 3.0


@pytest.mark.parametrize("winerror", [2, 17, 112])
def test_windows_does_not_wait_for_what_waiting_does_not_mend(winerror):
    busy = BusyWindows(winerror, 1)

    with pytest.raises(PermissionError):
        busy.replace()

    assert busy.slept == []


HOLDER = """
import sys, time
from pathlib import Path
from homeostat import files
with files.lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lock_has_one_holder_and_names_it_and_dies_with_it(tmp_path):
    path = tmp_path / "lock"
    argv = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()

        with pytest.raises(files.Locked, match=rf"{path} is held by process {holder.pid}"), files.lock(path):
            pass

        holder.kill()
        holder.wait()
        with files.lock(path):
            assert path.read_text() == f"{os.getpid()}\n"
