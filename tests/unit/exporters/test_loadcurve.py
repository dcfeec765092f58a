"""How busy a workload is by the time of day, and when a restart of it disturbs the least."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.loadcurve import SLOT_S, SLOTS, LoadCurve, Loads, best_restart, quietest

DAY = SLOT_S * SLOTS
#: A midnight (UTC).
MIDNIGHT = 20_833 * DAY
HOUR = 3600.0


def curve_of(cores):
    """A curve that has seen one day; ``cores``: by half hour of the day."""
    curve = LoadCurve()
    for slot in range(SLOTS + 1):
        for part in range(2):
            curve.put(MIDNIGHT - DAY + slot * SLOT_S + 900 * part, 900 * cores(slot % SLOTS), 900)
    return curve


def at(hours):
    return MIDNIGHT + HOUR * hours


#: Busy all day, quiet from 4:00 to 4:30.
NIGHTLY = curve_of(lambda slot: 0.1 if slot == 8 else 1 + slot / 100)


def test_a_half_hour_has_the_mean_of_what_was_used_in_it():
    curve = LoadCurve()
    for minute in range(31):
        curve.put(MIDNIGHT + 60 * minute, 60 * (2 if minute < 15 else 1), 60)

    assert curve.cores[0] == pytest.approx(1.5)
    assert curve.cores[1:] == [None] * 47


def test_a_half_hour_of_which_less_than_half_was_seen_does_not_count():
    curve = LoadCurve()
    for minute in range(17, 31):
        curve.put(MIDNIGHT + 60 * minute, 60.0, 60)

    assert curve.cores == [None] * SLOTS


def test_days_are_weighted_the_newer_the_more():
    curve = LoadCurve()
    for day, cores in enumerate((1.0, 1.0, 3.0, 3.0)):
        for slot in range(SLOTS):
            curve.put(MIDNIGHT + day * DAY + slot * SLOT_S, SLOT_S * cores, SLOT_S)

    assert curve.cores[0] == pytest.approx(1 + 2 * (1 - 0.7**2))


def test_the_quietest_half_hour_is_found():
    assert quietest(NIGHTLY, at(20), at(34)) == at(28)  # 4:00 of the next day


def test_of_several_nights_it_is_the_last():
    assert quietest(NIGHTLY, at(20), at(34 + 72)) == at(28 + 72)


@pytest.mark.parametrize(("until", "expected"), [(27.9, 24), (28.1, 28), (28.4, 28)])
def test_it_begins_before_the_end(until, expected):
    assert quietest(NIGHTLY, at(20), at(until)) == at(expected)


def test_the_half_hour_of_now_counts():
    assert quietest(NIGHTLY, at(4.3), at(12)) == at(4)
    assert quietest(NIGHTLY, at(12.1), at(12.2)) == at(12)


def test_while_a_half_hour_was_never_seen_none_is_the_quietest():
    curve = curve_of(lambda _: 1.0)
    curve.cores[30] = None

    assert quietest(curve, at(0), at(10)) is None
    assert quietest(LoadCurve(), at(0), at(10)) is None


@given(
    st.lists(st.floats(0, 64), min_size=SLOTS, max_size=SLOTS),
    st.floats(0, 10 * DAY),
    st.floats(0, 10 * DAY),
)
def test_it_is_never_before_now_nor_at_the_end_and_none_is_quieter(cores, now, ahead):
    now += MIDNIGHT
    found = quietest(LoadCurve(list(cores)), now, now + ahead)

    assert now - SLOT_S < found <= now + ahead
    slots = range(int(now // SLOT_S), int((now + ahead) // SLOT_S))
    assert all(cores[int(found // SLOT_S) % SLOTS] <= cores[slot % SLOTS] for slot in slots)


def test_a_restart_is_best_at_the_quietest_time_that_leaves_a_margin():
    assert best_restart(NIGHTLY, at(20), at(20), at(34)) == at(28)
    # 4:00 is later than 85 % of the way: the quietest of what is before.
    assert best_restart(NIGHTLY, at(20), at(20), at(29)) == at(24)


@pytest.mark.parametrize("curve", [None, LoadCurve()])
def test_while_no_day_is_known_it_is_best_half_way(curve):
    assert best_restart(curve, at(10), at(10), at(20)) == at(15)


def test_half_way_does_not_recede_as_it_comes_nearer():
    found = {best_restart(None, at(10), now, at(20)) for now in (at(10), at(12), at(14.9), at(15.1), at(19))}

    assert found == {at(15)}


def test_past_the_margin_it_is_due():
    assert best_restart(NIGHTLY, at(10), at(19), at(20)) < at(19)
    assert best_restart(NIGHTLY, at(10), at(30), at(20)) < at(30)


@given(st.floats(0, 20 * DAY), st.floats(0, 1))
def test_it_is_never_after_exhaustion(ahead, share):
    since = at(13.2)
    now = since + share * ahead

    for curve in (None, NIGHTLY):
        assert best_restart(curve, since, now, since + ahead) <= since + ahead


def half_hours(loads, *, count, counters_of, start=0):
    for index in range(start, start + 2 * count + 1):
        loads.put(MIDNIGHT + 900 * index, 900.0, counters_of(index))


def test_containers_of_a_workload_are_added_up():
    loads = Loads()
    half_hours(
        loads,
        count=1,
        counters_of=lambda n: {("shop/web", "a"): 900.0 * n, ("shop/web", "b"): 1800.0 * n, ("shop/db", "c"): 90.0 * n},
    )
    half_hours(loads, count=0, start=3, counters_of=lambda _: {("shop/web", "a"): 0.0, ("shop/db", "c"): 0.0})

    assert loads.curves["shop/web"].cores[0] == pytest.approx(3.0)
    assert loads.curves["shop/db"].cores[0] == pytest.approx(0.1)


def test_a_counter_that_begins_anew_counts_from_0():
    loads = Loads()
    totals = {0: 1000.0, 1: 1900.0, 2: 450.0}  # a restart between the second and the third
    for index, total in totals.items():
        loads.put(MIDNIGHT + 600 * index, 600.0, {("shop/web", "a"): total})

    assert (loads.curves["shop/web"].used_s, loads.curves["shop/web"].seen_s) == (1350.0, 1200.0)


def test_what_was_used_in_an_unknown_time_does_not_count():
    loads = Loads()
    loads.put(MIDNIGHT, None, {("shop/web", "a"): 1e6})
    loads.put(MIDNIGHT + 15, 15.0, {("shop/web", "a"): 1e6 + 3})
    loads.put(MIDNIGHT + 5000, None, {("shop/web", "a"): 2e6})
    loads.put(MIDNIGHT + 5015, 15.0, {("shop/web", "a"): 2e6 + 6})

    assert (loads.curves["shop/web"].used_s, loads.curves["shop/web"].seen_s) == (6.0, 15.0)


def test_a_container_that_is_new_has_used_nothing_that_is_known():
    loads = Loads()
    loads.put(MIDNIGHT, 15.0, {("shop/web", "a"): 5.0})
    loads.put(MIDNIGHT + 15, 15.0, {("shop/web", "a"): 6.0, ("shop/web", "b"): 1e6})

    assert loads.curves["shop/web"].used_s == 1.0


def test_workloads_that_are_gone_are_forgotten():
    loads = Loads()
    half_hours(loads, count=1, counters_of=lambda n: {("shop/web", "a"): 1.0 * n, ("shop/db", "b"): 1.0 * n})

    loads.keep({"shop/db"})

    assert set(loads.curves) == {"shop/db"}
