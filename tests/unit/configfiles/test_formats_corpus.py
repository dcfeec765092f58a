"""Files as people have them: an edit changes its key and nothing else, and can be taken back."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homeostat.configfiles.errors import CannotEdit
from homeostat.configfiles.formats.base import Parsed
from homeostat.configfiles.formats.edits import is_same
from homeostat.configfiles.formats.table import FORMATS
from homeostat.configfiles.text import decode
from homeostat.explain import KeyPath

CORPUS = Path(__file__).parent / "corpus"
FILES = [
    path for kind in ("yaml", "json", "toml", "ini") for path in sorted((CORPUS / kind).iterdir()) if path.is_file()
]
each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.name}")
few = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
tricky = st.sampled_from(
    [
        *("", " ", "yes", "No", "null", "~", "1:30", "0o7", "012", "1e3", "2026-01-01", "10_000", ".", "...", "---"),
        *(
            "a: b",
            "- a",
            "#x",
            "a #x",
            "it's",
            '"',
            "'",
            '"""',
            "'''",
            "{",
            "[x",
            "&a",
            "*a",
            "!t",
            "%",
            "@",
            "<<",
            "=",
        ),
        *("a\nb\n", "a\n\nb", "\na", "a\n", "x\n\n", "a\n  b\n", "  a\nb\n", "a \nb\n", "\r", "\t", "a\r\nb"),
        *("\u2028", "\x85", "\x7f", "\ufeff", "\\", "é", "key=", "$x"),
    ]
)
numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()
lines = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=8)
VALUES: Mapping[str, st.SearchStrategy[object]] = {
    "yaml": texts | tricky | numbers | st.none(),
    "json": texts | tricky | numbers | st.none(),
    "toml": texts | tricky | numbers,
    "ini": lines | st.lists(lines, min_size=1, max_size=3).map("\n".join) | st.just("") | st.just("a = #b; c"),
}
#: What an edit in place may be refused for: it would not be the change of one key.
REASONS = ("the alias (*) at", "stands behind an alias", "comes from a merge", "has a tag (!)", "the last of its table")


def read(path: Path) -> tuple[str, Parsed]:
    text = decode(path.read_bytes()).content
    return text, FORMATS[path.parent.name].read(text)


def at(data: object, path: KeyPath) -> object:
    for part in path:
        data = data[part]  # type: ignore[index]
    return data


def scalars(parsed: Parsed) -> list[KeyPath]:
    return [path for path in parsed.places if not isinstance(at(parsed.data, path), dict | list)]


def changed(data: object, path: KeyPath, value: object) -> object:
    """Written for the tests: the code under test has its own."""
    if not path:
        return value
    keys = range(len(data)) if isinstance(data, list) else data  # type: ignore[arg-type, var-annotated]
    pairs = {key: changed(data[key], path[1:], value) if key == path[0] else data[key] for key in keys}  # type: ignore[index]
    return list(pairs.values()) if isinstance(data, list) else pairs


def check_lines_around(old: str, new: str, parsed: Parsed, path: KeyPath, value: object) -> None:
    """All lines before that of the key, and all from that of the next key on, are as they were; of values on one line,
    all but that line.
    """
    olds, news = old.split("\n"), new.split("\n")
    line = parsed.places[path].line
    if path[1:] and parsed.places[path] < parsed.places[path[:-1]]:  # merged: a key of its own was added
        assert len([line for line in news if line not in olds]) == 1
        assert [line for line in news if line in olds] == olds
        return
    after = min((place.line for place in parsed.places.values() if place.line > line), default=len(olds) + 1)
    is_one_line = len(olds) == len(news) and "\n" not in f"{at(parsed.data, path)}{value}"
    rest = olds[(line if is_one_line else after - 1) :]
    assert news[: line - 1] == olds[: line - 1]
    assert not rest or news[-len(rest) :] == rest


@each_file
def test_every_key_and_item_of_the_data_has_its_place(path: Path):
    text, parsed = read(path)
    walked: list[KeyPath] = []
    stack: list[tuple[KeyPath, object]] = [((), parsed.data)]
    while stack:
        at_, node = stack.pop()
        for key in node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
            walked.append((*at_, key))
            stack.append(((*at_, key), node[key]))

    # A dotted key within braces, the only one of the corpus, is told to have none.
    assert set(walked) - set(parsed.places) <= {("inline", "type"), ("inline", "type", "name")}
    assert set(parsed.places) <= set(walked)
    assert all(place.line <= text.count("\n") + 1 for place in parsed.places.values())


@each_file
@few
@given(data=st.data())
def test_setting_a_key_changes_it_alone_and_setting_it_back_restores_the_data(path: Path, data: st.DataObject):
    kind = FORMATS[path.parent.name]
    text, before = read(path)
    key = data.draw(st.sampled_from(scalars(before)), label="key")
    value = data.draw(VALUES[path.parent.name], label="value")

    try:
        after = kind.set(text, key, value)
    except CannotEdit as err:
        assert any(reason in str(err) for reason in REASONS), err  # noqa: PT017 - one of these, or a bug
        return

    assert is_same(kind.read(after).data, changed(before.data, key, value))
    assert is_same(kind.read(kind.set(after, key, at(before.data, key))).data, before.data)
    check_lines_around(text, after, before, key, value)


@each_file
@few
@given(data=st.data())
def test_unsetting_a_key_takes_it_out_alone(path: Path, data: st.DataObject):
    kind = FORMATS[path.parent.name]
    text, before = read(path)
    key = data.draw(st.sampled_from(scalars(before)), label="key")

    try:
        after = kind.unset(text, key)
    except CannotEdit as err:
        assert any(reason in str(err) for reason in REASONS), err  # noqa: PT017 - one of these, or a bug
        return

    left = dict.fromkeys(kind.read(after).places)
    parent = at(before.data, key[:-1])
    assert len(at(kind.read(after).data, key[:-1])) == len(parent) - 1  # type: ignore[arg-type]
    if isinstance(parent, dict):
        assert set(before.places) - set(left) == {key}
        assert is_same(changed(before.data, key, None), changed(kind.read(kind.set(after, key, "x")).data, key, None))


@each_file
@few
@given(data=st.data())
def test_a_key_that_is_added_and_taken_out_again_leaves_the_data_as_it_was(path: Path, data: st.DataObject):
    kind = FORMATS[path.parent.name]
    text, before = read(path)
    holders = {key[:-1] for key in before.places} - ({()} if path.parent.name == "ini" else set())
    holder = data.draw(st.sampled_from([key for key in holders if isinstance(at(before.data, key), dict)]), label="in")
    value = data.draw(VALUES[path.parent.name], label="value")

    try:
        after = kind.set(text, (*holder, "new_key"), value)
    except CannotEdit as err:
        assert any(reason in str(err) for reason in REASONS), err  # noqa: PT017 - one of these, or a bug
        return

    assert is_same(at(kind.read(after).data, (*holder, "new_key")), value)
    assert is_same(kind.read(kind.unset(after, (*holder, "new_key"))).data, before.data)


@each_file
def test_setting_what_is_there_changes_nothing(path: Path):
    kind = FORMATS[path.parent.name]
    text, before = read(path)

    assert [key for key in before.places if kind.set(text, key, at(before.data, key)) != text] == []
