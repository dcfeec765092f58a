"""What the actions on several containers decide before they act: order, neighbours, limits."""

import dataclasses

import pytest
from fakes.containers import container

from homeostat.containers import ContainerStats, EngineHost
from homeostat.steps import LimitsStep
from responder.actions.dependents import reach
from responder.actions.netsharers import network_sharers
from responder.actions.raised import Limits, Raise, plan_raise, used_bytes

MIB = 2**20


def order(needs, depth=9, left=()):
    found = reach("db", needs, depth, lambda each: "because" if each in left else "")
    return [" ".join(level) for level in found.levels], sorted(found.left)


@pytest.mark.parametrize(
    ("needs", "levels"),
    [
        ({}, ["db"]),
        ({"db": [], "web": ["other"]}, ["db"]),
        ({"web": ["db"], "api": ["db"]}, ["db", "api web"]),
        # Near and far at once: after everything that it needs.
        ({"web": ["db", "api"], "api": ["db"]}, ["db", "api", "web"]),
        ({"a": ["db"], "b": ["a"], "c": ["b", "db"], "d": ["c"]}, ["db", "a", "b", "c", "d"]),
        # What stands in no relation to it decides nothing.
        ({"web": ["db", "mail"], "mail": []}, ["db", "web"]),
        ({"db": ["db"], "web": ["db"]}, ["db", "web"]),
        ({"db": ["web"], "web": ["db"]}, ["db", "web"]),
        ({"a": ["db", "b"], "b": ["a"], "c": ["b"]}, ["db", "a", "b", "c"]),
        ({"db": ["c"], "a": ["db"], "b": ["a"], "c": ["b"]}, ["db", "a", "b", "c"]),
    ],
)
def test_dependents_come_after_all_that_they_need_and_circles_end(needs, levels):
    assert order(needs) == (levels, [])


@pytest.mark.parametrize(("depth", "levels"), [(1, ["db", "a"]), (2, ["db", "a", "b"]), (3, ["db", "a", "b", "c"])])
def test_no_farther_than_asked(depth, levels):
    assert order({"a": ["db"], "b": ["a"], "c": ["b"]}, depth) == (levels, [])


def test_what_only_one_that_is_left_out_leads_to_is_not_reached():
    needs = {"a": ["db"], "behind": ["a"], "b": ["db"], "both": ["a", "b"]}

    assert order(needs, left=["a"]) == (["db", "b", "both"], ["a"])


def sharer(name, owner):
    return dataclasses.replace(container(name=name), network_mode=f"container:{owner}")


def test_sharers_of_a_network_are_found_by_id_or_name_and_those_of_sharers_too():
    web, other = container(name="web"), container(name="other")
    by_id, by_name, second = sharer("by-id", web.id), sharer("by-name", "web"), sharer("second", "by-id")
    everything = [second, by_name, sharer("stranger", other.id), by_id, other, web]

    assert network_sharers([web], everything) == [by_id, by_name, second]


def test_sharers_in_a_circle_end():
    one, two = sharer("one", "two"), sharer("two", "one")

    assert network_sharers([one], [one, two]) == [two]


def limited(memory=64, swap=128, cpus=0.5):
    return dataclasses.replace(
        container(name="web"), memory_limit=memory * MIB, memory_swap=swap * MIB, nano_cpus=int(cpus * 1e9)
    )


HOST = EngineHost(memory_bytes=1000 * MIB, cpus=4)


def plan(step, container_, host=HOST):
    found = plan_raise(LimitsStep(action="limits", **step), container_, host)
    assert isinstance(found, Raise)
    return found


def test_only_what_is_asked_for_is_raised():
    assert plan({"memory": 2.0}, limited()).set == Limits(128 * MIB, 192 * MIB)
    assert plan({"cpu": 2.0}, limited()).set == Limits(nano_cpus=10**9)


def test_an_engine_that_cannot_limit_swap_is_not_asked_to():
    found = plan({"memory": 2.0}, limited(swap=0))

    assert (found.was, found.set) == (Limits(64 * MIB), Limits(128 * MIB))


def test_a_machine_that_is_nearly_full_of_it_gives_nothing():
    found = plan_raise(LimitsStep(action="limits", memory=2.0), limited(memory=900, swap=900), HOST)

    assert found == "web has 900 MiB of memory, and may have no more"


@pytest.mark.parametrize(
    ("usage", "told", "used"),
    [
        # v1 has both, its own and with those below.
        (100, {"inactive_file": 1, "total_inactive_file": 30, "active_file": 1, "total_active_file": 20}, 50),
        (100, {"inactive_file": 30, "active_file": 20, "anon": 40}, 50),
        (100, {"anon": 40}, 100),
        (10, {"inactive_file": 30}, 0),
        (None, {}, None),
    ],
)
def test_what_is_used_leaves_out_files_that_the_kernel_can_give_back(usage, told, used):
    nothing = dict.fromkeys((each.name for each in dataclasses.fields(ContainerStats)), None)
    stats = ContainerStats(**nothing | {"memory_usage": usage, "memory": told, "networks": ()})

    assert used_bytes(stats) == used
