"""A change is whole, compared, validated and remembered; or nothing has changed, and the error says why."""

import errno
import os
import stat

import pytest
from fakes.disks import FailingDisk

from homeostat import files
from homeostat.configfiles.changes import Invalid
from homeostat.configfiles.disk import Disk
from homeostat.configfiles.errors import Conflict, FileRefused
from homeostat.configfiles.moves import HalfDone
from homeostat.configfiles.text import MAX_BYTES
from homeostat.configfiles.versions import Origin, Versions

WHO = "a person"


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def put(path, raw, bits=0o640):
    path.write_bytes(raw)
    path.chmod(bits)


# --- What is written


def test_a_new_file_is_for_its_owner_alone_and_is_the_first_version(opened, live):
    managed = opened()

    [version] = managed.write({"app": b"new"}, WHO, "because")

    assert ((live / "app.txt").read_bytes(), mode(live / "app.txt")) == (b"new", 0o600)
    assert (version.number, version.is_good, version.who, version.why) == (1, True, WHO, "because")
    assert managed.content("app", 1) == b"new"


def test_mode_stays_as_it_was(opened, live):
    put(live / "app.txt", b"old", 0o764)

    opened().write({"app": b"new"}, WHO, "")

    assert ((live / "app.txt").read_bytes(), mode(live / "app.txt")) == (b"new", 0o764)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_owner_and_group_stay_as_they_were(opened, live):
    put(live / "app.txt", b"old")
    os.chown(live / "app.txt", 12345, 23456)

    opened().write({"app": b"new"}, WHO, "")

    found = (live / "app.txt").stat()
    assert (found.st_uid, found.st_gid, mode(live / "app.txt")) == (12345, 23456, 0o640)


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="Linux")
def test_extended_attributes_stay_as_they_were_and_restoring_keeps_them_too(opened, live):
    put(live / "app.txt", b"good")
    try:
        os.setxattr(live / "app.txt", "user.label", b"web")
    except OSError as err:
        pytest.skip(f"this file system has none: {err}")
    managed = opened()
    managed.accept("app", WHO, "")
    managed.write({"app": b"worse"}, WHO, "")
    after_write = os.getxattr(live / "app.txt", "user.label")
    (live / "app.txt").chmod(0o600)

    managed.restore("app", WHO, "")

    assert (after_write, os.getxattr(live / "app.txt", "user.label")) == (b"web", b"web")


def test_what_others_wrote_is_kept_before_it_is_replaced(opened, live):
    managed = opened()
    managed.write({"app": b"ours"}, WHO, "")
    put(live / "app.txt", b"theirs")

    managed.write({"app": b"ours again"}, WHO, "")

    history = managed.history("app")
    assert [(each.origin, each.is_good) for each in history] == [
        (Origin.CHANGED, True),
        (Origin.FOUND, False),
        (Origin.CHANGED, True),
    ]
    assert managed.content("app", 2) == b"theirs"


def test_what_is_there_already_is_not_written_again(opened, live):
    managed = opened()
    [first] = managed.write({"app": b"same"}, WHO, "")
    inode = (live / "app.txt").stat().st_ino

    [second] = managed.write({"app": b"same"}, WHO, "once more")

    assert (second, (live / "app.txt").stat().st_ino, len(managed.history("app"))) == (first, inode, 1)


def test_what_others_wrote_becomes_good_when_the_same_is_written_here(opened, live):
    managed = opened()
    managed.write({"app": b"ours"}, WHO, "")
    put(live / "app.txt", b"theirs")

    [version] = managed.write({"app": b"theirs"}, WHO, "")

    assert version.is_good
    assert managed.last_good("app") == version


def test_in_place_the_file_stays_the_same_one(opened, live):
    put(live / "app.txt", b"old, and longer")
    inode = (live / "app.txt").stat().st_ino

    opened({"in_place": True}).write({"app": b"new"}, WHO, "")

    assert ((live / "app.txt").read_bytes(), (live / "app.txt").stat().st_ino) == (b"new", inode)
    assert mode(live / "app.txt") == 0o640


