"""All series together: who is fed, what is told, who is forgotten, and how many there may be."""

import pytest
from fakes.leaking import ONSET, START, WEB, key, minute, reading
from structlog.testing import capture_logs

from exporters import leakseries
from exporters.leakinputs import Bound, Resource
from exporters.leaks.assessment import Verdict
from exporters.leaks.detector import Detector
from exporters.leakseries import FORGET_S, MOST_SERIES, SILENT_S, AllSeries

MANY = [key(number, resource) for number in range(100) for resource in (Resource.MEMORY, Resource.FDS)]


def verdicts(found):
    return {row.key: row.assessment.verdict for row in found.rows}


def follow(everything, minutes, *healthy, **options):
    """The rounds of these minutes; the last of them."""
    found = None
    for number in minutes:
        found = everything.take(minute(number, *healthy, **options), START + 60 * number, 60.0)
    return found


def until_alarm(everything, *healthy):
    """The minute and the row of the first alarm."""
    for number in range(480):
        found = everything.take(minute(number, *healthy), START + 60 * number, 60.0)
        (row,) = (row for row in found.rows if row.key == WEB)
        if row.assessment.verdict.is_alarm:
            return number, row
    pytest.fail("no alarm")


@pytest.fixture(scope="module")
def alarmed():
    """All that is known when the first alarm comes, and its minute and row. Not to be changed."""
    everything = AllSeries()
    return everything, *until_alarm(everything, key(1), key(2))


def test_a_leak_is_told_with_a_forecast_and_the_others_are_healthy(alarmed):
    everything, number, row = alarmed
    found = everything.take(minute(number, key(1), key(2)), START + 60 * number, 60.0)

    assert ONSET < number < 460
    assert row.is_growing
    assert (row.bound, row.last_sample) == (Bound.CGROUP, START + 60 * number)
    assert row.value == pytest.approx(minute(number)[0].sample.value)
    assert row.assessment.exhaustion == pytest.approx(START + 480 * 60, rel=0, abs=3600)
    assert {verdicts(found)[key(1)], verdicts(found)[key(2)]} == {Verdict.HEALTHY}
    assert [each.restart_at for each in found.rows if not each.is_growing] == [None, None]


def test_a_restart_is_best_half_way_from_when_growth_was_first_told(alarmed):
    everything, number, row = alarmed
    since = everything.series[WEB].growing_since

    assert START + 60 * ONSET < since <= START + 60 * number
    assert row.restart_at == pytest.approx((since + row.assessment.exhaustion_cautious) / 2)


def test_among_many_series_the_leak_is_found_and_nothing_else():
    everything = AllSeries()
    until_alarm(everything, *MANY)

    assert {key_ for key_, series in everything.series.items() if series.row.is_growing} == {WEB}


def test_rows_come_in_order(alarmed):
    everything, number, _ = alarmed
    found = everything.take(minute(number, key(2), key(1)), START + 60 * number, 60.0)

    assert [row.key for row in found.rows] == sorted([WEB, key(1), key(2)])


def test_a_new_start_of_the_same_name_is_a_new_life():
    everything = AllSeries()
    number, _ = until_alarm(everything)
    anew = START + 60 * (number + 1)
    found = follow(everything, range(number + 1, number + 3), leaks=False, started=anew)

    assert verdicts(found) == {WEB: Verdict.INSUFFICIENT_DATA}
    assert everything.series[WEB].growing_since is None
    assert found.rows[0].restart_at is None


def test_what_is_not_seen_is_not_told_of_for_long():
    everything = AllSeries()
    follow(everything, range(10), key(1))
    within = everything.take([reading(WEB, START + 600, 1e8)], START + 540 + SILENT_S, 60.0)
    after = everything.take([reading(WEB, START + 660, 1e8)], START + 541 + SILENT_S, 60.0)

    assert set(verdicts(within)) == {WEB, key(1)}
    assert set(verdicts(after)) == {WEB}
    assert key(1) in everything.series


def test_what_was_not_seen_for_a_day_is_forgotten():
    everything = AllSeries()
    follow(everything, range(3), key(1))
    last = START + 120
    everything.take([reading(WEB, last + FORGET_S, 1e8)], last + FORGET_S, None)
    assert key(1) in everything.series
    everything.take([reading(WEB, last + FORGET_S + 1, 1e8)], last + FORGET_S + 1, None)

    assert set(everything.series) == {WEB}


