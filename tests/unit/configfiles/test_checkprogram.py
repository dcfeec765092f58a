"""The owner's check program, run for real: what its end and its words become."""

import asyncio
import os
import sys
import time

import pytest

from homeostat.configfiles.checkprogram import run_check


def python(code):
    return [sys.executable, "-c", code]


def test_a_program_that_ends_with_0_has_nothing_against_the_file_whatever_it_says():
    assert run_check(python("print('warning: old syntax')"), 10.0) == ""


def test_a_program_that_refuses_is_told_by_its_last_lines_on_one():
    said = run_check(python("import sys; print('reading'); sys.exit('no server in {file}:3\\n')"), 10.0)

    assert said == "reading | no server in {file}:3"


def test_a_program_that_says_nothing_is_told_by_its_exit_code():
    assert run_check(python("raise SystemExit(7)"), 10.0) == "exit code 7, and no word why"


def test_words_are_one_line_of_200_characters_without_what_moves_a_cursor():
    said = run_check(python("print('first ' * 50); print('\\x1b[2J' + 'x' * 300); print(); raise SystemExit(1)"), 10.0)

    assert len(said) == 200
    assert said.isprintable()
    assert "first" not in said


def test_a_program_that_does_not_end_is_ended_and_said_to(tmp_path):
    started = time.monotonic()

    said = run_check(
        python(f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(60)"), 0.5
    )

    assert said == "it did not end within 0.5 s"
    assert time.monotonic() - started < 30
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_program_that_is_not_there_is_told():
    said = run_check(["/nonexistent/check"], 10.0)

    assert said.startswith("/nonexistent/check: cannot be started")
    assert "\n" not in said


def test_no_shell_sees_the_arguments(tmp_path):
    said = run_check([*python("import sys; sys.exit(sys.argv[1])"), f"$(touch {tmp_path / 'made'})"], 10.0)

    assert said == f"$(touch {tmp_path / 'made'})"
    assert not (tmp_path / "made").exists()


async def test_it_can_be_called_where_a_loop_runs():
    assert run_check(python("raise SystemExit('no')"), 10.0) == "no"
    assert await asyncio.to_thread(run_check, python("raise SystemExit('no')"), 10.0) == "no"