def test_in_place_a_file_is_written_by_who_may_write_it_but_not_in_its_folder(opened, live, strays):
    class Closed(Disk):
        def create(self, path):
            if path.parent == live:
                raise PermissionError(errno.EACCES, "Permission denied")
            return super().create(path)

    put(live / "app.txt", b"old")

    [version] = opened({"in_place": True}, disk=Closed()).write({"app": b"new"}, WHO, "why")

    assert ((live / "app.txt").read_bytes(), version.why, strays()) == (b"new", "why", [])


def test_restoring_in_place_restores_the_mode_too(opened, live):
    put(live / "app.txt", b"good")
    managed = opened({"in_place": True, "max_mode": "0640"})
    managed.accept("app", WHO, "")
    put(live / "app.txt", b"bad", 0o666)
    inode = (live / "app.txt").stat().st_ino

    managed.restore("app", WHO, "")

    found = (live / "app.txt").stat()
    assert ((live / "app.txt").read_bytes(), mode(live / "app.txt"), found.st_ino) == (b"good", 0o640, inode)


# --- What is refused


@pytest.mark.parametrize("expected", ["0" * 64, ""])
def test_a_file_that_is_not_as_expected_is_left_alone(opened, live, strays, expected):
    put(live / "app.txt", b"theirs")

    with pytest.raises(Conflict, match=r"app\.txt: somebody changed it since it was read"):
        opened().write({"app": b"new"}, WHO, "", {"app": expected})

    assert ((live / "app.txt").read_bytes(), strays()) == (b"theirs", [])


def test_a_file_that_appeared_meanwhile_is_left_alone(opened, live):
    managed = opened()
    snapshot = managed.read("app")
    put(live / "app.txt", b"theirs")

    with pytest.raises(Conflict):
        managed.write({"app": b"new"}, WHO, "", {"app": snapshot.digest})

    assert (live / "app.txt").read_bytes() == b"theirs"


def test_what_is_not_valid_changes_nothing_and_leaves_nothing(opened, live, strays):
    put(live / "web.env", b"A=1\n", 0o600)
    managed = opened()

    with pytest.raises(Invalid, match=r"web\.env:1") as refused:
        managed.write({"web": b"A='secret\n", "app": b"fine"}, WHO, "")

    assert ((live / "web.env").read_bytes(), (live / "app.txt").exists(), strays()) == (b"A=1\n", False, [])
    assert set(refused.value.flaws) == {"web"}
    assert "secret" not in str(refused.value)
    assert managed.history("web") == []


def test_an_editor_that_writes_during_the_check_keeps_what_it_wrote(opened, live, strays):
    put(live / "app.txt", b"old")
    managed = opened({"check": ("look", "{file}")}, run_check=lambda argv, timeout_s: put(live / "app.txt", b"edited"))

    with pytest.raises(Conflict, match="somebody changed it meanwhile"):
        managed.write({"app": b"new"}, WHO, "")

    assert ((live / "app.txt").read_bytes(), strays()) == (b"edited", [])


def test_a_file_that_is_too_large_to_be_kept_is_not_replaced(opened, live):
    put(live / "app.txt", b"x" * (MAX_BYTES + 100))

    with pytest.raises(FileRefused, match="move it away; nothing was changed"):
        opened().write({"app": b"new"}, WHO, "")

    assert (live / "app.txt").stat().st_size == MAX_BYTES + 100


# --- All or nothing


