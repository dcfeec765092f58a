"""In what state a file is, and why."""

from pathlib import Path

import pytest

from homeostat.configfiles.attributes import Attributes
from homeostat.configfiles.formats.base import Parsed
from homeostat.configfiles.integrity import State, judge, refused
from homeostat.configfiles.reading import Found, digest_of
from homeostat.configfiles.spec import Foreign, ManagedFile
from homeostat.configfiles.validation import Flaw, Validated
from homeostat.configfiles.versions import Origin, Version

RAW = b"A=1\n"
OPEN = Validated(Parsed({"A": "1"}, {}), ())
SECRET = Validated(Parsed({"A_PASSWORD": "1"}, {}), ())


def spec(**more):
    return ManagedFile(path=Path("/srv/web.env"), **more)


def found(mode=0o640, raw=RAW, uid=0):
    return Found(raw, Attributes(mode, uid, uid))


def good(raw=RAW, mode=0o640):
    return Version(1.0, digest_of(raw), len(raw), mode, Origin.SEEN, is_good=True)


def rules(integrity):
    return [flaw.rule for flaw in integrity.flaws]


def test_as_it_was_when_it_was_good_it_is_good():
    integrity = judge(spec(), found(), OPEN, good())

    assert (integrity.state, integrity.flaws) == (State.GOOD, ())
    assert (integrity.is_parsed, integrity.is_schema_valid, integrity.is_mode_allowed) == (True, True, True)


def test_before_there_is_a_good_version_what_is_valid_is_good():
    assert judge(spec(), found(), OPEN, None).state is State.GOOD


@pytest.mark.parametrize(
    ("foreign", "state"),
    [(Foreign.ASK, State.CHANGED), (Foreign.ACCEPT, State.CHANGED), (Foreign.RESTORE, State.DAMAGED)],
)
def test_a_valid_change_of_others_is_what_the_owner_said(foreign, state):
    assert judge(spec(foreign=foreign), found(), OPEN, good(b"B=1\n")).state is state


def test_without_a_file_it_is_damaged():
    integrity = judge(spec(), None, None, good())

    assert (integrity.state, rules(integrity), integrity.is_parsed) == (State.DAMAGED, ["missing"], False)


def test_every_flaw_is_damage_though_the_bytes_are_those_of_the_good_version():
    flawed = Validated(None, (Flaw("parse", "no"),))

    integrity = judge(spec(), found(), flawed, good())

    assert (integrity.state, rules(integrity)) == (State.DAMAGED, ["parse"])
    assert (integrity.is_parsed, integrity.is_schema_valid) == (False, False)


@pytest.mark.parametrize(
    ("mode", "validated", "max_mode", "words"),
    [
        (0o644, OPEN, None, ""),
        (0o646, OPEN, None, "allowed: without 0002"),
        (0o640, SECRET, None, ""),
        (0o644, SECRET, None, "allowed: without 0004"),
        (0o4640, SECRET, None, "allowed: without 4000"),
        (0o644, OPEN, "0600", "allowed: without 0044"),
        (0o644, SECRET, "0644", ""),
    ],
)
def test_who_may_read_and_write_is_bounded_by_what_is_in_it_or_by_what_is_said(mode, validated, max_mode, words):
    integrity = judge(spec(max_mode=max_mode), found(mode), validated, good(mode=0o600))

    assert integrity.is_mode_allowed == (not words)
    assert rules(integrity) == (["mode"] if words else [])
    assert words in "".join(flaw.words for flaw in integrity.flaws)


@pytest.mark.parametrize("last_good", [None, good(mode=0o644)])
def test_a_file_that_was_as_open_when_it_was_accepted_is_told_of_and_no_damage(last_good):
    integrity = judge(spec(), found(0o644), SECRET, last_good)

    assert (integrity.state, integrity.is_mode_allowed) == (State.GOOD, False)


def test_what_the_owner_forbids_is_damage_whenever_it_came():
    assert rules(judge(spec(max_mode="0640"), found(0o644), SECRET, good(mode=0o644))) == ["mode"]


def test_where_files_have_no_owner_the_mode_is_no_matter():
    integrity = judge(spec(), found(0o666, uid=-1), SECRET, good())

    assert (integrity.state, integrity.is_mode_allowed) == (State.GOOD, True)


def test_a_mode_that_keeps_its_owner_out_is_damage_unless_it_was_so():
    assert rules(judge(spec(), found(0o040), OPEN, good(mode=0o640))) == ["mode"]
    assert rules(judge(spec(), found(0o040), OPEN, good(mode=0o040))) == []


def test_what_cannot_be_read_is_damaged():
    assert (refused("why").state, rules(refused("why"))) == (State.DAMAGED, ["unreadable"])
