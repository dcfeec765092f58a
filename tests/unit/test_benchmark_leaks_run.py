"""Contenders at work: ours is asked as an exporter would ask it, alarms are taken down alike, seeds stay apart."""

import json
import math
from array import array
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from benchmarks.leaks import cost
from benchmarks.leaks.__main__ import main
from benchmarks.leaks.contenders import OURS, QUIET, Alarm, Book, Homeostat, Opinion
from benchmarks.leaks.corpus import families
from benchmarks.leaks.report import report
from benchmarks.leaks.run import CONTENDERS, Job, examine, jobs, judge, run, seeds
from benchmarks.leaks.sizes import deep_size
from benchmarks.leaks.trace import Leak, Trace
from exporters.leaks.assessment import Assessment, Sample, Verdict

START = 1.8e9
MINUTE = 60.0


@dataclass(slots=True)
class Threshold:
    """A stand-in for the detector: a leak is what is above half of its limit."""

    asked: list[float] = field(default_factory=list)
    fed: list[Sample] = field(default_factory=list)

    def feed(self, sample: Sample) -> None:
        self.fed.append(sample)

    def assess(self, now: float) -> Assessment:
        self.asked.append(now)
        is_high = self.fed[-1].value > (self.fed[-1].limit or 0.0) / 2
        return Assessment(Verdict.LEAK if is_high else Verdict.SUSPECT, exhaustion=now + 3600.0 if is_high else None)


def trace(
    shares: list[float], *leaks: Leak, step_s: float = MINUTE, starts: tuple[float, ...] = (START,), family: str = "f"
) -> Trace:
    times = array("d", [START + index * step_s for index in range(len(shares))])
    return Trace("t", family, "memory", times, array("d", shares), array("d", [1.0] * len(shares)), starts, leaks=leaks)


def test_ours_is_fed_every_sample_and_asked_once_a_minute():
    detector = Threshold()

    Homeostat(lambda: detector).alarms(trace([0.1] * 13, step_s=15.0))

    assert len(detector.fed) == 13
    assert detector.asked == [START + at for at in (0, 60, 120, 180)]


def test_ours_is_asked_on_when_the_clock_goes_back():
    detector, seen = Threshold(), trace([0.1] * 4)
    seen.times[2:] = array("d", [START - 7200, START - 7140])

    Homeostat(lambda: detector).alarms(seen)

    assert detector.asked == list(seen.times)


def test_only_what_may_be_acted_on_is_an_alarm():
    alarms = Homeostat(Threshold).alarms(trace([0.1, 0.6, 0.7, 0.2, 0.8]))

    assert alarms == [Alarm(START + at, START + at + 3600) for at in (60, 240)]


def test_one_alarm_until_it_has_been_quiet_or_the_container_starts_anew():
    book = Book((START, START + 100))
    for at, opinion in [
        (0, Opinion(True)),
        (60, Opinion(True)),
        (120, Opinion(True)),
        (180, QUIET),
        (240, Opinion(True)),
    ]:
        book.note(START + at, opinion)

    assert [alarm.at - START for alarm in book.alarms] == [0, 120, 240]


def test_an_exhausted_container_starts_its_book_anew_only_once():
    book = Book((START, START + 100))
    for at in (101, 160, 220):
        book.note(START + at, Opinion(True))

    assert len(book.alarms) == 1


def test_seeds_of_the_splits_never_meet():
    splits = [seeds(split, 1_000_000) for split in ("development", "validation", "held_out")]

    assert [each.start for each in splits] == [0, 1_000_000, 2_000_000]
    assert all(before.stop <= after.start for before, after in pairwise(splits))
    for count in (0, 1_000_001):
        with pytest.raises(ValueError, match="allowed: 1 to 1000000"):
            seeds("development", count)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--split", "nonsense"), "choose from 'development', 'validation', 'held_out'"),
        (("--family", "flat"), "flat: not of the held_out split"),
        (("--split", "development", "--family", "flat_idle"), "flat_idle: not of the development split"),
        (("--split", "validation", "--family", "flat_idle"), "flat_idle: not of the validation split"),
    ],
)
def test_nothing_of_another_split_is_looked_at_by_mistake(monkeypatch, capsys, arguments, says):
    monkeypatch.setattr("sys.argv", ["leaks", *arguments])

    with pytest.raises(SystemExit) as exited:
        main()

    assert says in f"{exited.value.code} {capsys.readouterr().err}"


