"""What is at a path: a plain file, with its bytes and attributes, or a reason in one line."""

import os
import socket

import pytest

from homeostat.configfiles.errors import FileRefused
from homeostat.configfiles.reading import Symlinks, digest_of, hash_of, read, resolve
from homeostat.configfiles.text import MAX_BYTES


def test_a_file_is_read_with_its_mode_and_times(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"x" * 200_000)
    path.chmod(0o604)

    found = read(path)

    assert (found.raw, found.digest) == (b"x" * 200_000, digest_of(b"x" * 200_000))
    assert (found.attributes.mode, found.changed_at) == (0o604, path.stat().st_ctime)


def test_no_file_is_none(tmp_path):
    assert read(tmp_path / "no") is None


def test_of_a_file_that_is_too_large_one_byte_too_many_is_read(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * (MAX_BYTES * 2))

    assert len(read(tmp_path / "a").raw) == MAX_BYTES + 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="POSIX")
def test_what_is_no_plain_file_is_refused_and_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "socket"))

    for name, words in (("pipe", "no plain file"), ("folder", "a folder"), ("socket", "cannot be read")):
        with pytest.raises(FileRefused, match=words) as refused:
            read(tmp_path / name)
        assert str(refused.value).startswith(f"{tmp_path / name}: ")
        assert hash_of(str(tmp_path / name)) is None


def test_a_link_is_followed_or_refused_as_said(tmp_path):
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "link").symlink_to("a")

    assert resolve(tmp_path / "link", Symlinks.FOLLOW) == (tmp_path / "a").resolve()
    assert resolve(tmp_path / "a", Symlinks.REFUSE) == tmp_path / "a"
    with pytest.raises(FileRefused, match="is a symbolic link, and symlinks is refuse"):
        resolve(tmp_path / "link", Symlinks.REFUSE)


@pytest.mark.parametrize("leads_to", ["nowhere", "link"])
def test_a_link_that_leads_nowhere_is_refused(tmp_path, leads_to):
    (tmp_path / "link").symlink_to(leads_to)

    with pytest.raises(FileRefused, match=r"leads nowhere .*; mend the link"):
        resolve(tmp_path / "link", Symlinks.FOLLOW)


def test_a_hash_tells_any_change_of_bytes_and_nothing_else(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"x" * 1000)
    before = hash_of(str(path))
    path.touch()
    same = hash_of(str(path))
    path.write_bytes(b"x" * 999 + b"y")

    assert (before is not None, same == before, hash_of(str(path)) == before) == (True, True, False)
    assert hash_of(str(tmp_path / "no")) is None
