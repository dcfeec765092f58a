"""What is about to be done, on disk before it is: read back exactly, or not at all."""

import json
from pathlib import Path

import pytest

from homeostat.configfiles.journal import Journal, Move
from homeostat.configfiles.reading import digest_of
from homeostat.configfiles.versions import Origin, Version

VERSION = Version(1.5, digest_of(b"new"), 3, 0o640, Origin.RESTORED, True, "me", "so", ("p",), "c", 0, 1, 2, 0.0, "/t")
MOVES = [
    Move("web", Path("/srv/web.env"), Path("/srv/.web.env.homeostat-1"), digest_of(b"old"), VERSION, 0o604, 3, 4),
    Move("app", Path("/srv/app.yml"), None, "", VERSION),
]


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "pending")


def test_an_entry_is_read_back_as_it_was_until_it_is_ended(journal):
    journal.begin("c1", MOVES)

    found = journal.open_ones()
    journal.end("c1")
    journal.end("c1")

    assert found == {"c1": MOVES}
    assert [move.in_place for move in found["c1"]] == [False, True]
    assert journal.open_ones() == {}


def test_where_nothing_was_ever_begun_nothing_is_open(journal):
    journal.end("c1")

    assert journal.open_ones() == {}


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[: len(raw) // 2],
        lambda raw: b"",
        lambda raw: b"{}}",
        lambda raw: json.dumps([{**json.loads(raw)[0], "later": 1}]).encode(),
        lambda raw: raw.replace(b"restored", b"forgotten"),
    ],
    ids=["half", "empty", "noise", "of a later homeostat", "unknown origin"],
)
def test_a_damaged_entry_is_set_aside_and_the_others_are_read(journal, tmp_path, damage):
    journal.begin("c1", MOVES)
    journal.begin("c2", MOVES)
    path = tmp_path / "pending" / "c1.json"
    path.write_bytes(damage(path.read_bytes()))

    assert set(journal.open_ones()) == {"c2"}
    assert sorted(each.name for each in path.parent.iterdir()) == ["c1.damaged", "c2.json"]
