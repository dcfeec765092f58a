"""What runs as maintenance, from silences and holds alone; and what becomes of holds that stand already."""

import pytest

from homeostat.silences import Matcher, Silence, silence_of
from responder.ledger import Hold
from responder.upkeep import HoldStep, found, heir, hold_step, id_of, marked

NOW = 1_000_000.0
HOUR = 3600.0


def silence(*workloads: str, lasts_s: float = HOUR, by: str = "jane", why: str = "disks", name: str = "s1") -> Silence:
    return silence_of(workloads, (NOW, NOW + lasts_s), by, why, old_id=name)


def hold(pattern: str, *workloads: str, lasts_s: float = HOUR, why: str = "disks") -> Hold:
    return Hold(pattern, marked(id_of(workloads or (pattern,)), why), "jane", NOW, NOW + lasts_s)


def theirs(pattern: str, lasts_s: float | None) -> Hold:
    return Hold(pattern, "heap dump", "bob", NOW, None if lasts_s is None else NOW + lasts_s)


def test_the_same_workloads_are_the_same_maintenance():
    assert id_of(["shop/web", "shop/db"]) == id_of(["shop/db", "shop/web", "shop/db"])
    assert id_of(["shop/web"]) != id_of(["shop/*"])


def test_a_silence_and_its_holds_are_one():
    both = ("shop/db", "shop/web")
    holds = [hold("shop/web", *both, lasts_s=HOUR + 2), hold("shop/db", *both)]

    [one] = found([silence(*both)], holds, NOW)

    assert (one.id, one.workloads, one.by, one.why) == (id_of(both), both, "jane", "disks")
    assert (len(one.silences), len(one.holds), one.until) == (1, 2, NOW + HOUR + 2)


def test_holds_alone_are_one_too():
    [one] = found([], [hold("shop/web", why="a: b")], NOW)

    assert (one.workloads, one.why, one.silences) == (("shop/web",), "a: b", ())


def test_what_has_ended_does_not_run():
    assert found([silence("*", lasts_s=-1)], [hold("*", lasts_s=-1)], NOW) == []


FOREIGN = [
    pytest.param(
        Silence("x", (Matcher("workload", "shop/web", is_regex=True),), NOW, NOW + 9, "bob", ""), id="creator"
    ),
    pytest.param(
        Silence("x", (Matcher("workload", "shop/web", is_regex=False),), NOW, NOW + 9, "homeostat: bob", ""), id="equal"
    ),
    pytest.param(
        Silence("x", (Matcher("workload", "shop/web", True, False),), NOW, NOW + 9, "homeostat: bob", ""), id="negated"
    ),
    pytest.param(
        Silence("x", (Matcher("alertname", "shop/web", is_regex=True),), NOW, NOW + 9, "homeostat: bob", ""), id="label"
    ),
    pytest.param(
        Silence("x", (Matcher("workload", "shop/.*", is_regex=True),), NOW, NOW + 9, "homeostat: bob", ""), id="regex"
    ),
    pytest.param(Silence("x", (*silence("*").matchers,) * 2, NOW, NOW + 9, "homeostat: bob", ""), id="two matchers"),
]


@pytest.mark.parametrize("foreign", FOREIGN)
def test_what_others_silenced_is_not_ours(foreign: Silence):
    assert found([foreign], [], NOW) == []


@pytest.mark.parametrize("lasts_s", [None, HOUR])
def test_what_others_hold_is_not_ours(lasts_s: float | None):
    assert found([], [theirs("shop/web", lasts_s)], NOW) == []


STEPS = [
    ([], HoldStep.PUT),
    ([hold("shop/*")], HoldStep.PUT),  # on another pattern
    ([hold("shop/web", lasts_s=-1)], HoldStep.PUT),
    ([hold("shop/web", lasts_s=60)], HoldStep.PUT),  # ours, and made longer
    ([hold("shop/web", lasts_s=HOUR - 1)], HoldStep.STANDS),
    ([hold("shop/web", "shop/web", "shop/db", lasts_s=2 * HOUR)], HoldStep.STANDS),
    ([theirs("shop/web", None)], HoldStep.COVERED),
    ([theirs("shop/web", 2 * HOUR)], HoldStep.COVERED),
    ([theirs("shop/web", 60)], HoldStep.IN_THE_WAY),
    ([theirs("shop/web", -60)], HoldStep.PUT),
]


@pytest.mark.parametrize(("holds", "step"), STEPS)
def test_a_persons_hold_is_never_replaced(holds: list[Hold], step: HoldStep):
    assert hold_step("shop/web", holds, NOW, NOW + HOUR) is step


def test_a_hold_that_another_maintenance_needs_is_handed_on_to_the_one_that_lasts_longest():
    both, three = ("shop/db", "shop/web"), ("shop/a", "shop/web")
    ending = hold("shop/web")
    running = found([silence("shop/web"), silence(*both), silence(*three, lasts_s=2 * HOUR)], [ending], NOW)

    other = heir(ending, id_of(["shop/web"]), running)

    assert other is not None
    assert other.id == id_of(three)


def test_a_hold_that_nobody_else_needs_has_no_heir():
    running = found([silence("shop/*"), silence("shop/web")], [], NOW)

    assert heir(hold("shop/web"), id_of(["shop/web"]), running) is None
