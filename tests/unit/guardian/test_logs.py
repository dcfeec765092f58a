"""Logs are bounded, at the start and while they are written."""

import contextlib

from guardian import logs


def test_a_large_log_is_put_aside_before_a_start(tmp_path):
    path = tmp_path / "web.log"
    path.write_bytes(b"x" * 101)

    logs.rotate(path, 100)

    assert (path.exists(), (tmp_path / "web.log.1").read_bytes()) == (False, b"x" * 101)


def test_a_small_or_missing_log_stays(tmp_path):
    path = tmp_path / "web.log"
    logs.rotate(path, 100)
    path.write_bytes(b"x" * 100)
    logs.rotate(path, 100)

    assert list(tmp_path.iterdir()) == [path]


def test_a_log_being_written_is_cut_and_the_writer_goes_on(tmp_path):
    folder = logs.folder(tmp_path)
    folder.mkdir()
    path = logs.log_path(tmp_path, "web")
    with path.open("ab", buffering=0) as writer:
        writer.write(b"old" + b"a" * 200_000 + b"new")

        assert logs.bound(tmp_path, 100_000) == [path]
        writer.write(b"after")

    kept = path.with_name("web.log.1")
    assert path.read_bytes() == b"after"
    assert (kept.stat().st_size, kept.read_bytes()[-3:], kept.stat().st_mode & 0o777) == (100_000, b"new", 0o600)
    assert logs.bound(tmp_path, 100_000) == []


def test_a_log_is_cut_even_if_nothing_of_it_can_be_kept(tmp_path):
    path = tmp_path / "web.log"
    path.write_bytes(b"x" * 101)
    path.with_name("web.log.1").mkdir()

    with contextlib.suppress(OSError):
        logs.copy_truncate(path, 100)

    assert path.stat().st_size == 0
