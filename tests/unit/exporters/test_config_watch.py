"""When a managed file is judged, and what is said of it: not while somebody writes, and never too late."""

import asyncio
import os
import threading
import time
from itertools import pairwise

import pytest
from fakes.managed import BAD, GOOD, OTHER, Hands, Judge, broken_schema, managed
from structlog.testing import capture_logs

from exporters.configevents import Events
from exporters.configwatch import HASH_EVERY_S, JUDGE_EVERY_S, STALE_S, STAT_EVERY_S, ConfigWatch
from homeostat.clock import SystemClock
from homeostat.configfiles.integrity import State
from homeostat.configfiles.spec import Foreign
from homeostat.configfiles.versions import Origin
from homeostat.errors import Temporary


@pytest.fixture
def clock():
    return Hands()


@pytest.fixture
def make(tmp_path, clock):
    """A function that makes a watch as the exporter does at its start."""
    return lambda *names, **more: ConfigWatch(managed(tmp_path, clock, *names, **more), clock)


def state(watch, name="web"):
    """As it is told; None while nothing is."""
    found = {report.name: report for report in watch.reports()}
    return found[name].integrity.state if name in found and found[name].integrity else None


def report(watch):
    [found] = watch.reports()
    return found


def after(watch, clock, seconds):
    """The state when rounds have gone on for so long, a look each tenth of a second."""
    for _ in range(round(seconds * 10)):
        clock.advance(0.1)
        watch.round()
    return state(watch)


# --- At the start


def test_a_file_that_was_not_touched_lately_is_judged_at_once_and_kept_as_the_first_good_one(make):
    watch = make()

    watch.round()

    found = report(watch)
    assert (found.integrity.state, found.is_current, found.versions) == (State.GOOD, True, 1)
    assert (found.last_good.origin, found.last_good.number) == (Origin.SEEN, 1)
    assert found.changed_at == watch.files.spec("web").path.stat().st_ctime


def test_a_file_that_somebody_is_writing_is_not_taken_for_the_first_good_one(tmp_path):
    clock = Hands(ahead_s=1.0)
    watch = ConfigWatch(managed(tmp_path, clock), clock)

    assert 1.5 < watch.round() <= 2.0 + 0.1
    assert state(watch) is None
    assert watch.files.history("web") == []
    assert after(watch, clock, 2.2) is State.GOOD


def test_a_time_in_the_future_says_nothing(tmp_path):
    """The clock was set back since."""
    clock = Hands(ahead_s=-3600.0)
    watch = ConfigWatch(managed(tmp_path, clock), clock)

    watch.round()
    assert after(watch, clock, 2.8) is None
    assert after(watch, clock, 0.3) is State.GOOD


def test_a_file_that_is_not_there_is_waited_for_and_then_missed(make, clock):
    watch = make()
    watch.files.spec("web").path.unlink()

    watch.round()
    assert after(watch, clock, 2.8) is None
    assert after(watch, clock, 0.3) is State.DAMAGED
    assert [flaw.rule for flaw in report(watch).integrity.flaws] == ["missing"]
    assert (report(watch).changed_at, report(watch).last_good, report(watch).versions) == (None, None, 0)


# --- Somebody at work


def test_damage_is_told_of_when_the_file_has_been_still_for_its_settling_time(make, clock):
    watch = make()
    watch.round()
    watch.files.spec("web").path.write_bytes(BAD)

    assert watch.round() == 3.0
    assert after(watch, clock, 2.8) is State.GOOD
    assert after(watch, clock, 0.3) is State.DAMAGED
    assert [flaw.rule for flaw in report(watch).integrity.flaws] == ["parse"]


def test_each_change_begins_the_settling_anew(make, clock):
    watch = make()
    path = watch.files.spec("web").path
    watch.round()
    for number in range(5):
        path.write_bytes(BAD + b"#" * number)
        assert after(watch, clock, 2.5) is State.GOOD

    assert after(watch, clock, 0.6) is State.DAMAGED


def test_who_never_stops_writing_is_not_waited_for_for_ever(make, clock):
    watch = make()
    path = watch.files.spec("web").path
    watch.round()
    begun, number = clock.monotonic(), 0
    while state(watch) is State.GOOD:
        number += 1
        path.write_bytes(BAD + b"#" * number)
        after(watch, clock, 1.0)
        assert number < 100

    assert 29.0 < clock.monotonic() - begun < 32.0