@pytest.mark.parametrize("in_place", [False, True])
def test_when_the_second_file_fails_the_first_one_is_as_it_was(opened, live, strays, in_place):
    put(live / "app.txt", b"old app", 0o751)
    put(live / "other.txt", b"old other")
    method = "open_to_change" if in_place else "rename"
    managed = opened({"in_place": in_place}, disk=FailingDisk(1, errno.EACCES, (method,)))

    with pytest.raises(FileRefused, match=r"other\.txt: .*Permission denied; let .*; nothing was changed") as refused:
        managed.write({"app": b"new app", "other": b"new other"}, WHO, "")

    assert not isinstance(refused.value, HalfDone)
    assert ((live / "app.txt").read_bytes(), mode(live / "app.txt")) == (b"old app", 0o751)
    assert ((live / "other.txt").read_bytes(), strays()) == (b"old other", [])
    assert not [each for name in ("app", "other") for each in managed.history(name) if each.is_good]


def test_a_new_first_file_is_gone_again_when_the_second_one_fails(opened, live):
    managed = opened(disk=FailingDisk(1, errno.ENOSPC, ("rename",)))

    with pytest.raises(FileRefused, match="free disk space"):
        managed.write({"app": b"new app", "other": b"new other"}, WHO, "")

    assert list(live.iterdir()) == []


def test_a_change_of_mode_alone_is_refused_without_a_word_of_taking_back(opened, live):
    put(live / "app.txt", b"good", 0o600)
    opened().accept("app", WHO, "")
    (live / "app.txt").chmod(0o666)

    with pytest.raises(FileRefused, match="mounted by itself") as refused:
        opened(disk=FailingDisk(0, errno.EBUSY, ("rename",))).restore("app", WHO, "")

    assert not isinstance(refused.value, HalfDone)
    assert mode(live / "app.txt") == 0o666


def test_a_disk_that_fails_for_good_in_the_middle_says_so_and_the_next_start_ends_it(opened, live, strays):
    put(live / "app.txt", b"old app")
    put(live / "other.txt", b"old other")
    # Both are staged, the first one is renamed; then nothing goes any more.
    broken = FailingDisk(3, errno.EIO, ("rename", "create"), lasts=True)

    with pytest.raises(HalfDone, match=r"taking it back failed: .*; the next start ends it") as refused:
        opened(disk=broken).write({"app": b"new app", "other": b"new other"}, WHO, "")
    opened().recover()

    assert "nothing was changed" not in str(refused.value)
    assert ((live / "app.txt").read_bytes(), (live / "other.txt").read_bytes()) == (b"new app", b"new other")
    assert strays() == []
    assert opened().history("app")[-1].change == opened().history("other")[-1].change


def test_a_history_that_cannot_be_written_is_completed_by_the_next_change(opened, live, monkeypatch):
    managed = opened()
    managed.write({"app": b"one"}, WHO, "")
    append = Versions.append

    def full(self, version):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Versions, "append", full)
    with pytest.raises(HalfDone, match="the files are changed, but their history cannot be written: No space"):
        managed.write({"app": b"two"}, WHO, "the second")
    monkeypatch.setattr(Versions, "append", append)

    managed.write({"app": b"three"}, WHO, "the third")

    assert [each.why for each in managed.history("app")] == ["", "the second", "the third"]


@pytest.mark.parametrize("failing", ["objects", "pending"])
def test_a_full_disk_of_the_versions_is_said_before_anything_is_touched(opened, live, monkeypatch, strays, failing):
    put(live / "app.txt", b"old")
    write = files.write_atomic

    def full(path, data, mode=0o600):
        if path.parent.name == failing:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, data, mode)

    monkeypatch.setattr(files, "write_atomic", full)
    with pytest.raises(FileRefused, match=r"No space left on device; free disk space there.*; nothing was changed"):
        opened().write({"app": b"new"}, WHO, "")

    assert ((live / "app.txt").read_bytes(), strays()) == (b"old", [])


def test_versions_that_cannot_be_pruned_do_not_make_a_change_fail(opened, live, monkeypatch):
    def broken(self, keep, not_before):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Versions, "prune", broken)

    [version] = opened().write({"app": b"new"}, WHO, "")

    assert (version.number, (live / "app.txt").read_bytes()) == (1, b"new")
