"""Managed files as programs use them."""

import os
import stat

import pytest

from homeostat.configfiles.changes import Invalid
from homeostat.configfiles.edits import Set, Unset
from homeostat.configfiles.errors import CannotEdit, Conflict, FileRefused
from homeostat.configfiles.integrity import State
from homeostat.configfiles.reading import digest_of
from homeostat.configfiles.text import MAX_BYTES
from homeostat.configfiles.versions import Origin
from homeostat.errors import NotFound

WHO = "a person"


@pytest.fixture
def web(live):
    path = live / "web.env"
    path.write_bytes(b"# the port\nPORT=80\nHOST='a b'\n")
    path.chmod(0o640)
    return path


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def asides(folder):
    return [path for path in folder.iterdir() if ".homeostat-aside-" in path.name]


# --- Editing


def test_an_edit_changes_its_key_and_nothing_else(opened, web):
    version = opened().edit("web", [Set(("PORT",), "8080"), Unset(("HOST",))], WHO, "moved")

    assert web.read_bytes() == b"# the port\nPORT=8080\n"
    assert (version.who, version.why, version.origin) == (WHO, "moved", Origin.CHANGED)


def test_an_edit_that_changes_nothing_makes_no_version(opened, web):
    managed = opened()

    assert managed.edit("web", [Set(("PORT",), "80")], WHO, "") is None
    assert managed.history("web") == []


def test_an_edit_of_what_is_not_as_expected_changes_nothing(opened, web):
    managed = opened()
    snapshot = managed.read("web")
    web.write_bytes(b"PORT=81\n")

    with pytest.raises(Conflict):
        managed.edit("web", [Set(("PORT",), "82")], WHO, "", snapshot.digest)

    assert web.read_bytes() == b"PORT=81\n"


def test_what_was_there_for_a_moment_does_not_get_into_an_edit_of_what_was_expected(opened, web):
    """Read while somebody else's bytes were there, written when they are gone: it would bring them back."""
    managed = opened()
    expected, raw = managed.read("web").digest, web.read_bytes()
    web.write_bytes(b"PORT=1\nTHEIRS=1\n")

    with pytest.raises(Conflict):
        managed.edit("web", [Set(("PORT",), "1")], WHO, "", expected)
    web.write_bytes(raw)
    managed.edit("web", [Set(("PORT",), "1")], WHO, "", expected)

    assert b"THEIRS" not in web.read_bytes()


def test_line_ends_and_bom_stay(opened, web):
    web.write_bytes(b"\xef\xbb\xbfPORT=80\r\nHOST=a\r\n")

    opened().edit("web", [Set(("PORT",), "81")], WHO, "")

    assert web.read_bytes() == b"\xef\xbb\xbfPORT=81\r\nHOST=a\r\n"


def test_a_file_that_is_not_there_is_made_by_its_first_key(opened, live):
    opened().edit("web", [Set(("PORT",), "80")], WHO, "")

    assert ((live / "web.env").read_bytes(), mode(live / "web.env")) == (b"PORT=80\n", 0o600)


def test_a_damaged_file_is_not_edited_and_its_place_is_told(opened, web):
    web.write_bytes(b"PORT=80\nX='secret\n")

    with pytest.raises(FileRefused, match=r"web\.env:2:\d+: .*; mend it first") as refused:
        opened().edit("web", [Set(("PORT",), "81")], WHO, "")

    assert "secret" not in str(refused.value)


def test_plain_text_has_no_keys(opened, live):
    (live / "app.txt").write_text("x")

    with pytest.raises(CannotEdit, match="has no keys; write the whole file"):
        opened().edit("app", [Set(("A",), "1")], WHO, "")


# --- Versions


def test_an_earlier_version_comes_back_as_a_new_one(opened, live):
    managed = opened()
    for raw in (b"one", b"two"):
        managed.write({"app": raw}, WHO, "")

    version = managed.rollback("app", 1, WHO, "two was wrong")

    assert (version.number, version.origin, (live / "app.txt").read_bytes()) == (3, Origin.ROLLED_BACK, b"one")


def test_an_earlier_version_that_is_not_valid_any_more_does_not_come_back(opened, web):
    managed = opened()
    managed.accept("web", WHO, "")
    web.write_bytes(b"PORT='\n")
    with pytest.raises(Invalid):
        managed.accept("web", WHO, "")
    managed.restore("web", WHO, "")

    with pytest.raises(Invalid):
        managed.rollback("web", 2, WHO, "")

    assert managed.version("web", 2).origin is Origin.FOUND
    assert web.read_bytes() == b"# the port\nPORT=80\nHOST='a b'\n"


@pytest.mark.parametrize(("made", "told"), [(0, "it has none yet"), (2, "1 to 2")])
def test_a_version_that_is_not_there_is_answered_with_those_that_are(opened, made, told):
    managed = opened()
    for number in range(made):
        managed.write({"app": str(number).encode()}, WHO, "")

    with pytest.raises(NotFound, match=f"app: no version 9; allowed: {told}"):
        managed.content("app", 9)


def test_an_unknown_name_is_answered_with_the_known_ones(opened):
    with pytest.raises(NotFound, match="nothing: no such managed file; allowed: app, other, web"):
        opened().read("nothing")


