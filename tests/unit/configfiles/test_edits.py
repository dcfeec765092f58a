"""An edit is believed once the text says so itself: that key, and nothing but it."""

import pytest

from homeostat.configfiles.edits import Set, Unset, edited
from homeostat.configfiles.errors import CannotEdit, NotParsed
from homeostat.configfiles.formats.base import Parsed
from homeostat.configfiles.formats.table import FORMATS


class Lying:
    """A format whose ``set`` and ``unset`` do what the test says, whatever they are asked for."""

    def __init__(self, after):
        self._after = after

    def read(self, text):
        return Parsed({"before": {"a": 1, "b": [1, 2]}, "after": self._after}[text], {})

    def set(self, text, path, value):
        return "after"

    def unset(self, text, path):
        return "after"


@pytest.fixture
def lie(monkeypatch):
    return lambda after: monkeypatch.setattr("homeostat.configfiles.edits.FORMATS", {**FORMATS, "json": Lying(after)})


@pytest.mark.parametrize(
    "after", [{"a": 2}, {"a": 2, "b": [1, 3]}, {"a": 2, "b": [1, 2], "c": 1}, {"a": 2, "b": [True, 2]}]
)
def test_a_format_that_changes_more_than_it_was_asked_is_refused(lie, after):
    lie(after)

    with pytest.raises(CannotEdit, match="a: changing it would change other keys, too"):
        edited("json", "before", [Set(("a",), 2)])


def test_a_format_that_changes_what_it_was_asked_is_believed(lie):
    lie({"a": 2, "b": [1, 2]})

    assert edited("json", "before", [Set(("a",), 2)]) == "after"


def test_a_format_that_takes_out_more_is_refused_and_one_that_takes_out_that_is_believed(lie):
    lie({"a": 1, "b": []})
    with pytest.raises(CannotEdit, match=r"b\.0: changing it"):
        edited("json", "before", [Unset(("b", 0))])

    lie({"a": 1, "b": [2]})
    assert edited("json", "before", [Unset(("b", 0))]) == "after"


def test_edits_are_made_one_after_the_other():
    edits = [Set(("a", "b"), 2), Unset(("c",)), Set(("a", "d"), "x")]

    assert FORMATS["json"].read(edited("json", '{"a": {"b": 1}, "c": 3}', edits)).data == {"a": {"b": 2, "d": "x"}}


def test_nan_beside_the_key_is_no_reason_to_refuse():
    assert edited("yaml", "a: 1\nb: .nan\n", [Set(("a",), 2)]) == "a: 2\nb: .nan\n"


def test_a_text_that_is_not_of_its_format_is_not_edited():
    with pytest.raises(NotParsed):
        edited("json", "{", [Set(("a",), 1)])


def test_a_file_of_no_format_has_no_keys():
    with pytest.raises(CannotEdit, match="a text file has no keys"):
        edited("text", "x", [Set(("a",), 1)])
