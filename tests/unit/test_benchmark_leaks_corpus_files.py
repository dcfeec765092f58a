"""What the corpus writes: CSV files and the contact sheet."""

from xml.etree import ElementTree as ET

import pytest

from benchmarks.leaks.corpus import FAMILIES, generate
from benchmarks.leaks.corpus.__main__ import main


def run(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["corpus", *map(str, arguments)])
    main()


def test_a_csv_file_is_what_the_analyser_reads(monkeypatch, tmp_path):
    run(monkeypatch, "--family", "fds", "--seed", 3, "--out", tmp_path / "new")
    lines = (tmp_path / "new" / "fds-3.csv").read_text().splitlines()
    trace = generate("fds", 3)

    assert lines[0] == "timestamp,value,limit"
    assert len(lines) == len(trace.times) + 1
    assert [float(cell) for cell in lines[1].split(",")] == pytest.approx(
        [trace.times[0], trace.values[0], trace.limits[0]], abs=0.001
    )


def test_a_sheet_shows_each_family_once_with_the_marks_of_its_leak(monkeypatch, tmp_path):
    run(monkeypatch, "--sheet", tmp_path / "sheet.svg")
    svg = ET.parse(tmp_path / "sheet.svg").getroot()
    plots = svg.findall("{*}g")
    leaking = [plot for plot in plots if any(path.get("stroke") == "#dd2222" for path in plot.findall("{*}path"))]

    assert [plot.find("{*}text").text.split("/")[0] for plot in plots] == list(FAMILIES)
    assert len(leaking) == sum(family.is_leak for family in FAMILIES.values())


def test_with_nothing_to_write_it_says_what_to_give(monkeypatch, capsys):
    with pytest.raises(SystemExit, match="2"):
        run(monkeypatch)

    assert "give --out FOLDER, --sheet FILE.svg, or both" in capsys.readouterr().err
