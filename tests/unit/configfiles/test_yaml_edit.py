"""YAML changed in place: what stands around a key stays as somebody wrote it."""

import datetime as dt

import pytest
import yaml

from homeostat.configfiles.errors import CannotEdit
from homeostat.configfiles.formats.yaml import Yaml
from homeostat.explain import KeyPath

set_, unset = Yaml().set, Yaml().unset


@pytest.mark.parametrize(
    ("before", "value", "after"),
    [
        ("a: x  # why\n", "w", "a: w  # why\n"),
        ("a:   'x'\n", "it's", "a:   'it''s'\n"),
        ('a: "x"\n', 'say "hi"\n', 'a: "say \\"hi\\"\\n"\n'),
        ("a: 'x'\n", "two\nlines\n", 'a: "two\\nlines\\n"\n'),
        ("a: '5'\n", 6, "a: 6\n"),
        ("a: 5\n", "6", 'a: "6"\n'),
        ("a:\n", "w", "a: w\n"),
        ("a: # why\nb: 1\n", "w", "a: w # why\nb: 1\n"),
        ("a:", "w", "a: w"),
        ("a: &n x\n", "w", "a: &n w\n"),
        ("{a: x, b: y}\n", "z", "{a: z, b: y}\n"),
        ("a: x\r\nb: y\r\n", "z", "a: z\r\nb: y\r\n"),
        ("a: one\n  two\nb: 1\n", "z", "a: z\nb: 1\n"),
        ("a: |\n  one\n  two\n\n# next\nb: 1\n", "z", 'a: "z"\n\n# next\nb: 1\n'),
        ("a: |\n  one\n\nb: 1\n", "x\n\ny\n", "a: |\n  x\n\n  y\n\nb: 1\n"),
        ("a: |\r\n  one\r\nb: 1\r\n", "x\ny", "a: |-\r\n  x\r\n  y\r\nb: 1\r\n"),
        ("a: >-\n  one\n  two\n", "x\ny", "a: |-\n  x\n  y\n"),
        ("a:\n  b: 1  # c\n  # d\n  e: 2\nf: 3\n", "z", "a: z\nf: 3\n"),
        ("a:\n- 1\n- 2\nb: 1\n", ["x", {"k": None}], "a: [x, {k: null}]\nb: 1\n"),
        ("a: [1,\n  2]\nb: 1\n", {}, "a: {}\nb: 1\n"),
        ("z: &n {b: 1}\na: *n # why\n", "w", "z: &n {b: 1}\na: w # why\n"),
        ("a: x\n", dt.date(2026, 1, 31), "a: 2026-01-31\n"),
        ("a: x\n", 1e30, "a: 1.0e+30\n"),
        ("a: x\n", float("inf"), "a: .inf\n"),
        ("a: x\n", float("-inf"), "a: -.inf\n"),
        ("a: x\n", float("nan"), "a: .nan\n"),
        ("a: x\n", 10**25, f"a: {10**25}\n"),
    ],
)
def test_setting_replaces_the_value_in_the_style_it_had(before: str, value: object, after: str):
    assert set_(before, ("a",), value) == after


@pytest.mark.parametrize(
    "text",
    [
        *(
            "yes",
            "NO",
            "y",
            "null",
            "~",
            "1:30",
            "0o7",
            "012",
            "1e3",
            "1_000",
            "2026-01-31",
            ".5",
            ".inf",
            "=",
            "<<",
            "",
        ),
        *(
            "a: b",
            "a #b",
            "#a",
            "- a",
            "@a",
            "*a",
            "&a",
            "!a",
            "[a",
            "a:",
            " a",
            "a ",
            "? a",
            "{{ x }}",
            "\u2028",
            "\x85",
        ),
    ],
)
def test_what_a_reader_may_take_for_something_else_is_quoted(text: str):
    after = set_("a: x\nb: [x]\n", ("a",), text)
    after = set_(after, ("b", 0), text)

    assert after.startswith('a: "')
    assert yaml.safe_load(after) == {"a": text, "b": [text]}


