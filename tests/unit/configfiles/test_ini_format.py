"""INI: read as configparser reads it, strictly; changed in place."""

import pytest

from homeostat.configfiles.errors import CannotEdit, NotParsed, Place
from homeostat.configfiles.formats.ini import Ini
from homeostat.explain import KeyPath

read, set_, unset = Ini().read, Ini().set, Ini().unset


def test_values_are_texts_that_go_on_on_indented_lines():
    data = read("[s]\na = 1\nb: x ; y # z\nc =\n  one\n  # two\n\n  three\nd=\n").data

    assert data == {"s": {"a": "1", "b": "x ; y # z", "c": "\none\n\nthree", "d": ""}}


def test_nothing_is_put_into_values_and_default_is_a_section():
    data = read("[DEFAULT]\na = 1\n[s]\nb = %(a)s ${a}\n").data

    assert data == {"DEFAULT": {"a": "1"}, "s": {"b": "%(a)s ${a}"}}


def test_sections_and_keys_keep_their_case_and_have_places():
    parsed = read("# c\r\n[S t]\r\n\r\nKey = 1\r\n  Not = 2\r\n [T]\r\n")

    assert parsed.data == {"S t": {"Key": "1\nNot = 2\n[T]"}}
    assert parsed.places["S t",] == Place(2, 1)
    assert parsed.places["S t", "Key"] == Place(4, 1)


@pytest.mark.parametrize(
    ("text", "words", "place"),
    [
        ("a = 1\n[s]\n", "a key before the first section; begin with [section]", Place(1, 1)),
        ("[s]\n\nword\n", "neither a key nor a section; write key = value, or indent what goes on", Place(3, 1)),
        ("[s]\n[]\n", "neither a key nor a section; write key = value, or indent what goes on", Place(2, 1)),
        ("[s]\n= 1\n", "no key before the =; write key = value", Place(2, 1)),
        ("[s]\na = 1\nb = 2\nA = 3\n", "s.A: given twice, first on line 2; keep one", Place(4, 1)),
        ("[s]\n[t]\n[s]\n", "[s]: given twice, first on line 1; keep one", Place(3, 1)),
    ],
)
def test_an_error_says_where_and_what_to_do(text: str, words: str, place: Place):
    with pytest.raises(NotParsed) as caught:
        read(text)

    assert (caught.value.words, caught.value.place) == (words, place)


@pytest.mark.parametrize(
    ("before", "path", "value", "after"),
    [
        ("[s]\na = 1\n# b\nb=2\n", ("s", "a"), "x y", "[s]\na = x y\n# b\nb=2\n"),
        ("[s]\na=1\n", ("s", "a"), 5, "[s]\na=5\n"),
        ("[s]\na =\n", ("s", "a"), "x", "[s]\na = x\n"),
        ("[s]\na = 1\nb = 2\n", ("s", "a"), "x\ny", "[s]\na = x\n    y\nb = 2\n"),
        ("[s]\r\na =\r\n\tx\r\n\ty\r\n\r\nb = 2\r\n", ("s", "a"), "\nz", "[s]\r\na =\r\n\tz\r\n\r\nb = 2\r\n"),
        ("[s]\na = 1\n", ("s", "a"), "", "[s]\na = \n"),
        ("[s]\na=1\n\n# t\n[t]\n", ("s", "n"), "x", "[s]\na=1\nn=x\n\n# t\n[t]\n"),
        ("[s]\na: 1", ("s", "n"), "x", "[s]\na: 1\nn: x"),
        ("[s]\r\n[t]\r\n", ("s", "n"), "x", "[s]\r\nn = x\r\n[t]\r\n"),
        ("[s]\na = 1", ("t",), {"b": "x", "c": 1}, "[s]\na = 1\n\n[t]\nb = x\nc = 1\n"),
        ("", ("t",), {}, "[t]\n"),
    ],
)
def test_setting_changes_one_value_or_adds_one_to_its_section(before: str, path: KeyPath, value: object, after: str):
    assert set_(before, path, value) == after


@pytest.mark.parametrize(
    ("before", "path", "after"),
    [
        ("[s]\na = 1\n  more\n\n# b\nb = 2\n", ("s", "a"), "[s]\n\n# b\nb = 2\n"),
        ("[s]\na = 1\n", ("s", "a"), "[s]\n"),
        ("[s]\na = 1\n# in s\nb = 2\n\n# t\n[t]\nc = 1\n", ("s",), "\n# t\n[t]\nc = 1\n"),
        ("[s]\n[t]", ("t",), "[s]\n"),
    ],
)
def test_unsetting_takes_the_key_or_the_section_out(before: str, path: KeyPath, after: str):
    assert unset(before, path) == after


@pytest.mark.parametrize("value", [" x", "x ", "x\n", "x\n# y", "x\n  y", "x\n ;y", None, ["x"], {"x": "y"}])
def test_a_value_that_would_not_come_back_is_refused(value: object):
    with pytest.raises(CannotEdit, match=r"^s\.a: "):
        set_("[s]\na = 1\n", ("s", "a"), value)


@pytest.mark.parametrize("key", ["a=b", "#a", ";", "[a", "a\nb", "", " a", "A"])
def test_a_key_that_would_not_come_back_is_refused(key: str):
    with pytest.raises(CannotEdit):
        set_("[s]\na = 1\n", ("s", key), "x" if key != "[a" else "]")


@pytest.mark.parametrize("value", ["x\n[t]\nb = 1", "[t]", "x\nb = 1"])
def test_a_value_cannot_become_more_than_a_value(value: str):
    assert read(set_("[s]\na = 1\n", ("s", "a"), value)).data == {"s": {"a": value}}


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("s",), {"b": "1"}, "s: a section; set its keys one by one"),
        (("t",), "x", "t: a section; set its keys one by one"),
        (("t", "a"), "x", "t: not there; set the whole of it to add it"),
        (("s", "a", "b"), "x", "s.a.b: s.a is no mapping; set the whole of it"),
    ],
)
def test_what_is_no_key_is_not_set(path: KeyPath, value: object, words: str):
    with pytest.raises(CannotEdit) as caught:
        set_("[s]\na = 1\n", path, value)

    assert str(caught.value) == words
