"""JSON Schema: words of this project for each keyword, nothing fetched, and a check that ends."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homeostat.configfiles.schema import dialects, jsonschemas
from homeostat.configfiles.schema.base import MOST_VIOLATIONS
from homeostat.configfiles.schema.jsonschemas import JsonSchema

SECRET = "hunter2"


def schema_of(schema: Mapping[str, Any]) -> JsonSchema:
    assert dialects.problems_of(schema) == ()
    return JsonSchema(dialects.prepared(schema))


def told(schema: Mapping[str, Any], data: object) -> list[str]:
    """Of data below the key k."""
    return [violation.text for violation in schema_of({"properties": {"k": schema}}).check({"k": data})]


@pytest.mark.parametrize(
    ("schema", "value", "words"),
    [
        ({"type": "integer"}, SECRET, "k: must be integer, found string"),
        (
            {"type": "integer", "minimum": 1, "maximum": 65535},
            SECRET,
            "k: must be integer, found string; allowed: 1 to 65535",
        ),
        (
            {"type": ["integer", "null"], "minimum": 1},
            [],
            "k: must be integer or null, found array; allowed: 1 or more",
        ),
        ({"type": "string", "enum": ["a", "b"]}, 1, "k: must be string, found integer; allowed: 'a', 'b'"),
        ({"type": "string"}, True, "k: must be string, found boolean"),
        ({"type": "boolean"}, {}, "k: must be boolean, found object"),
        ({"type": "object"}, None, "k: must be object, found null"),
        ({"type": "array"}, 1.5, "k: must be array, found number"),
        ({"enum": ["a", "b"]}, SECRET, "k: must be one of 'a', 'b'"),
        ({"const": "a"}, SECRET, "k: must be 'a'"),
        ({"minimum": 1, "maximum": 9}, 4711, "k: too large; allowed: 1 to 9"),
        ({"minimum": 1}, -4711, "k: too small; allowed: 1 or more"),
        ({"maximum": 1}, 4711, "k: too large; allowed: 1 or less"),
        ({"exclusiveMinimum": 1}, 0, "k: must be greater than 1"),
        ({"exclusiveMaximum": 1}, 4711, "k: must be less than 1"),
        ({"multipleOf": 5}, 4711, "k: must be a multiple of 5"),
        ({"minLength": 9}, SECRET, "k: too short; must have at least 9 characters"),
        ({"maxLength": 1}, SECRET, "k: too long; must have at most 1 characters"),
        ({"pattern": "^v[0-9]$"}, SECRET, "k: must match the pattern '^v[0-9]$'"),
        ({"format": "email"}, SECRET, "k: must be an e-mail address, for example ops@example.org"),
        ({"format": "uri"}, SECRET, "k: must be a URL, for example https://example.org/path"),
        ({"format": "ipv4"}, SECRET, "k: must be an IPv4 address"),
        ({"format": "date"}, SECRET, "k: must be a date, for example 2030-12-31"),
        ({"format": "hostname"}, "a_b c", "k: must be a host name"),
        ({"minItems": 2}, [SECRET], "k: must have at least 2 items"),
        ({"maxItems": 0}, [SECRET], "k: must have at most 0 items"),
        ({"prefixItems": [{}], "items": False}, [1, SECRET], "k: must have at most 1 items"),
        ({"uniqueItems": True}, [{"a": SECRET}, {"a": SECRET}], "k: has an item twice; keep one"),
        ({"contains": {"type": "integer"}}, [SECRET], "k: has none of the items that the schema asks for"),
        ({"minProperties": 1}, {}, "k: must have at least 1 keys"),
        ({"maxProperties": 0}, {"a": SECRET}, "k: must have at most 0 keys"),
        ({"required": ["a"]}, {}, "k.a: required, but missing"),
        ({"dependentRequired": {"a": ["b"]}}, {"a": SECRET}, "k.b: required with a, but missing"),
        (
            {"properties": {"a": {}}, "additionalProperties": False},
            {"b": SECRET},
            "k.b: unknown key; allowed: 'a'",
        ),
        (
            {"patternProperties": {"^x-": {}}, "additionalProperties": False},
            {"b": SECRET},
            "k.b: unknown key; allowed: '^x-'",
        ),
        ({"additionalProperties": False}, {"b": SECRET}, "k.b: unknown key; allowed: no keys"),
        (
            {"propertyNames": {"pattern": "^[a-z]+$"}},
            {"B": SECRET},
            "k.B: no name that is allowed here: must match the pattern '^[a-z]+$'",
        ),
        (
            {"unevaluatedProperties": False},
            {"b": SECRET},
            "k: has keys that the schema does not know; remove them, or add them to the schema",
        ),
        ({"not": {"type": "string"}}, SECRET, "k: has a form that the schema rules out"),
        (False, SECRET, "k: not allowed here; remove it"),
        ({"properties": {"a": False}}, {"a": SECRET}, "k.a: not allowed here; remove it"),
        ({"anyOf": [{"type": "integer"}, {"enum": ["a"]}]}, SECRET, "k: must be integer or one of 'a', found string"),
        (
            {"oneOf": [{"type": "integer"}, {"type": "object", "properties": {"p": {"type": "integer"}}}]},
            {"p": SECRET},
            "k.p: must be integer, found string",
        ),
        (
            {"oneOf": [{}, {"type": "string"}]},
            SECRET,
            "k: fits more than one of the schema's forms; must fit exactly one",
        ),
        (
            {"anyOf": [{"minLength": 20}, {"pattern": "^x"}]},
            SECRET,
            "k: fits none of the 2 forms that the schema allows",
        ),
        ({"if": {"type": "string"}, "then": {"minLength": 9}}, SECRET, "k: too short; must have at least 9 characters"),
        ({"allOf": [{"maxLength": 1}]}, SECRET, "k: too long; must have at most 1 characters"),
        ({"type": "integer", "multipleOf": 0.1}, SECRET, "k: must be integer, found string"),
    ],
)
def test_each_keyword_has_words_that_say_what_is_allowed_and_repeat_no_value(schema: Any, value: object, words: str):
    found = told(schema, value)

    assert found == [words]
    assert SECRET not in words


def test_what_fits_is_good():
    schema = {
        "type": "object",
        "required": ["port"],
        "properties": {"port": {"type": "integer"}, "hosts": {"items": {"$ref": "#/$defs/host"}}},
        "$defs": {"host": {"type": "string", "format": "hostname"}},
    }

    assert schema_of(schema).check({"port": 1, "hosts": ["a.example", "b"]}) == ()


def test_a_reference_within_the_file_is_followed():
    schema = {"properties": {"a": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"type": "integer"}}}

    assert [v.text for v in schema_of(schema).check({"a": "x"})] == ["a: must be integer, found string"]


def test_all_is_told_in_the_order_of_the_file():
    schema = {"additionalProperties": {"type": "integer"}, "required": ["z"]}
    data = {"b": "x", "a": "x", "d": 1, "c": "x"}

    assert [violation.path for violation in schema_of(schema).check(data)] == [("b",), ("a",), ("c",), ("z",)]


def test_the_order_is_the_file_s_and_not_the_schema_s():
    schema = {"properties": {"c": {"type": "integer"}, "a": {"minItems": 9, "items": {"type": "integer"}}}}

    found = schema_of(schema).check({"a": [1, "x"], "c": "x"})

    assert [violation.path for violation in found] == [("a",), ("a", 1), ("c",)]


def test_a_schema_that_refers_to_itself_as_a_whole_is_the_same_at_each_level():
    schema = {"$schema": dialects.DEFAULT, "properties": {"a": {"$ref": "#"}, "b": False}}

    (violation,) = schema_of(schema).check({"a": {"a": {"b": 1}}})
    assert violation.path == ("a", "a", "b")


def test_no_more_is_told_than_anybody_reads():
    data = {str(n): "x" for n in range(5000)}

    found = schema_of({"additionalProperties": {"type": "integer"}}).check(data)

    assert [violation.path for violation in found] == [(str(n),) for n in range(MOST_VIOLATIONS)]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("keyword", ["required", "dependentRequired"])
def test_many_missing_keys_take_no_square_of_their_number(keyword: str):
    names = [str(n) for n in range(8000)]
    schema = {keyword: names if keyword == "required" else {"a": names}}

    found = schema_of(schema).check({"a": 1})

    assert [violation.path for violation in found] == [(str(n),) for n in range(MOST_VIOLATIONS)]


def test_dates_are_text_and_numbers_of_other_kinds_are_looked_at():
    data = {"d": dt.date(2030, 1, 2), "t": dt.datetime(2030, 1, 2, 3, 4, tzinfo=dt.UTC)}
    schema = {"properties": {"d": {"format": "date"}, "t": {"type": "string", "format": "date-time"}}}

    assert schema_of(schema).check(data) == ()


@pytest.mark.parametrize(
    "number", [float("inf"), float("nan"), 10**5000, -(10**5000), 1e308], ids=["inf", "nan", "huge", "-huge", "1e308"]
)
@pytest.mark.parametrize("schema", [{"multipleOf": 0.1}, {"multipleOf": 3}, {"minimum": 1.5}, {"enum": [1]}])
def test_no_number_breaks_the_check(number: float, schema: Mapping[str, Any]):
    assert len(told(schema, number)) <= 1


def test_true_is_not_one_where_items_have_to_differ():
    assert told({"uniqueItems": True}, [1, True, "1", [1], [True], {"a": 1}]) == []
    assert told({"uniqueItems": True}, [1, 1.0]) != []


@pytest.mark.parametrize(
    ("schema", "path", "words"),
    [
        ({"type": "strng"}, ("type",), "must be one of 'array', 'boolean', 'integer'"),
        ({"minimum": "1"}, ("minimum",), "must be number, found string"),
        ({"properties": {"a": {"pattern": "("}}}, ("properties", "a", "pattern"), "must be a regular expression"),
        ({"required": "a"}, ("required",), "must be array, found string"),
        ({"$schema": "https://example.org/mine"}, ("$schema",), "unknown dialect; allowed: drafts 2020-12"),
        ({"$ref": "https://example.org/x"}, ("$ref",), "leads out of this file"),
        ({"items": {"$ref": "other.json#/a"}}, ("items", "$ref"), "leads out of this file"),
        ({"items": {"$dynamicRef": "https://x#a"}}, ("items", "$dynamicRef"), "leads out of this file"),
        ({"$ref": "#/$defs/none"}, ("$ref",), "leads to nothing in this file"),
        ({"$defs": {"a": {"$id": "https://example.org/a"}}}, ("$defs", "a", "$id"), "a schema within a schema"),
        ({"$defs": {"a": {"$schema": dialects.DEFAULT}}}, ("$defs", "a", "$schema"), "a schema within a schema"),
    ],
)
def test_a_schema_that_is_none_or_leads_out_of_its_file_is_refused(schema: Any, path: object, words: str):
    (problem,) = dialects.problems_of(schema)

    assert problem.path == path
    assert problem.words.startswith(words)


@pytest.mark.parametrize("draft", ["http://json-schema.org/draft-04/schema#", dialects.DEFAULT])
@pytest.mark.parametrize("pattern", ["(", "a{99999999999}", "(" * 2000 + ")" * 2000])
def test_names_of_keys_must_be_patterns_that_python_takes(draft: str, pattern: str):
    assert dialects.problems_of({"$schema": draft, "patternProperties": {pattern: {}}})


def test_a_pattern_that_python_cannot_count_is_refused():
    assert dialects.problems_of({"pattern": "a{99999999999}"})


@pytest.mark.parametrize(
    "draft", ["http://json-schema.org/draft-07/schema#", "http://json-schema.org/draft-04/schema#"]
)
def test_older_dialects_are_known(draft: str):
    schema = {"$schema": draft, "properties": {"a": {"type": "integer"}}, "dependencies": {"a": ["b"]}}

    assert [violation.text for violation in schema_of(schema).check({"a": "x"})] == [
        "a: must be integer, found string",
        "b: required with a, but missing",
    ]


def test_property_names_that_look_like_keywords_are_names():
    schema = {"properties": {"$ref": {"type": "string"}, "id": {"type": "string"}, "default": {"type": "integer"}}}

    assert [
        violation.text for violation in schema_of(schema).check({"$ref": "http://x", "id": "y", "default": "z"})
    ] == ["default: must be integer, found string"]


def test_what_refers_to_itself_without_end_is_not_said_to_be_good():
    schema = {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}

    (violation,) = schema_of(schema).check({})
    assert violation.words.startswith("costs too much to check")


def test_a_reference_that_is_hidden_from_the_look_at_the_schema_is_not_fetched():
    schema = {"properties": {"default": {"$ref": "http://127.0.0.1:9/x"}}}

    (violation,) = schema_of(schema).check({"default": 1})
    assert violation.words.startswith("cannot be checked: the schema refers to what is not in its file")


@pytest.mark.timeout(60)
def test_a_schema_that_doubles_the_work_at_each_level_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(jsonschemas, "MOST_STEPS", 20_000)
    doubling = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)}
    schema = {"$ref": "#/$defs/d0", "$defs": {**doubling, "d40": {"type": "object"}}}

    (violation,) = schema_of(schema).check({})
    assert violation.words.startswith("costs too much to check")


@pytest.mark.timeout(30)
def test_items_that_have_to_differ_take_no_square_of_their_number():
    assert told({"uniqueItems": True}, [{"n": n} for n in range(10_000)]) == []


def test_a_pattern_is_not_tried_on_a_huge_text():
    assert told({"pattern": ".*y"}, "x" * 20_000) == ["k: longer than 16384 characters; allowed with a pattern: fewer"]


def test_a_file_as_deep_as_files_may_be_is_checked():
    data: Any = "x"
    for _ in range(48):
        data = {"a": data}
    schema = {"$ref": "#/$defs/n", "$defs": {"n": {"properties": {"a": {"$ref": "#/$defs/n"}}, "type": "object"}}}

    (violation,) = schema_of(schema).check({"a": data})
    assert violation.path == ("a",) * 49
    assert violation.words == "must be object, found string"


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10)
DATA = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
)
KEYWORDS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["string", "integer", "object", "array", ["null", "number"]]),
        "enum": st.lists(DATA, max_size=3),
        "minimum": st.integers() | st.floats(allow_nan=False, allow_infinity=False),
        "multipleOf": st.floats(min_value=1e-9, max_value=1e300) | st.integers(min_value=1),
        "minLength": st.integers(0, 5),
        "pattern": st.sampled_from(["^a", "[0-9]+$"]),
        "required": st.lists(st.text(max_size=5), max_size=2, unique=True),
        "additionalProperties": st.booleans(),
        "uniqueItems": st.booleans(),
        "format": st.sampled_from(["email", "date", "nonsense"]),
    },
)
SCHEMAS = st.recursive(
    KEYWORDS,
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "items": inner,
            "additionalProperties": inner,
            "propertyNames": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=3),
            "oneOf": st.lists(inner, min_size=1, max_size=3),
            "not": inner,
            "properties": st.dictionaries(st.text(max_size=5), inner, max_size=3),
        },
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(schema=SCHEMAS, data=st.dictionaries(st.text(max_size=5), DATA, max_size=4))
def test_it_says_that_a_file_is_good_exactly_when_jsonschema_itself_does(schema: dict[str, Any], data: dict[str, Any]):
    from jsonschema import Draft202012Validator, FormatChecker

    try:
        is_good = Draft202012Validator(schema, format_checker=FormatChecker(["date"])).is_valid(data)
    except (ArithmeticError, ValueError):  # of infinity, jsonschema raises
        is_good = False
    found = schema_of(schema).check(data)

    assert all(violation.words for violation in found)
    if "email" not in repr(schema):
        assert (found == ()) == is_good
