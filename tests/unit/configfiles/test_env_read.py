"""Reading `.env` files: values and places, what is refused and how. That compose agrees: tests/integration."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeostat.configfiles.errors import NotParsed, Place
from homeostat.configfiles.formats.base import MAX_KEYS
from homeostat.configfiles.formats.env import Env, evaluate, names, references
from homeostat.configfiles.formats.envscan import Kind, scan
from homeostat.configfiles.text import MAX_BYTES

CORPUS = sorted((Path(__file__).parent / "corpus" / "env").glob("*"))
ODD = st.lists(
    st.sampled_from(
        [
            "A",
            "B",
            "=",
            ": ",
            "'",
            '"',
            "\\",
            "$",
            "${",
            "}",
            "${A:-",
            "$A",
            "#",
            " #",
            " ",
            "\t",
            "\n",
            "\r\n",
            "export ",
            "é",
        ]
    ),
    max_size=25,
).map("".join)


def values(text: str) -> dict[str, object]:
    return dict(Env().read(text).data)


def refusal(text: str) -> NotParsed:
    with pytest.raises(NotParsed) as caught:
        Env().read(text)
    return caught.value


@given(st.text() | ODD)
def test_scanned_lines_joined_are_the_text(text: str):
    lines = list(scan(text))

    assert "".join(text[line.start : line.end] for line in lines) == text
    assert [line.number for line in lines] == [text.count("\n", 0, line.start) + 1 for line in lines]


def place_of_refusal(text: str) -> Place | None:
    try:
        Env().read(text)
    except NotParsed as err:
        return err.place
    return Place(1)


@given(st.text() | ODD)
def test_any_text_is_read_or_refused_with_a_place_in_it(text: str):
    place = place_of_refusal(text)

    assert place is not None
    assert place.column <= len(text.split("\n")[place.line - 1]) + 1


@pytest.mark.parametrize("path", [path for path in CORPUS if path.suffix == ".env"], ids=lambda path: path.name)
def test_files_as_people_have_them_are_read(path: Path):
    text = path.read_bytes().decode()

    parsed = Env().read(text)

    assert [key for (key,) in parsed.places] == list(names(text))
    assert parsed.data.keys() <= set(names(text))


def test_values_of_a_file_with_everything():
    text = Path(CORPUS[0].parent, "interpolation.env").read_text()

    assert values(text) == {
        "HOST": "db",
        "PORT": "5432",
        "USER_NAME": "app",
        "URL": "postgres://app:none@db:5432/app",
        "URL_QUOTED": "postgres://db:5432",
        "LITERAL": "$HOST ${PORT}",
        "PRICE": "5$",
        "ESCAPED": "$HOST costs $5",
        "FALLBACK": "db.local",
        "IF_SET": "yes",
        "REQUIRED": "db",
    }


def test_a_quoted_value_keeps_its_lines_and_a_comment_begins_after_a_space():
    assert values("A=\"x\r\n#y\" # c\nB=x#y # z\nC='a\\'b'") == {"A": "x\r\n#y", "B": "x#y", "C": "a'b"}


def test_the_place_of_a_key_is_where_its_name_begins():
    places = Env().read("# c\nA='x\ny'\n  export  B=1\r\nC\n").places

    assert places == {("A",): Place(2, 1), ("B",): Place(4, 11), ("C",): Place(5, 1)}


def test_a_name_alone_has_no_value_unless_the_environment_has():
    text = "A\nB=${A:-none}\n"

    assert values(text) == {"B": "none"}
    assert evaluate(text, {"A": "out", "C": "no"}).data == {"A": "out", "B": "out"}


def test_the_environment_of_this_process_is_not_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OUTSIDE", "secret")

    assert values("OUTSIDE\nA=$OUTSIDE\n") == {"A": ""}


def test_later_keys_are_not_seen():
    assert values("A=$B\nB=1\n") == {"A": "", "B": "1"}


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("A=1\n\nno line\n", Place(3, 1), "not NAME=value"),
        ("A=1\n B-!=2\n", Place(2, 2), "not NAME=value"),
        ("=x\n", Place(1, 1), "no name"),
        ("export\n", Place(1, 7), "no name"),
        ("A=1\nB", Place(2, 1), "end the line"),
        ("A=1\nB = 'x\ny\n", Place(2, 5), "end the value with '"),
        ('A="x\\"\n', Place(1, 3), 'end the value with "'),
        ("A='x'y\n", Place(1, 3), "after the closing quote"),
        ("A=x ${B\n", Place(1, 3), "a reference that is not valid"),
        ("B=1\nA=x ${N:?hunter2}\n", Place(2, 1), "N is required here"),
        ("A=hunter2\nB=2\nA=hunter2\n", Place(3, 1), "A is given before, in line 1; keep one"),
        ("A\nA=hunter2\n", Place(2, 1), "A is given before, in line 1; keep one"),
        ('A="hunter2 \\0000"\n', Place(1, 3), "NUL"),
        ("A=${B:-" + "${B:-" * 11 + "}" * 12, Place(1, 3), "deep"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_without_the_value(text: str, place: Place, words: str):
    err = refusal(text)

    assert err.place == place
    assert words in err.words
    assert "hunter2" not in err.words


def test_after_a_bad_line_scanning_goes_on():
    kinds = [(line.kind, line.number) for line in scan("bad line\nA=1\nB='x' y\nC=${\nD=2\n")]

    assert [number for kind, number in kinds if kind is Kind.MALFORMED] == [1, 3, 4]
    assert [number for kind, number in kinds if kind is Kind.ENTRY] == [2, 5]


def test_a_value_that_was_cut_off_is_one_bad_line_and_not_many_names():
    text = 'A=1\nKEY="-----BEGIN\nabcDEF\nabc=\nxyz==\nB=2\nC=3\n'

    assert names(text) == ("A", "B", "C")
    assert names("KEY='-----BEGIN\nabcDEF\nB='x'\nC=1\n") == ("B", "C")


def test_names_and_references_are_those_of_the_file():
    text = "A=$X ${Y:-${Z:+q}} $$NOT\nB='$NOT'\nbad line $NOT\nC=\"$X\"\nD\nA=1\n"

    assert names(text) == ("A", "B", "C", "D")
    assert references(text) == ("X", "Y", "Z")


def test_more_keys_than_people_write_are_refused():
    text = "".join(f"K{number}=1\n" for number in range(MAX_KEYS + 1))

    assert refusal(text).place == Place(MAX_KEYS + 1)
    assert len(values(text[: text.rindex("K")])) == MAX_KEYS


def test_references_that_double_each_other_end():
    text = "A0=xxxxxxxxxx\n" + "".join(f"A{number + 1}=$A{number}$A{number}\n" for number in range(100))

    assert "references make more than" in refusal(text).words


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        " ",
        'A="x\\"\n',
        "A='\nB=\"\n",
        "A=\"x\nB='y\n",
        'A="x\ny\n',
        "\\",
        "$",
        "${A:-",
        "${A:-}",
        "${A:-x}{",
        "x=\n",
        "\r",
        "export ",
    ],
)
def test_the_time_for_hostile_text_grows_as_the_text_does(unit: str):
    """At this size anything quadratic takes minutes."""
    texts = [start + (unit * MAX_BYTES)[: MAX_BYTES // 4] for start in ("", "A=", 'A="')]
    began = time.process_time()
    for text in texts:
        for _ in scan(text):
            pass

    assert time.process_time() - began < 10


def test_reading_imports_nothing_heavy():
    code = "import sys, homeostat.configfiles.formats.env; print(*sys.modules)"
    base = "import sys, homeostat.configfiles.formats.base, dataclasses, re, enum; print(*sys.modules)"
    ours, theirs = (
        set(subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout.split())
        for text in (code, base)
    )

    assert {name for name in ours - theirs if not name.startswith("homeostat")} == set()