@pytest.mark.parametrize(
    ("before", "path", "after"),
    [
        ("- a: |\n    b\n", (0, "a"), "- a: |-\n    x\n    y\n"),
        ("- |\n  b\n", (0,), "- |-\n  x\n  y\n"),
        ("- - |\n   b\n", (0, 0), "- - |-\n    x\n    y\n"),
    ],
)
def test_a_block_of_text_stays_one_behind_dashes(before: str, path: KeyPath, after: str):
    within = set_("k:\n" + before, ("k", *path), "x\ny")

    assert within == "k:\n" + after


@pytest.mark.parametrize("text", ["word", "./a/b.c", "postgres://u@h:5432/d", "two words", "A=b", "nginx:alpine"])
def test_what_is_plainly_a_text_is_not_quoted(text: str):
    assert set_("a: x\n", ("a",), text) == f"a: {text}\n"


@pytest.mark.parametrize(
    ("before", "path", "after"),
    [
        ("", ("k",), "k: v\n"),
        ("# only this", ("k",), "# only this\nk: v\n"),
        ("a: 1", ("k",), "a: 1\nk: v"),
        ("a: 1 # why\n\n# end\n", ("k",), "a: 1 # why\nk: v\n\n# end\n"),
        ("a:\n    b: 1\nc: 2\n", ("a", "k"), "a:\n    b: 1\n    k: v\nc: 2\n"),
        ("a:\n  b:\n    - 1\n    # last\nc: 2\n", ("a", "k"), "a:\n  b:\n    - 1\n  k: v\n    # last\nc: 2\n"),
        ("a:\n  - b: 1\n  - c: 1\n", ("a", 0, "k"), "a:\n  - b: 1\n    k: v\n  - c: 1\n"),
        ("a:\n  - b\n", ("a", 1), "a:\n  - b\n  - v\n"),
        ("a:\n- b # why\nc: 1\n", ("a", 1), "a:\n- b # why\n- v\nc: 1\n"),
        ("a: {b: 1}\n", ("a", "k"), "a: {b: 1, k: v}\n"),
        ("a: {}\n", ("a", "k"), "a: {k: v}\n"),
        ("a: [b, c]\n", ("a", 2), "a: [b, c, v]\n"),
        ("a: [\n  b, # why\n  c # so\n]\n", ("a", 2), "a: [\n  b, # why\n  c, # so\n  v\n]\n"),
        ("a: [\n  b,\n  c,\n]\n", ("a", 2), "a: [\n  b,\n  c,\n  v,\n]\n"),
        ("a:\r\n  b: |\r\n    x\r\n\r\nc: 1\r\n", ("a", "k"), "a:\r\n  b: |\r\n    x\r\n  k: v\r\n\r\nc: 1\r\n"),
        ("x: &x {k: 1}\na:\n  <<: *x\n", ("a", "k"), "x: &x {k: 1}\na:\n  <<: *x\n  k: v\n"),
        ("---\na: 1\n...\n", ("k",), "---\na: 1\nk: v\n...\n"),
        ("on: 1\n", ("off",), 'on: 1\n"off": v\n'),
    ],
)
def test_a_new_key_or_item_comes_last_and_looks_like_those_beside_it(before: str, path: KeyPath, after: str):
    assert set_(before, path, "v") == after


