"""Fixing `.env` files: what is read stays what it was."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeostat.configfiles.errors import NotParsed
from homeostat.configfiles.formats.env import Env, apply
from homeostat.configfiles.formats.envscan import scan
from homeostat.configfiles.formats.envtemplate import Scope
from homeostat.configfiles.lint.env import lint_env
from homeostat.configfiles.lint.fix import fix_env

CORPUS = Path(__file__).parent / "corpus" / "env"
#: What fixing leaves to people.
LEFT = ("is required here", "is given before")

START = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", " ", "export ", "export\t"]),
    st.sampled_from("ABCD"),
    st.sampled_from(["=", " = ", ": "]),
)
INSIDE = st.lists(
    st.sampled_from(
        [
            "$A",
            "${B}",
            "${C:-x}",
            "${N:-$A}",
            "$N",
            "$$",
            "x",
            "1",
            " ",
            "\t",
            "#",
            " #",
            "\\",
            "\\n",
            "é",
            "}",
            "'",
            '"',
        ]
    ),
    max_size=5,
).map("".join)
VALUE = st.one_of(INSIDE, INSIDE.map("'{}'".format), INSIDE.map('"{}"'.format), INSIDE.map("'x\n{}'".format))
LINE = st.one_of(
    st.builds("{}{}{}".format, START, VALUE, st.sampled_from(["", " ", " # c", "#c", "\t"])),
    st.sampled_from(["A", "export B", "", "  ", "# c ", "bad line", "'x", "A=${", "B=${N:?}"]),
)
FILE = st.lists(st.builds("{}{}".format, LINE, st.sampled_from(["\n", "\n", "\r\n"])), max_size=7).map("".join)


def values(text: str) -> dict[str, str]:
    """As compose has them with nothing from the environment, of the lines that can be read; a key's last one counts."""
    scope = Scope({})
    for line in scan(text):
        if line.is_key:
            try:
                apply(line, scope)
            except NotParsed:
                scope.values.pop(line.name, None)
    return scope.values


def refusal(text: str) -> str:
    try:
        Env().read(text)
    except NotParsed as err:
        return err.words
    return ""


@given(FILE | FILE.map(str.rstrip) | st.text())
def test_what_is_read_stays_and_all_can_be_read_then(text: str):
    fixed = fix_env(text).text

    assert not refusal(fixed) or any(words in refusal(fixed) for words in LEFT)
    if not refusal(fixed):
        with_end = text if text.endswith("\n") else f"{text}\n"
        assert Env().read(fixed).data == values(with_end)


@given(FILE | st.text())
def test_a_second_time_does_nothing(text: str):
    once = fix_env(text).text

    assert fix_env(once).text == once
    assert fix_env(once).done == []


@given(FILE | st.text())
def test_after_it_nothing_is_left_that_is_said_to_be_fixable(text: str):
    left = [finding.rule for finding in lint_env(fix_env(text).text) if finding.fixable]

    assert set(left) <= {"duplicated-key"}


@given(FILE)
def test_what_was_done_is_told_by_line_without_values(text: str):
    done = fix_env(text.replace("x", "hunter2")).done

    assert all(words.startswith("line ") and "hunter2" not in words and "\n" not in words for words in done)


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.env")), ids=lambda path: path.name)
def test_files_as_people_have_them_keep_their_values(path: Path):
    text = path.read_bytes().decode()

    assert Env().read(fix_env(text).text).data == Env().read(text).data


def test_an_untidy_file_is_tidied():
    fixed = fix_env((CORPUS / "untidy.broken").read_text())

    assert fixed.text == (
        "INDENTED=1\nSPACED=2\nexport EXPORTED=3   # three\n\nTRAILING=4\ncomment_value=# not a comment to compose\n"
        "QUOTED=5\nUSES=6\nDUPLICATE=7\n"
    )
    assert fixed.done == [
        "line 1: written as NAME=value, without other spaces",
        "line 2: written as NAME=value, without other spaces",
        "line 3: quotes taken away",
        "line 3: written as NAME=value, without other spaces",
        "line 5: extra blank line removed",
        "line 6: space at its end taken away",
        "line 7: written as NAME=value, without other spaces",
        "line 8: quotes taken away",
        (
            "line 9: removed: not NAME=value; "
            "a name is of letters, digits, _ . - [ ], and begins with a letter, a digit or _"
        ),
        "line 10: removed: DUPLICATE is given again",
        "line 11: what it takes from DUPLICATE is written out",
    ]


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("A=1\nA=2\n", "A=2\n"),
        ("A=1\nA=$A-2\n", "A=1-2\n"),
        ("A=1\nB=$A\nA=$B\n", "B=1\nA=$B\n"),
        ("A=1\nB=$A$OUTSIDE\nB=2\nA=3\n", "B=2\nA=3\n"),
        ("A\nA=1\n", "A=1\n"),
        ("A=1\nA\n", "A=1\n"),
        ("A=1\nB=x$A y\nA=2", "B='x1 y'\nA=2\n"),
        ("A=x y\n", "A='x y'\n"),
        ("A=x $B\n", 'A="x $B"\n'),
        ("A=it's mine\n", 'A="it\'s mine"\n'),
        ("A=1\r\nB=2\nC='x\r\ny'\r\n", "A=1\nB=2\nC='x\r\ny'\n"),
        ("A=1\r\nB=2", "A=1\r\nB=2\r\n"),
        ("A: 1\nB", "A=1\nB\n"),
        ("A=1\n\n\n\nB=2\n\n", "A=1\n\nB=2\n\n"),
        ("KEY='-----BEGIN\nabc=\nDEF\nB=1\n", "B=1\n"),
    ],
)
def test_each_is_fixed_in_its_way(text: str, fixed: str):
    assert fix_env(text).text == fixed


@pytest.mark.parametrize(
    "text",
    [
        "A=1\nB=$A$OUTSIDE\nA=2\n",
        "A=1\nB=$A$OUTSIDE\nC=$B$OUTSIDE\nB=2\nA=3\n",
        "A=1\nB=${A:?}${OUTSIDE:?}\nA=2\n",
        "B=2\nA=1\n",
        "password=changeme\n",
        "a-b=1\n",
        "A=x#y\n",
        "A=\"x y\"\nB=''# c\n",
        "A=x\n#  c  d\nB\nC=#c\n",
    ],
)
def test_what_has_no_safe_fix_stays(text: str):
    assert fix_env(text).text == text


def test_lines_that_go_with_a_cut_off_value_are_counted():
    done = fix_env("A=1\nKEY='-----BEGIN\nabc\ndef=\n# c\n").done

    assert done == ["line 2: removed and the 2 after it: no closing quote; end the value with '"]
