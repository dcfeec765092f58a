"""What is left behind in files of any format: merge markers, tabs in YAML."""

import pytest

from homeostat.configfiles.errors import Place
from homeostat.configfiles.lint.base import Severity
from homeostat.configfiles.lint.text import lint_text

CONFLICT = "a: 1\n<<<<<<< HEAD\nb: 2\n=======\nb: 3\n>>>>>>> topic\nc: 4\n"


@pytest.mark.parametrize("format_name", ["env", "yaml", "json", "toml", "ini", "text"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_marker_of_a_merge_conflict_is_an_error(format_name: str, newline: str):
    found = lint_text(CONFLICT.replace("\n", newline), format_name)

    assert [(one.rule, one.place.line, one.severity) for one in found] == [
        ("merge-marker", line, Severity.ERROR) for line in (2, 4, 6)
    ]


def test_the_base_of_a_three_way_conflict_is_found_too():
    text = "<<<<<<< ours\na\n||||||| base\nb\n=======\nc\n>>>>>>> theirs\n"

    assert [one.place.line for one in lint_text(text, "text")] == [1, 3, 5, 7]


@pytest.mark.parametrize(
    "text", ["Title\n=======\n", "<<: *a\n", "<<<<<<<<\n", " <<<<<<< indented\n", ">>>>>>>>> quoted\n", "|||||||\n"]
)
def test_what_only_resembles_a_marker_is_none(text: str):
    assert lint_text(text, "text") == []


def test_a_heading_after_a_conflict_is_no_marker():
    assert [one.place.line for one in lint_text(CONFLICT + "=======\n", "text")] == [2, 4, 6]


def test_every_tab_that_indents_yaml_is_an_error_with_its_place():
    found = lint_text("a:\n\tb: 1\n\n  \tc: 2\n\t\nd: x\ty\n", "yaml")

    assert [(one.rule, one.place) for one in found] == [("tab-indent", Place(2, 1)), ("tab-indent", Place(4, 3))]


def test_tabs_within_a_text_of_good_yaml_are_none():
    assert lint_text("a: |\n  all:\n  \tmake\n", "yaml") == []


def test_tabs_are_fine_in_other_formats():
    assert lint_text('{\n\t"a": 1\n}\n', "json") == []


def test_findings_repeat_nothing_of_the_file():
    found = lint_text("<<<<<<< hunter2\n\thunter2: hunter2\n", "yaml")

    assert len(found) == 2
    assert "hunter2" not in repr(found)
