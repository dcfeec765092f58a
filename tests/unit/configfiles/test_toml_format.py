"""TOML: read by the standard library, with places; changed in place."""

import datetime as dt
import tomllib

import pytest

from homeostat.configfiles.errors import CannotEdit, NotParsed, Place
from homeostat.configfiles.formats.toml import Toml
from homeostat.explain import KeyPath

read, set_, unset = Toml().read, Toml().set, Toml().unset


def test_every_key_table_and_item_has_the_place_where_it_begins():
    places = read("a.b = 1\r\n[c.d] # e\r\n  f = [1, {g = 2}]\r\n[[h]]\r\ni = 1\r\n[[h]]\r\n[h.j]\r\nk = 1\r\n").places

    assert places == {
        ("a",): Place(1, 1),
        ("a", "b"): Place(1, 1),
        ("c",): Place(2, 1),
        ("c", "d"): Place(2, 1),
        ("c", "d", "f"): Place(3, 3),
        ("c", "d", "f", 0): Place(3, 8),
        ("c", "d", "f", 1): Place(3, 11),
        ("c", "d", "f", 1, "g"): Place(3, 12),
        ("h",): Place(4, 1),
        ("h", 0): Place(4, 1),
        ("h", 0, "i"): Place(5, 1),
        ("h", 1): Place(6, 1),
        ("h", 1, "j"): Place(7, 1),
        ("h", 1, "j", "k"): Place(8, 1),
    }


@pytest.mark.parametrize(
    ("text", "words", "place"),
    [
        ("a = b\n", "no value of TOML; put text into quotes", Place(1, 5)),
        ("a =\n", "a value was expected behind =; text is in quotes", Place(1, 4)),
        (
            "a = 1 b = 2\n",
            "something behind the end of the value; put text into quotes, one key on each line",
            Place(1, 6),
        ),
        ("x = 1\na\n", "= was expected", Place(2, 2)),
        ("[a\nb = 1\n", "] was expected", Place(1, 3)),
        ("a = [1\n\nb = 2", "a comma or ] was expected", Place(3, 1)),
        ("a = {b = 1\n}", "a comma or } on the same line was expected", Place(1, 11)),
        ('a = "b\n', "a text without its closing quote; close it, on the same line unless it has three", Place(1, 5)),
        ("a = 1\n\na = 2\n", "given twice, once as a value; keep one", Place(3, 6)),
        ("[a]\n[a]\n", "a table that is given twice; keep one", Place(2, 3)),
        ("a = 2026-02-30\n", "no date or time, though it looks like one; put text into quotes", Place(1, 5)),
        ("a = 1979-05-27 07:99\n", None, None),
        ('"\\k" = 1\n', "a wrong \\ in the key; write \\\\, or use single quotes", Place(1, 1)),
        ("= 1\n", "a key was expected; allowed: letters, digits, _ and -, or a text in quotes", Place(1, 1)),
        ("a = '''b", "a text without its closing quote; close it, on the same line unless it has three", Place(1, 5)),
    ],
)
def test_an_error_says_where_and_what_to_do(text: str, words: str | None, place: Place | None):
    with pytest.raises(NotParsed) as caught:
        read(text)

    assert words is None or (caught.value.words, caught.value.place) == (words, place)


@pytest.mark.parametrize(
    ("before", "path", "value", "after"),
    [
        ('a = "x"  # why\n', ("a",), 'say "hi"\n', 'a = "say \\"hi\\"\\n"  # why\n'),
        ("a = 'x'\n", ("a",), "C:\\x", "a = 'C:\\x'\n"),
        ("a = 'x'\n", ("a",), "it's", 'a = "it\'s"\n'),
        ("a = '''x'''\n", ("a",), "two\nlines", "a = '''\ntwo\nlines'''\n"),
        ('a = """x"""\r\n', ("a",), 'two\n"""\\', 'a = """\r\ntwo\r\n\\"\\"\\"\\\\"""\r\n'),
        ('a = "1"\n', ("a",), 1, "a = 1\n"),
        ("a = 1\n", ("a",), True, "a = true\n"),
        ("a = 1\n", ("a",), 1.0, "a = 1.0\n"),
        ("a = 1\n", ("a",), float("-inf"), "a = -inf\n"),
        ("a = 1\n", ("a",), dt.datetime(1979, 5, 27, 7, 32), "a = 1979-05-27T07:32:00\n"),  # noqa: DTZ001
        ("a = 1\n", ("a",), dt.time(7, 32), "a = 07:32:00\n"),
        ("a = 1\n", ("a",), [1, {"b c": []}, {}], 'a = [1, { "b c" = [] }, {}]\n'),
        ("a = [\n  1, # why\n  2\n]\n", ("a", 0), 3, "a = [\n  3, # why\n  2\n]\n"),
        ("a = [\n  1, # why\n]\n", ("a", 1), 3, "a = [\n  1, # why\n  3,\n]\n"),
        ("a = {b = 1}\n", ("a", "b"), 2, "a = {b = 2}\n"),
        ("a = {b = 1}\n", ("a", "c"), 2, "a = {b = 1, c = 2}\n"),
        ("a = {}\n", ("a", "c"), 2, "a = {c = 2}\n"),
        ("a = 1\n# end\n", ("n",), 2, "a = 1\nn = 2\n# end\n"),
        ("a = 1\n\n[t]\nb = 1\n", ("n",), 2, "a = 1\nn = 2\n\n[t]\nb = 1\n"),
        ("# t\n[t]\nb = 1\n", ("n",), 2, "n = 2\n\n# t\n[t]\nb = 1\n"),
        ("", ("n",), 2, "n = 2\n"),
        ("a = 1", ("n",), 2, "a = 1\nn = 2"),
        ("[t] # t\n[u]\n", ("t", "n"), 2, "[t] # t\nn = 2\n[u]\n"),
        (
            "[t]\r\n  b = 1 # b\r\n\r\n# u\r\n[u]\r\n",
            ("t", "n"),
            2,
            "[t]\r\n  b = 1 # b\r\n  n = 2\r\n\r\n# u\r\n[u]\r\n",
        ),
        ("[[t]]\nb = 1\n[[t]]\nb = 2\n", ("t", 0, "n"), 2, "[[t]]\nb = 1\nn = 2\n[[t]]\nb = 2\n"),
        ("a.b.c = 1\na.d = 1\n", ("a", "b", "n"), 2, "a.b.c = 1\na.b.n = 2\na.d = 1\n"),
        ("[t]\na.b = 1\nc = 1\n", ("t", "a", "n"), 2, "[t]\na.b = 1\na.n = 2\nc = 1\n"),
        ("[t.u]\na = 1\n", ("t", "n"), 2, "[t.u]\na = 1\n\n[t]\nn = 2\n"),
        ("[t]\n", ("t", "a key"), "x", '[t]\n"a key" = "x"\n'),
    ],
)
def test_setting_changes_one_value_or_adds_one_to_its_table(before: str, path: KeyPath, value: object, after: str):
    assert set_(before, path, value) == after


