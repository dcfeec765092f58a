"""Variables of compose files: each use with its place, and what nobody sets."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homeostat.configfiles.errors import NotParsed, Place
from homeostat.configfiles.schema.crossfile import Use, check_compose, compose_variables, unused

COMPOSE = """\
# ${COMMENT}
services:
  web:
    image: "shop:${TAG:-latest}"  # ${TRAILING}
    environment:
      URL: postgres://${DB_USER}:${DB_PASSWORD:?set it}@db/$DB_NAME
      DEBUG: ${DEBUG-}
      TLS: ${CERT:+--cert=${CERT}}
      PRICE: $$5 $${NOT} $1
      ${KEY}: key
    command: >
      run --host ${HOST:-${FALLBACK:-$LAST}}
        --tag $TAG
"""


def uses_in(value: str) -> list[tuple[str, str]]:
    found = compose_variables(f"a: {value!r}\n")
    return [(use.name, use.operator) for uses in found.values() for use in uses]


def missing(value: str, env: dict[str, str] | tuple[str, ...] = ()) -> list[str]:
    return [str(violation.path[0]) for violation in check_compose(f"a: {value!r}\n", env)]


def test_every_use_is_known_with_its_place_and_how_it_is_used():
    found = {name: [(use.operator, use.place) for use in uses] for name, uses in compose_variables(COMPOSE).items()}

    assert found == {
        "TAG": [(":-", Place(4, 18)), ("", Place(13, 15))],
        "DB_USER": [("", Place(6, 23))],
        "DB_PASSWORD": [(":?", Place(6, 34))],
        "DB_NAME": [("", Place(6, 60))],
        "DEBUG": [("-", Place(7, 14))],
        "CERT": [(":+", Place(8, 12)), ("", Place(8, 27))],
        "HOST": [(":-", Place(12, 18))],
        "FALLBACK": [(":-", Place(12, 26))],
        "LAST": [("", Place(12, 38))],
    }


def test_comments_keys_and_escapes_are_no_uses():
    assert {"COMMENT", "TRAILING", "KEY", "NOT"}.isdisjoint(compose_variables(COMPOSE))


def test_a_default_and_a_requirement_are_told_apart():
    ((default,), (required,), (plain,)) = compose_variables("a: ${A-x} ${B?x} ${C}").values()

    assert (default.has_default, default.is_required) == (True, False)
    assert (required.has_default, required.is_required) == (False, True)
    assert (plain.has_default, plain.is_required) == (False, False)


@pytest.mark.parametrize(
    ("value", "uses"),
    [
        ("$A$B", [("A", ""), ("B", "")]),
        ("${A}b", [("A", "")]),
        ("$$A", []),
        ("$$$A", [("A", "")]),
        ("$ $1 $. 5$", []),
        ('${A:-{"x": 1}}', [("A", ":-")]),
        ("${A:-${B-${C:?no}}}", [("A", ":-"), ("B", "-"), ("C", ":?")]),
        ("${A:-$$B}", [("A", ":-")]),
        ("${A-a:b?c}", [("A", "-")]),
    ],
)
def test_the_grammar_is_that_of_compose(value: str, uses: list[tuple[str, str]]):
    assert uses_in(value) == uses


@pytest.mark.parametrize("value", ["${}", "${A", "${1}", "${A b}", "${A:x}", "${A:-${B}", "x ${A.b}"])
def test_what_compose_refuses_is_refused_with_its_place(value: str):
    with pytest.raises(NotParsed) as err:
        compose_variables(f"services:\n  web: '{value}'\n")

    assert err.value.place == Place(2, 8)
    assert "${NAME}" in err.value.words
    assert value not in err.value.words


@pytest.mark.parametrize("text", ["a: [", "a: 'x", "\ta: 1", "a: b: c", 'a: "\\UFFFFFFFF"', "a: \x01"])
def test_what_is_no_yaml_is_refused(text: str):
    with pytest.raises(NotParsed):
        compose_variables(text)


def test_tags_of_compose_and_aliases_are_read():
    text = "x: &x {e: '${A}'}\nservices: !override\n  w: *x\n  v: {<<: *x, p: !reset null, q: ['$B', {r: $C}]}\n"

    assert list(compose_variables(text)) == ["A", "B", "C"]


def test_an_escape_hides_only_the_place():
    found = compose_variables('a: "\\x24{A} ${B}"\nb: $C\n')

    assert {name: uses[0].place for name, uses in found.items()} == {
        "A": Place(1, 4),
        "B": Place(1, 4),
        "C": Place(2, 4),
    }


def test_places_count_lines_that_end_in_any_way():
    assert compose_variables("a: 1\r\nb: $A\r\n")["A"][0].place == Place(2, 4)


@pytest.mark.parametrize(
    ("value", "env", "lacking"),
    [
        ("$A ${B}", {}, ["A", "B"]),
        ("$A ${B}", {"A": "", "B": "x"}, []),
        ("${A:-x} ${B-x} ${C:+x}", {}, []),
        ("${A:?x} ${B?x}", {}, ["A", "B"]),
        ("${A:?x} ${B?x}", {"A": "", "B": ""}, ["A"]),
        ("${A:-$B}", {}, ["B"]),
        ("${A:-$B}", {"A": "x"}, []),
        ("${A:-$B}", {"A": ""}, ["B"]),
        ("${A-$B}", {"A": ""}, []),
        ("${A:+$B}", {}, []),
        ("${A:+$B}", {"A": "x"}, ["B"]),
        ("${A+$B}", {"A": ""}, ["B"]),
        ("${A:+$B}", {"A": ""}, []),
        ("${A:?say $B}", {}, ["A", "B"]),
        ("${A:-${B:-${C}}}", {}, ["C"]),
        ("${A:-${B:-${C}}}", {"B": "x"}, []),
    ],
)
def test_what_has_no_value_and_would_be_needed_is_told(value: str, env: dict[str, str], lacking: list[str]):
    assert missing(value, env) == lacking


def test_of_names_without_values_each_counts_as_set():
    assert missing("${A:?x} ${B:-$C}", ("A", "B")) == []


def test_the_environment_goes_before_the_file():
    assert check_compose("a: ${A:?x} $B", {"A": ""}, {"A": "x", "B": ""}) == ()
    assert len(check_compose("a: ${A:?x}", {"A": "x"}, {"A": ""})) == 1


def test_a_violation_says_what_to_do_and_where():
    first, second = check_compose("a: $A\nb: ${B:?secret words}\n", ())

    assert first.text == "A: used by a compose file, but has no value; set it in the .env file, or write ${A:-default}"
    assert second.text == "B: required by a compose file, but has no value; set it in the .env file"
    assert (first.place, second.place) == (Place(1, 4), Place(2, 4))


def test_names_that_no_compose_file_uses_are_told_but_for_docker_s_own():
    names = ("A", "B", "COMPOSE_PROJECT_NAME", "DOCKER_HOST")

    assert unused(names, compose_variables("a: $A"), env_file_used=False) == ("B",)


def test_a_file_that_a_container_gets_as_a_whole_has_no_unused_names():
    assert unused(("A", "B"), (), env_file_used=True) == ()


@settings(deadline=None)  # the machine may be busy
@given(st.text())
def test_no_text_breaks_it(text: str):
    with contextlib.suppress(NotParsed):
        assert all(isinstance(use, Use) for uses in compose_variables(text).values() for use in uses)


@settings(deadline=None)  # the machine may be busy
@given(
    st.lists(st.sampled_from(["$", "{", "}", "A", "${A", ":-", "-", "?", "+", " ", "\n", "$$", "${B:-"]), max_size=30)
)
def test_no_template_breaks_it(parts: list[str]):
    text = f"a: {json.dumps(''.join(parts))}\n"

    with contextlib.suppress(NotParsed):
        assert {violation.path for violation in check_compose(text, ("A",))} <= {("AA",), ("B",), ("AB",)}


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "text",
    [
        "a: '" + "${A:-" * 200_000 + "'",
        "a: '" + "${A:-x}" * 100_000 + "'",
        "a: '" + "$A" * 300_000 + "'",
        'a: "' + "\\x24A" * 200_000 + '"',
        "a: '" + "${A:-{" * 150_000 + "}'",
        "a: '" + "{" * 1_000_000 + "$A'",
        "[" * 500_000,
        "a: $A\n" * 170_000,
        "- $A\n" * 200_000,
        "a: '" + "${A" * 300_000 + "'",
        "# ${A}\n" * 140_000,
    ],
    ids=map(str, range(11)),
)
def test_a_hostile_file_costs_bounded_time(text: str):
    try:
        found = compose_variables(text)
    except NotParsed:
        return
    assert set(found) <= {"A"}
