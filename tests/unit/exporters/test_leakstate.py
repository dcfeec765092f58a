"""What is known of leaks outlasts the exporter; a file that is anything else is set aside and said so."""

import json
import os
import re
import stat

import pytest
from fakes.leaking import START, WEB, key, minute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from exporters import leakrecords
from exporters.leakrecords import MOST_BYTES
from exporters.leakseries import MOST_SERIES, AllSeries, Series
from exporters.leakstate import NAME, StateFile
from exporters.loadcurve import LoadCurve

CUT = 400


def rounds(everything, numbers):
    """What is said in each of these minutes."""
    return [everything.take(minute(number, key(1)), START + 60 * number, 60.0).rows for number in numbers]


@pytest.fixture(scope="module")
def known():
    """All that is known in the middle of a leak, as bytes."""
    everything = AllSeries()
    rounds(everything, range(CUT))
    return leakrecords.dump(everything)


@pytest.fixture
def state(tmp_path, clock):
    return StateFile(tmp_path / "state", clock)


@pytest.fixture
def planted(tmp_path, state):
    """A function that puts a state file there."""

    def planted(content):
        path = tmp_path / "state" / NAME
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return path

    return planted


# --- What is written is read again


def test_it_goes_on_where_it_was(known, state):
    one = leakrecords.load(known)
    state.save(one)
    other = state.load()
    said = rounds(other, range(CUT, 480))

    assert said == rounds(one, range(CUT, 480))
    assert any(row.assessment.verdict.is_alarm for rows in said for row in rows)
    assert other.loads.curves == one.loads.curves != {}


def test_what_is_read_is_not_told_of_before_it_is_seen(known):
    everything = leakrecords.load(known)

    assert set(everything.series) == {WEB, key(1)}
    assert everything.take([], START + 60 * CUT, None).rows == ()


def test_growth_is_remembered_with_its_beginning():
    everything = AllSeries()
    everything.series[WEB] = Series(seen_at=START, growing_since=START - 5.5)

    assert leakrecords.load(leakrecords.dump(everything)).series[WEB].growing_since == START - 5.5


