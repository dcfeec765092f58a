"""Both text formats as their own parsers read them, and which of them a client gets."""

import gzip as gzip_library
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families

from homeostat.encoder import Format, gzip, negotiate, render, takes_gzip
from homeostat.families import Metric, MetricType, buckets, counter, gauge, histogram, labels

PARSERS = {Format.TEXT: text_string_to_metric_families, Format.OPENMETRICS: openmetrics_families}
NASTY = ['a"b', "a\\b", "a\nb", "\\n", '\\"', "{}", "a,b=", "ä€😀", "", " ", "\ttab", "\\", "trailing\\"]
THING = gauge("thing", "Help.", "workload", "other")

each_format = pytest.mark.parametrize("form", Format)


def parsed(families, form=Format.TEXT):
    """{(name, labels, value)} and, on the way, that the page can be read at all."""
    text = render(families, form).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items())), sample.value)
        for family in PARSERS[form](text)
        for sample in family.samples
    }


@each_format
@pytest.mark.parametrize("value", NASTY)
def test_a_nasty_label_value_arrives_as_it_was(value, form):
    family = THING.family([(labels({"workload": value, "other": "x"}), 2)])

    assert parsed([family], form) == {("thing", (("other", "x"), ("workload", value)), 2.0)}


@given(
    value=st.text(st.characters(exclude_categories=["Cs", "Cc"])),
    number=st.floats(allow_nan=False) | st.integers(-(2**53), 2**53),
    form=st.sampled_from(Format),
)
def test_any_text_and_number_arrive_as_they_were(value, number, form):
    family = THING.family([(labels({"workload": value}), number)])

    assert parsed([family], form) == {("thing", (("workload", value),), number)}


def test_half_a_surrogate_pair_does_not_spoil_the_page():
    family = THING.family([(labels({"workload": "\ud800"}), 1)])

    assert parsed([family]) == {("thing", (("workload", "?"),), 1.0)}


@each_format
@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, b"1"),
        (False, b"0"),
        (3, b"3"),
        (0.1, b"0.1"),
        (math.inf, b"+Inf"),
        (-math.inf, b"-Inf"),
        (math.nan, b"NaN"),
        (1795434193.640574, b"1795434193.640574"),
        (2**63, b"9223372036854775808"),
    ],
)
def test_a_number_is_written_as_the_formats_want_it(value, text, form):
    assert render([THING.family([("", value)])], form).splitlines()[2] == b"thing " + text


def test_help_text_keeps_to_one_line():
    page = render([counter("thing_total", "One\nline \\ only.").family([("", 1)])])

    assert page.splitlines()[0] == b"# HELP thing_total One\\nline \\\\ only."


def test_openmetrics_names_a_counter_without_its_suffix_and_ends_with_a_mark():
    page = render([counter("thing_total", 'A "thing".').family([("", 1)])], Format.OPENMETRICS)

    assert page == b'# TYPE thing counter\n# HELP thing A \\"thing\\".\nthing_total 1\n# EOF\n'


def test_a_family_without_samples_is_left_out():
    assert render([THING.family()]) == b""
    assert render([THING.family()], Format.OPENMETRICS) == b"# EOF\n"


@each_format
def test_a_histogram_is_cumulative_and_counts_everything(form):
    metric = histogram("wait_seconds", "Help.", "probe")
    family = metric.family(buckets({"probe": "x"}, {0.1: 2, 1: 0, math.inf: 3}, 12.5))

    probe = ("probe", "x")
    assert parsed([family], form) == {
        ("wait_seconds_bucket", (("le", "0.1"), probe), 2.0),
        ("wait_seconds_bucket", (("le", "1.0"), probe), 2.0),
        ("wait_seconds_bucket", (("le", "+Inf"), probe), 5.0),
        ("wait_seconds_sum", (probe,), 12.5),
        ("wait_seconds_count", (probe,), 5.0),
    }


@pytest.mark.parametrize(
    ("name", "type_"), [("thing", MetricType.COUNTER), ("thing_total", MetricType.GAUGE)], ids=["counter", "gauge"]
)
def test_a_name_that_belies_its_type_is_refused(name, type_):
    with pytest.raises(ValueError, match="ends in _total"):
        Metric(name, type_, "Help.")


PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", Format.TEXT),
        ("*/*", Format.TEXT),
        ("text/html,application/xhtml+xml,*/*;q=0.8", Format.TEXT),
        (PROMETHEUS_3, Format.OPENMETRICS),
        ("application/openmetrics-text", Format.OPENMETRICS),
        ("Application/OpenMetrics-Text; Version=1.0.0", Format.OPENMETRICS),
        ("application/openmetrics-text;version=2.0.0", Format.TEXT),
        ("application/openmetrics-text;q=0.2,text/plain;q=0.9", Format.TEXT),
        ("application/openmetrics-text;q=0", Format.TEXT),
        ("application/openmetrics-text;q=soon", Format.TEXT),
        ("application/openmetrics-text;q=nan", Format.TEXT),
        (";;;,,=;q", Format.TEXT),
    ],
)
def test_the_format_is_what_the_client_ranks_first(accept, form):
    assert negotiate(accept) is form


@pytest.mark.parametrize(
    ("header", "answer"),
    [("", False), ("gzip", True), ("GZIP;q=0.5", True), ("gzip;q=0", False), ("*", True), ("br, deflate", False)],
)
def test_gzip_only_for_whom_it_is_readable(header, answer):
    assert takes_gzip(header) is answer


def test_what_is_zipped_is_what_was_rendered():
    body = b"homeostat_thing 1\n" * 1000

    assert gzip_library.decompress(gzip(body)) == body
    assert len(gzip(body)) < len(body) / 20
