"""The benchmark's neighbours answer as the real ones would, and its deliveries are what a pair of them sends."""

import json
import random
from collections import Counter

import pytest

from benchmarks.responder.alerts import (
    as_a_pair_sends,
    body,
    chunks,
    delivered,
    fingerprint,
    firing,
    labels_of,
    posted,
)
from benchmarks.responder.world import RULE, Temper, UnknownQuestion, World
from homeostat.alertmanager_api import equals
from responder.webhook import parse_body

WORKLOADS = ("local/a", "local/b")
A, B = (firing(workload, "p0", 1000.0) for workload in WORKLOADS)
ALL = ['remedy=~".+"']


class Now:
    def __init__(self) -> None:
        self.at = 2000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def world(now: Now) -> World:
    world = World(WORKLOADS, Temper({"gc": 1.0}, (0.1, 0.2), ends_after_s=5.0), random.Random(1), now)
    world.post([posted(A, 9000.0), posted(B, 9000.0)])
    return world


def names(world: World, matchers: list[str]) -> list[str]:
    return [row["fingerprint"] for row in json.loads(world.held(matchers))]


def troubled(world: World) -> list[str]:
    return [row["metric"]["workload"] for row in world.query(RULE)]


# --- Alerts


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (labels_of("local/w0001", "p000"), "60d91608ad896728"),
        ({"remedy": "x", "alertname": 'Ä "quoted"'}, "aad518c5d91192d7"),
    ],
)
def test_fingerprints_are_those_of_alertmanager(labels: dict[str, str], expected: str):
    """Alertmanager 0.33.1 gave these."""
    assert fingerprint(labels) == expected


def test_the_responder_reads_a_body_as_it_was_meant():
    [fires, ended] = parse_body(body([delivered(A), delivered(B, 1500.0)]))

    assert (fires.fingerprint, fires.labels, fires.starts_at, fires.is_firing) == (
        A.fingerprint,
        A.labels,
        1000.0,
        True,
    )
    assert (ended.fingerprint, ended.is_firing) == (B.fingerprint, False)


def test_a_pair_sends_everything_twice_and_the_second_ones_between_first_ones_of_others():
    order = as_a_pair_sends(1000, 100, random.Random(1))
    first = {number: order.index(number) for number in range(1000)}
    second = {number: len(order) - 1 - order[::-1].index(number) for number in range(1000)}

    assert Counter(order) == dict.fromkeys(range(1000), 2)
    assert sorted(first, key=first.__getitem__) == list(range(1000))
    assert sorted(second, key=second.__getitem__) != list(range(1000))
    assert max(second[number] - first[number] for number in range(1000)) <= 120


def test_chunks_leave_nothing_out():
    assert chunks([1, 2, 3, 4, 5], 2) == [[1, 2], [3, 4], [5]]


# --- Alertmanager


def test_what_was_posted_is_held_and_found_as_the_responder_asks(world: World):
    exact = [equals("alertname", "WorkloadMemoryHigh"), equals("workload", "local/a")]

    assert sorted(names(world, ALL)) == sorted([A.fingerprint, B.fingerprint])
    assert names(world, exact) == [A.fingerprint]
    assert names(world, [equals("alertname", "Other"), equals("workload", "local/a")]) == []
    assert names(world, [equals("workload", "local/unknown")]) == []


def test_an_end_in_the_past_resolves(world: World):
    world.post([posted(A, 1999.0)])

    assert names(world, ALL) == [B.fingerprint]
    assert troubled(world) == ["local/b"]


def test_alerts_of_the_responders_own_are_held_and_are_no_trouble(world: World, now: Now):
    own = {
        "labels": {"alertname": "HomeostatStorm"},
        "startsAt": "2020-01-01T00:00:00Z",
        "endsAt": "1970-01-01T00:35:00Z",
    }
    world.post([own])

    assert len(names(world, [])) == 3
    assert len(names(world, ALL)) == 2
    now.at = 2101.0
    assert len(names(world, [])) == 2


@pytest.mark.parametrize("matcher", ["remedy", 'remedy!="x"', "remedy=x"])
def test_a_matcher_of_another_form_is_no_silent_answer(world: World, matcher: str):
    with pytest.raises(UnknownQuestion):
        world.held([matcher])


# --- Prometheus


def test_the_rule_is_true_for_every_workload_in_trouble(world: World):
    assert troubled(world) == ["local/a", "local/b"]


def test_measurements_are_always_fresh(world: World):
    [row] = world.query('max(timestamp(homeostat_container_running{workload="local/a"}))')

    assert row["value"] == [2000.0, "2000.0"]


def test_an_unknown_question_is_no_silent_answer(world: World):
    with pytest.raises(UnknownQuestion, match="up"):
        world.query("up")


# --- Applications and guardian


def test_a_hook_that_heals_ends_the_trouble_now_and_the_alert_later(world: World, now: Now):
    assert 0.1 <= world.hit("local/a", "gc") <= 0.2
    assert troubled(world) == ["local/a", "local/b"]

    world.done("local/a", "gc")
    assert troubled(world) == ["local/b"]
    assert len(names(world, ALL)) == 2
    now.at += 5.0
    assert names(world, ALL) == [B.fingerprint]
    assert world.ended == [A.fingerprint]
    assert world.hits == [(2000.0, "local/a", "gc")]


def test_what_does_not_heal_changes_nothing(world: World, now: Now):
    world.done("local/a", "cache-clear")
    now.at += 100.0

    assert troubled(world) == ["local/a", "local/b"]
    assert len(names(world, ALL)) == 2


def test_an_alert_that_came_after_the_repair_goes_on(world: World, now: Now):
    world.done("local/a", "gc")
    again = firing("local/a", "p1", 2001.0)
    world.post([posted(again, 9000.0)])
    now.at += 5.0

    assert names(world, [equals("workload", "local/a")]) == [again.fingerprint]
    assert "local/a" in troubled(world)


def test_a_restart_is_seen_in_the_process(world: World, now: Now):
    before = {row["name"]: row["started_at"] for row in json.loads(world.processes())}
    now.at += 1.0
    world.done("local/a", "restart")
    after = {row["name"]: row["started_at"] for row in json.loads(world.processes())}

    assert after == {**before, "a": 2001.0}
