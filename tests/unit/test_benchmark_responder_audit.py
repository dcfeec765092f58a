"""The benchmark's own judgement: each wrong that it has to find is put before it, and what is right is left alone."""

import json
from dataclasses import replace

from benchmarks.responder.audit import Audit, Hit, Ledger, audit
from responder.ledger import Episode, Final, Link

WORKLOAD = "local/api"


def episode(number: int, *, fingerprint: str = "", final: Final | None = Final.VERIFIED) -> Episode:
    labels = {"alertname": "A", "workload": WORKLOAD}
    name = fingerprint or f"f{number}"
    return Episode(number, name, labels, {}, 0.0, 0.0, None, final, "", None, None, None)


def line(number: int, at: float, episode_id: int, kind: str, **data: object) -> Link:
    return Link(number, at, episode_id, WORKLOAD, kind, json.dumps(data), "")


def started(number: int, at: float, episode_id: int = 1, *, rung: int = 0, action: str = "hook") -> Link:
    step = {"hook": "gc"} if action == "hook" else {}
    return line(number, at, episode_id, "started", rung=rung, action=action, step=step)


def finished(number: int, token: int, status: str = "applied", episode_id: int = 1) -> Link:
    return line(number, 11.0, episode_id, "finished", token=token, status=status)


def final(number: int, episode_id: int = 1) -> Link:
    return line(number, 20.0, episode_id, "final", final="verified")


#: One episode with one hook, as it should be.
HIT = Hit(10.5, WORKLOAD, "gc")
LEDGER = Ledger([episode(1)], [started(1, 10.0), finished(2, 1), final(3)])


def wrongs(found: Audit) -> dict[str, int]:
    names = ("lost", "repeated", "reopened", "unwritten", "untrue", "endless", "problems")
    return {name: len(getattr(found, name)) for name in names if getattr(found, name)}


def test_what_is_right_is_left_alone():
    found = audit(["f1", "f1"], [HIT], LEDGER)

    assert wrongs(found) == {}
    assert (found.episodes, found.started, found.hits, found.finals) == (1, 1, 1, {"verified": 1})


def test_an_acknowledged_alert_without_an_episode_is_lost():
    assert audit(["f1", "f2"], [HIT], LEDGER).lost == ["alert f2"]


def test_two_episodes_of_one_alert_are_one_too_many():
    ledger = replace(LEDGER, episodes=[episode(1), episode(2, fingerprint="f1")], lines=[*LEDGER.lines, final(4, 2)])

    assert wrongs(audit(["f1"], [HIT], ledger)) == {"reopened": 1}


def test_a_rung_that_was_started_twice_is_repeated_even_when_nobody_saw_the_second():
    ledger = replace(LEDGER, lines=[started(1, 10.0), finished(2, 1), started(3, 12.0), final(4)])

    assert audit(["f1"], [HIT], ledger).repeated == ["rung 0 of recovery 1 was started 2 times"]


def test_two_deeds_for_one_started_line_are_repeated():
    found = audit(["f1"], [HIT, replace(HIT, at=10.7), replace(HIT, at=10.8)], LEDGER)

    assert found.repeated == ["gc of local/api: twice in recovery 1"]


def test_a_deed_before_its_line_is_unwritten():
    assert wrongs(audit(["f1"], [replace(HIT, at=9.9)], LEDGER)) == {"unwritten": 1, "untrue": 1}


def test_a_deed_that_no_line_asks_for_is_unwritten():
    found = audit(["f1"], [HIT, Hit(10.6, WORKLOAD, "restart"), Hit(10.7, "local/other", "gc")], LEDGER)

    assert wrongs(found) == {"unwritten": 2}


def test_a_step_said_to_be_applied_that_nobody_saw_is_untrue():
    assert audit(["f1"], [], LEDGER).untrue == ["gc of local/api in recovery 1"]


def test_an_interrupted_step_may_have_been_seen_or_not():
    ledger = replace(LEDGER, lines=[started(1, 10.0), finished(2, 1, "interrupted"), final(3)])

    assert [wrongs(audit(["f1"], hits, ledger)) for hits in ([], [HIT])] == [{}, {}]
    assert audit(["f1"], [], ledger).interrupted == 1


def test_deeds_of_two_episodes_of_a_workload_are_told_apart_by_their_time():
    lines = [started(1, 10.0), finished(2, 1), final(3)]
    lines += [started(4, 30.0, 2), finished(5, 4, episode_id=2), final(6, 2)]
    ledger = Ledger([episode(1), episode(2)], lines)

    assert wrongs(audit(["f1", "f2"], [HIT, replace(HIT, at=30.1)], ledger)) == {}
    assert wrongs(audit(["f1", "f2"], [HIT, replace(HIT, at=29.9)], ledger)) == {"repeated": 1, "untrue": 1}


def test_an_episode_ends_in_exactly_one_final_state():
    none = Ledger([episode(1, final=None)], [])
    unsaid = Ledger([episode(1)], [])
    twice = Ledger([episode(1)], [final(1), final(2)])

    assert [len(audit(["f1"], [], ledger).endless) for ledger in (none, unsaid, twice)] == [1, 1, 1]


def test_a_restart_is_told_from_a_hook():
    ledger = replace(LEDGER, lines=[started(1, 10.0, action="restart"), finished(2, 1), final(3)])

    assert wrongs(audit(["f1"], [replace(HIT, what="restart")], ledger)) == {}
    assert wrongs(audit(["f1"], [HIT], ledger)) == {"unwritten": 1, "untrue": 1}


def test_the_summary_counts_all_and_shows_the_first_few():
    summary = audit([f"f{number}" for number in range(1, 10)], [HIT], LEDGER).summary()

    assert summary["lost"] == {"count": 8, "first": [f"alert f{number}" for number in range(2, 7)]}