def test_the_last_good_version_is_one_whose_content_is_whole(opened, tmp_path):
    managed = opened()
    for raw in (b"one", b"two"):
        managed.write({"app": raw}, WHO, "")
    (tmp_path / "state" / "files" / "app" / "objects" / digest_of(b"two")).write_bytes(b"rotten")

    assert managed.last_good("app").number == 1


def test_of_a_lost_history_the_newest_content_that_is_valid_is_good(opened, web, tmp_path):
    managed = opened()
    managed.accept("web", WHO, "")
    web.write_bytes(b"PORT='\n")
    managed.restore("web", WHO, "")
    objects = tmp_path / "state" / "files" / "web" / "objects"
    for at, path in enumerate(sorted(objects.iterdir(), key=lambda path: path.read_bytes() == b"PORT='\n")):
        os.utime(path, (at, at))
    (objects.parent / "manifest.jsonl").unlink()

    good = managed.last_good("web")

    assert (good.origin, good.digest, good.number) == (Origin.REBUILT, digest_of(web.read_bytes()), 1)


# --- Restoring


def test_bytes_and_mode_come_back_and_what_was_there_is_kept(opened, web):
    managed = opened()
    managed.accept("web", WHO, "")
    web.write_bytes(b"PORT='\n")
    web.chmod(0o604)
    before = managed.look("web").state

    version = managed.restore("web", WHO, "damaged")

    assert (before, managed.look("web").state) == (State.DAMAGED, State.GOOD)
    assert (web.read_bytes(), mode(web)) == (b"# the port\nPORT=80\nHOST='a b'\n", 0o640)
    assert [each.origin for each in managed.history("web")] == [Origin.ACCEPTED, Origin.FOUND, Origin.RESTORED]
    assert version.number == 3


def test_a_file_that_is_gone_comes_back(opened, web):
    managed = opened()
    managed.accept("web", WHO, "")
    web.unlink()

    managed.restore("web", WHO, "")

    assert mode(web) == 0o640
    assert managed.look("web").state is State.GOOD


def _folder(path):
    path.unlink()
    path.mkdir()
    (path / "inside").touch()


def _pipe(path):
    path.unlink()
    os.mkfifo(path)


def _huge(path):
    path.write_bytes(b"x" * (MAX_BYTES + 10))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="POSIX")
@pytest.mark.parametrize("damage", [_folder, _pipe, _huge])
def test_what_cannot_be_kept_as_a_version_is_moved_aside_whole(opened, web, live, damage):
    managed = opened()
    managed.accept("web", WHO, "")
    damage(web)
    was = web.stat()
    before = managed.look("web").state

    managed.restore("web", WHO, "")

    [aside] = asides(live)
    assert (before, managed.look("web").state) == (State.DAMAGED, State.GOOD)
    assert (aside.stat().st_ino, aside.stat().st_size) == (was.st_ino, was.st_size)


def test_without_a_good_version_nothing_is_restored(opened, web):
    with pytest.raises(FileRefused, match="no good version is kept; write the file"):
        opened().restore("web", WHO, "")


def test_restoring_what_is_good_changes_nothing(opened, web):
    managed = opened()
    accepted = managed.accept("web", WHO, "")
    inode = web.stat().st_ino

    assert managed.restore("web", WHO, "") == accepted
    assert web.stat().st_ino == inode


def test_a_link_that_leads_elsewhere_than_when_it_was_good_is_never_written_through(opened, web, live):
    real = live / "real.env"
    web.rename(real)
    web.symlink_to(real)
    managed = opened()
    managed.accept("web", WHO, "")
    victim = live / "victim"
    victim.write_bytes(b"not ours\n")
    web.unlink()
    web.symlink_to(victim)
    before = managed.look("web").state

    managed.restore("web", WHO, "")

    assert (before, managed.look("web").state) == (State.DAMAGED, State.GOOD)
    assert (web.resolve(), victim.read_bytes()) == (real, b"not ours\n")
    assert len(asides(live)) == 1


# --- Accepting and starting


def test_what_is_accepted_again_and_again_does_not_fill_the_disk(opened, web, tmp_path):
    managed = opened({"keep": 3})
    for number in range(30):
        web.write_bytes(f"PORT={number}\n".encode())
        managed.accept("web", WHO, "")

    assert len(managed.history("web")) <= 12
    assert len(list((tmp_path / "state" / "files" / "web" / "objects").iterdir())) <= 12
    assert managed.content("web", managed.last_good("web").number) == b"PORT=29\n"


def test_nothing_is_not_accepted(opened):
    with pytest.raises(FileRefused, match="there is no file; restore the last good version"):
        opened().accept("app", WHO, "")


def test_a_state_folder_that_is_none_is_refused_in_words_and_nothing_is_written(opened, live, tmp_path):
    (tmp_path / "state").write_text("a file")

    for act in (
        lambda m: m.write({"app": b"new"}, WHO, ""),
        lambda m: m.recover(),
        lambda m: m.restore("app", WHO, ""),
    ):
        with pytest.raises(FileRefused, match=r"File exists|Not a directory"):
            act(opened())

    assert list(live.iterdir()) == []
