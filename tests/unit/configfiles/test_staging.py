"""Beside the target, whole, with its attributes, and gone when anything fails."""

import errno
import os
import stat

import pytest
from fakes.disks import METHODS, FailingDisk, ShortDisk

from homeostat.configfiles import staging
from homeostat.configfiles.attributes import Attributes
from homeostat.configfiles.disk import Disk
from homeostat.configfiles.errors import FileRefused

RAW = b"content " * 10
PLAIN = Attributes(0o640)


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "app.txt"
    path.write_bytes(b"old")
    path.chmod(0o604)
    return path


def test_staged_bytes_are_whole_with_the_mode_wanted_and_the_target_is_as_it_was(target):
    staged = staging.stage(target, RAW, PLAIN, Disk())

    assert (staged.temp.read_bytes(), stat.S_IMODE(staged.temp.stat().st_mode)) == (RAW, 0o640)
    assert (target.read_bytes(), staged.temp.parent) == (b"old", target.parent)


def test_a_disk_that_writes_little_at_a_time_writes_all(target):
    staged = staging.stage(target, RAW, PLAIN, ShortDisk())
    staging.overwrite(target, RAW, Attributes(0o604), ShortDisk())

    assert (staged.temp.read_bytes(), target.read_bytes()) == (RAW, RAW)


def test_a_disk_that_writes_nothing_and_says_nothing_is_refused(target):
    class Silent(Disk):
        def write(self, descriptor, data):
            return 0

    with pytest.raises(FileRefused, match="wrote nothing"):
        staging.stage(target, RAW, PLAIN, Silent())

    assert list(target.parent.iterdir()) == [target]


def refusal(target, disk):
    try:
        staging.stage(target, RAW, PLAIN, disk)
    except FileRefused as err:
        return str(err)
    return None


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS, errno.EDQUOT])
def test_whichever_call_fails_nothing_is_left_and_nothing_changed(target, number):
    for at in range(len(METHODS)):
        disk = FailingDisk(at, number)
        refused = refusal(target, disk)
        if refused is None:
            break
        assert refused.startswith(f"{target}: ")
        assert refused.endswith("; nothing was changed")
        assert "\n" not in refused
        assert list(target.parent.iterdir()) == [target], disk.calls
        assert target.read_bytes() == b"old"

    assert at == len(disk.calls) == 5  # create, write, chmod, sync, close


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.EBUSY, "set in_place: true"),
        (errno.EXDEV, "set in_place: true"),
        (errno.ENOSPC, "free disk space"),
        (errno.EROFS, "let homeostat's user write"),
        (errno.EIO, "see the system's log"),
    ],
)
def test_a_refusal_says_what_to_do(target, number, advice):
    staged = staging.stage(target, RAW, PLAIN, Disk())

    with pytest.raises(FileRefused, match=advice):
        staging.put(staged, FailingDisk(0, number, ("rename",)))

    assert (target.read_bytes(), staged.temp.exists()) == (b"old", True)


def test_a_folder_that_is_not_there_is_to_be_made(tmp_path):
    with pytest.raises(FileRefused, match="make its folder first"):
        staging.stage(tmp_path / "no" / "app.txt", RAW, PLAIN, Disk())


def test_a_mode_that_cannot_be_given_in_place_is_refused_before_a_byte_is_written(target):
    with pytest.raises(FileRefused):
        staging.overwrite(target, RAW, PLAIN, FailingDisk(0, errno.EPERM, ("chmod",)))

    assert target.read_bytes() == b"old"


def test_sweeping_removes_what_crashes_left_of_this_file_and_nothing_else(target):
    ours = [target.with_name(f".app.txt.homeostat-{'0' * 15}{digit}") for digit in "1f"]
    others = [
        target.with_name(name)
        for name in (
            f".app.txt2.homeostat-{'0' * 16}",
            ".app.txt.homeostat-aside-20260101T000000Z",
            f"app.txt.homeostat-{'0' * 16}",
        )
    ]
    for path in ours + others:
        path.touch()

    staging.sweep(target)

    assert sorted(target.parent.iterdir()) == sorted([target, *others])


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounts need root")
def test_a_file_that_is_mounted_by_itself_is_refused_with_advice_and_written_in_place(target, opened, live):
    import subprocess

    source = target.with_name("source")
    source.write_bytes(b"old")
    mounted = live / "app.txt"
    mounted.touch()
    mount = subprocess.run(["mount", "--bind", source, mounted], capture_output=True, check=False)
    if mount.returncode != 0:
        pytest.skip(f"no mounts here: {mount.stderr.decode()}")
    try:
        with pytest.raises(FileRefused, match="mounted by itself"):
            opened().write({"app": b"new"}, "", "")
        unchanged = source.read_bytes()
        opened({"in_place": True}).write({"app": b"new"}, "", "")
    finally:
        subprocess.run(["umount", mounted], check=True)

    assert (unchanged, source.read_bytes()) == (b"old", b"new")
