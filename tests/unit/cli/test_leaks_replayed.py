"""The verdicts of a replay: when they are asked for, which are told; and the progress that is shown meanwhile."""

import io

import pytest
from fakes.clock import FakeClock
from fakes.detectors import FakeDetector
from rich.console import Console

from cli.replay import Replay, new_detector, with_progress
from cli.traces import Trace
from exporters.leaks.assessment import Sample, Verdict


def samples(*pairs):
    return [Sample(float(at), float(value), 1000.0) for at, value in pairs]


def test_the_first_verdict_and_each_change_are_told_with_their_time():
    replay = Replay(FakeDetector())

    changes = list(replay.changes(samples((0, 5), (60, 6), (120, 100), (180, 110), (240, 5))))

    assert [(change.at, change.assessment.verdict) for change in changes] == [
        (0.0, Verdict.HEALTHY),
        (120.0, Verdict.LEAK),
        (240.0, Verdict.HEALTHY),
    ]
    assert replay.last == changes[-1]


def test_it_is_asked_once_a_minute_of_the_trace():
    detector = FakeDetector()

    list(Replay(detector).changes(samples(*((second, 5) for second in range(0, 200, 15)))))

    assert detector.asked == [0.0, 60.0, 120.0, 180.0]
    assert detector.fed == 14


def test_a_gap_is_one_question_and_a_clock_that_goes_back_does_not_stop_them():
    detector = FakeDetector()

    list(Replay(detector).changes(samples((0, 5), (30, 5), (9000, 5), (100, 5), (130, 5), (160, 5))))

    assert detector.asked == [0.0, 9000.0, 100.0, 160.0]


def test_without_samples_nothing_is_asked():
    replay = Replay(FakeDetector())

    assert list(replay.changes([])) == []
    assert replay.last is None


def test_the_real_detector_finds_a_plain_leak_and_none_in_a_flat_line():
    detector = new_detector
    mebibyte = 2.0**20
    day = range(0, 86400, 30)
    leaking = (Sample(1e9 + t, 100 * mebibyte + t * 11_000.0, 1024 * mebibyte, 1e9) for t in day)
    flat = (Sample(1e9 + t, 100 * mebibyte + t % 7, 1024 * mebibyte, 1e9) for t in day)

    found = list(Replay(detector()).changes(leaking))
    none = list(Replay(detector()).changes(flat))

    assert any(change.assessment.verdict.is_alarm for change in found)
    assert not any(change.assessment.verdict.is_alarm for change in none)


def trace(count):
    text = "".join(f"{second},5\n" for second in range(count)).encode()
    return Trace("[t].csv", io.BytesIO(text)), len(text)


def test_progress_is_shown_only_once_it_takes_long():
    screen, clock = io.StringIO(), FakeClock()
    to = Console(file=screen, force_terminal=True, width=80)
    long, size = trace(5000)

    for number, _ in enumerate(with_progress(long, size, to, clock)):
        if number == 900:
            assert screen.getvalue() == ""
            clock.advance(3.0)

    assert "[t].csv" in screen.getvalue()
    assert "%" in screen.getvalue()


@pytest.mark.parametrize(("is_terminal", "seconds"), [(True, 0.001), (False, 1.0)], ids=["quick", "not a terminal"])
def test_nothing_is_shown(is_terminal, seconds):
    screen, clock = io.StringIO(), FakeClock()
    to = Console(file=screen, force_terminal=is_terminal, width=80)
    short, size = trace(1500)

    for _ in with_progress(short, size, to, clock):
        clock.advance(seconds)

    assert short.samples == 1500
    assert screen.getvalue() == ""


def test_what_is_printed_meanwhile_goes_to_stdout(capsys):
    screen, clock = io.StringIO(), FakeClock()
    to = Console(file=screen, force_terminal=True, width=80)
    long, size = trace(3000)

    for number, _ in enumerate(with_progress(long, size, to, clock)):
        clock.advance(0.01)
        if number == 2500:
            print("result")

    assert capsys.readouterr().out == "result\n"
    assert "result" not in screen.getvalue()
