"""What is remembered of a file: each content once and whole, in order, whatever a crash or a bad disk took."""

import os
from dataclasses import replace

import pytest

from homeostat.configfiles.errors import FileRefused
from homeostat.configfiles.reading import digest_of
from homeostat.configfiles.versions import Origin, Version, Versions


@pytest.fixture
def versions(tmp_path):
    return Versions(tmp_path / "web")


def of(raw, at=1.0, *, is_good=True, **more):
    return Version(at, digest_of(raw), len(raw), 0o600, Origin.CHANGED, is_good, **more)


def keep(versions, *contents, **more):
    """As a change does: the content first, then the line."""
    kept = []
    for at, raw in enumerate(contents):
        versions.keep(raw)
        os.utime(versions.folder / "objects" / digest_of(raw), (at, at))
        kept.append(versions.append(of(raw, at=float(at), **more)))
    return kept


def manifest(versions):
    return versions.folder / "manifest.jsonl"


def test_before_the_first_one_there_is_nothing(versions):
    assert (versions.all(), versions.last(), versions.has("0" * 64)) == ([], None, False)


def test_versions_are_numbered_in_order_and_read_back_as_they_were(versions):
    kept = keep(versions, b"a", b"b", b"a", who="me", why="so", problems=("p",), change="c", target="/x")

    assert [each.number for each in kept] == [1, 2, 3]
    assert (versions.all(), versions.last()) == (kept, kept[-1])
    assert [versions.content(each.digest) for each in kept] == [b"a", b"b", b"a"]


def test_a_content_is_kept_once_for_its_owner_alone(versions):
    keep(versions, b"a", b"a")

    [path] = (versions.folder / "objects").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_damaged_content_is_refused_and_kept_anew_when_it_comes_again(versions):
    [version] = keep(versions, b"a")
    path = versions.folder / "objects" / version.digest
    path.write_bytes(b"b")

    with pytest.raises(FileRefused, match="is damaged; take another version"):
        versions.content(version.digest)
    was_whole = versions.has(version.digest)
    versions.keep(b"a")

    assert (was_whole, versions.content(version.digest)) == (False, b"a")


@pytest.mark.parametrize("torn", [1, 20, "all but the end of the line"])
def test_a_line_that_was_not_finished_says_nothing_and_the_next_one_takes_its_number(versions, torn):
    kept = keep(versions, b"a", b"b", b"c")
    *whole, last = manifest(versions).read_bytes().splitlines(keepends=True)
    part = last[:torn] if isinstance(torn, int) else last[:-1]
    manifest(versions).write_bytes(b"".join(whole) + part)

    before = (versions.all(), versions.last())
    again = versions.append(of(b"c", at=2.0))

    assert before == (kept[:2], kept[1])
    assert (again, versions.all()) == (kept[2], kept)


def test_a_damaged_line_leaves_its_number_to_its_content(versions):
    kept = keep(versions, b"a", b"b", b"c")
    lines = manifest(versions).read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b"changed", b"cHanged")
    manifest(versions).write_bytes(b"".join(lines))

    found = versions.all()

    assert [each.number for each in found] == [1, 2, 3]
    assert (found[0], found[2]) == (kept[0], kept[2])
    assert (found[1].origin, found[1].digest, found[1].is_good) == (Origin.REBUILT, digest_of(b"b"), False)


def test_a_damaged_last_line_keeps_its_number_when_others_follow(versions):
    keep(versions, b"a", b"b")
    raw = manifest(versions).read_bytes()
    manifest(versions).write_bytes(raw[:-10] + b"#" + raw[-9:])

    versions.keep(b"c")
    added = versions.append(of(b"c"))

    assert added.number == 3
    assert [(each.number, each.digest) for each in versions.all()] == [
        (number, digest_of(raw)) for number, raw in enumerate((b"a", b"b", b"c"), 1)
    ]