def test_every_family_has_its_turn_before_the_next_seed():
    todo = jobs(["a", "b"], "development", 2, ["x"])

    assert todo == [Job("a", 0, ("x",)), Job("b", 0, ("x",)), Job("a", 1, ("x",)), Job("b", 1, ("x",))]


def test_every_contender_judges_the_same_trace():
    leak = Leak(START + 10 * MINUTE, START + 30 * MINUTE, START + 20 * MINUTE)

    ours, bucket = judge(trace([0.1] * 12 + [0.6] * 28, leak), 7, [Homeostat(Threshold), CONTENDERS["bucket counting"]])

    assert (ours.contender, ours.seed, ours.outcome.is_found, ours.outcome.lead) == (OURS, 7, True, 0.9)
    assert (bucket.contender, bucket.outcome.is_found, bucket.outcome.is_leaking) == ("bucket counting", False, True)
    assert ours.evaluations == pytest.approx(40)


def test_results_come_in_the_order_of_the_jobs_whoever_is_done_first():
    brief = [family.name for family in families("development") if family.weeks < 0.1]
    todo = jobs(brief, "development", 2, ["bucket counting"])
    done: list[int] = []

    results = run(todo, lambda: done.append(1), workers=2)

    assert [(each.family, each.seed) for each in results] == [(job.family, job.seed) for job in todo]
    assert len(done) == len(todo)
    assert [each.outcome for each in results] == [each.outcome for job in todo for each in examine(job)]


def test_a_trace_that_cannot_be_made_ends_the_run():
    with pytest.raises(KeyError, match="nobody"):
        run([Job("nobody", 0, ("bucket counting",))], lambda: None, workers=1)


def test_bars_are_for_ours_and_for_what_can_be_said(capsys):
    leak = Leak(START + 10 * MINUTE, START + 30 * MINUTE, START + 20 * MINUTE)
    results = judge(trace([0.1] * 12 + [0.6] * 28, leak, family="leak_plain"), 0, [Homeostat(Threshold)])

    with pytest.raises(SystemExit) as exited:
        report(results, None, {}, as_json=True)

    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert exited.value.code == 1
    # An hour was expected where 18 minutes were left; nothing is healthy.
    assert told["bars"]["eta_error_log2"]["value"] == pytest.approx(math.log2(60 / 18))
    assert told["bars"]["missed_leaks"] == {"value": 0.0, "limit": 0.05, "ok": True}
    assert "false_alarms_per_series_week" not in told["bars"]
    assert told["contenders"][OURS]["families"]["leak_plain"]["found"] == 1


def test_baselines_alone_have_no_bars(capsys):
    results = judge(trace([0.1] * 40), 0, [CONTENDERS["LBR"]])

    with pytest.raises(SystemExit) as exited:
        report(results, None, {}, as_json=True)

    assert exited.value.code == 0
    assert '"bars": {}' in capsys.readouterr().out


def test_sizes_follow_slots_attributes_and_containers_and_count_once():
    class Plain:
        def __init__(self, inner: object) -> None:
            self.inner = inner

    numbers = array("d", [0.0] * 1000)
    plain, slotted = deep_size(Plain(numbers)), deep_size(Threshold(fed=[Sample(1.5, 2.5)]))

    assert deep_size(numbers) == pytest.approx(8000, abs=200)
    assert plain > deep_size(numbers)
    assert deep_size([numbers, numbers]) < 2 * deep_size(numbers)
    assert slotted > deep_size(Threshold()) + 48
    assert deep_size((Verdict.LEAK, "a word", None, 7, Verdict)) == deep_size((None,) * 5)


def test_cost_counts_only_what_the_detector_does():
    detector = cost.filled(Threshold, cost.SHAPES[0], hours=1)
    p50, p99 = cost.evaluation_us(Threshold(fed=[Sample(0.0, 0.0, 1.0)]), hours=1)

    assert isinstance(detector, Threshold)
    assert (len(detector.fed), len(detector.asked)) == (240, 60)
    assert 0 < p50 <= p99
    assert 0 < cost.cores([Threshold(), Threshold()], hours=0.1, series=4) < 0.1
    assert 0.5 < cost.allocated(Threshold, cost.SHAPES[0], hours=1) / deep_size(detector) < 1.5
