"""Changing one key of a `.env` file: the rest of the line, and all other lines, stay."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from homeostat.configfiles.errors import CannotEdit, NotParsed
from homeostat.configfiles.formats.env import Env, says
from homeostat.configfiles.formats.envscan import scan

VALUE = st.text(st.characters(codec="utf-8", exclude_characters="\0")) | st.lists(
    st.sampled_from(
        ["'", '"', "\\", "$", "${A}", "$$", " ", "#", " #", "\n", "\r\n", "\t", "a", "\\n", "=", "é", "\xa0"]
    ),
    max_size=8,
).map("".join)
#: Lines in the manners people have; the first is the key that is changed.
LINE = st.sampled_from(
    [
        "{}=1",
        "{} = 1 ",
        "export {}=1 # c",
        "{}: 1  # c",
        "{}='1'",
        "{}='1' # c",
        '{}="1"',
        'export\t{}="1\n2" # c',
        "{}='1\n2'",
        "{}=",
        "{}=  ",
        "{}=''#c",
        "{}=$OUT",
        "  {}=#x",
    ]
)
END = st.sampled_from(["\n", "\r\n"])


@st.composite
def files(draw: st.DrawFn) -> str:
    lines = [draw(LINE).format(key) for key in draw(st.permutations("ABC"))]
    lines.insert(draw(st.integers(0, 3)), draw(st.sampled_from(["", "# comment", "   ", "D"])))
    text = "".join(line + draw(END) for line in lines)
    return text if draw(st.booleans()) or text.rstrip().endswith("D") else text.rstrip("\r\n")


def changed(text: str, key: str, value: object) -> str:
    return Env().set(text, (key,), value)


@given(files(), st.sampled_from(["A", "B", "C", "D", "NEW"]), VALUE)
def test_a_value_that_is_set_is_read_back_and_nothing_else_changes(text: str, key: str, value: str):
    before = dict(Env().read(text).data)

    after = changed(text, key, value)

    assert dict(Env().read(after).data) == before | {key: value}
    assert changed(after, key, value) == after


@given(files(), st.sampled_from(["A", "B", "C", "D"]))
def test_a_key_that_is_unset_is_gone_and_nothing_else_changes(text: str, key: str):
    before = dict(Env().read(text).data)
    assume((key,) in Env().read(text).places)

    after = Env().unset(text, (key,))

    assert dict(Env().read(after).data) == {name: value for name, value in before.items() if name != key}
    assert (key,) not in Env().read(after).places
    assert set(after.splitlines(keepends=True)) <= set(text.splitlines(keepends=True))


@given(files(), VALUE)
def test_a_new_key_that_is_unset_again_leaves_the_text_as_it_was(text: str, value: str):
    added = changed(text, "NEW", value)

    assert Env().unset(added, ("NEW",)).rstrip("\r\n") == text.rstrip("\r\n")


@pytest.mark.parametrize(
    ("text", "value", "after"),
    [
        ("A=1 # c\r\nB=2\r\n", "3", "A=3 # c\r\nB=2\r\n"),
        ("export  A = 1\nB=2", "3", "export  A = 3\nB=2"),
        ("A: '1'   # c\n", "it's", "A: 'it\\'s'   # c\n"),
        ("A='1'\n", "$HOME", "A='$HOME'\n"),
        ('A="1"\n', 'say "$HOME" \\ twice', 'A="say \\"\\$HOME\\" \\\\ twice"\n'),
        ("A=  \r\n", "3", "A=3  \r\n"),
        ("A=1\n", "two words", "A=two words\n"),
        ("A=1\n", "x\ty", "A='x\ty'\n"),
        ("A=1\n", "x\ry", 'A="x\\ry"\n'),
        ("A=1 # c\n", "a #b", "A='a #b' # c\n"),
        ("A=1\n", "$HOME", "A='$HOME'\n"),
        ("A=1\n", "$HOME's", 'A="\\$HOME\'s"\n'),
        ("A=1\n", " x ", "A=' x '\n"),
        ("A=1 # c\n", "", "A='' # c\n"),
        ("A=1\n", "", "A=\n"),
        ('A="1"\n', "x\ny", 'A="x\\ny"\n'),
        ('A="1\n2"\n', "x\ny", 'A="x\ny"\n'),
        ("A='1'\n", "x\ny", 'A="x\\ny"\n'),
        ("A='1'\n", "a\\", 'A="a\\\\"\n'),
        ("A\n", "1", "A=1\n"),
        ("export A  \n", "x y", "export A='x y'  \n"),
        ("B=1\n", "x y", "B=1\nA='x y'\n"),
        ("B=1", "2", "B=1\nA=2\n"),
        ("B=1\r\nC=2", "2", "B=1\r\nC=2\r\nA=2\r\n"),
        ("", "1", "A=1\n"),
        ("# c", "1", "# c\nA=1\n"),
        ('A={"a": 1}\n', '{"a": 2}', 'A={"a": 2}\n'),
        ("A=$B\n", "", "A=$B\n"),
    ],
)
def test_a_line_keeps_its_manner_if_it_can_hold_the_value(text: str, value: str, after: str):
    assert changed(text, "A", value) == after


@pytest.mark.parametrize(("value", "text"), [(8080, "8080"), (1.5, "1.5"), (True, "True"), ("x", "x")])
def test_numbers_and_booleans_are_written_as_their_text(value: object, text: str):
    assert changed("A=1\n", "A", value) == f"A={text}\n"


@pytest.mark.parametrize("value", [None, [], {}, b"x", "a\0b", "\ud800"])
def test_what_a_env_file_cannot_hold_is_refused(value: object):
    with pytest.raises(CannotEdit):
        changed("A=1\n", "A", value)


@pytest.mark.parametrize("path", [(), ("A", "B"), (1,), ("A B",), ("A=B",), ("",), ("É",), ("A\n",), ("#A",)])
def test_what_is_no_key_is_refused(path: tuple[str | int, ...]):
    with pytest.raises(CannotEdit, match="not a key"):
        Env().set("A=1\n", path, "x")
    with pytest.raises(CannotEdit, match="not a key"):
        Env().unset("A=1\n", path)


def test_values_that_refer_to_a_key_follow_it():
    text = "DB=app\nURL=postgres://$DB\nSHOWN=${URL}/x\nOTHER=1\n"

    after = Env().set(text, ("DB",), "shop")

    assert after == text.replace("DB=app", "DB=shop")
    assert Env().read(after).data == {
        "DB": "shop",
        "URL": "postgres://shop",
        "SHOWN": "postgres://shop/x",
        "OTHER": "1",
    }


def test_a_key_that_others_take_their_values_from_is_not_taken_out_alone():
    text = "DB=hunter2\nURL=postgres://$DB\nOTHER=1\n"

    with pytest.raises(CannotEdit, match="take their values from it: URL; change") as caught:
        Env().unset(text, ("DB",))
    assert "hunter2" not in str(caught.value)
    assert "OTHER" not in str(caught.value)


def test_a_key_that_is_required_stays():
    with pytest.raises(CannotEdit, match="would not be valid"):
        Env().unset("A=1\nB=${A:?}\n", ("A",))


def test_a_key_that_is_not_there_cannot_be_unset():
    with pytest.raises(CannotEdit, match="B: no such key"):
        Env().unset("A=1\n", ("B",))


def test_all_lines_of_a_quoted_value_go_with_it():
    assert Env().unset("# c\nA='x\ny' # d\nB=1\n", ("A",)) == "# c\nB=1\n"


def test_a_text_that_is_not_valid_is_not_edited():
    with pytest.raises(NotParsed):
        changed("A=1\nbad line\n", "A", "2")
    with pytest.raises(NotParsed):
        Env().unset("A=1\nA=2\n", ("A",))


def test_two_lines_do_not_say_what_one_does():
    line = next(scan("A=1\n"))

    assert says("export A='1' # c\n", line)
    assert not says("A=1\nB=2\n", line)
    assert not says("A=2\n", line)
    assert not says("", line)