def test_the_file_is_for_its_owner_only_and_nothing_else_is_left(known, state, tmp_path):
    state.save(leakrecords.load(known))
    state.save(leakrecords.load(known))

    assert [path.name for path in (tmp_path / "state").iterdir()] == [NAME]
    assert stat.S_IMODE((tmp_path / "state" / NAME).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_without_a_file_nothing_is_known_and_nothing_is_said(state):
    with capture_logs() as logs:
        assert state.load().series == {}

    assert (logs, state.set_aside) == ([], 0)


def test_what_a_crash_left_is_removed(known, state, planted):
    path = planted(known)
    (path.parent / f".{NAME}.homeostat-0123").write_bytes(b"half")

    assert len(state.load().series) == 2
    assert [each.name for each in path.parent.iterdir()] == [NAME]


def test_all_series_that_there_may_be_fit_into_the_file():
    everything = AllSeries()
    one = leakrecords.load(_alarmed()).series[WEB]
    everything.series = {key(number): one for number in range(MOST_SERIES)}
    busy = LoadCurve([0.123456789012345678 * each for each in range(48)])
    everything.loads.curves = {f"shop/s{number}": busy for number in range(MOST_SERIES)}
    content = leakrecords.dump(everything)

    assert len(content) < MOST_BYTES
    assert len(leakrecords.load(content).series) == MOST_SERIES


def _alarmed():
    everything = AllSeries()
    rounds(everything, range(470))
    return leakrecords.dump(everything)


# --- What is none of it


def change(content, **values):
    return json.dumps(json.loads(content) | values).encode()


BROKEN = {
    "nothing": lambda _: b"",
    "no JSON": lambda _: b"\x00\xff garbage",
    "truncated": lambda content: content[: len(content) // 2],
    "one byte short": lambda content: content[:-3],
    "a list": lambda _: b"[]",
    "another version": lambda content: change(content, version=[99, 1]),
    "no version": lambda content: change(content, version=None),
    "something more": lambda content: change(content, more=1),
    "series of another kind": lambda content: change(content, series={"a": 1}),
    "a series of another kind": lambda content: change(content, series=[7]),
    "a series without a detector": lambda content: change(content, series=[{"workload": "a/b"}]),
    "curves of another kind": lambda content: change(content, curves=[None]),
    "too many series": lambda content: change(content, series=[0] * (MOST_SERIES + 1)),
    "a number that is none": lambda content: re.sub(rb'"seen_at":[0-9.]+', b'"seen_at":NaN', content, count=1),
    "a number that is endless": lambda content: re.sub(rb'"used_s":[0-9.]+', b'"used_s":1e999', content, count=1),
    "a curve of 47 half hours": lambda content: content.replace(b'"cores":[null,', b'"cores":[', 1),
    "brackets": lambda _: b"[" * 100_000,
    "a mebibyte of numbers": lambda _: b'{"version":' + b"9" * 2**20 + b"}",
    "10 MB of zeros": lambda _: bytes(10_000_000),
    "too large": lambda content: content + b" " * MOST_BYTES,
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_set_aside_and_said_so(known, state, planted, name):
    content = BROKEN[name](known)
    path = planted(content)
    with capture_logs() as logs:
        everything = state.load()

    assert (everything.series, everything.loads.curves) == ({}, {})
    assert state.set_aside == 1
    (aside,) = path.parent.iterdir()
    assert aside.name.startswith(f"{NAME}.corrupt-")
    assert aside.read_bytes() == content
    assert [(line["event"], line["log_level"]) for line in logs] == [("leaks.state_corrupt", "error")]
    assert 0 < len(logs[0]["problem"]) <= 500


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_bytes_change_it_is_read_or_set_aside(known, state, planted, data):
    at = data.draw(st.integers(0, len(known) - 1))
    planted(known[:at] + data.draw(st.binary(min_size=1, max_size=4)) + known[at + 1 :])
    with capture_logs():
        everything = state.load()

    rounds(everything, range(CUT, CUT + 3))


def test_of_files_that_were_set_aside_the_newest_three_are_kept(state, planted, clock, tmp_path):
    for number in range(5):
        planted(b"broken %d" % number)
        with capture_logs():
            state.load()
        clock.elapsed += 10

    kept = sorted((tmp_path / "state").iterdir())
    assert [path.read_bytes() for path in kept] == [b"broken 2", b"broken 3", b"broken 4"]
    assert state.set_aside == 5


def test_a_new_file_is_saved_beside_one_that_was_set_aside(known, state, planted, tmp_path):
    planted(b"broken")
    with capture_logs():
        state.load()
    state.save(leakrecords.load(known))

    assert len(list((tmp_path / "state").iterdir())) == 2
    assert len(state.load().series) == 2


# --- What cannot be written or read


def unwritable(tmp_path):
    """A state folder that is a file: nobody can write into it, root neither."""
    (tmp_path / "state").write_text("")


def test_that_it_cannot_be_saved_is_said_once(tmp_path, state):
    unwritable(tmp_path)
    with capture_logs() as logs:
        state.save(AllSeries())
        state.save(AllSeries())
        (tmp_path / "state").unlink()
        state.save(AllSeries())
        (tmp_path / "state" / NAME).unlink()
        (tmp_path / "state").rmdir()
        unwritable(tmp_path)
        state.save(AllSeries())

    assert [(line["event"], line["log_level"]) for line in logs] == [("leaks.state_not_saved", "warning")] * 2
    assert "state_dir" in logs[0]["hint"]


def test_a_file_that_cannot_be_read_is_left_alone(tmp_path, state):
    (tmp_path / "state" / NAME).mkdir(parents=True)
    with capture_logs() as logs:
        assert state.load().series == {}

    assert [line["event"] for line in logs] == ["leaks.state_unreadable"]
    assert (tmp_path / "state" / NAME).is_dir()
    assert state.set_aside == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_rights_is_said(tmp_path, state, planted):
    path = planted(b"broken")
    path.parent.chmod(0o500)
    with capture_logs() as logs:
        state.load()
        state.save(AllSeries())
    path.parent.chmod(0o700)

    assert [line["event"] for line in logs] == ["leaks.state_stays", "leaks.state_corrupt", "leaks.state_not_saved"]


def test_a_broken_file_that_cannot_be_set_aside_does_not_keep_anybody_from_starting(state, planted, monkeypatch):
    from homeostat import files

    def refuse(*_arguments):
        raise OSError(30, "Read-only file system")

    planted(b"broken")
    monkeypatch.setattr(files, "replace", refuse)
    with capture_logs() as logs:
        assert state.load().series == {}

    assert [line["event"] for line in logs] == ["leaks.state_stays", "leaks.state_corrupt"]
