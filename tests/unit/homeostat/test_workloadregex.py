"""Patterns of workloads as Alertmanager's regular expressions."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeostat.maintenance import means
from homeostat.workloadregex import as_patterns, as_regex

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,5}", fullmatch=True)
PATTERNS = st.one_of(
    st.just("*"), NAMES.map("{}/*".format), st.tuples(NAMES, NAMES).map(lambda names: "{}/{}".format(*names))
)
WORKLOADS = st.tuples(NAMES, NAMES).map(lambda names: "{}/{}".format(*names))


@given(st.lists(PATTERNS, min_size=1, max_size=4), WORKLOADS)
def test_it_matches_what_the_patterns_mean(patterns: list[str], workload: str):
    is_meant = any(means(pattern, workload) for pattern in patterns)

    assert bool(re.fullmatch(as_regex(patterns), workload)) == is_meant


@given(st.lists(PATTERNS, min_size=1, max_size=4))
def test_it_is_read_back(patterns: list[str]):
    assert as_patterns(as_regex(patterns)) == tuple(patterns)


@pytest.mark.parametrize("pattern", ["*", "shop/*", "shop/web"])
def test_what_has_no_workload_is_never_meant(pattern: str):
    assert not re.fullmatch(as_regex([pattern]), "")


@pytest.mark.parametrize(("workload", "is_meant"), [("shop/a.b", True), ("shop/a-b", False), ("shop/axb", False)])
def test_a_dot_is_a_dot(workload: str, is_meant: bool):
    assert bool(re.fullmatch(as_regex(["shop/a.b"]), workload)) == is_meant


@pytest.mark.parametrize(
    "regex", ["", ".*", "shop", "shop/.*", "shop/web|", "shop/a.b", "(shop/web)", "shop/web/x", "|"]
)
def test_what_others_wrote_is_not_taken_for_ours(regex: str):
    assert as_patterns(regex) is None
