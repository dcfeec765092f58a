"""What the live leaks are judged by: each wrong is put before it and found, and what is right is left alone."""

import pytest

from benchmarks.leaks.livereport import bars
from benchmarks.leaks.livestory import is_repaired, longest_gap, stories
from homeostat.clock import rfc3339

START = 1_800_000_000.0
ONSET = START + 240
MINUTES = 20.0
#: 12 open files at the onset, 1012 more in 20 min.
EXHAUSTED = ONSET + 1200


def entry(number, at, kind, **data):
    return {"id": number, "at": rfc3339(at), "kind": kind, **data}


def recovery(steps, end, *, alert="LeakExhausting", remedy="leak_exhausting", final="verified"):
    """``steps``: (time, action, rung)."""
    entries = [entry(n, at, "started", action=action, rung=rung) for n, (at, action, rung) in enumerate(steps)]
    return {"alert": alert, "remedy": remedy, "final": final, "finished_at": rfc3339(end), "entries": entries}


def steadily(status=200, until=EXHAUSTED):
    return [[START + 10 * n, status] for n in range(int((until - START) / 10))]


def series(values, **metric):
    return {"metric": metric, "values": [[at, str(value)] for at, value in values]}


def shop(name, recoveries=(), requests=None, log=None):
    return {
        "workload": f"{name}/web",
        "onset": ONSET,
        "recoveries": list(recoveries),
        "requests": steadily() if requests is None else requests,
        "log": steadily() if log is None else log,
    }


RESTART = recovery([(ONSET + 1000, "restart", 2)], ONSET + 1040)


def recording(*, leaking=None, quiet=None, alerts=()):
    level = [
        (START, 5),
        (ONSET - 5, 12),
        (ONSET + 500, 434),
        (ONSET + 990, 850),
        (ONSET + 1045, 15),
        (ONSET + 1090, 40),
    ]
    return {
        "minutes": MINUTES,
        "since": START,
        "until": EXHAUSTED,
        "shops": {"fds": leaking or shop("fds", [RESTART]), "none": quiet or shop("none")},
        "series": {
            "fds": [series(level, workload="fds/web", container="c"), series([(ONSET, 11)], workload="none/web")],
            "verdict": [
                series([(ONSET + 900, 1)], workload="fds/web", resource="fds", verdict="exhausting"),
                series([(ONSET - 200, 1)], workload="fds/web", resource="fds", verdict="healthy"),
                series([(ONSET - 200, 1)], workload="fds/web", resource="memory", verdict="warming"),
            ],
            "alerts": [
                series([(ONSET + 915, 1)], alertname="LeakExhausting", workload="fds/web", resource="fds"),
                *alerts,
            ],
        },
    }


def missed(recorded):
    return {name for name, bar in bars(recorded, stories(recorded)).items() if not bar.ok}


def test_a_leak_that_is_repaired_in_time_is_told_as_it_was():
    (story,) = stories(recording())

    assert story.exhausted_at == EXHAUSTED
    assert story.verdicts == {"healthy": ONSET - 200, "exhausting": ONSET + 900}
    assert story.alerts == {"LeakExhausting": ONSET + 915}
    assert (story.helped, story.helped_at, story.repaired_at) == (
        "restart (LeakExhausting)",
        ONSET + 1000,
        ONSET + 1040,
    )
    assert (story.before, story.after) == (850, 15)
    assert (story.asked, story.failed) == (120, 0)
    assert missed(recording()) == set()


def test_a_leak_that_nobody_repairs_is_a_missed_bar():
    assert missed(recording(leaking=shop("fds"))) == {"not_repaired_before_exhaustion"}


def test_a_repair_after_exhaustion_is_too_late():
    late = recovery([(EXHAUSTED - 10, "restart", 2)], EXHAUSTED + 1)

    assert missed(recording(leaking=shop("fds", [late]))) == {"not_repaired_before_exhaustion"}


def test_evidence_alone_repairs_nothing():
    looked = recovery([(ONSET + 900, "evidence", 0)], ONSET + 960, alert="LeakNoticed", remedy="leak_evidence")

    assert not is_repaired([looked])
    assert missed(recording(leaking=shop("fds", [looked]))) == {"not_repaired_before_exhaustion"}