@pytest.mark.parametrize(
    ("before", "path", "after"),
    [
        ("a = 1 # why\n# b\nb = 2\n", ("a",), "# b\nb = 2\n"),
        ('a = """\nx\n"""\nb = 2\n', ("a",), "b = 2\n"),
        ("[t]\na = 1\n", ("t", "a"), "[t]\n"),
        ("x = 1\n[t]\na = 1\n# in t\nb = 1\n\n# u\n[u]\n", ("t",), "x = 1\n\n# u\n[u]\n"),
        ("[t]\na = 1\n[u]\n[t.v]\nb = 1\n", ("t",), "[u]\n"),
        ("[[t]]\na = 1\n[t.v]\nb = 1\n[[t]]\na = 2\n", ("t", 0), "[[t]]\na = 2\n"),
        ("[[t]]\n[u]\n[[t]]\n", ("t",), "[u]\n"),
        ("a.b = 1\na.c = 2\n", ("a", "b"), "a.c = 2\n"),
        ("a.b = 1\nx = 1\na.c = 2\n", ("a",), "x = 1\n"),
        ("a = [\n  1, # one\n  2, # two\n]\n", ("a", 1), "a = [\n  1, # one\n]\n"),
        ("a = {b = 1, c = 2}\n", ("a", "c"), "a = {b = 1}\n"),
        ("a = {b = 1}\n", ("a", "b"), "a = {}\n"),
    ],
)
def test_unsetting_takes_the_key_or_the_table_out(before: str, path: KeyPath, after: str):
    assert unset(before, path) == after


@pytest.mark.parametrize(
    ("text", "path", "value", "words"),
    [
        ("a = 1\n", ("a",), None, "a: TOML has no empty value; take the key out"),
        ("a = 1\n", ("a",), 2**63, "a: TOML has no such value"),
        ("[t]\na = 1\n", ("t",), 1, "t: a table; set its keys one by one, or take it out first"),
        ("t.a = 1\n", ("t",), 1, "t: a table; set its keys one by one, or take it out first"),
        ("[[t]]\na = 1\n", ("t", 1), {"a": 2}, "t.1: one more"),
        ("[[t]]\na = 1\n", ("t", 0), {"a": 2}, "t.0: a table"),
        ("a = {b.c = 1}\n", ("a", "b", "c"), 2, "a.b.c: has no place of its own in the text; edit the file by hand"),
        ("a = 1\n", ("b", "c"), 1, "b: not there; set the whole of it to add it"),
    ],
)
def test_what_cannot_be_changed_alone_is_refused(text: str, path: KeyPath, value: object, words: str):
    with pytest.raises(CannotEdit) as caught:
        set_(text, path, value)

    assert str(caught.value).startswith(words)


@pytest.mark.parametrize(
    ("text", "path"), [("a.b = 1\n", ("a", "b")), ("[t.u]\na = 1\n", ("t", "u")), ("[[t]]\na = 1\n", ("t", 0))]
)
def test_the_last_key_of_a_table_that_is_written_nowhere_else_is_not_taken_out(text: str, path: KeyPath):
    with pytest.raises(CannotEdit, match="the last of its table; take that out as a whole"):
        unset(text, path)


@pytest.mark.parametrize("value", ['"\n[t]\nb = 1', "x\ny = 2", "'''", '"""', "\x00\x1f\x7f", "\\"])
@pytest.mark.parametrize("old", ['"x"', "'x'", '"""x"""', "'''x'''"])
def test_a_value_cannot_become_more_than_a_value(old: str, value: str):
    after = set_(f"a = {old}\nb = 1\n", ("a",), value)

    assert tomllib.loads(after) == {"a": value, "b": 1}
