"""A process that dies in the middle of a change, at whichever call: the next start ends it, and what others did since
is theirs.
"""

import contextlib
import errno
import json
import os
import signal
import stat

import pytest
from fakes.disks import FailingDisk

from benchmarks.config.faulty import KILLED, Fault, failing
from homeostat.configfiles.disk import Disk
from homeostat.configfiles.journal import Journal
from homeostat.configfiles.versions import Origin

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills processes")

WHO = "a person"
OLD, NEW = b"old\n" * 30, b"new, and longer\n" * 30
#: More than a change has.
_MOST_CALLS = 200


class Dying(Disk):
    """The process dies at the so manieth rename, or in the middle of writing in place."""

    def __init__(self, renames: int = 0) -> None:
        self._left = renames
        self._in_place: int | None = None

    def rename(self, source, target):
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1
        super().rename(source, target)

    def open_to_change(self, path):
        self._in_place = super().open_to_change(path)
        return self._in_place

    def write(self, descriptor, data):
        if descriptor != self._in_place:
            return super().write(descriptor, data)
        super().write(descriptor, data[: len(data) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
        return 0


def in_child(action, fault=None):
    """Whether the child that did it was killed."""
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            with failing(fault) if fault is not None else contextlib.nullcontext():
                action()
            os._exit(0)
        os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in {0, -signal.SIGKILL}
    return code != 0


def put(path, raw=OLD, bits=0o640):
    path.write_bytes(raw)
    path.chmod(bits)


def seen(path):
    return (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) if path.exists() else None


@pytest.mark.usefixtures("no_sync")
@pytest.mark.parametrize(
    ("names", "existing", "in_place"),
    [
        (("app",), ("app",), False),
        (("app",), (), False),
        (("app",), ("app",), True),
        (("app", "other"), ("app",), False),
    ],
    ids=["replaced", "new", "in place", "two"],
)
def test_killed_at_any_call_of_a_change_it_is_done_or_not_begun_after_the_next_start(
    opened, live, strays, names, existing, in_place
):
    managed, paths = opened({"in_place": in_place}), [live / f"{name}.txt" for name in names]
    done = 0
    for at in range(_MOST_CALLS):
        for path in paths:
            path.unlink(missing_ok=True)
        for name in existing:
            put(live / f"{name}.txt", OLD + str(at).encode())
        before, new = [seen(path) for path in paths], NEW + str(at).encode()

        was_killed = in_child(
            lambda new=new: managed.write(dict.fromkeys(names, new), WHO, "killed"), Fault(at, KILLED, lasts=False)
        )
        managed.recover()

        after = [seen(path) for path in paths]
        is_done = all(found is not None and found[0] == new for found in after)
        assert is_done or after == before, f"killed at call {at}"
        assert all(found is None or found[1] in {0o640, 0o600} for found in after)
        assert strays() == [], f"killed at call {at}"
        done += is_done
        for name in names if is_done else ():
            assert managed.content(name, managed.history(name)[-1].number) == new
        if not was_killed:
            break

    assert not was_killed
    assert 1 < done < at


def test_what_others_wrote_after_a_crash_is_left_alone_and_the_rest_is_taken_back(opened, live, strays):
    put(live / "app.txt", bits=0o751)
    put(live / "other.txt")
    assert in_child(lambda: opened(disk=Dying(1)).write({"app": NEW, "other": NEW}, WHO, ""))
    assert seen(live / "app.txt") == (NEW, 0o751)
    put(live / "other.txt", b"edited")

    opened().recover()

    assert (seen(live / "app.txt"), (live / "other.txt").read_bytes()) == ((OLD, 0o751), b"edited")
    assert strays() == []
    assert not any(version.is_good for version in opened().history("app"))


@pytest.mark.parametrize("what", ["removed", "a folder"])
def test_a_file_that_is_none_any_more_after_a_crash_stays_so_and_blocks_no_other(opened, live, what):
    put(live / "app.txt")
    assert in_child(lambda: opened(disk=Dying()).write({"app": NEW}, WHO, ""))
    (live / "app.txt").unlink()
    if what == "a folder":
        (live / "app.txt").mkdir()

    opened().write({"other": NEW}, WHO, "")

    assert (live / "app.txt").is_dir() == (what == "a folder")
    assert (live / "app.txt").exists() == (what == "a folder")
    assert (live / "other.txt").read_bytes() == NEW


def test_half_of_a_file_that_is_written_in_place_is_completed(opened, live):
    put(live / "app.txt", b"old, and much longer than what comes" * 20)
    inode = (live / "app.txt").stat().st_ino
    assert in_child(lambda: opened({"in_place": True}, disk=Dying()).write({"app": NEW}, WHO, ""))
    assert (live / "app.txt").read_bytes() not in {OLD, NEW}

    opened({"in_place": True}).recover()

    assert ((live / "app.txt").read_bytes(), (live / "app.txt").stat().st_ino) == (NEW, inode)
    assert opened().history("app")[-1].origin is Origin.CHANGED


def test_what_others_wrote_over_half_of_it_in_place_is_theirs(opened, live):
    put(live / "app.txt")
    assert in_child(lambda: opened({"in_place": True}, disk=Dying()).write({"app": NEW}, WHO, ""))
    put(live / "app.txt", OLD + b"and a line of somebody's\n")

    opened({"in_place": True}).recover()

    assert (live / "app.txt").read_bytes() == OLD + b"and a line of somebody's\n"


def test_a_change_that_the_disk_refuses_after_a_crash_is_taken_back_and_blocks_no_other(opened, live, strays):
    put(live / "app.txt")
    assert in_child(lambda: opened(disk=Dying()).write({"app": NEW}, WHO, ""))
    refusing = FailingDisk(0, errno.ENOSPC, ("rename",))

    opened(disk=refusing).recover()

    assert (seen(live / "app.txt"), strays()) == ((OLD, 0o640), [])


def test_a_change_that_is_in_the_history_is_not_taken_back_when_its_journal_comes_back(opened, live, tmp_path):
    put(live / "app.txt")
    put(live / "other.txt")
    kept, end = [], Journal.end

    def ended(self, change):
        path = tmp_path / "state" / "pending" / f"{change}.json"
        kept.append((path, path.read_bytes()))
        end(self, change)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Journal, "end", ended)
        opened().write({"app": NEW, "other": NEW}, WHO, "")
    [(path, raw)] = kept
    path.write_bytes(raw)
    put(live / "other.txt", b"edited")

    opened().recover()

    assert ((live / "app.txt").read_bytes(), (live / "other.txt").read_bytes()) == (NEW, b"edited")
    assert len(opened().history("app")) == 2


def test_a_damaged_journal_is_set_aside_and_nothing_is_made_of_it(opened, live, tmp_path):
    put(live / "app.txt")
    pending = tmp_path / "state" / "pending"
    pending.mkdir(parents=True)
    (pending / "0123.json").write_text(json.dumps([{"name": "app"}]))

    opened().recover()

    assert ((live / "app.txt").read_bytes(), [each.name for each in pending.iterdir()]) == (OLD, ["0123.damaged"])


def test_a_start_removes_what_dead_ones_left_in_its_own_folder_too(opened, live, strays, tmp_path):
    opened().write({"app": NEW}, WHO, "")
    random = "0123456789abcdef"
    for folder, name in (("pending", "1.json"), ("files/app", "manifest.jsonl"), ("files/app/objects", "0" * 64)):
        (tmp_path / "state" / folder / f".{name}.homeostat-{random}").touch()
    (live / f".app.txt.homeostat-{random}").touch()
    assert len(strays()) == 4

    opened().recover()

    assert strays() == []
