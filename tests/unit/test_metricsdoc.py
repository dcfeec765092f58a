"""docs/metrics.md is made from the tables and current; the tables agree with each other."""

from collections import Counter

import pytest

from cli import metricsdoc
from exporters.collectors import COLLECTORS
from homeostat.families import Metric, counter, gauge

EVERY = [(name, metric) for name, module in COLLECTORS.items() for metric in module.METRICS]
CLASHING = {"service", "env", "type", "instance", "job"}


def test_the_committed_page_is_current():
    assert metricsdoc.page() == metricsdoc.PAGE.read_text()


def test_a_metric_is_declared_once():
    assert [name for name, times in Counter(metric.name for _, metric in EVERY).items() if times > 1] == []


@pytest.mark.parametrize("metric", [metric for _, metric in EVERY], ids=lambda metric: metric.name)
def test_names_help_and_labels_keep_to_the_conventions(metric: Metric):
    assert metric.name.startswith(("homeostat_", "process_"))
    assert metric.help
    assert not CLASHING & set(metric.labels)
    assert "id" not in metric.labels or metric.name == "homeostat_container_info"


@pytest.mark.parametrize(
    ("metric", "unit"),
    [
        (gauge("homeostat_x_bytes", "."), "bytes"),
        (counter("homeostat_x_seconds_total", "."), "seconds"),
        (gauge("homeostat_x_timestamp_seconds", "."), "seconds since the epoch"),
        (gauge("homeostat_x_ratio", "."), "ratio"),
        (gauge("homeostat_x_info", "."), ""),
        (counter("homeostat_x_restarts_total", "."), ""),
    ],
)
def test_the_unit_is_what_the_name_ends_in(metric, unit):
    assert metricsdoc.unit(metric) == unit
