"""What the alerting benchmark is made of: a page that is like the exporter's, and figures that add up."""

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.alerting.crowd import Crowd
from benchmarks.alerting.evaluation import Figures
from benchmarks.alerting.incidents import INCIDENTS
from exporters.collectors import COLLECTORS
from homeostat import names
from homeostat.rendering import ROOT


def test_a_page_has_every_metric_of_every_container():
    families = {
        family.name: family.samples for family in text_string_to_metric_families(Crowd(3).page(list(COLLECTORS)))
    }

    running = {sample.labels["workload"] for sample in families["homeostat_container_running"]}
    assert running == {"crowd/w0", "crowd/w1", "crowd/w2"}
    assert {sample.value for sample in families["homeostat_container_stopped_by_request"]} == {0}
    declared = {metric.name.removesuffix("_total") for module in COLLECTORS.values() for metric in module.METRICS}
    assert families.keys() <= declared
    # One in thirty is a database, and nothing leaks.
    assert len(families["homeostat_redis_connected_clients"]) == 1
    assert families["homeostat_leak_exhaustion_timestamp_seconds"] == []


def test_only_what_is_asked_for_is_on_a_page():
    page = Crowd(1).page(["clock"])

    assert "homeostat_host_clock_synchronized" in page
    assert "homeostat_container" not in page


def test_rounds_are_counted_by_how_often_groups_are_evaluated():
    figures = Figures(300, seconds={"quick": [0.01, 0.02, 0.5], "slow": [0.06]}, every_s={"quick": 2.0, "slow": 60.0})

    assert figures.slowest_s() == 0.06
    assert figures.together_s() == pytest.approx(0.08)
    assert figures.per_round_s(2.0) == pytest.approx(0.02 + 0.002)


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda incident: incident.name)
def test_an_incident_is_made_of_alerts_that_there_are(incident):
    rules = "".join(file.read_text() for file in ROOT.glob("prometheus/rules/alerts/*.yml"))
    known = {*re.findall(r"- alert: (\w+)", rules), *names.OWN_ALERTS}

    fired = [alert for second in range(int(incident.lasts_s)) for alert in incident.alerts_at(second)]

    assert fired
    assert {alert["alertname"] for alert in fired} <= known
    assert all(alert["severity"] for alert in fired)
