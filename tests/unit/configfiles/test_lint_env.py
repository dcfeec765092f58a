"""The rules for `.env` files: what each finds, and what it must not find."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeostat.configfiles.errors import Place
from homeostat.configfiles.lint.base import Finding, Severity
from homeostat.configfiles.lint.env import RULES, lint_env, missing_keys, unused_keys
from homeostat.configfiles.lint.envsecrets import has_secrets, readable_by_others

CORPUS = Path(__file__).parent / "corpus" / "env"


def found(text: str, rule: str, **options: bool) -> list[tuple[int, int]]:
    return [(f.place.line, f.place.column) for f in lint_env(text, **options) if f.rule == rule]


@pytest.mark.parametrize(
    ("rule", "text", "places"),
    [
        ("duplicated-key", "A=1\nB=1\nA=2\nexport A\n", [(3, 1), (4, 8)]),
        ("ending-blank-line", "A=1\nB=2", [(2, 4)]),
        ("extra-blank-line", "A=1\n\n \n\nB=1\n", [(3, 1), (4, 1)]),
        ("incorrect-delimiter", "A-B=1\nA.C=1\nD: 1\n", [(1, 1), (2, 1), (3, 1)]),
        ("key-without-value", "A\nexport B\nC=\n", [(1, 1), (2, 8)]),
        ("leading-character", " A=1\n\tB=1\n2C=1\n", [(1, 2), (2, 2), (3, 1)]),
        ("lowercase-key", "a=1\nAb=1\n", [(1, 1), (2, 1)]),
        ("quote-character", "A='1'\nB=\"x/y\" # c\nC=''\n", [(1, 1), (2, 1), (3, 1)]),
        ("space-character", "A =1\nB= 1\nC\t=\t1\n", [(1, 1), (2, 1), (3, 1)]),
        ("substitution-key", 'A=x$B}\nC="$B}"\n', [(1, 1), (2, 1)]),
        ("trailing-whitespace", "A=1 \nB='x \ny'\t\n# c \n \r\n", [(1, 4), (3, 3), (4, 4), (5, 1)]),
        ("unordered-key", "B=1\nA=1\nC=1\nAA=1\n", [(2, 1), (4, 1)]),
        ("value-without-quotes", "A=x y\nB=$C d # c\nC=x\ty\n", [(1, 1), (2, 1), (3, 1)]),
        ("malformed-line", "A=1\nbad line\nB='x\nC=1\nD=${\n=1", [(2, 1), (3, 3), (5, 3), (6, 1)]),
        ("comment-as-value", "A= # c\nB=#c\n", [(1, 1), (2, 1)]),
        (
            "placeholder-secret",
            "DB_PASSWORD=changeme\nTOKEN=<your token>\nJWT_SECRET='xxxx'\nAPI_KEY=todo\n",
            [(n, 1) for n in range(1, 5)],
        ),
        ("placeholder-secret", "password=password\nSECRET_KEY_BASE=your-secret\n", [(1, 1), (2, 1)]),
        ("tab-character", "A=\t1\nexport\tB=1\nC=x\t# c\n", [(1, 1), (2, 8), (3, 1)]),
        ("mixed-line-ends", "A=1\r\nB=2\n", [(1, 1)]),
        ("crlf", "A=1\r\nB=2\r\n", [(1, 1)]),
        ("nul", "A=1\n# \0\n", [(2, 3)]),
    ],
)
def test_a_rule_finds_what_it_is_for(rule: str, text: str, places: list[tuple[int, int]]):
    assert found(text, rule) == places


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("duplicated-key", "A=1\nB='\nA=2'\n# A=1\n"),
        ("ending-blank-line", ""),
        ("extra-blank-line", "A='\n\n\n'\n\nB=1\n"),
        ("incorrect-delimiter", "A_1=a-b:c\nB='\nx: y'\n"),
        ("key-without-value", "A=\nB=''\nC='\nD\n'\n"),
        ("leading-character", "_A=1\n  # c\nB='\n 1=2'\n"),
        ("lowercase-key", "A_1=abc\n"),
        ("quote-character", "A='x y'\nB='$C'\nD=\"it's\"\nE='a#b'\nF='a\nb'\nG='1'#c\nH=\"\\n\"\nI=''# c\n"),
        ("space-character", "A=1 # = \nB: x\nC='a = b'\n"),
        ("substitution-key", "A=${B} ${C:-d} $D ${E:-$F}\nB='$A}'\nC={}}\n"),
        ("trailing-whitespace", "A='x  \ny'\nB=1\r\n"),
        ("unordered-key", "B=1\n\nA=1\nC=$A\nB=1\n# c\n"),
        ("value-without-quotes", "A='x y'\nB=x # c d\nC= # c d\n"),
        ("malformed-line", "A=1\nB: 2\nexport C\nD='x\ny' # c\n"),
        ("comment-as-value", "A='#c'\nB=x #c\n"),
        ("placeholder-secret", "DB_PASSWORD=Xk2\nPASSWORD_FILE=changeme\nNAME=changeme\nTOKEN=${TOKEN}\nAPI_KEY=\n"),
        ("tab-character", "\tA=1\t\nB='x\ty'\n#\tc\n"),
        ("mixed-line-ends", "A='x\r\ny'\nB=1\n"),
        ("crlf", "A=1\r\nB=2\n"),
        ("bom", "A=1\n"),
        ("nul", "A=1\n"),
    ],
)
def test_a_rule_finds_nothing_in_what_is_good(rule: str, text: str):
    assert found(text, rule) == []


def test_a_bom_is_found():
    assert found("A=1\n", "bom", has_bom=True) == [(1, 1)]


def test_every_rule_of_the_table_has_a_name_of_its_own():
    assert len({rule.name for rule in RULES}) == len(RULES) == 21


def test_all_that_is_wrong_is_found_at_once_in_the_order_of_the_text():
    findings = lint_env((CORPUS / "untidy.broken").read_text())

    assert [(f.place.line, f.rule) for f in findings] == [
        (1, "leading-character"),
        (2, "space-character"),
        (3, "quote-character"),
        (3, "space-character"),
        (3, "unordered-key"),
        (5, "extra-blank-line"),
        (6, "trailing-whitespace"),
        (7, "lowercase-key"),
        (7, "space-character"),
        (7, "comment-as-value"),
        (8, "quote-character"),
        (8, "unordered-key"),
        (9, "malformed-line"),
        (10, "unordered-key"),
        (12, "duplicated-key"),
    ]


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.env")), ids=lambda path: path.name)
def test_files_that_are_read_have_no_errors(path: Path):
    findings = lint_env(path.read_bytes().decode())

    assert [finding for finding in findings if finding.severity is Severity.ERROR] == []


@given(
    st.sampled_from(["'{}'", '"{}"', "{}", "'{}", "{} x", "{}' y"]),
    st.sampled_from(["PASSWORD=", "A: ", "A = ", "A=$B}"]),
)
def test_no_finding_repeats_a_value(quotes: str, start: str):
    text = f"{start}{quotes.format('hunter2')}\n" * 2

    findings = lint_env(text, has_bom=True)

    assert findings
    assert all("hunter2" not in finding.words and "\n" not in finding.words for finding in findings)


@given(st.text())
def test_any_text_can_be_looked_at(text: str):
    lines = text.split("\n")

    assert all(1 <= finding.place.line <= len(lines) for finding in lint_env(text))


def test_what_a_schema_says_is_among_the_findings_in_its_place():
    said = Finding("schema-violation", Place(2), "B: allowed: a number", severity=Severity.ERROR)

    findings = lint_env("a=1\nB=x\nc=1\n", schema=lambda text: [said] if "B=x" in text else [])

    assert [finding.rule for finding in findings].count("schema-violation") == 1
    assert said in findings
    assert [finding.place.line for finding in findings] == sorted(finding.place.line for finding in findings)


def test_keys_of_the_example_that_are_not_there_are_told():
    findings = missing_keys("A=1\nB\n", "A=\nB=\nC=x\nD\n")

    assert [finding.words.split()[0] for finding in findings] == ["C", "D"]
    assert missing_keys("A=1\nX=1\n", "A=\n") == []


def test_keys_that_nobody_uses_are_told():
    findings = unused_keys("A=1\nB=2\nC\n", {"A"})

    assert [(finding.rule, finding.place.line) for finding in findings] == [("unused-key", 2), ("unused-key", 3)]


@pytest.mark.parametrize(
    ("mode", "is_told"), [(0o100600, False), (0o640, False), (0o644, True), (0o602, True), (0o100777, True)]
)
def test_a_file_with_secrets_that_everybody_can_open_is_told(mode: int, is_told: bool):
    findings = readable_by_others(mode, has_secrets=True)

    assert bool(findings) is is_told
    assert readable_by_others(mode, has_secrets=False) == []


def test_secrets_are_known_by_their_names_and_only_if_they_are_set():
    assert has_secrets("A=1\nDB_PASSWORD=x\n")
    assert has_secrets("export PGPASSWORD=$X\n")
    assert has_secrets("URL=postgres://app:x@db/app\n")
    assert not has_secrets("DB_PASSWORD=\nTOKEN\nPASSWORD_FILE=/run/secrets/x\nURL=http://db/\n")
