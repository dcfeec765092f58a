"""YAML whose keys know their lines and stand only once."""

import pytest

from homeostat.errors import SettingsError
from homeostat.yamlfile import MAX_DEPTH, parse


def test_every_key_and_item_knows_its_line():
    _, lines = parse("a:\n  b: 1\n  c:\n    - x\n    - {d: 2}\n", "f")

    assert lines == {("a",): 1, ("a", "b"): 2, ("a", "c"): 3, ("a", "c", 0): 4, ("a", "c", 1): 5, ("a", "c", 1, "d"): 5}


def test_a_value_behind_an_alias_has_the_line_of_its_anchor():
    _, lines = parse("a: &x\n  b: 1\nc: *x\n", "f")

    assert (lines["c",], lines["c", "b"]) == (3, 2)


def test_data_is_what_yaml_says():
    data, _ = parse("a: [1, 2.5, yes, null, text, '5']\n", "f")

    assert data == {"a": [1, 2.5, True, None, "text", "5"]}


@pytest.mark.parametrize("text", ["a: 1\na: 2\n", "a: 1\n'a': 2\n", "x: {a: 1, a: 2}\n", "x:\n  - {a: 1, a: 2}\n"])
def test_a_key_given_twice_is_refused(text: str):
    with pytest.raises(SettingsError, match="given twice, first on line"):
        parse(text, "f")


def test_the_same_key_in_two_places_is_fine():
    assert parse("a: {x: 1}\nb: {x: 1}\n", "f")[0] == {"a": {"x": 1}, "b": {"x": 1}}


def test_depth_is_allowed_up_to_its_bound():
    depth = MAX_DEPTH - 1  # the mapping around it is a level, too, and so is the value inside

    assert parse("a: " + "[" * (depth - 1) + "x" + "]" * (depth - 1), "f")
    with pytest.raises(SettingsError, match=r"f:1:\d+: not valid YAML: nested deeper than 50 levels"):
        parse("a: " + "[" * depth + "x" + "]" * depth, "f")


def test_an_alias_to_what_is_around_it_ends():
    with pytest.raises(SettingsError, match="once aliases are followed"):
        parse("a: &a [*a]\n", "f")


def test_no_tag_runs_code():
    with pytest.raises(SettingsError, match="could not determine a constructor"):
        parse("a: !!python/object/new:os.system [echo]\n", "f")
