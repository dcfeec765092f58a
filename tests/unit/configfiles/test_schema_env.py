"""The schema of a `.env` file: types of text, required keys, secrets; and no word that repeats a value."""

from typing import Any

import pytest

from homeostat.configfiles.errors import Place
from homeostat.configfiles.schema.base import MOST_VIOLATIONS, Violation, placed
from homeostat.configfiles.schema.envschema import EnvSchema
from homeostat.configfiles.schema.valuetypes import TYPES
from homeostat.explain import Invalid
from homeostat.structure import written


def schema_of(extra: str = "allow", **keys: Any) -> EnvSchema:
    return written(EnvSchema, {"extra": extra, "keys": keys})


def words_of(schema: EnvSchema, **data: object) -> list[str]:
    return [violation.text for violation in schema.check(data)]


GOOD = {
    "string": ["x", " y ", "ä"],
    "integer": ["0", "-5", "+7", "007"],
    "number": ["0", "0.5", ".5", "-1e3", "2."],
    "boolean": ["true", "FALSE", "yes", "no", "On", "off", "1", "0"],
    "url": ["https://example.org", "postgres://u:p@db:5432/shop?x=1", "unix:///run/x.sock", "http://[::1]:80/"],
    "port": ["1", "65535", "8080"],
    "duration": ["10s", "1h30m", "500ms"],
    "size": ["512m", "4MiB", "1Gi", "100", "1.5 GB"],
    "path": ["/etc/x", "x/y", "C:\\x"],
    "email": ["ops@example.org", "a+b@x"],
}
BAD = {
    "integer": ["x", "1.0", "1_000", "\uff11", "0x10"],
    "number": ["x", "nan", "inf", "1e999999", "1,5", "."],
    "boolean": ["2", "ja", "truee"],
    "url": ["example.org", "http://", "http://a b", "http://[::1", "http://x:99999", "https://x\n"],
    "port": ["0", "65536", "-1", "8080/tcp"],
    "duration": ["10", "ten", "s", "1h 30m"],
    "size": ["x", "-1m", "1.m", "12 parsecs"],
    "path": [" /x", "/x\n", "\t"],
    "email": ["ops", "@example.org", "a b@example.org", "ops@"],
}


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in GOOD.items() for value in values])
def test_a_value_of_its_type_is_good(kind: str, value: str):
    assert words_of(schema_of(A={"type": kind}), A=value) == []


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in BAD.items() for value in values])
def test_a_value_of_another_type_is_told_with_what_is_allowed_and_not_repeated(kind: str, value: str):
    assert words_of(schema_of(A={"type": kind}), A=value) == [f"A: must be {TYPES[kind].allowed}"]


def test_a_key_is_required_unless_it_says_otherwise():
    schema = schema_of(A={}, B={"required": False}, C={"type": "port"})

    assert words_of(schema) == [
        "A: required, but missing; add it: text",
        "C: required, but missing; add it: a port, 1 to 65535",
    ]


def test_an_empty_value_of_a_required_key_is_none():
    assert words_of(schema_of(A={"type": "integer"}), A="") == [
        "A: required, but empty; give it a value: an integer",
    ]


def test_an_empty_value_of_another_key_is_not_held_to_its_type():
    assert words_of(schema_of(A={"type": "integer", "required": False, "min_length": 3}), A="") == []


def test_numbers_have_bounds():
    schema = schema_of(A={"type": "integer", "min": 1, "max": 10}, B={"type": "number", "min": 0.5})

    assert words_of(schema, A="10", B="0.5") == []
    assert words_of(schema, A="11", B="0.4") == [
        "A: out of range; allowed: 1 to 10",
        "B: out of range; allowed: 0.5 or more",
    ]
    assert words_of(schema, A="x", B="1") == ["A: must be an integer; allowed: 1 to 10"]


def test_the_range_of_an_enormous_integer_is_still_told():
    assert words_of(schema_of(A={"type": "integer", "max": 10}), A="9" * 300) == [
        "A: out of range; allowed: 10 or less"
    ]
    assert words_of(schema_of(A={"type": "integer", "max": 10}), A="9" * 9000) == [
        "A: must be an integer; allowed: 10 or less"
    ]