def test_an_editor_that_moves_the_old_file_away_first_is_never_seen_as_damage(make, clock):
    watch = make()
    path = watch.files.spec("web").path
    watch.round()
    told = set()
    for _ in range(5):
        path.rename(path.with_suffix(".bak"))
        told.add(after(watch, clock, 0.2))
        (new := path.with_suffix(".tmp")).write_bytes(GOOD)
        told.add(after(watch, clock, 0.2))
        new.replace(path)
        told.add(after(watch, clock, 4.0))

    assert told == {State.GOOD}


@pytest.mark.parametrize("make_it", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_what_is_no_file_is_damage_and_hangs_nobody(make_it, make, clock):
    watch = make()
    path = watch.files.spec("web").path
    watch.round()
    path.unlink()
    make_it(path)

    assert after(watch, clock, 3.3) is State.DAMAGED
    assert [flaw.rule for flaw in report(watch).integrity.flaws] == ["unreadable"]


# --- What homeostat writes itself


def test_what_homeostat_put_back_is_good_at_once_however_long_others_are_waited_for(make, clock):
    """Else a repair of a file with a long settling time could not be verified in time."""
    watch = make(settle=60.0)
    watch.round()
    watch.files.spec("web").path.write_bytes(BAD)
    assert after(watch, clock, 61.0) is State.DAMAGED

    watch.files.restore("web", "responder", "damaged")

    assert after(watch, clock, 0.1) is State.GOOD


def test_what_others_write_after_it_is_waited_for_again(make, clock):
    watch = make()
    watch.round()
    watch.files.write({"web": OTHER}, "cli", "set")
    watch.files.spec("web").path.write_bytes(BAD)

    assert after(watch, clock, 2.8) is State.GOOD
    assert after(watch, clock, 0.4) is State.DAMAGED


def test_a_change_during_a_look_is_seen_at_the_next_one(make, tmp_path, clock):
    judge = Judge({})
    watch = make(judge=judge)
    path = watch.files.spec("web").path
    watch.round()
    after(watch, clock, 5.0)
    path.write_bytes(OTHER)
    judge.meanwhile = lambda: path.write_bytes(BAD)

    assert after(watch, clock, 3.1) is State.CHANGED
    assert after(watch, clock, 4.0) is State.DAMAGED


def test_nothing_is_judged_again_that_has_not_changed(make, clock):
    judge = Judge({})
    watch = make(judge=judge)
    watch.round()
    after(watch, clock, 10.0)
    asked = judge.asked

    after(watch, clock, 60.0)

    assert judge.asked == asked
    assert watch.round() == STAT_EVERY_S


def untold(watch, monkeypatch):
    """From here on stat says of the file what it has said before: a disk that rots."""
    [as_it_was] = [watched.signature for watched in watch._watched.values()]
    monkeypatch.setattr("exporters.configwatch.signature_of", lambda paths: as_it_was)


def test_what_no_stat_tells_is_found_in_the_end(make, clock, monkeypatch):
    watch = make()
    watch.round()
    after(watch, clock, 10.0)
    untold(watch, monkeypatch)
    watch.files.spec("web").path.write_bytes(BAD)

    clock.advance(HASH_EVERY_S - 20.0)
    assert after(watch, clock, 1.0) is State.GOOD
    assert after(watch, clock, 20.0) is State.DAMAGED


def test_it_began_after_the_last_look_at_the_bytes(make, clock, monkeypatch):
    watch = make()
    path = watch.files.spec("web").path
    watch.round()
    after(watch, clock, 10.0)
    untold(watch, monkeypatch)
    for content in (GOOD, GOOD, BAD, GOOD):
        path.write_bytes(content)
        clock.advance(HASH_EVERY_S)
        watch.round()

    assert report(watch).damaged_spell[0] == clock.now() - 2 * HASH_EVERY_S


def test_what_only_judging_finds_is_found_within_a_day(make, clock):
    """Versions that the disk has lost."""
    judge = Judge({})
    watch = make(judge=judge)
    watch.round()
    after(watch, clock, 10.0)
    judge.flaws = {watch.files.spec("web").path: "no longer as it was"}

    clock.advance(JUDGE_EVERY_S - HASH_EVERY_S)
    assert after(watch, clock, 1.0) is State.GOOD
    clock.advance(HASH_EVERY_S)
    assert after(watch, clock, 1.0) is State.DAMAGED


# --- What cannot be judged


def test_a_schema_that_is_broken_says_nothing_of_the_file(make, clock):
    judge = Judge({})
    watch = make(judge=judge)
    watch.round()
    judge.error = broken_schema()
    watch.files.spec("web").path.write_bytes(OTHER)
    with capture_logs() as logs:
        after(watch, clock, 30.0)
    broken = report(watch)
    judge.error = None
    mended = after(watch, clock, 20.0)

    assert (broken.is_current, broken.integrity.state) == (False, State.GOOD)
    assert [(each["event"], each["error"]) for each in logs] == [("config.not_judged", "schema.json: is no schema")]
    assert (mended, report(watch).is_current) == (State.CHANGED, True)


def test_it_is_tried_again_less_and_less_often_however_many_events_there_are(make, clock):
    judge = Judge({}, broken_schema())
    watch = make(judge=judge)
    tried_at = []
    for _ in range(3000):
        asked = judge.asked
        watch.round()
        if judge.asked > asked:
            tried_at.append(clock.monotonic())
        clock.advance(0.1)

    gaps = [later - earlier for earlier, later in pairwise(tried_at)]
    assert gaps == pytest.approx([5.0, 10.0, 20.0, 40.0, 60.0, 60.0, 60.0], abs=0.2)
    assert report(watch).integrity is None


def test_what_changes_is_tried_as_soon_as_it_is_still(make, clock):
    """A schema that was mended after hours."""
    judge = Judge({}, broken_schema())
    watch = make(judge=judge)
    watch.round()
    after(watch, clock, 200.0)
    judge.error = None
    watch.files.spec("web").path.write_bytes(OTHER)

    assert after(watch, clock, 2.8) is None
    assert after(watch, clock, 0.4) is State.GOOD


def test_a_defect_met_with_one_file_blinds_no_other_and_tells_no_value(make, clock):
    judge = Judge({}, ValueError("password=hunter2"))
    watch = make("web", "api", judge=judge, foreign=Foreign.ACCEPT)
    with capture_logs() as logs:
        watch.round()
        judge.error = None
        watch.files.spec("api").path.write_bytes(BAD)
        after(watch, clock, 9.0)

    assert (state(watch, "web"), state(watch, "api")) == (State.GOOD, State.DAMAGED)
    assert [each["error"].partition(" at ")[0] for each in logs] == ["unexpected ValueError"] * 2
    assert "hunter2" not in str(logs)


def test_rounds_that_stand_still_are_not_news(make, clock):
    watch = make()
    watch.round()
    clock.advance(STALE_S)
    assert state(watch) is State.GOOD

    clock.advance(1.0)

    with pytest.raises(Temporary, match="no managed file was looked at for 61 s"):
        watch.reports()


# --- What others change


@pytest.mark.parametrize(
    ("foreign", "expected", "versions"),
    [(Foreign.ASK, State.CHANGED, 1), (Foreign.ACCEPT, State.GOOD, 2), (Foreign.RESTORE, State.DAMAGED, 1)],
)
def test_a_valid_change_of_others_is_asked_about_accepted_or_damage(foreign, expected, versions, make, clock):
    watch = make(foreign=foreign)
    watch.round()
    watch.files.spec("web").path.write_bytes(OTHER)

    assert after(watch, clock, 3.2) is expected
    assert report(watch).versions == versions
    assert watch.files.spec("web").path.read_bytes() == OTHER


def test_a_change_that_the_check_program_refuses_is_asked_about(tmp_path, clock):
    said = []
    files = managed(tmp_path, clock, foreign=Foreign.ACCEPT, check=("check", "{file}"))
    object.__setattr__(files, "run_check", lambda argv, timeout_s: "".join(said))
    watch = ConfigWatch(files, clock)
    watch.round()
    said.append("no")
    files.spec("web").path.write_bytes(OTHER)

    assert after(watch, clock, 3.2) is State.CHANGED
    assert (report(watch).is_current, report(watch).versions) == (True, 1)


def test_a_first_content_that_the_check_program_refuses_is_not_called_good(tmp_path, clock):
    files = managed(tmp_path, clock, check=("check", "{file}"))
    object.__setattr__(files, "run_check", lambda argv, timeout_s: "no")
    watch = ConfigWatch(files, clock)

    watch.round()

    assert (report(watch).is_current, report(watch).integrity, files.last_good("web")) == (False, None, None)


def test_versions_that_cannot_be_kept_are_told_of(make, tmp_path):
    (tmp_path / "versions").write_text("no folder")
    watch = make()

    watch.round()

    assert (report(watch).is_current, report(watch).integrity) == (False, None)


# --- When it was damaged


def test_the_spell_of_damage_lasts_from_the_change_until_it_is_put_back(make, clock):
    watch = make()
    watch.round()
    after(watch, clock, 10.0)
    damaged_at = clock.now()
    watch.files.spec("web").path.write_bytes(BAD)
    after(watch, clock, 10.0)
    assert report(watch).damaged_spell is None
    restored_at = clock.now()
    watch.files.restore("web", "responder", "damaged")
    after(watch, clock, 10.0)

    begun_at, ended_at = report(watch).damaged_spell
    assert begun_at <= damaged_at + 0.11
    assert restored_at <= ended_at <= restored_at + 0.11


def test_a_spell_without_a_file_does_not_begin_with_what_was_replaced_long_ago(make, clock):
    """The history knows nothing of it: there was nothing to keep."""
    watch = make()
    watch.round()
    path = watch.files.spec("web").path
    path.write_bytes(BAD)
    after(watch, clock, 5.0)
    watch.files.restore("web", "responder", "damaged")
    after(watch, clock, 5.0)
    clock.advance(86400.0)
    watch.round()
    path.unlink()
    missing_at = clock.now()
    after(watch, clock, 5.0)
    watch.files.restore("web", "responder", "missing")
    after(watch, clock, 1.0)

    begun_at, ended_at = report(watch).damaged_spell
    assert missing_at <= begun_at <= missing_at + 0.2
    assert ended_at - begun_at == pytest.approx(5.0, abs=0.3)


def test_what_a_person_has_mended_was_damaged_until_then(make, clock):
    watch = make()
    watch.round()
    path = watch.files.spec("web").path
    damaged_at = clock.now()
    path.write_bytes(BAD)
    after(watch, clock, 60.0)
    path.write_bytes(GOOD)
    after(watch, clock, 4.0)

    begun_at, ended_at = report(watch).damaged_spell
    assert begun_at <= damaged_at + 0.2
    assert damaged_at + 60.0 <= ended_at <= clock.now()


def test_a_restarted_exporter_knows_the_spell_from_the_history(tmp_path):
    clock = Hands(ahead_s=0.0)
    files = managed(tmp_path, clock, settle=0.0)
    ConfigWatch(files, clock).round()
    before = time.time()
    files.spec("web").path.write_bytes(BAD)
    clock.advance(30.0)
    files.restore("web", "responder", "damaged")
    clock.advance(30.0)

    watch = ConfigWatch(files, clock)
    watch.round()

    begun_at, ended_at = report(watch).damaged_spell
    assert begun_at == pytest.approx(before, abs=1.0)
    assert ended_at == pytest.approx(clock.now() - 30.0, abs=1.0)


# --- On its own


async def test_a_disk_that_hangs_keeps_nobody_from_ending(tmp_path, clock):
    going_on = threading.Event()
    judge = Judge({}, meanwhile=lambda: going_on.wait(20))
    running = asyncio.create_task(ConfigWatch(managed(tmp_path, clock, judge=judge), clock).run())
    try:
        async with asyncio.timeout(10):
            while not judge.asked:
                await asyncio.sleep(0.01)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            # As at the end of the exporter.
            await asyncio.get_running_loop().shutdown_default_executor()
    finally:
        going_on.set()


async def test_it_looks_again_as_soon_as_something_happens(tmp_path):
    files = managed(tmp_path, Hands(0.0), settle=0.2)
    watch = ConfigWatch(files, SystemClock(), Events([files.spec("web").path]))
    running = asyncio.create_task(watch.run())
    try:
        async with asyncio.timeout(STAT_EVERY_S * 0.8):
            while state(watch) is not State.GOOD:
                await asyncio.sleep(0.02)
            files.spec("web").path.write_bytes(BAD)
            while state(watch) is not State.DAMAGED:
                await asyncio.sleep(0.02)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
