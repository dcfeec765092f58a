"""What no person wrote: it ends soon, and in an error that says where and tells nothing of the file."""

import configparser
import json
import tomllib
from collections.abc import Callable

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from homeostat.configfiles.errors import CannotEdit, NotParsed
from homeostat.configfiles.formats.base import MAX_DEPTH, MAX_KEYS
from homeostat.configfiles.formats.table import FORMATS
from homeostat.configfiles.text import MAX_BYTES

KINDS = ["yaml", "json", "toml", "ini"]
each_kind = pytest.mark.parametrize("kind", KINDS)
SECRET = "hunter2"

PIECES = {
    "yaml": [
        *(
            "a",
            "b",
            "c: ",
            "d:",
            " ",
            "  ",
            "\n",
            "\n",
            "- ",
            "{",
            "}",
            "[",
            "]",
            ",",
            '"q"',
            "'s'",
            "|",
            ">",
            "|+\n",
            "#c",
        ),
        *("&x ", "*x", "<<: ", "!t ", "!!str ", "? ", ": ", "---", "\t", "1:30", "yes", "2020-01-01", "=", "%", "é"),
        *("\x85", "\u2028", "\r\n", '"'),
    ],
    "json": [
        *("{", "}", "[", "]", '"a"', '"b"', ":", ",", "1", "-0", "1.5e3", "true", "null", '"\\ud83d"', "01", "NaN"),
        *('"', "\\", " ", "\n", "\t"),
    ],
    "toml": [
        *(
            "a",
            "b",
            ".",
            "=",
            "=",
            "\n",
            "\n",
            "[a]",
            "[[b]]",
            '"x"',
            "'y'",
            '"""',
            "q\n",
            "'''",
            "{",
            "}",
            "[",
            "]",
            ",",
        ),
        *("1", "true", "1979-05-27", "07:32", "#c", "\\", '"', "1.5", "é", " ", "\r\n"),
    ],
    "ini": [
        *(
            "[a]",
            "[b]",
            "\n",
            "\n",
            " ",
            "\t",
            "x",
            "y=",
            "=",
            ":",
            "z: 1",
            "# c",
            ";",
            "[",
            "]",
            "k = v",
            "  more",
            "é",
        ),
        *("\r\n", "[DEFAULT]"),
    ],
}


def pieces(kind: str) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(PIECES[kind]), max_size=16).map("".join)


@each_kind
@settings(deadline=None)
@given(data=st.data())
def test_any_text_is_read_or_not_parsed_and_any_edit_is_made_or_refused(kind: str, data: st.DataObject):
    text = data.draw(st.text(max_size=40) | pieces(kind) | pieces(kind).map("{}".join))
    try:
        parsed = FORMATS[kind].read(text)
    except NotParsed as err:
        assert err.words.isprintable()  # noqa: PT017 - either is fine
        return
    known = st.sampled_from([*parsed.places, ("a",)])
    path = data.draw(known | st.tuples(st.sampled_from(["a", "b", 0])) | known.map(lambda path: (*path[:-1], "new")))
    value = data.draw(st.sampled_from(["x", "a\nb\n", 1, None, 1.5, [1], {"k": ["v"]}, "", "a: b", "[x]", '"']))
    for edit in (lambda: FORMATS[kind].set(text, path, value), lambda: FORMATS[kind].unset(text, path)):
        try:
            FORMATS[kind].read(edit())
        except CannotEdit as err:
            assert str(err).isprintable()  # noqa: PT017 - either is fine


def by_configparser(text: str) -> object:
    parser = configparser.RawConfigParser(interpolation=None, default_section="\0")
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(text)
    return {name: dict(parser[name]) for name in parser.sections()}


ORACLES: dict[str, Callable[[str], object]] = {
    "yaml": lambda text: yaml.load(text, yaml.SafeLoader) or {},
    "json": json.loads,
    "toml": tomllib.loads,
    "ini": by_configparser,
}


@each_kind
@settings(deadline=None)
@given(data=st.data())
def test_what_is_read_is_what_the_programs_own_parsers_read(kind: str, data: st.DataObject):
    text = data.draw(pieces(kind).map(lambda text: f"{{{text}}}" if kind == "json" else text))
    try:
        parsed = FORMATS[kind].read(text)
    except NotParsed:
        return
    if "!" in text or "%" in text:  # tags of programs, which PyYAML alone refuses
        return

    theirs = ORACLES[kind](text)

    assert _as_text(theirs) == _as_text(parsed.data)