def test_enum_pattern_and_length_are_told_in_the_schema_s_words():
    schema = schema_of(A={"enum": ["dev", "prod"]}, B={"pattern": "v[0-9]+"}, C={"min_length": 3}, D={"max_length": 3})

    assert words_of(schema, A="dev", B="v1", C="abc", D="abc") == []
    assert words_of(schema, A="hunter2", B="xv1", C="ab", D="abcd") == [
        "A: must be one of 'dev', 'prod'",
        "B: must match the pattern 'v[0-9]+'",
        "C: too short; must have at least 3 characters",
        "D: too long; must have at most 3 characters",
    ]


def test_a_pattern_is_of_the_whole_value():
    schema = schema_of(A={"pattern": "[a-z]+"})

    assert words_of(schema, A="abc1") == words_of(schema, A="1abc") == words_of(schema, A="abc\n") != []


def test_a_pattern_is_not_tried_on_a_huge_value():
    (words,) = words_of(schema_of(A={"pattern": ".*x"}), A="x" * 20_000)

    assert words == "A: longer than 16384 characters; allowed with a pattern: fewer"


@pytest.mark.parametrize(
    "value", ["changeme", "CHANGE_ME", "xxx", "<token>", "your-key-here", "todo", "password", "***"]
)
def test_a_secret_is_no_placeholder(value: str):
    assert words_of(schema_of(A={"secret": True}), A=value) == ["A: a placeholder, not a secret; put the secret there"]
    assert words_of(schema_of(A={}), A=value) == []


@pytest.mark.parametrize("value", ["hunter2", "xxy", '{"type": "account"}', "correct horse", "changes-everything-9"])
def test_what_may_be_a_secret_is_none(value: str):
    assert words_of(schema_of(A={"secret": True}), A=value) == []


def test_other_keys_are_allowed_unless_they_are_refused():
    assert words_of(schema_of(A={}), A="1", B="2") == []
    assert words_of(schema_of("refuse", A={}), A="1", B="2") == [
        "B: unknown key; remove it, or add it to the schema",
    ]


def test_all_is_told_at_once_in_the_order_of_the_file_then_what_is_missing():
    schema = schema_of(A={"type": "port"}, B={"type": "port"}, C={})

    assert [violation.path for violation in schema.check({"B": "x", "A": "y"})] == [("B",), ("A",), ("C",)]


def test_no_more_is_told_than_anybody_reads():
    schema = written(EnvSchema, {"keys": {f"K{n}": {} for n in range(MOST_VIOLATIONS + 10)}})

    assert len(schema.check({})) == MOST_VIOLATIONS


def test_whether_a_key_is_secret_is_known_where_the_schema_says_it():
    schema = schema_of(A={"secret": True}, B={"secret": False}, C={})

    assert [schema.is_secret(name) for name in ("A", "B", "C", "D")] == [True, False, None, None]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ({"type": "int"}, "must be 'string', 'integer'"),
        ({"min": 1}, "allowed: min and max with integer, number, port; for text, min_length and max_length"),
        ({"type": "port", "min": 2, "max": 1}, "allowed: a max that is not less than min"),
        ({"min_length": 2, "max_length": 1}, "allowed: a max_length that is not less than min_length"),
        ({"pattern": "("}, "must be a regular expression"),
        ({"enum": []}, "must have at least 1 entry"),
        ({"enum": [1]}, "must be text: quote it"),
        ({"enum": ["a"], "secret": True}, "a secret does not stand in a schema"),
        ({"minimum": 1}, "unknown key; allowed: type, required, pattern, min, max"),
    ],
)
def test_a_schema_that_says_nothing_sensible_is_refused(key: dict[str, object], words: str):
    with pytest.raises(Invalid) as err:
        schema_of(A=key)

    assert words in str(err.value)


def test_what_is_missing_in_a_section_is_placed_at_the_section():
    places = {("a",): Place(3), ("b",): Place(1), ("b", "x"): Place(2, 3)}
    found = [Violation(("a", "y"), "w", "r"), Violation(("b", "x"), "w", "r"), Violation(("z",), "w", "r")]

    assert [(violation.path, violation.place) for violation in placed(found, places)] == [
        (("b", "x"), Place(2, 3)),
        (("a", "y"), Place(3)),
        (("z",), None),
    ]


@pytest.mark.parametrize("kind", GOOD)
@pytest.mark.parametrize(
    "value", ["1" * 1_000_000, "a@" * 500_000, "http://" * 140_000, "a." * 500_000, " " * 1_000_000]
)
@pytest.mark.timeout(10)
def test_no_value_makes_a_check_slow(kind: str, value: str):
    found = schema_of(A={"type": kind, "secret": True}).check({"A": value})

    assert len(found) <= 1