def test_a_step_that_was_skipped_repairs_nothing():
    skipped = {**RESTART, "entries": [*RESTART["entries"], entry(9, ONSET, "finished", token=0, status="skipped")]}

    assert not is_repaired([skipped])


@pytest.mark.parametrize("final", ["escalated", None])
def test_while_one_is_open_or_none_is_verified_it_is_not_repaired(final):
    assert is_repaired([RESTART])
    assert not is_repaired([{**RESTART, "final": final}])


def test_while_another_one_is_open_it_is_not_repaired():
    assert not is_repaired([RESTART, {**RESTART, "final": None}])
    assert is_repaired([RESTART, {**RESTART, "final": "self_resolved"}])


@pytest.mark.parametrize(
    "metric",
    [
        {"alertname": "LeakNoticed", "workload": "none/web", "resource": "memory"},
        {"alertname": "LeakSuspected", "workload": "fds/worker", "resource": "fds"},
        {"alertname": "LeakConfirmed", "workload": "fds/web", "resource": "memory"},
        {"alertname": "PoolLeak", "workload": "none/web"},
    ],
    ids=["leak-free copy", "neighbour", "another resource", "pool"],
)
def test_an_alert_of_what_does_not_leak_is_a_missed_bar(metric):
    assert missed(recording(alerts=[series([(ONSET, 1)], **metric)])) == {"alerts_of_what_does_not_leak"}


def test_an_alert_of_another_kind_is_no_claim_of_a_leak():
    assert missed(recording(alerts=[series([(ONSET, 1)], alertname="WorkloadDown", workload="none/web")])) == set()


def test_a_step_on_the_leak_free_copy_is_a_missed_bar():
    assert missed(recording(quiet=shop("none", [RESTART]))) == {"steps_on_what_does_not_leak"}


@pytest.mark.parametrize(
    "seen",
    [{"requests": steadily(status=0)}, {"log": steadily(status=503)}, {"log": []}],
    ids=["users got no answer", "errors in the log", "nobody was served"],
)
def test_a_claim_that_users_or_the_log_contradict_is_a_missed_bar(seen):
    assert missed(recording(leaking=shop("fds", [RESTART], **seen))) == {"claims_contradicted_by_the_request_log"}


def test_failures_before_the_onset_are_no_part_of_the_story():
    requests = [[at, 0 if at < ONSET else 200] for at, _ in steadily()]
    (story,) = stories(recording(leaking=shop("fds", requests=requests)))

    assert (story.asked, story.failed) == (120, 0)


def test_failures_before_the_hold_contradict_nothing():
    requests = [[at, 0 if at < ONSET + 1015 else 200] for at, _ in steadily()]

    assert missed(recording(leaking=shop("fds", [RESTART], requests=requests))) == set()


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [([], 0), ([5], 0), ([5, 5.2, 5.4], 0.4), ([1, 2, 60, 61, 62.5, 90], 2.5)],
    ids=["none", "one", "one gap", "the longer of two"],
)
def test_failures_that_follow_each_other_are_one_gap(failures, seconds):
    assert longest_gap(failures) == pytest.approx(seconds)


def empty_pool(gap_s, final="verified"):
    """Seen by probes only: the load is served from a cache."""
    errors = [[ONSET + n / 2, 503] for n in range(int(gap_s * 2) + 1)]
    reset = recovery([(EXHAUSTED, "hook", 1)], EXHAUSTED + 20, remedy="unresponsive", final=final)
    shops = {"connections": shop("pool", [reset], log=errors + steadily(until=EXHAUSTED + 60))}
    return missed({**recording(), "shops": shops, "series": {"connections": [], "verdict": [], "alerts": []}})


def test_an_empty_pool_is_judged_by_how_long_users_were_refused():
    assert empty_pool(20) == set()
    assert empty_pool(40) == {"empty_pool_refused_s"}


def test_a_pool_that_stays_empty_is_a_missed_bar_though_nobody_asked():
    assert empty_pool(0, final="escalated") == {"empty_pool_refused_s"}
