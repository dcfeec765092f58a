"""How unlikely a growth has to be among many."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.leaks.discovery import SHARE, threshold

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=60)
#: The example of Benjamini and Hochberg (1995), section 4.1: at 0.05 the first four are discoveries.
THEIRS = [
    *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344),
    *(0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000),
]


def discoveries(p_values: list[float], share: float) -> set[int]:
    """By the letter of the method: all up to the largest rank whose p is on or below its line."""
    ranked = sorted(range(len(p_values)), key=lambda index: p_values[index])
    step = share / len(p_values)
    last = max((rank for rank, index in enumerate(ranked, 1) if p_values[index] <= rank * step), default=0)
    return set(ranked[:last])


def test_the_papers_own_example():
    assert threshold(THEIRS, 0.05) == pytest.approx(4 * 0.05 / 15)
    assert sum(p <= threshold(THEIRS, 0.05) for p in THEIRS) == 4


def test_one_series_alone_has_the_whole_share():
    assert threshold([0.3]) == threshold([0.0]) == threshold([]) == SHARE


@pytest.mark.parametrize(
    ("p_values", "expected"),
    [
        ([1.0] * 100, 0.0001),  # a first discovery needs as much
        ([0.0001] + [1.0] * 99, 0.0001),
        ([0.00011] + [1.0] * 99, 0.0001),
        ([0.0001, 0.0002] + [1.0] * 98, 0.0002),
        ([0.00015, 0.0002] + [1.0] * 98, 0.0002),  # neither alone, both together
        ([0.0] * 100, 0.01),
    ],
)
def test_the_line_is_that_of_as_many_as_there_are(p_values, expected):
    assert threshold(p_values) == pytest.approx(expected)


@given(P_VALUES, st.sampled_from([0.01, 0.05, 0.2]))
def test_it_finds_what_the_method_finds(p_values, share):
    found = {index for index, p in enumerate(p_values) if p <= threshold(p_values, share)}

    assert found == discoveries(p_values, share)


@given(P_VALUES)
def test_a_discovery_remains_one_when_its_p_changes_a_little(p_values):
    """Of a single leak the next look gives another p: that must not take the alarm away."""
    before = threshold(p_values)
    moved = [max(before, p) for p in p_values]

    assert threshold(moved) >= before


def test_of_series_that_do_nothing_nearly_no_round_finds_any():
    rng = random.Random(3)
    rounds = [[rng.random() for _ in range(300)] for _ in range(1000)]
    alarmed = sum(min(p_values) <= threshold(p_values) for p_values in rounds)

    assert alarmed / 1000 < 0.02  # one test each at 0.01 would find some in 95 of 100
