"""What an application tells of itself -> lines for the ledger."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.capture.answers import told
from responder.capture.fit import size

MOST = 4096
SECRET = "s3cr3t-of-the-shop"


def kept(body: str | bytes, *secrets: str, most: int = MOST, is_cut: bool = False) -> list[str]:
    return told(body.encode() if isinstance(body, str) else body, secrets, most, is_cut=is_cut)


def test_text_is_kept_line_by_line():
    assert kept("48 MiB orders.py:12\n\n  3 MiB json/decoder.py:353\n") == [
        "48 MiB orders.py:12",
        "  3 MiB json/decoder.py:353",
    ]


def test_json_is_laid_out_for_people():
    body = json.dumps({"traced": False, "most": ["12 Order", "3 dict"]})

    assert kept(body) == ["{", ' "traced": false,', ' "most": [', '  "12 Order",', '  "3 dict"', " ]", "}"]


@pytest.mark.parametrize(
    "body",
    [
        f'{{"counts": {{"cache:{SECRET}:items": 3}}}}',
        f'{{"counts": ["str {SECRET}"]}}',
        f"3 {SECRET}\n",
    ],
)
def test_a_known_secret_is_not_kept_be_it_a_key_a_value_or_text(body: str):
    text = "\n".join(kept(body, SECRET))

    assert "[redacted]" in text
    assert SECRET not in text


@pytest.mark.parametrize(
    "body", [f'{{"db": "postgresql://shop:{SECRET}@db/shop"}}', f'{{"db": {{"password": "{SECRET}"}}}}']
)
def test_what_looks_like_a_secret_is_not_kept(body: str):
    text = "\n".join(kept(body))

    assert "[redacted]" in text
    assert SECRET not in text


def test_the_first_lines_stay_and_what_is_missing_is_said():
    lines = kept("".join(f"{n} line\n" for n in range(1000)), most=200)

    assert lines[:2] == ["0 line", "1 line"]
    assert lines[-1] == f"[cut: {1000 - len(lines) + 1} lines, and what was not read]"
    assert size(lines) <= 200


def test_an_answer_of_which_only_the_beginning_was_read_says_so():
    assert kept('{"most": ["12 Order", "3 di', is_cut=True) == [
        '{"most": ["12 Order", "3 di',
        "[cut: 0 lines, and what was not read]",
    ]


def test_one_long_line_is_cut():
    assert kept("x" * 3000) == ["x" * 500 + "..."]


@pytest.mark.parametrize("body", [b"", b"\n\n", b"  "])
def test_nothing_told_is_nothing_kept(body: bytes):
    assert kept(body) == []


@pytest.mark.parametrize(
    "body", [b"[" * 30000, b"9" * 30000, b'"\\ud800"', b"\xff\xfe{}", b"NaN", b"\x00\x1b[31m7 Order"]
)
def test_what_is_made_to_be_hard_to_read_is_kept_as_far_as_it_goes(body: bytes):
    lines = kept(body)

    assert lines
    assert size(lines) <= MOST
    assert json.loads(json.dumps(lines).encode()) == lines
    assert "\x1b" not in "".join(lines)


@given(body=st.binary(max_size=3000), most=st.integers(100, 2000), is_cut=st.booleans())
def test_it_fits_whatever_is_told(body: bytes, most: int, is_cut: bool):
    assert size(kept(body, most=most, is_cut=is_cut)) <= most
