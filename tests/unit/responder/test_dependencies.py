"""Whose fault it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.dependencies import blamed, edges_of

CHAIN = {"web": {"api"}, "api": {"db", "cache"}}
CIRCLE = {"a": {"b"}, "b": {"c"}, "c": {"a", "db"}}


@pytest.mark.parametrize(
    ("edges", "workload", "unhealthy", "expected"),
    [
        (CHAIN, "web", set(), ()),
        (CHAIN, "web", {"web"}, ()),
        (CHAIN, "web", {"db"}, ("db",)),  # however far away
        (CHAIN, "web", {"db", "cache", "api"}, ("api", "cache", "db")),
        (CHAIN, "db", {"web", "api"}, ()),  # who needs it is not to blame for it
        (CHAIN, "elsewhere", {"db"}, ()),
        (CIRCLE, "a", {"a", "b", "c"}, ()),  # nobody waits for ever
        (CIRCLE, "a", {"b", "db"}, ("db",)),
        ({"a": {"a"}}, "a", {"a"}, ()),
    ],
)
def test_who_is_to_blame(edges, workload, unhealthy, expected):
    assert blamed(workload, edges, unhealthy) == expected


names = st.sampled_from("abcdef")


@given(pairs=st.lists(st.tuples(names, names), max_size=20), unhealthy=st.sets(names, min_size=1))
def test_of_all_in_trouble_there_is_always_one_that_waits_for_nobody(pairs, unhealthy):
    edges = edges_of(pairs)

    assert any(blamed(workload, edges, unhealthy) == () for workload in unhealthy)
