"""YAML: data whose keys are texts, places in the file, errors that say what to do."""

import datetime as dt

import pytest

from homeostat.configfiles.errors import NotParsed, Place
from homeostat.configfiles.formats.base import Parsed
from homeostat.configfiles.formats.yaml import Yaml


def read(text: str) -> Parsed:
    return Yaml().read(text)


def refused(text: str) -> tuple[str, Place | None]:
    with pytest.raises(NotParsed) as caught:
        read(text)
    return caught.value.words, caught.value.place


def test_every_key_and_item_has_the_place_where_it_begins():
    places = read("# c\na:\n  b: 1\n  'c d':\n    - x\n    - {e: 2}\n").places

    assert places == {
        ("a",): Place(2, 1),
        ("a", "b"): Place(3, 3),
        ("a", "c d"): Place(4, 3),
        ("a", "c d", 0): Place(5, 7),
        ("a", "c d", 1): Place(6, 7),
        ("a", "c d", 1, "e"): Place(6, 8),
    }


def test_columns_are_characters_and_a_lone_cr_ends_no_line():
    assert read("{é: 1, b: 2}").places["b",] == Place(1, 8)
    assert read("a: 1\rb: 2\r\nc: 3\n").places["c",] == Place(2, 1)


def test_what_is_merged_or_behind_an_alias_has_the_place_of_its_anchor():
    places = read("a: &a\n  b: 1\n  c: 2\nd:\n  <<: *a\n  c: 3\ne: *a\n").places

    assert places["d", "b"] == places["e", "b"] == Place(2, 3)
    assert places["d", "c"] == Place(6, 3)
    assert ("d", "<<") not in places


def test_of_several_merges_the_first_is_the_one_that_counts():
    parsed = read("a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc: {<<: [*a, *b], z: 3}\n")

    assert parsed.data["c"] == {"x": 1, "y": 2, "z": 3}
    assert parsed.places["c", "x"] == Place(1, 8)
    assert parsed.places["c", "y"] == Place(2, 14)


def test_keys_are_texts_as_they_are_written():
    assert read("on: 1\n8080: 2\n~: 3\n0x10: 4\n").data == {"on": 1, "8080": 2, "~": 3, "0x10": 4}


def test_values_are_of_the_types_of_yaml_1_1():
    data = read("a: [yes, 010, 1:30, 1.5, ~, 2026-01-31, '1', text]").data

    assert data == {"a": [True, 8, 90, 1.5, None, dt.date(2026, 1, 31), "1", "text"]}


def test_tags_of_programs_are_read_as_what_they_stand_before():
    assert read("a: !reset null\nb: !x {c: 1}\nd: !r [e, {f: 1}]").data == {
        "a": "null",
        "b": {"c": 1},
        "d": ["e", {"f": 1}],
    }


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "---\n...\n", "~"])
def test_nothing_is_an_empty_mapping(text: str):
    assert read(text) == Parsed({}, {})


@pytest.mark.parametrize(
    ("text", "words", "place"),
    [
        ("a:\n\tb: 1\n", "a tab; indent with spaces", Place(2, 1)),
        ("a:\n  - b\n \t- c\n", "a tab; indent with spaces", Place(3, 2)),
        ("a: 1\nb: 2\na: 3\n", "a: given twice, first on line 1; keep one", Place(3, 1)),
        ("x:\n  - {a: 1, 'a': 2}\n", "x.0.a: given twice, first on line 2; keep one", Place(2, 12)),
        ("1: a\n'1': b\n", "1: given twice, first on line 1; keep one", Place(2, 1)),
        ("a: 1\n---\nb: 2\n", "more than one document (---); keep one in each file", Place(2, 1)),
        ("- a\n", "must be a mapping of keys, found a list", None),
        ("text", "must be a mapping of keys, found a single value", None),
        ("? [a]\n: b\n", "a list or mapping as a key; allowed: text", Place(1, 3)),
        (
            "a: b: c\n",
            "a colon where no key can stand; quote the value, or indent the key as those beside it",
            Place(1, 5),
        ),
        ("a: 1\n b: 2\n", None, Place(2, 3)),
        ("a: 1\nb\nc: 2\n", "a line that is no key with a value; write key: value", Place(3, 1)),
        ("a: [1, 2\nb: 3\n", "brackets that are not closed, or a comma that is missing", Place(2, 2)),
        ('a: "b\n', "the end within a quoted text; close the quote", Place(2, 1)),
        ("a: *b\n", "an alias (*) to an anchor that is not there; quote the value if it is text", Place(1, 4)),
        ("a: @b\n", "a text that begins with a mark of YAML (@, `, % and others); quote it", Place(1, 4)),
        ("a: 2026-13-45\n", "no timestamp, though it looks like one; quote it if it is text", Place(1, 4)),
        ("a: !!python/name:os.system\n", "a tag (!!) that is not known; quote the value if it is text", Place(1, 4)),
        ("a: !!set {b, c}\n", "a tag (!!) that is not known; quote the value if it is text", Place(1, 4)),
        ("a: \x07\n", "the character #x07 is not allowed in YAML; take it out", Place(1, 4)),
        ("<<: text\n", "no mapping after <<; allowed: an alias of a mapping", Place(1, 5)),
    ],
)
def test_an_error_says_where_and_what_to_do(text: str, words: str | None, place: Place | None):
    said, where = refused(text)

    assert (words or said, where) == (said, place)


def test_an_alias_to_what_is_around_it_ends():
    assert refused("a: &a [*a]\n")[0] == (
        "more than 20000 values and 50 levels once aliases are followed; keep them few"
    )


def test_merges_of_merges_end():
    bomb = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 40))

    assert "once aliases are followed" in refused(bomb)[0]


def test_a_chain_of_merges_is_as_deep_as_levels_are():
    chain = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: *a{n - 1}}}\n" for n in range(1, 60))

    assert "once aliases are followed" in refused(chain)[0]
