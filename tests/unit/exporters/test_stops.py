"""Was it a stop or a crash?"""

import pytest

from exporters.stops import Heard, is_end_untold, is_ending, is_stop_requested, note, signal_number
from homeostat.containers import ContainerEvent

NOW = 10_000.0


def heard(*events, stop_signal=""):
    """``events``: (action, at) or (action, at, signal)."""
    found = Heard()
    for action, at, *signal in events:
        note(found, ContainerEvent("id", action, signal[0] if signal else "", at), stop_signal)
    return found


@pytest.fixture
def running(make):
    return make(started_at=100.0)


@pytest.fixture
def ended(make):
    return make(status="exited", pid=0, started_at=100.0, finished_at=200.0)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], None),  # the engine told nothing, or has forgotten: nobody can say
        ([("die", 200.1)], False),
        ([("kill", 190, "15"), ("stop", 200.2), ("die", 200.1)], True),  # docker stop
        ([("kill", 199, "9"), ("die", 200.1)], True),  # docker kill
        ([("kill", 199, "2"), ("die", 200.1)], True),
        ([("kill", 199, "3"), ("die", 200.1)], True),
        ([("kill", 199, "1"), ("die", 200.1)], False),  # a reload
        ([("kill", 199, "10"), ("die", 200.1)], False),
        ([("kill", 90, "15"), ("stop", 95), ("die", 95.1), ("start", 100), ("die", 200)], False),  # then crashed
        ([("kill", 90, "15"), ("stop", 95), ("die", 95.1), ("start", 100)], None),  # and the second end was not told
        ([("kill", 110, "15"), ("die", 200.1)], False),  # ignored TERM, crashed much later
        ([("kill", 110, "15"), ("stop", 200.1)], True),  # docker stop --time 90
        ([("stop", 300.0)], True),  # stopped while it waited for its restart
        ([("kill", 199, ""), ("die", 200.1)], True),  # podman kill: which signal is not told
    ],
)
def test_an_end_is_requested_or_it_is_a_crash(ended, events, expected):
    assert is_stop_requested(ended, heard(*events), NOW) is expected


@pytest.mark.parametrize(
    ("events", "now", "expected"),
    [
        ([], 210.0, False),
        ([("kill", 205, "15")], 206.0, True),  # docker stop, on its way
        ([("kill", 205, "15")], 300.0, False),  # ignored
        ([("kill", 205, "1")], 206.0, False),
        ([("kill", 90, "15"), ("stop", 95)], 101.0, False),  # docker restart, done
    ],
)
def test_a_stop_under_way_counts_until_it_was_ignored(running, events, now, expected):
    assert is_stop_requested(running, heard(*events), now) is expected


def test_what_never_started_was_not_stopped(make):
    created = make(status="created", pid=0, started_at=None)

    assert not is_stop_requested(created, heard(("kill", 5, "9")), NOW)


def test_the_order_in_which_events_are_told_does_not_matter(ended):
    told = [("stop", 200.2), ("kill", 190, "15"), ("kill", 20, "15"), ("kill", 190, "15")]

    assert is_stop_requested(ended, heard(*told), NOW)
    assert heard(*told) == heard(*reversed(told))


def test_the_same_oom_told_twice_is_counted_once():
    assert heard(("oom", 5), ("oom", 6), ("oom", 6), ("oom", 5)).oom_count == 2


@pytest.mark.parametrize(
    ("sent", "own", "expected"),
    [
        ("15", "", True),
        ("SIGTERM", "", True),
        ("kill", "", True),
        ("28", "SIGWINCH", True),  # httpd
        ("WINCH", "28", True),
        ("37", "SIGRTMIN+3", True),  # systemd
        ("28", "", False),
        ("HUP", "", False),
        ("HUP", "SIGHUP", True),
        ("", "", False),
        ("nonsense", "nonsense", False),
    ],
)
def test_which_signals_ask_to_end(sent, own, expected):
    assert is_ending(sent, own) is expected


@pytest.mark.parametrize(
    ("text", "number"), [("15", 15), ("SIGINT", 2), ("rtmin", 34), ("SIGRTMIN+3", 37), ("SIGNOPE", None), ("", None)]
)
def test_signals_have_numbers(text, number):
    assert signal_number(text) == number


@pytest.mark.parametrize(
    ("events", "now", "untold"),
    [
        ([], 210.0, True),
        ([], 201.0, False),  # its event may be on its way
        ([("die", 200.2)], 210.0, False),
        ([("die", 150.0)], 210.0, True),  # of an earlier end
    ],
)
def test_an_end_without_a_word_is_noticed(ended, events, now, untold):
    assert is_end_untold(ended, heard(*events), now) is untold


def test_an_end_is_asked_for_once(ended):
    assert not is_end_untold(ended, Heard(asked=200.0), 210.0)
    assert is_end_untold(ended, Heard(asked=150.0), 210.0)


def test_what_runs_has_no_untold_end(running):
    assert not is_end_untold(running, Heard(), NOW)