def test_a_clock_that_is_put_back_a_year_does_not_keep_things_for_a_year():
    everything = AllSeries()
    follow(everything, range(3), key(1))
    past = START - 365 * 86400
    everything.take([reading(WEB, past, 1e8)], past, None)
    everything.take([reading(WEB, past + FORGET_S + 1, 1e8)], past + FORGET_S + 1, None)

    assert set(everything.series) == {WEB}


def test_load_is_known_for_workloads_that_are_known():
    everything = AllSeries()
    follow(everything, range(100))
    assert everything.loads.curves["shop/web"].used_s > 0
    everything.take([reading(key(1), START + 1e6, 1e8)], START + 1e6, None)

    assert set(everything.loads.curves) == set()


@pytest.fixture
def few(monkeypatch):
    """Room for three."""
    monkeypatch.setattr(leakseries, "MOST_SERIES", 3)
    return AllSeries()


def readings_of(*numbers, at=START):
    return [reading(key(number), at, 1e8) for number in numbers]


def test_there_is_room_for_many():
    found = AllSeries().take(readings_of(*range(MOST_SERIES + 7)), START, None)

    assert (len(found.rows), found.left_out) == (MOST_SERIES, 7)


def test_what_there_is_no_room_for_is_counted_and_who_was_there_stays(few):
    few.take(readings_of(7, 8), START, None)
    found = few.take(readings_of(*range(10)), START + 15, 15.0)

    assert found.left_out == 7
    assert {key(7), key(8)} < set(verdicts(found))
    assert few.take(readings_of(7, 8), START + 30, 15.0).left_out == 0


def test_who_is_gone_for_the_longest_makes_room_for_who_is_there(few):
    few.take(readings_of(1), START, None)
    few.take(readings_of(2, 3), START + 15, 15.0)
    found = few.take(readings_of(3, 4, at=START + 30), START + 30, 15.0)

    assert found.left_out == 0
    assert set(few.series) == {key(2), key(3), key(4)}


@pytest.mark.parametrize("method", ["feed", "assess"])
def test_one_series_that_cannot_be_judged_does_not_end_the_others(monkeypatch, method):
    everything = AllSeries()
    follow(everything, range(10), key(1))
    broken, original = everything.series[WEB].detector, getattr(Detector, method)

    def fail(self, *arguments):
        if self is broken:
            raise ZeroDivisionError
        return original(self, *arguments)

    monkeypatch.setattr(Detector, method, fail)
    with capture_logs() as logs:
        follow(everything, range(10, 12), key(1))

    assert [(line["event"], line["workload"]) for line in logs] == [("leaks.broken", "shop/web")]
    assert everything.series[WEB].detector is not broken
    assert {row.last_sample for row in (everything.series[WEB].row, everything.series[key(1)].row)} == {START + 660}


def test_only_what_begins_or_ends_to_grow_is_logged():
    everything = AllSeries()
    with capture_logs() as logs:
        number, _ = until_alarm(everything, key(1), key(2))
        follow(everything, [number + 1, number + 2], key(1), key(2), started=START + 60 * number)

    assert {line["event"] for line in logs} == {"leaks.verdict"}
    assert {line["workload"] for line in logs} == {"shop/web"}
    assert [line["verdict"] for line in logs][-2:] == ["leak", "insufficient_data"]


def test_history_is_that_of_the_series_that_are_known():
    everything = AllSeries()
    follow(everything, range(30))
    found = everything.history([WEB, key(1)])

    assert set(found) == {WEB}
    assert len(found[WEB]) == 29
    assert found[WEB] == sorted(found[WEB])


@pytest.mark.parametrize("method", ["feed", "assess", "history"])
def test_one_thread_at_a_time_has_to_do_with_detectors(monkeypatch, method):
    everything = AllSeries()
    original = getattr(Detector, method)
    held = []

    def watched(*arguments):
        held.append(everything.lock.locked())
        return original(*arguments)

    monkeypatch.setattr(Detector, method, watched)
    follow(everything, range(3))
    everything.history([WEB])

    assert set(held) == {True}
    assert not everything.lock.locked()
