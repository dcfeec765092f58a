"""Rows of a list are there as soon as they are whole, wherever the chunks are cut."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeostat.jsonrows import JsonRows

scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
rows_ = st.lists(st.dictionaries(st.text(max_size=5), scalars | st.lists(scalars, max_size=3), max_size=4), max_size=6)


def fed(text: bytes, size: int) -> list[object]:
    rows = JsonRows()
    found = [row for at in range(0, len(text), size) for row in rows.feed(text[at : at + size])]
    rows.close()
    return found


@given(rows=rows_, size=st.integers(1, 50), indent=st.sampled_from([None, 0, 2]), is_ascii=st.booleans())
def test_all_rows_in_order_however_it_is_cut(rows, size, indent, is_ascii):
    text = json.dumps(rows, indent=indent, ensure_ascii=is_ascii).encode(errors="surrogatepass")

    if b"\xed" in text:  # half a character: no UTF-8
        return
    assert fed(text + b"\n", size) == rows


def test_a_row_is_there_before_the_list_has_ended():
    rows = JsonRows()

    assert rows.feed(b'[{"a": 1}, {"b"') == [{"a": 1}]
    assert rows.feed(b": 2}, ") == [{"b": 2}]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"null",
        b'"[]"',
        b"[",
        b"[{}",
        b"[{},",
        b"[1]",
        b"[[]]",
        b"[{}]x",
        b"[{}] [",
        b'[{"a": }]',
        b"[{}]]",
        b"\xff",
    ],
)
@pytest.mark.parametrize("size", [1, 100])
def test_what_is_no_list_of_objects_is_an_error(text: bytes, size: int):
    with pytest.raises(ValueError):  # noqa: PT011 - whatever its words
        fed(text, size)
