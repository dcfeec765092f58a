"""JSON: strict, with places; edits that look like what stands beside them."""

import pytest

from homeostat.configfiles.errors import CannotEdit, NotParsed, Place
from homeostat.configfiles.formats.json import Json
from homeostat.explain import KeyPath

read, set_, unset = Json().read, Json().set, Json().unset


def test_every_key_and_item_has_the_place_where_it_begins():
    assert read('{"a": 1,\r\n "é": [true, {"b": null}]}').places == {
        ("a",): Place(1, 2),
        ("é",): Place(2, 2),
        ("é", 0): Place(2, 8),
        ("é", 1): Place(2, 14),
        ("é", 1, "b"): Place(2, 15),
    }


def test_data_is_what_json_says():
    data = read('{"a": [1, -0, 1.5e3, true, false, null, "\\u00e9\\ud83d\\ude00\\n", {}], "": 0}').data

    assert data == {"a": [1, 0, 1500.0, True, False, None, "é\U0001f600\n", {}], "": 0}


@pytest.mark.parametrize(
    ("text", "words", "place"),
    [
        ("", "empty; the least that is JSON is {}", None),
        ("[1]", "must be an object of keys, found a list", None),
        ('{"a": 1,\n}', "a comma before }; take it out", Place(1, 8)),
        ('{"a": [1,]}', "a comma before ]; take it out", Place(1, 9)),
        ('{"a": 1 "b": 2}', "a comma or } was expected", Place(1, 9)),
        ('{"a": 1', "the end, before }", Place(1, 8)),
        ('{"a":', "the end, where a value was expected", Place(1, 6)),
        ('{"a" 1}', "a colon after the key was expected", Place(1, 6)),
        ("{a: 1}", "a key in double quotes was expected", Place(1, 2)),
        ("{'a': 1}", "a key in double quotes was expected", Place(1, 2)),
        ('{,"a": 1}', "a key in double quotes was expected", Place(1, 2)),
        ('{"a": 1} {}', "more after the end; keep one object", Place(1, 10)),
        ('{\n "a": 1,\n "a": 2}', "a: given twice, first on line 2; keep one", Place(3, 2)),
        ('{"x": [{"a": 1, "\\u0061": 2}]}', "x.0.a: given twice, first on line 1; keep one", Place(1, 17)),
        ('{"a": 1} // why', "a comment; JSON has none: take it out", Place(1, 10)),
        ('{"a": /* b */ 1}', "a comment; JSON has none: take it out", Place(1, 7)),
        ('{"a": 1e999}', "a number too large; put it into quotes", Place(1, 7)),
    ],
)
def test_an_error_says_where_and_what_to_do(text: str, words: str, place: Place | None):
    with pytest.raises(NotParsed) as caught:
        read(text)

    assert (caught.value.words, caught.value.place) == (words, place)


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "-Infinity", "01", "+1", ".5", "1.", "0x1", "True", "'a'", "1_0", "-"]
)
def test_what_other_dialects_have_is_no_value(value: str):
    with pytest.raises(NotParsed, match="no value of JSON"):
        read(f'{{"a": {value}}}')


@pytest.mark.parametrize("text", ['"\\ud800"', '"\\udc00\\ud800"', '"a', '"\t"', '"\n"', '"\\x41"', '"\\u12"'])
def test_a_text_that_is_none_is_refused(text: str):
    with pytest.raises(NotParsed):
        read(f'{{"a": {text}}}')


@pytest.mark.parametrize(
    ("before", "path", "value", "after"),
    [
        ('{"a":1}', ("a",), "x", '{"a":"x"}'),
        ('{"a":1}', ("b",), [1, {"c": 2}], '{"a":1,"b":[1,{"c":2}]}'),
        ('{"a": 1}', ("b",), [1, {"c": 2}], '{"a": 1, "b": [1, {"c": 2}]}'),
        ("{}", ("b",), 1, '{"b": 1}'),
        ('{\n  "a": 1\n}\n', ("b",), {"c": [1]}, '{\n  "a": 1,\n  "b": {\n    "c": [\n      1\n    ]\n  }\n}\n'),
        ('{\r\n\t"a": 1\r\n}\r\n', ("b",), {"c": 1}, '{\r\n\t"a": 1,\r\n\t"b": {\r\n\t\t"c": 1\r\n\t}\r\n}\r\n'),
        ('{\n  "a": [\n    1\n  ]\n}', ("a", 1), 2, '{\n  "a": [\n    1,\n    2\n  ]\n}'),
        ('{\n  "a": [1]\n}', ("a", 1), 2, '{\n  "a": [1, 2]\n}'),
        ('{ "a" : 1 , "b" : 2 }', ("b",), None, '{ "a" : 1 , "b" : null }'),
        ('{"a": "é"}', ("a",), "ü\n\U0001f600", '{"a": "ü\\n\U0001f600"}'),
        ('{"a": 1.0}', ("a",), 1, '{"a": 1}'),
        ('{"a": 1}', ("a",), True, '{"a": true}'),
    ],
)
def test_setting_changes_one_value_or_adds_one_as_its_siblings_are(before, path: KeyPath, value, after):
    assert set_(before, path, value) == after


@pytest.mark.parametrize(
    ("before", "path", "after"),
    [
        ('{"a": 1, "b": 2, "c": 3}', ("a",), '{"b": 2, "c": 3}'),
        ('{"a": 1, "b": 2, "c": 3}', ("b",), '{"a": 1, "c": 3}'),
        ('{"a": 1, "b": 2, "c": 3}', ("c",), '{"a": 1, "b": 2}'),
        ('{\n  "a": 1,\n  "b": 2\n}\n', ("b",), '{\n  "a": 1\n}\n'),
        ('{\n  "a": 1,\n  "b": 2\n}\n', ("a",), '{\n  "b": 2\n}\n'),
        ('{\n  "a": 1\n}\n', ("a",), "{}\n"),
        ('{"a": [1, [2], 3]}', ("a", 1), '{"a": [1, 3]}'),
        ('{"#": 1, "a": "#", "b": "#"}', ("a",), '{"#": 1, "b": "#"}'),
    ],
)
def test_unsetting_takes_the_key_out_with_one_comma(before: str, path: KeyPath, after: str):
    assert unset(before, path) == after


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"x": float("-inf")}])
def test_a_value_that_json_cannot_hold_is_refused(value: object):
    with pytest.raises(CannotEdit, match=r"^a: JSON has no such value"):
        set_('{"a": 1}', ("a",), value)


def test_a_missing_parent_is_not_made_up():
    with pytest.raises(CannotEdit, match=r"^b: not there; set the whole of it to add it"):
        set_('{"a": 1}', ("b", "c"), 1)
    with pytest.raises(CannotEdit, match=r"^b: not there"):
        unset('{"a": 1}', ("b",))


def test_a_number_of_thousands_of_digits_is_refused():
    with pytest.raises(CannotEdit, match=r"^a: JSON has no such value"):
        set_('{"a": 1}', ("a",), 10**5000)
