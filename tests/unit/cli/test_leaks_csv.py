"""CSV traces: what is read as a sample, and what every kind of wrong file is told."""

import io

import psutil
import pytest
from fakes.detectors import FakeDetector

from cli.replay import Replay
from cli.traces import Trace
from exporters.leaks.assessment import Sample
from homeostat.errors import SettingsError


def trace(text, limit=None):
    return Trace("t.csv", io.BytesIO(text if isinstance(text, bytes) else text.encode()), limit)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10,5\n", [Sample(10.0, 5.0)]),
        ("10,5,64\n20.5,6e3,64\n", [Sample(10.0, 5.0, 64.0), Sample(20.5, 6000.0, 64.0)]),
        ("10,5,\n", [Sample(10.0, 5.0)]),
        ("1970-01-01T00:00:10Z,5\n1970-01-01T01:00:20.5+01:00,6\n", [Sample(10.0, 5.0), Sample(20.5, 6.0)]),
        ("limit,value,timestamp\n64,5,10\n", [Sample(10.0, 5.0, 64.0)]),
        (
            "timestamp,value,started_at,work\n10,5,1970-01-01T00:00:04Z,7\n20,6,,\n",
            [Sample(10.0, 5.0, None, 4.0, 7.0), Sample(20.0, 6.0)],
        ),
        ("\ufeffTimestamp , VALUE\r\n10, 5\r\n\r\n", [Sample(10.0, 5.0)]),
        ('"10","5"', [Sample(10.0, 5.0)]),
        ("10,5,\n10,5,\n", [Sample(10.0, 5.0), Sample(10.0, 5.0)]),
    ],
    ids=[
        "two columns",
        "three columns",
        "no limit in a row",
        "RFC 3339",
        "a header in any order",
        "all columns",
        "byte order mark, capitals, blanks, CRLF",
        "quotes, and no end of line",
        "the same twice",
    ],
)
def test_rows_become_samples_in_their_order(text, expected):
    assert list(trace(text)) == expected


def test_a_limit_from_outside_fills_what_the_file_leaves_open():
    assert [sample.limit for sample in trace("10,5\n20,6\n", 64.0)] == [64.0, 64.0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "t.csv: has no samples"),
        ("\n\n", "t.csv: has no samples"),
        ("timestamp,value\n", "t.csv: has no samples"),
        ("10,5\n20,abc\n", "t.csv:2: value: 'abc': must be a number in base units, 0 or more"),
        ("10,5\n20,\n", "t.csv:2: value: '': must be"),
        ("10,nan\n", "t.csv:1: value: 'nan'"),
        ("10,inf\n", "t.csv:1: value: 'inf'"),
        ("10,-1\n", "t.csv:1: value: '-1'"),
        ("10,1_000\n", "t.csv:1: value: '1_000'"),
        ("nan,5\n", "t.csv:1: timestamp: 'nan': must be seconds"),
        ("inf,5\n", "t.csv:1: timestamp: 'inf'"),
        ("-10,5\n", "t.csv:1: timestamp: '-10'"),
        ("1700000000000,5\n", "not milliseconds"),
        ("2026-11-24T10:00:00,5\n", "RFC 3339 with a zone"),
        ("0001-01-01T00:00:00Z,5\n", "t.csv:1: timestamp: "),
        ("yesterday,5\n", "t.csv:1: timestamp: 'yesterday'"),
        ("10,5,0\n", "t.csv:1: limit: '0': must be more than 0; leave it empty"),
        ("10,5,many\n", "t.csv:1: limit: 'many'"),
        ("10\n", "t.csv:1: has 1 column; allowed: timestamp,value[,limit], separated by commas"),
        ("10;5\n", "t.csv:1: has 1 column;"),
        ("10,5,6,7\n", "t.csv:1: has 4 columns; allowed: timestamp,value[,limit], separated by commas, or a header"),
        ("10,5\n20,6,64\n", "t.csv:2: has 3 columns, the lines before have 2"),
        ("timestamp,value,limt\n", "t.csv:1: header: 'limt': unknown column; allowed: timestamp, value, limit"),
        ("timestamp,limit\n", "t.csv:1: header: has no column `value`"),
        ("timestamp,value,value\n", "t.csv:1: header: 'value': named twice"),
        ("timestamp,value,started_at\n10,5,soon\n", "t.csv:2: started_at: 'soon'"),
        ("timestamp,value,work\n10,5,-3\n", "t.csv:2: work: '-3'"),
        ('10,5\n"20,5\n', "t.csv:2: is not CSV: "),
        (b"10,5\n\xff\xfe\x00\x01\n", "t.csv:2: is not UTF-8 text"),
        (b"\x7fELF\x00\x00\n", "t.csv:1: "),
        (b"1" * 5000, "t.csv:1: is longer than 4096 bytes"),
    ],
)
def test_a_wrong_file_is_told_where_it_is_wrong_and_what_is_allowed(text, expected):
    with pytest.raises(SettingsError) as caught:
        list(trace(text))

    (problem,) = caught.value.problems
    assert expected in problem
    assert "\n" not in problem and len(problem) < 250


def test_rows_before_a_wrong_one_are_given_out():
    samples = iter(trace("10,5\nx,6\n"))

    assert next(samples) == Sample(10.0, 5.0)
    with pytest.raises(SettingsError, match=r"^t\.csv:2: "):
        next(samples)


def test_a_limit_both_in_the_file_and_outside_is_refused():
    with pytest.raises(SettingsError, match="one of them"):
        list(trace("timestamp,value,limit\n10,5,64\n", 32.0))


def test_time_that_goes_back_is_counted_and_no_error():
    clock_jumps = trace("100,1\n200,1\n150,1\n151,1\n10,1\n")

    assert len(list(clock_jumps)) == 5
    assert (clock_jumps.steps_back, clock_jumps.first_step_back) == (2, 3)


def test_a_million_lines_take_no_more_memory_than_a_few(tmp_path):
    file = tmp_path / "long.csv"
    with file.open("w") as out:
        out.writelines(f"{second},5,64\n" for second in range(1_000_000))
    detector, process, grown = FakeDetector(), psutil.Process(), []

    def weighed(trace):
        before = process.memory_info().rss
        for sample in trace:
            if trace.samples == 1_000_000:
                grown.append(process.memory_info().rss - before)
            yield sample

    with file.open("rb") as opened:
        changes = list(Replay(detector).changes(weighed(Trace("long.csv", opened))))

    assert detector.fed == 1_000_000 and len(changes) == 1
    assert grown[0] < 10_000_000
