"""``homeostat config edit`` with programs as editors: what is taken, what is refused, and that no text is lost."""

import re
import sys
from pathlib import Path

import pytest
from fakes.configtree import ENV, ConfigTree


@pytest.fixture
def tree(tmp_path, monkeypatch):
    (tmp_path / "temp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temp"))
    return ConfigTree(tmp_path)


@pytest.fixture
def edited(tree):
    """``config edit app`` with an editor that runs ``code``: ``path`` is the copy, ``turn`` counts from 0."""

    def run(code, *arguments, stdin=""):
        script = tree.folder / "editor.py"
        script.write_text(
            "import os, pathlib, sys\n"
            "path = pathlib.Path(sys.argv[1])\n"
            f"turns = pathlib.Path({str(tree.folder / 'turns')!r})\n"
            "turn = len(turns.read_text()) if turns.exists() else 0\n"
            "turns.write_text('x' * (turn + 1))\n"
            f"{code}\n"
        )
        return tree.run("edit", "app", *arguments, stdin=stdin, VISUAL=f"{sys.executable} {script}")

    return run


def left(tree):
    return sorted(path for path in (tree.folder / "temp").rglob("*") if path.is_file())


def test_what_was_written_takes_the_place_of_the_file_and_nothing_is_left(tree, edited):
    result = edited("path.write_text(path.read_text().replace('8080', '9090'))", "--why", "moved")

    assert result.exit_code == 0, result.output
    assert tree.env.read_text() == ENV.replace("8080", "9090")
    assert '"why": "moved"' in tree.run("history", "app", "--json").stdout
    assert list((tree.folder / "temp").iterdir()) == []


def test_the_copy_is_for_its_owner_alone_and_has_the_files_name(tree, edited):
    told = tree.folder / "told"

    edited(
        f"pathlib.Path({str(told)!r}).write_text(f'{{path.name}} {{path.stat().st_mode & 0o777:o}} "
        "{path.parent.stat().st_mode & 0o777:o}')"
    )

    assert told.read_text() == ".env 600 700"


def test_a_text_that_is_left_as_it_was_changes_nothing(tree, edited):
    result = edited("pass")

    assert result.exit_code == 0
    assert "nothing was changed" in result.stdout
    assert tree.run("history", "app", "--json").stdout == ""
    assert list((tree.folder / "temp").iterdir()) == []


def test_what_is_not_valid_can_be_edited_again(tree, edited):
    result = edited("path.write_text('broken line' if turn == 0 else path.read_text().replace(' ', '='))", stdin="y\n")

    assert result.exit_code == 0, result.output
    assert f"{tree.env}:1:1: " in result.stderr
    assert tree.env.read_text() == "broken=line"
    assert list((tree.folder / "temp").iterdir()) == []


@pytest.mark.parametrize("answer", ["n\n", ""], ids=["no", "nobody answers"])
def test_a_text_that_is_not_taken_is_kept_and_said_where(tree, edited, answer):
    result = edited("path.write_text('broken line')", stdin=answer)

    assert result.exit_code == 3
    (copy,) = left(tree)
    assert f"is kept in {copy}" in result.stderr
    assert copy.read_text() == "broken line"
    assert tree.env.read_text() == ENV


def test_what_somebody_else_wrote_meanwhile_is_not_overwritten_and_both_texts_are_there(tree, edited):
    result = edited(f"path.write_text('A=1\\n'); pathlib.Path({str(tree.env)!r}).write_text('B=2\\n')")

    assert result.exit_code == 3
    assert "somebody changed it" in result.stderr
    assert tree.env.read_text() == "B=2\n"
    assert [path.read_text() for path in left(tree)] == ["A=1\n"]


@pytest.mark.parametrize("code", ["sys.exit(1)", "path.unlink()"])
def test_an_editor_that_fails_changes_nothing_and_leaves_nothing(tree, edited, code):
    result = edited(code)

    assert result.exit_code == 3
    assert "nothing was changed" in result.stderr
    assert "Traceback" not in result.output
    assert tree.env.read_text() == ENV
    assert list((tree.folder / "temp").iterdir()) == []


def test_what_was_written_before_an_editor_failed_is_kept(tree, edited):
    result = edited("path.write_text('A=1\\n'); sys.exit(1)")

    assert result.exit_code == 3
    kept = Path(re.search(r"is kept in (\S+):", result.stderr)[1])
    assert kept.read_text() == "A=1\n"


def test_an_editor_that_is_not_there_is_told_with_what_to_do(tree):
    result = tree.run("edit", "app", VISUAL="/nonexistent/editor")

    assert result.exit_code == 3
    assert "set VISUAL or EDITOR" in result.stderr
    assert list((tree.folder / "temp").iterdir()) == []


def test_a_file_that_is_not_there_yet_begins_empty(tree, edited):
    tree.env.unlink()

    result = edited("assert path.read_text() == ''; path.write_text('A=1\\n')")

    assert result.exit_code == 0, result.output
    assert tree.env.read_text() == "A=1\n"