@pytest.mark.parametrize(
    ("before", "path", "after"),
    [
        ("a: 1\nb: 2 # why\n# c\n", ("b",), "a: 1\n# c\n"),
        ("a: 1\nb: 2", ("b",), "a: 1\n"),
        ("a: 1\n", ("a",), ""),
        ("a:\n  b: 1\n  c: 2\n", ("a", "b"), "a:\n  c: 2\n"),
        ("a:\n  b: 1\n", ("a", "b"), "a: {}\n"),
        ("a:\n- 1\nb: 2\n", ("a", 0), "a: []\nb: 2\n"),
        ("a:\n  - b: 1\n    c: 2\n", ("a", 0, "b"), "a:\n  - c: 2\n"),
        ("a:\n  - b: 1\n  - c: 2\n", ("a", 0), "a:\n  - c: 2\n"),
        ("a: |\n  x\n\n# next\nb: 1\n", ("a",), "\n# next\nb: 1\n"),
        ("a: {b: 1, c: 2, d: 3}\n", ("a", "b"), "a: {c: 2, d: 3}\n"),
        ("a: {b: 1, c: 2, d: 3}\n", ("a", "d"), "a: {b: 1, c: 2}\n"),
        ("a: { b: 1 }\n", ("a", "b"), "a: {}\n"),
        ("a: [\n  b, # why\n  c, # so\n  d\n]\n", ("a", 1), "a: [\n  b, # why\n  d\n]\n"),
        ("a: &n\n  b: 1\n", ("a", "b"), "a: &n {}\n"),
        ("a: &n {b: 1}\nc: *n\n", ("c",), "a: &n {b: 1}\n"),
    ],
)
def test_unsetting_takes_the_key_out_with_its_own_lines(before: str, path: KeyPath, after: str):
    assert unset(before, path) == after


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        ("a: 1\n", ("b", "c"), "b: not there; set the whole of it to add it"),
        ("a: 1\n", ("a", "c"), "a.c: a is no mapping; set the whole of it"),
        ("a:\n", ("a", "c"), "a.c: a is no mapping; set the whole of it"),
        ("a: [1]\n", ("a", "c"), "a.c: a is a list; name an item by its number, from 0"),
        ("a: [1]\n", ("a", 2), "a.2: no such item; the next one is 1"),
        ("a: [1]\n", ("a", -1), "a.-1: no such item; the next one is 1"),
        ("a: {b: 1}\n", ("a", 0), "a.0: a is a mapping; name a key by its text"),
        ("a: 1\n", (), "no key is named; name one"),
        (
            "a: &x {b: 1}\nc: *x\n",
            ("a", "b"),
            "a.b: the alias (*) at c refers to it and would change, too; edit the file by hand",
        ),
        (
            "a: &x 1\nc: {d: [*x]}\n",
            ("a",),
            "a: the alias (*) at c.d.0 refers to it and would change, too; edit the file by hand",
        ),
        (
            "a: &x {b: 1}\nc: *x\n",
            ("c", "b"),
            "c.b: stands behind an alias (*) or a merge (<<); change it at the anchor, or by hand",
        ),
        (
            "a: &x {b: {d: 1}}\nc: {<<: *x}\n",
            ("c", "b", "d"),
            "c.b.d: stands behind an alias (*) or a merge (<<); change it at the anchor, or by hand",
        ),
        ("a: !reset null\n", ("a",), "a: its value has a tag (!); edit the file by hand"),
        ("a:\n  b: |+\n    x\n\n", ("a", "n"), None),
        ("? a\n: 1\n", ("n",), None),
        ("? a\n", ("a",), None),
    ],
)
def test_what_would_not_be_the_change_of_one_key_is_refused(text: str, path: KeyPath, words: str | None):
    with pytest.raises(CannotEdit) as caught:
        set_(text, path, "v")

    assert words in {str(caught.value), None}


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a: 1\n", ("b",)),
        ("a: [1]\n", ("a", 1)),
        ("x: &x {b: 1}\na: {<<: *x}\n", ("a", "b")),
        ("a: &x 1\nb: *x\n", ("a",)),
        ("a:\n  b: &x 1\nc: *x\n", ("a",)),
        ("a: [\n  b, c # both\n]\n", ("a", 0, 0)),
        ("a:\n  - b: 1\n    # about c\n    c: 2\n", ("a", 0, "b")),
        ("a: [b # why\n  , c]\n", ("a", 1)),
    ],
)
def test_what_cannot_be_taken_out_alone_is_refused(text: str, path: KeyPath):
    with pytest.raises(CannotEdit):
        unset(text, path)


def test_a_key_of_a_value_with_a_tag_can_be_set():
    assert set_("a: !override {b: 1}\n", ("a", "b"), 2) == "a: !override {b: 2}\n"


@pytest.mark.parametrize("value", ["*x", "x: 1\ninjected: 2", "x\n---\ny: 1", "x # gone"])
def test_a_value_cannot_become_more_than_a_value(value: str):
    after = set_("a: x\nb: 1\n", ("a",), value)

    assert yaml.safe_load(after) == {"a": value, "b": 1}
    assert after.endswith("\nb: 1\n")


@pytest.mark.parametrize("key", ["a: b", "#", "x\ny", "- z", "", "yes", "1.5", "<<", "x" * 400])
def test_a_key_cannot_become_more_than_a_key(key: str):
    after = set_("a: {b: 1}\n", (key,), 1)

    assert Yaml().read(after).data == {"a": {"b": 1}, key: 1}