def _as_text(data: object) -> object:
    """Keys as text, in any case: that is where we differ from YAML, on purpose."""
    if isinstance(data, dict):
        names = {None: "", True: "yes", 90: "1:30"}
        pairs = ((str(names.get(key, key)), _as_text(inner)) for key, inner in data.items())
        return sorted(pairs, key=repr)
    return [_as_text(inner) for inner in data] if isinstance(data, list) else data


@pytest.mark.parametrize("kind", ["toml", "ini"])
@settings(deadline=None)
@given(data=st.data())
def test_what_the_programs_own_parsers_read_is_read(kind: str, data: st.DataObject):
    text = data.draw(pieces(kind))
    try:
        theirs = ORACLES[kind](text)
    except (ValueError, configparser.Error):
        with pytest.raises(NotParsed):
            FORMATS[kind].read(text)
        return

    assert FORMATS[kind].read(text).data == theirs


MANY = MAX_KEYS + 1
WIDE = MAX_BYTES // 2
TOO_DEEP = [
    ("yaml", "a: " + "[" * WIDE),
    ("yaml", "a: " + "{a: " * (WIDE // 4)),
    ("yaml", "- " * WIDE),
    ("yaml", "? " * WIDE),
    ("json", '{"a":' + "[" * WIDE),
    ("json", '{"a":' * (WIDE // 5)),
    ("toml", "a = " + "[" * WIDE),
    ("toml", "a = " + "{a=" * (WIDE // 3)),
    ("toml", "a." * WIDE + "a = 1"),
    ("toml", "[" + "a." * WIDE + "a]"),
]
TOO_MANY = [
    ("yaml", "\n".join(f"k{index}:" for index in range(MANY))),
    ("yaml", "a: [" + "x," * MANY + "]"),
    ("yaml", "a: &a [" + "x," * 200 + "]\nb: [" + "*a," * 200 + "]"),
    ("yaml", "a: &a {b: 1}\n" + "".join(f"k{index}: {{<<: [*a, *a]}}\n" for index in range(MANY // 3))),
    ("json", '{"a": [' + "1," * MANY + "1]}"),
    ("toml", "a = [" + "1," * MANY + "]"),
    ("toml", "[[a]]\n" * MANY),
    ("ini", "[a]\n" + "".join(f"k{index}=\n" for index in range(MANY))),
]


@pytest.mark.parametrize("kind", ["yaml", "json", "toml"])
def test_what_is_nested_within_the_bound_is_read(kind: str):
    depth = MAX_DEPTH - 2
    nest = "[" * depth + "1" + "]" * depth
    text = {"yaml": f"a: {nest}", "json": f'{{"a": {nest}}}', "toml": f"a = {nest}"}[kind]

    assert ("a", *([0] * depth)) in FORMATS[kind].read(text).places


@pytest.mark.timeout(20)
@pytest.mark.parametrize(("kind", "text"), TOO_DEEP, ids=lambda part: str(part)[:12])
def test_deeper_than_anybody_nests_is_refused_soon(kind: str, text: str):
    with pytest.raises(NotParsed, match=f"deeper than {MAX_DEPTH} levels"):
        FORMATS[kind].read(text)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(("kind", "text"), TOO_MANY, ids=lambda part: str(part)[:12])
def test_more_than_anybody_writes_is_refused_soon(kind: str, text: str):
    with pytest.raises(NotParsed, match=f"more than {MAX_KEYS}"):
        FORMATS[kind].read(text)


LARGE = [
    ("yaml", "a: " + "x" * (2 * WIDE - 9)),
    ("yaml", "a: |\n" + "  x\n" * (WIDE // 2 - 4)),
    ("yaml", "a: '" + "''" * (WIDE - 9) + "'"),
    ("yaml", "#\n" * (WIDE - 9) + "a: 1"),
    ("yaml", "\n".join(f"k{index}: {'x' * 30}" for index in range(MAX_KEYS - 1))),
    ("yaml", "a: &a {b: 1}\n" + "".join(f"k{index}: {{<<: *a}}\n" for index in range(MAX_KEYS // 4))),
    ("json", '{"a": "' + "\\n" * (WIDE - 9) + '"}'),
    ("json", "{" + ",".join(f'"k{index}": "{"x" * 30}"' for index in range(MAX_KEYS - 1)) + "}"),
    ("json", " " * (2 * WIDE - 9) + '{"a": 1}'),
    ("toml", 'a = "' + "\\n" * (WIDE - 9) + '"'),
    ("toml", 'a = """' + '"" ' * (WIDE * 2 // 3 - 9) + '"""'),
    ("toml", "\n".join(f'k{index} = "{"x" * 30}"' for index in range(MAX_KEYS - 1))),
    ("toml", "#\n" * (WIDE - 9) + "a = 1"),
    ("ini", "[a]\n" + "\n".join(f"k{index} = {'x' * 30}" for index in range(MAX_KEYS - 2))),
    ("ini", "[a]\nk =" + " " * (2 * WIDE - 99) + "x"),
    ("ini", "[a]\nk = 1\n" + " x\n" * (WIDE // 2)),
]


@pytest.mark.timeout(30)
@pytest.mark.parametrize(("kind", "text"), LARGE, ids=lambda part: str(part)[:12])
def test_the_largest_file_there_may_be_is_read_and_changed_soon(kind: str, text: str):
    places = FORMATS[kind].read(text).places
    last = max(places, key=lambda path: places[path])

    assert FORMATS[kind].set(text, last, "y") != text


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("yaml", 'a: "' + "\\" * (2 * WIDE - 9)),
        ("yaml", "a: " + "1:" * (WIDE - 9) + "1"),
        ("yaml", "a: " + "9" * (WIDE - 9)),
        ("json", '{"a": "' + "x" * (2 * WIDE - 9)),
        ("json", '{"a": ' + "9" * (WIDE - 9)),
        ("toml", 'a = "' + "\\" * (2 * WIDE - 9)),
        ("toml", 'a = """' + '"" ' * (WIDE // 2)),
        ("toml", "a = " + "9" * (WIDE - 9)),
        ("toml", "a" + " " * (2 * WIDE - 9) + "b"),
        ("ini", "[a]\nk" + " " * (2 * WIDE - 99) + "x"),
    ],
    ids=lambda part: str(part)[:12],
)
def test_large_nonsense_is_refused_soon(kind: str, text: str):
    with pytest.raises(NotParsed):
        FORMATS[kind].read(text)


def nested(depth: int) -> object:
    value: object = "x"
    for _ in range(depth):
        value = {"k": [value]}
    return value


@each_kind
@pytest.mark.parametrize("value", [nested(5000), "\ud800", {"\ud800": 1}, {1: 2}, (1,), object(), b"x", {"x": {1}}])
def test_a_value_that_no_file_can_hold_is_refused(kind: str, value: object):
    text = {"yaml": "a: 1\n", "json": '{"a": 1}', "toml": "a = 1\n", "ini": "[s]\na = 1\n"}[kind]
    path = ("s", "a") if kind == "ini" else ("a",)

    with pytest.raises(CannotEdit, match=r"^(s\.)?a: "):
        FORMATS[kind].set(text, path, value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("yaml", f"password: *{SECRET}"),
        ("yaml", f"password: !!{SECRET} x"),
        ("yaml", f"password: !!binary {SECRET}é"),
        ("yaml", f"password: !!int {SECRET}"),
        ("yaml", f'password: "{SECRET}'),
        ("yaml", f"password: {SECRET}: x"),
        ("yaml", f"password: @{SECRET}"),
        ("yaml", f"password: [{SECRET}"),
        ("yaml", f"password: |{SECRET}"),
        ("yaml", f"password: !{SECRET}!x {SECRET}"),
        ("yaml", f"%TAG {SECRET}\npassword: 1"),
        ("yaml", f"a: 1\n{SECRET}\nb: 2"),
        ("json", f'{{"password": {SECRET}}}'),
        ("json", f'{{"password": "{SECRET}'),
        ("json", f'{{"password": "{SECRET}" {SECRET}'),
        ("toml", f"password = {SECRET}"),
        ("toml", f'password = "{SECRET}'),
        ("toml", f'password = "{SECRET}\\k"'),
        ("toml", f'password = "x" {SECRET}'),
        ("ini", f"[a]\n{SECRET}"),
        ("ini", SECRET),
    ],
)
def test_an_error_repeats_no_value(kind: str, text: str):
    with pytest.raises(NotParsed) as caught:
        FORMATS[kind].read(text)

    assert SECRET not in str(caught.value)
    assert caught.value.place is not None
