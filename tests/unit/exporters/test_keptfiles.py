"""Files that are kept open are read as if they were not, and none is kept for longer than it is read."""

import contextlib
import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from exporters.cgroups import Cgroups
from exporters.keptfiles import KeptFiles, spare_files


@pytest.fixture
def files():
    files = KeptFiles(3)
    yield files
    files.close()
    assert len(files) == 0


def descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def written(tmp_path):
    """A function that writes files."""

    def written(*names):
        for name in names:
            (tmp_path / name).write_text(name)
        return [str(tmp_path / name) for name in names]

    return written


def read(files, *groups):
    """What one pass over these groups of paths tells."""
    with files.one_pass() as together:
        return [together(paths) for paths in groups]


def test_what_is_kept_tells_the_present(files, written):
    (path,) = written("a")
    assert read(files, (path,)) == [[b"a"]]
    Path(path).write_text("later")

    assert read(files, (path,)) == [[b"later"]]
    assert len(files) == 1


def test_files_that_belong_together_come_in_their_order(files, written, tmp_path):
    a, b = written("a", "b")
    before = descriptors()

    for _ in range(3):
        assert read(files, (b, str(tmp_path / "nothing"), a)) == [[b"b", None, b"a"]]
        assert descriptors() - before == len(files) == 2


def test_what_was_not_read_in_a_pass_is_closed(files, written):
    groups = [(path,) for path in written("a", "b", "c")]
    before = descriptors()
    read(files, *groups)
    read(files, groups[1])

    assert (len(files), descriptors() - before) == (1, 1)


def test_a_pass_that_fails_closes_what_it_did_not_come_to(files, written):
    groups = [(path,) for path in written("a", "b")]
    before = descriptors()
    read(files, *groups)
    with contextlib.suppress(ZeroDivisionError), files.one_pass() as together:
        together(groups[0])
        _ = 1 / 0

    assert (len(files), descriptors() - before) == (1, 1)


def test_beyond_the_most_files_are_read_and_not_kept(files, written):
    paths = written(*"abcdefg")
    before = descriptors()
    for _ in range(3):
        *alone, together = read(files, *((path,) for path in paths), tuple(paths))
        assert alone == [[name.encode()] for name in "abcdefg"]
        assert together == [name.encode() for name in "abcdefg"]
        assert descriptors() - before == 3


def test_reading_twice_in_a_pass_keeps_one(files, written):
    (path,) = written("a")
    before = descriptors()

    assert read(files, (path,), (path,), (path,)) == [[b"a"]] * 3
    assert descriptors() - before == 1


def test_what_cannot_be_read_is_not_kept_and_tried_again(files, written, tmp_path):
    before = descriptors()
    paths = (str(tmp_path / "a"), str(tmp_path))
    for _ in range(3):
        assert read(files, paths) == [[None, None]]
    assert (len(files), descriptors()) == (0, before)
    written("a")

    assert read(files, paths) == [[b"a", None]]


def test_one_file_that_fails_has_all_opened_anew(files, written, monkeypatch):
    paths = tuple(written("a", "b"))
    read(files, paths)
    before, real = descriptors(), os.pread
    failed = []

    def fail_once(descriptor, *rest):
        if not failed:
            failed.append(descriptor)
            raise OSError(errno.ENODEV, "gone")
        return real(descriptor, *rest)

    monkeypatch.setattr(os, "pread", fail_once)

    assert read(files, paths) == [[b"a", b"b"]]
    assert (len(files), descriptors()) == (2, before)


def test_without_a_share_nothing_is_kept(written):
    (path,) = written("a")
    files = KeptFiles(0)

    assert (read(files, (path,)), len(files)) == ([[b"a"]], 0)


def test_the_rest_of_the_process_keeps_files_to_open():
    assert 0 < spare_files() <= 8192


@pytest.fixture
def live(make):
    """A function that makes a real cgroup with a process in it, as a running container."""
    roots = [
        root for root in (Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")) if (root / "cgroup.procs").exists()
    ]
    if not roots or not os.access(roots[0], os.W_OK):
        pytest.skip("needs the right to make cgroups")
    folder = roots[0] / os.urandom(32).hex()
    sleepers = []

    def start():
        folder.mkdir()
        sleepers.append(subprocess.Popen(["sleep", "60"]))
        (folder / "cgroup.procs").write_text(str(sleepers[-1].pid))
        return make(id=folder.name, pid=sleepers[-1].pid)

    def end():
        while sleepers:
            sleepers[-1].kill()
            sleepers.pop().wait()
        with contextlib.suppress(FileNotFoundError):
            folder.rmdir()

    yield start, end
    end()


def test_a_container_can_be_removed_and_made_anew_while_its_files_are_kept(live, clock):
    start, end = live
    cgroups = Cgroups(clock, most_open=100)
    before = descriptors()
    for _ in range(3):
        container = start()
        key = (container.id, container.pid)
        for _ in range(2):
            assert cgroups.sample_all([key])[container.id].usage is not None
            assert cgroups.resources_all([container])[container.id].processes.count == 1
        assert descriptors() > before
        end()
        assert cgroups.sample_all([key]) == {}
        assert cgroups.resources_all([container]) == {}
        assert descriptors() == before


def test_closing_closes_everything(live, clock):
    start, _ = live
    cgroups = Cgroups(clock, most_open=100)
    before = descriptors()
    container = start()
    cgroups.sample_all([(container.id, container.pid)])
    cgroups.resources_all([container])
    cgroups.close()

    assert descriptors() == before


@pytest.mark.skipif(sys.platform != "linux", reason="limits as Linux has them")
@pytest.mark.parametrize(("soft", "hard", "expected"), [(1024, 4096, 2048), (1024, 20000, 8192), (10000, 10000, 5000)])
def test_the_soft_limit_of_open_files_is_raised_as_far_as_it_may_be(soft, hard, expected):
    code = (
        f"import resource as r; r.setrlimit(r.RLIMIT_NOFILE, ({soft}, {hard}));"
        "from exporters.keptfiles import spare_files; print(spare_files(), r.getrlimit(r.RLIMIT_NOFILE))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert printed == f"{expected} {(max(soft, min(hard, 16384)), hard)}\n"
