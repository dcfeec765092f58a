"""The status page's headline, warnings, holds and windows."""

from dataclasses import replace
from typing import Any

import pytest

from homeostat.prometheus_api import Sample
from homeostat.sections import MaintenanceWindow
from responder.ledger import Alert, Entry, EntryKind, Final, Hold, new_episode
from responder.pages.status import Known, Rules, status_of
from responder.pages.troubles import Story
from responder.pages.view import Status, Tone
from responder.pages.workloads import Health

NOW = 1_795_485_600.0  # a Tuesday, 02:00 UTC
RULES = Rules(holds=(), windows=(), known=(), is_dry_run=False, storm=0)
ALERT = Alert(
    "a" * 16, {"alertname": "WorkloadDown", "workload": "shop/web", "remedy": "down"}, {}, NOW, is_firing=True
)
RUNNING = new_episode(ALERT, 7, NOW - 60)
CALLED = replace(RUNNING, id=8, final=Final.ESCALATED, finished_at=NOW, reason="no step helps")
QUESTION = Entry(2, NOW - 5, 7, "shop/web", EntryKind.PENDING, {"rung": 0, "action": "restart", "expires_at": NOW + 60})


def health(**states: str) -> Health:
    return Health([Sample({"workload": f"shop/{name}", "state": word}, 1.0) for name, word in states.items()])


def page(*stories: Any, measured: Health | None = None, rules: Rules = RULES, open_count: int | None = None) -> Status:
    told = [Story(episode, entries, (), lambda *_: "seal", NOW) for episode, entries in stories]
    count = len(told) if open_count is None else open_count
    return status_of(Known("v", NOW, measured or health(web="healthy", db="healthy"), told, count, (), rules))


@pytest.mark.parametrize(
    ("stories", "measured", "tone", "headline"),
    [
        ([], health(web="healthy", db="healthy"), Tone.GOOD, "Nothing is wrong. 2 workloads are watched."),
        ([], health(web="healthy", db="unknown"), Tone.GOOD, "Nothing is wrong. 2 workloads are watched."),
        ([], health(web="degraded"), Tone.BUSY, "No alert to repair, but 1 workload is not well."),
        ([], Health(problem="silence"), Tone.UNKNOWN, "How the workloads are is not known now."),
        ([(RUNNING, [])], health(web="unhealthy"), Tone.BUSY, "1 trouble is being repaired."),
        ([(RUNNING, [])], Health(problem="silence"), Tone.BUSY, "1 trouble is being repaired."),
        ([(RUNNING, []), (CALLED, [])], health(web="unhealthy"), Tone.BAD, "1 trouble needs a person."),
        ([(RUNNING, [QUESTION]), (CALLED, [])], health(web="unhealthy"), Tone.BAD, "1 step waits for your word."),
    ],
)
def test_the_headline_says_the_worst_first(stories, measured: Health, tone: Tone, headline: str):
    view = page(*stories, measured=measured)

    assert (view.tone, view.headline) == (tone, headline)


def test_all_is_counted_below_it():
    view = page((RUNNING, []), measured=health(web="unhealthy", db="healthy", mq="healthy"))

    assert view.summary == "1 open trouble; 3 workloads: 1 unhealthy, 2 healthy."
    assert page(measured=Health(problem="silence")).summary == "No open trouble; 0 workloads."


def test_what_there_is_no_room_for_is_counted():
    assert page((RUNNING, []), open_count=31).troubles_left_out == 30


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (replace(RULES, storm=9), "Storm: 9 workloads"),
        (replace(RULES, is_dry_run=True), "Dry run"),
        (replace(RULES, holds=(Hold("*", "", "jane", NOW, None),)), "Hands off"),
    ],
)
def test_what_keeps_everything_from_being_repaired_is_a_warning(rules: Rules, words: str):
    [warning] = page(rules=rules).warnings

    assert warning.startswith(words)


def test_normally_there_is_no_warning_and_a_silent_prometheus_is_one():
    assert page().warnings == ()
    assert page(measured=Health(problem="silence")).warnings == ("How the workloads are is not known: silence",)


def test_workloads_say_that_nobody_touches_them_now():
    window = MaintenanceWindow(workloads=("shop/db",), start="01:30", end="02:30")
    rules = replace(RULES, holds=(Hold("shop/*", "heap dump", "jane", NOW - 60, NOW + 60),), windows=(window,))

    view = page(rules=rules)

    assert {row.workload: row.notes for row in view.workloads.rows} == {
        "shop/web": ("hands off",),
        "shop/db": ("hands off", "maintenance"),
    }
    [hold] = view.holds
    assert (hold.pattern, hold.by, hold.reason, hold.until and hold.until.ago) == (
        *("shop/*", "jane", "heap dump"),
        "in 60 s",
    )


@pytest.mark.parametrize(
    ("start", "end", "weekdays", "is_now"),
    [("01:30", "02:30", (), True), ("02:30", "03:30", (), False), ("01:30", "02:30", ("sun",), False)],
)
def test_a_window_says_whether_it_is_now(start: str, end: str, weekdays, is_now: bool):
    window = MaintenanceWindow(workloads=("shop/*", "x/y"), start=start, end=end, weekdays=weekdays)

    [row] = page(rules=replace(RULES, windows=(window,))).windows

    assert (row.where, row.is_now) == ("shop/*, x/y", is_now)
    assert row.when == f"{', '.join(weekdays) or 'every day'}, {start} to {end} UTC"
