"""The record of a recovery, as the status page tells it."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from responder.ledger import Alert, Entry, EntryKind, Episode, Final, new_episode
from responder.pages.lines import line_of
from responder.pages.rungs import Planned, planned, rungs, upcoming
from responder.pages.troubles import Story, ended_of, record_of, trouble_of
from responder.pages.view import Tone

NOW = 1_000_000.0
LABELS = {"alertname": "WorkloadUnresponsive", "workload": "shop/web", "remedy": "unresponsive"}
EPISODE = new_episode(Alert("a" * 16, LABELS, {"summary": "No answer."}, NOW - 60, is_firing=True), 7, NOW - 60)
PLAN = (
    Planned(0, "unpause", is_taken=True, why=""),
    Planned(1, "hook", is_taken=False, why="passed over: the workload does not offer that hook"),
    Planned(2, "restart", is_taken=False, why="3 hard steps in the last 900 s; then people are called"),
)
K = EntryKind


def record(*lines: tuple[EntryKind, Mapping[str, object]]) -> list[Entry]:
    """Lines of the ledger, a second apart, after the one that opens it."""
    every = [(K.OPENED, {}), *lines]
    return [Entry(n, NOW - 60 + n, 7, "shop/web", kind, data) for n, (kind, data) in enumerate(every, 1)]


def started(rung: int, action: str = "restart") -> tuple[EntryKind, Mapping[str, object]]:
    return K.STARTED, {"rung": rung, "action": action, "tier": "hard"}


def finished(token: int, status: str = "applied", rung: int = 0, action: str = "restart"):
    return K.FINISHED, {"rung": rung, "action": action, "token": token, "status": status, "detail": "as told"}


def judged(verdict: str, action: str = "restart"):
    return K.JUDGED, {"action": action, "verdict": verdict, "reason": "status 503", "readings": []}


def pending(expires_at: float = NOW + 600):
    return K.PENDING, {"rung": 2, "action": "restart", "expires_at": expires_at}


def story(entries: list[Entry], plan=PLAN, episode: Episode = EPISODE) -> Story:
    return Story(episode, entries, plan, lambda recovery, entry: f"seal-{recovery}-{entry}", NOW)


# --- Steps


def states(entries: list[Entry], plan=PLAN) -> list[tuple[int, str, str]]:
    return [(rung.number, rung.action, rung.state) for rung in rungs(plan, entries, NOW)]


@pytest.mark.parametrize(
    ("lines", "state", "is_current"),
    [
        ([started(0)], "under way", True),
        ([started(0), finished(2)], "being verified", True),
        ([started(0), finished(2), judged("verified")], "helped", False),
        ([started(0), finished(2), judged("not_recovered")], "did not help", False),
        ([started(0), finished(2), judged("inconclusive")], "cannot be told", False),
        ([started(0), finished(2, "skipped")], "skipped", False),
        ([started(0), finished(2, "failed")], "failed", False),
        ([started(0), finished(2, "interrupted")], "interrupted", False),
        ([started(0, "evidence"), finished(2, action="evidence")], "done", False),
        ([started(0), finished(2), judged("not_recovered"), started(0), finished(5)], "being verified", True),
    ],
)
def test_what_became_of_a_step(lines, state: str, is_current: bool):
    rung = rungs((), record(*lines), NOW)[0]

    assert (rung.number, rung.state, rung.is_current) == (1, state, is_current)


def test_the_ladder_shows_what_was_taken_what_is_passed_over_and_what_is_held_back():
    entries = record(started(0, "unpause"), finished(2, "skipped", action="unpause"))

    assert states(entries) == [(1, "unpause", "skipped"), (2, "hook", "passed over"), (3, "restart", "held back")]


def test_without_a_plan_only_the_ledger_speaks():
    assert states(record(started(0, "unpause")), ()) == [(1, "unpause", "under way")]


@pytest.mark.parametrize(
    ("answer", "state", "why"),
    [
        ([], "waits for approval", ""),
        ([(K.APPROVED, {"rung": 2, "by": "jane", "reason": "looked"})], "approved", "by jane: looked"),
        ([(K.REJECTED, {"rung": 2, "by": "jane", "reason": ""})], "rejected", "by jane"),
    ],
)
def test_a_step_that_people_are_asked_about_says_what_they_said(answer, state: str, why: str):
    rung = rungs(PLAN, record(pending(), *answer), NOW)[2]

    assert (rung.state, rung.why) == (state, why)


def test_a_question_that_is_over_says_so():
    assert states(record(pending(NOW - 1)))[2] == (3, "restart", "nobody answered in time")


def test_the_next_step_is_the_first_that_was_not_taken_and_is_not_passed_over():
    assert upcoming(PLAN, record()) == PLAN[0]
    assert upcoming(PLAN, record(started(0))) == PLAN[2]
    assert upcoming(PLAN, record(started(0), started(2))) is None


def test_a_plan_is_read_without_the_names_of_gates_and_without_a_ladder_it_is_empty():
    row = {"rung": 0, "action": "restart", "taken": False, "why": "cap: 3 hard steps; then people are called"}

    assert planned({"ladder": [row]}) == (Planned(0, "restart", False, "3 hard steps; then people are called"),)
    assert planned({"decision": "unknown_remedy: none"}) == ()


# --- Troubles


def test_what_goes_on_and_what_comes_next_are_told():
    entries = record(started(0, "unpause"), finished(2, action="unpause"))

    trouble = trouble_of(story(entries))

    assert trouble.now == "Step 1, unpause, done: as told. Whether it helped is being verified"
    assert trouble.next == "Step 3, restart, held back: 3 hard steps in the last 900 s; then people are called"
    assert (trouble.tone, trouble.question) == (Tone.BUSY, None)


def test_what_is_not_known_is_said_not_to_be_known():
    assert trouble_of(story(record(), None)).next.startswith("Not known now")


def test_an_escalated_one_is_for_people_and_says_whether_they_were_told():
    called = replace(EPISODE, final=Final.ESCALATED, reason="every step of its ladder was taken", finished_at=NOW)

    untold = trouble_of(story(record(), None, called))
    told = trouble_of(story(record(), None, replace(called, delivered_at=NOW)))

    assert (
        untold.now == "People were called (Alertmanager has not taken the call yet): every step of its ladder was taken"
    )
    assert told.now == "People were called: every step of its ladder was taken"
    assert (told.tone, told.question) == (Tone.BAD, None)
    assert told.next.startswith("No step of ours")


def test_a_question_is_asked_while_there_is_time_and_carries_its_own_seal():
    question = trouble_of(story(record(pending()))).question

    assert question is not None
    assert (question.recovery, question.entry, question.rung, question.seal) == (7, 2, 3, "seal-7-2")
    assert question.expires.ago == "in 10 min"


@pytest.mark.parametrize(
    "entries",
    [
        record(pending(NOW)),
        record(pending(), (K.APPROVED, {"rung": 2, "by": "jane", "reason": ""})),
        record(pending(), (K.REJECTED, {"rung": 2, "by": "jane", "reason": ""})),
        record(),
    ],
)
def test_what_was_answered_or_is_over_is_not_asked(entries: list[Entry]):
    assert trouble_of(story(entries)).question is None


def test_an_ended_one_with_an_open_question_is_not_asked():
    episode = replace(EPISODE, final=Final.SELF_RESOLVED, finished_at=NOW, closed_at=NOW)

    assert trouble_of(story(record(pending()), None, episode)).question is None


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "JAVASCRIPT:x", ""])
def test_only_links_of_the_web_are_links(link: str):
    episode = replace(EPISODE, annotations={"runbook_url": link})

    assert trouble_of(story(record(), None, episode)).runbook == ""


def test_an_alert_without_labels_has_a_name_to_be_clicked():
    trouble = trouble_of(story(record(), None, replace(EPISODE, labels={}, annotations={})))

    assert (trouble.workload, trouble.alert, trouble.summary) == ("no workload", "alert without a name", "")


# --- Ends and records


def test_an_end_says_what_it_rests_on():
    reading = {"source": "probe http", "quality": "no_data", "detail": "no address"}
    causes = [{"cause": "pool_exhausted", "count": 2, "line": "pool exhausted"}]
    entries = record(
        started(0),
        finished(2),
        (K.JUDGED, {"action": "restart", "verdict": "verified", "reason": "good", "readings": [reading]}),
        (K.EVIDENCE, {"rung": 0, "causes": causes, "subjects": {}}),
    )
    episode = replace(EPISODE, final=Final.VERIFIED, reason="restart: good", finished_at=NOW - 52, closed_at=NOW - 52)

    ended = ended_of(episode, entries, NOW)

    assert (ended.outcome, ended.took, ended.steps) == ("repaired, verified", "8.0 s", ("restart helped",))
    assert [(fact.name, fact.value) for fact in ended.readings] == [("probe http", "no data: no address")]
    assert ended.causes == ("pool exhausted: pool exhausted",)


@pytest.mark.parametrize("kind", EntryKind)
def test_every_kind_of_line_has_words_whatever_is_missing_in_it(kind: EntryKind):
    line = line_of(Entry(1, NOW, 7, "shop/web", kind, {}), NOW)

    assert line.text.strip()


def test_evidence_is_laid_out_by_what_it_is_about_and_keeps_its_lines():
    subjects = {
        "shop-web-1": {
            "state": {"status": "running", "restarts": 0},
            "logs": "one\ntwo\u202e",
            "processes": [{"pid": 1, "command": "web"}],
            "hosts": ["a", "b"],
            "memory": {"not_there": "no cgroup"},
        }
    }

    line = line_of(Entry(1, NOW, 7, "shop/web", K.EVIDENCE, {"rung": 0, "causes": [], "subjects": subjects}), NOW)

    assert [(fact.name, fact.value) for fact in line.details] == [
        ("shop-web-1, state", "status: running\nrestarts: 0"),
        ("shop-web-1, logs", "one\ntwo\N{REPLACEMENT CHARACTER}"),
        ("shop-web-1, processes", "pid: 1, command: web"),
        ("shop-web-1, hosts", "a\nb"),
        ("shop-web-1, memory", "not there: no cgroup"),
    ]


def test_a_record_holds_every_line_and_every_label():
    view = record_of(story(record(started(0), finished(2))), "v")

    assert len(view.lines) == 3
    assert [(fact.name, fact.value) for fact in view.labels] == sorted(LABELS.items())
    assert (view.is_over, view.outcome) == (False, "")