@pytest.mark.parametrize("lost", ["missing", "empty", "noise"])
def test_a_lost_manifest_is_made_of_the_contents_by_their_age_and_stays_so(versions, lost):
    keep(versions, b"a", b"b")
    if lost == "missing":
        manifest(versions).unlink()
    else:
        manifest(versions).write_bytes(b"" if lost == "empty" else b"\xff\x00\n" * 7)

    rebuilt = versions.all()
    versions.keep(b"c")
    added = versions.append(of(b"c"))

    assert [(each.number, each.digest, each.origin) for each in rebuilt] == [
        (1, digest_of(b"a"), Origin.REBUILT),
        (2, digest_of(b"b"), Origin.REBUILT),
    ]
    assert (added.number, versions.all()) == (3, [*rebuilt, added])


def test_a_manifest_that_cannot_be_read_is_neither_taken_for_empty_nor_written_over(versions):
    keep(versions, b"a")
    manifest(versions).unlink()
    manifest(versions).mkdir()

    for act in (versions.all, versions.last, lambda: versions.append(of(b"b"))):
        with pytest.raises(FileRefused, match=r"manifest\.jsonl: cannot be read: .*; let homeostat's user read it"):
            act()

    assert manifest(versions).is_dir()


def test_a_line_of_a_later_homeostat_is_no_reason_to_fail(versions, monkeypatch):
    keep(versions, b"a")
    monkeypatch.setattr(
        "homeostat.configfiles.versions.asdict", lambda version: {**_fields(version), "colour": "of tomorrow"}
    )
    keep(versions, b"b")

    assert [(each.number, each.origin) for each in versions.all()] == [(1, Origin.CHANGED), (2, Origin.REBUILT)]


def _fields(version):
    return {name: getattr(version, name) for name in Version.__slots__}


def test_a_reason_longer_than_what_is_looked_at_first_hides_no_version(versions):
    [first] = keep(versions, b"a")
    long = versions.append(of(b"a", why="x" * (1 << 17)))

    assert (versions.last(), versions.append(of(b"a")).number) == (long, 3)
    assert versions.all()[:2] == [first, long]


def test_whether_a_change_is_recorded_is_told_of_whole_lines_only(versions):
    keep(versions, b"a", change="c0ffee")
    raw = manifest(versions).read_bytes()

    was = (versions.has_change("c0ffee"), versions.has_change("beef"))
    manifest(versions).write_bytes(raw.replace(b"changed", b"cHanged"))

    assert was == (True, False)
    assert not versions.has_change("c0ffee")


# --- Retention


def test_old_versions_and_their_contents_go_but_never_the_last_good_one_nor_the_newest(versions):
    contents = [str(number).encode() for number in range(30)]
    keep(versions, *contents[:3])
    keep(versions, *contents[3:], is_good=False)

    versions.prune(5, 0.0)

    assert [each.number for each in versions.all()] == [3, 26, 27, 28, 29, 30]
    assert {path.name for path in (versions.folder / "objects").iterdir()} == {
        digest_of(str(number - 1).encode()) for number in (3, 26, 27, 28, 29, 30)
    }
    assert versions.append(of(b"2")).number == 31


def test_what_is_too_old_goes_though_there_are_few(versions):
    kept = keep(versions, b"a", b"b", b"c")

    versions.prune(100, not_before=1.5)

    assert versions.all() == kept[2:]
    assert not versions.has(kept[0].digest)


def test_a_content_that_a_kept_version_has_too_stays(versions):
    keep(versions, b"a", b"b", b"a")

    versions.prune(1, not_before=10.0)

    assert ([each.number for each in versions.all()], versions.content(digest_of(b"a"))) == ([3], b"a")


def test_few_and_young_versions_are_not_rewritten(versions):
    keep(versions, b"a", b"b")
    inode = manifest(versions).stat().st_ino

    versions.prune(2, not_before=0.0)

    assert (manifest(versions).stat().st_ino, len(versions.all())) == (inode, 2)


def test_pruning_a_damaged_history_heals_it(versions):
    keep(versions, *(str(number).encode() for number in range(30)))
    lines = manifest(versions).read_bytes().splitlines(keepends=True)
    lines[27] = b"#" * 100 + b"\n"
    manifest(versions).write_bytes(b"".join(lines))

    versions.prune(5, 0.0)
    found = versions.all()

    assert [each.number for each in found] == [26, 27, 28, 29, 30]
    assert [each.origin for each in found] == [Origin.CHANGED] * 2 + [Origin.REBUILT] + [Origin.CHANGED] * 2
    assert replace(found[2], at=0.0, size=0).digest == digest_of(b"27")
