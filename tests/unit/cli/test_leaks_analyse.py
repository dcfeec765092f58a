"""``homeostat leaks analyse``: what it prints of real files, and how it refuses wrong ones."""

import json

import pytest
from fakes.detectors import FakeDetector

from cli import replay

LEAKING = "0,5,1000\n60,6,1000\n120,100,1000\n180,160,1000\n"
KEYS = {
    "file",
    "at",
    "verdict",
    "slope",
    "slope_low",
    "slope_high",
    "exhaustion",
    "exhaustion_cautious",
    "onset",
    "confidence",
    "reasons",
    "limit",
}


@pytest.fixture(autouse=True)
def detectors(monkeypatch):
    """A detector for each file, in the order in which they were made."""
    made = []

    def make():
        made.append(FakeDetector())
        return made[-1]

    monkeypatch.setattr(replay, "new_detector", make)
    return made


@pytest.fixture
def file(tmp_path):
    """Writes a file and gives its path."""

    def write(text, name="t.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_each_change_is_a_row_with_time_slope_and_eta(run, file):
    result = run("analyse", file(LEAKING), "--unit", "count")

    assert result.exit_code == 0, result.stderr
    healthy, leak = (line for line in result.stdout.splitlines() if "1970-01-01" in line and "at the end" not in line)
    assert "1970-01-01 00:00:00" in healthy and "healthy" in healthy
    for words in ("1970-01-01 00:02:00", "leak", "3600/h (1800 to 7200)", "1970-01-01 00:17:00 (in 15 min)"):
        assert words in leak
    assert "grows, since_[start]" in leak
    assert "at the end, 1970-01-01 00:03:00, after 4 samples: leak" in result.stdout
    assert result.stderr == ""


def test_values_are_bytes_unless_told_otherwise(run, file):
    result = run("analyse", file(LEAKING))

    assert "3.5 KiB/h (1.8 to 7.0)" in result.stdout


def test_json_is_an_object_a_line_and_nothing_else(run, file):
    path = file(LEAKING)

    result = run("analyse", path, "--json")

    first, second = (json.loads(line) for line in result.stdout.splitlines())
    assert first.keys() == second.keys() == KEYS
    assert (first["file"], first["at"], first["verdict"], first["exhaustion"]) == (str(path), 0.0, "healthy", None)
    assert (second["at"], second["verdict"], second["reasons"]) == (120.0, "leak", ["grows", "since_[start]"])
    assert (second["slope"], second["exhaustion"], second["limit"]) == (1.0, 1020.0, 1000.0)


def test_each_file_has_a_detector_of_its_own(run, file, detectors):
    result = run("analyse", file(LEAKING, "[a].csv"), file("0,5\n", "b.csv"))

    assert result.exit_code == 0, result.stderr
    assert [detector.fed for detector in detectors] == [4, 1]
    assert "[a].csv" in result.stdout and "b.csv" in result.stdout


def test_a_dash_reads_standard_input(run):
    result = run("analyse", "-", "--json", stdin=LEAKING)

    assert result.exit_code == 0, (result.stderr, result.exception)
    assert [json.loads(line)["file"] for line in result.stdout.splitlines()] == ["-", "-"]


@pytest.mark.parametrize(("told", "limit"), [("1KiB", 1024.0), ("500", 500.0)])
def test_a_limit_is_told_for_files_without(run, file, told, limit):
    result = run("analyse", file("0,100\n"), "--json", "--limit", told)

    assert json.loads(result.stdout)["limit"] == limit


def test_without_any_limit_there_is_no_eta(run, file):
    result = run("analyse", file("0,100\n"), "--json")

    assert json.loads(result.stdout)["exhaustion"] is None


def test_the_picture_comes_when_asked_for_and_not_into_a_file(run, file):
    path = file(LEAKING)

    with_plot, without = run("analyse", path, "--plot"), run("analyse", path)

    assert "o floor" in with_plot.stdout
    assert "o floor" not in without.stdout


def test_time_that_goes_back_is_told_beside_the_result(run, file):
    path = file("100,5\n50,5\n40,5\n")

    result = run("analyse", path, "--json")

    assert result.exit_code == 0
    assert result.stderr == f"{path}:2: time goes back; lines where it does: 2\n"
    assert len(result.stdout.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", ": has no samples; "),
        ("0,5\nx,6\n", ":2: timestamp: 'x': must be "),
        ("timestamp,rss\n0,5\n", ":1: header: 'rss': unknown column; "),
        (bytes(range(256)) * 40, ":1: "),
    ],
    ids=["empty", "bad number", "wrong column", "binary"],
)
def test_a_wrong_file_is_one_line_on_stderr_and_code_2(run, file, text, problem):
    path = file(text)

    result = run("analyse", path)

    assert result.exit_code == 2
    assert result.stderr.startswith(f"{path}{problem}")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_a_missing_file_and_a_folder_are_told_by_name(run, tmp_path):
    missing, folder = run("analyse", tmp_path / "none.csv"), run("analyse", tmp_path)

    assert (missing.exit_code, folder.exit_code) == (2, 2)
    assert missing.stderr == (
        f"{tmp_path}/none.csv: cannot be read: No such file or directory; allowed: a CSV file, or - for stdin\n"
    )
    assert folder.stderr.startswith(f"{tmp_path}: cannot be read: Is a directory; ")


def test_what_was_found_before_a_wrong_file_is_printed(run, file):
    result = run("analyse", file("0,5\n", "good.csv"), file("x", "bad.csv"), "--json")

    assert result.exit_code == 2
    assert json.loads(result.stdout)["verdict"] == "healthy"
    assert "bad.csv:1: " in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Missing argument 'FILE...'"),
        (("t.csv", "--json", "--plot"), "allowed: one of them"),
        (("t.csv", "--limit", "lots"), "must be a size like 512B, 64KiB, 4MiB or 1GiB, or a whole number"),
        (("t.csv", "--limit", "0"), "must be more than 0"),
        (("t.csv", "--limit", "0MiB"), "must be more than 0"),
        (("t.csv", "--unit", "kg"), "'bytes', 'count'"),
        (("t.csv", "--colour"), "No such option"),
    ],
)
def test_wrong_arguments_are_code_2_and_say_what_is_allowed(run, arguments, words):
    result = run("analyse", *arguments)

    assert result.exit_code == 2
    assert words in result.stderr
