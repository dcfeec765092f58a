"""Whether the alert's rule is still true for this very trouble, and on measurements of what it rests on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from homeostat import names
from homeostat.prometheus_api import Sample
from responder.evidence import ExpressionEvidence
from responder.ledger import Alert, new_episode
from responder.verify import Quality

STEP_AT = 100.0
WEB = {"workload": "shop/web", "container": "web-1"}
LEAK = {**WEB, "resource": "memory"}
LEAKING = f'{names.LEAK_VERDICT}{{verdict="leak"}} == 1'
DOWN = f"{names.CONTAINER_RUNNING} == 0"


@dataclass
class Prometheus:
    """As homeostat.prometheus_api.PrometheusClient. ``measured``: of metrics, when they were last read."""

    rule: str
    found: tuple[Mapping[str, str], ...]
    measured: Mapping[str, float] = field(default_factory=lambda: {names.CONTAINER_RUNNING: 101.0})
    asked: list[str] = field(default_factory=list)

    async def alert_expression(self, _labels: Mapping[str, str]) -> str:
        return self.rule

    async def query(self, expression: str) -> list[Sample]:
        self.asked.append(expression)
        if expression == self.rule:
            return [Sample(labels, 1.0) for labels in self.found]
        return [Sample({}, at) for name, at in self.measured.items() if f"timestamp({name}{{" in expression]


async def quality(labels: Mapping[str, str], prometheus: Prometheus) -> Quality:
    alert = Alert("f" * 16, {"alertname": "A", "severity": "warning", **labels}, {}, 1.0, is_firing=True)
    [reading] = await ExpressionEvidence(new_episode(alert, 1, 1.0), prometheus, STEP_AT).read()
    return reading.quality


MEASURED = {names.CONTAINER_RUNNING: 101.0, names.LEAK_VERDICT: 101.0}


@pytest.mark.parametrize(
    ("labels", "sample"),
    [
        pytest.param(WEB, WEB, id="its container"),
        pytest.param(WEB, {"workload": "shop/web"}, id="the workload as a whole"),
        pytest.param({"workload": "shop/web"}, {"workload": "shop/web"}, id="a workload without containers"),
        pytest.param(LEAK, LEAK, id="its resource"),
        pytest.param(LEAK, WEB, id="a rule that tells no resource"),
        pytest.param(WEB, LEAK, id="an alert that was stripped of it"),
        pytest.param({**WEB, "id": "c0ffee"}, {**WEB, "id": "decaf"}, id="the same trouble of its new container"),
        pytest.param({**WEB, "severity": "warning"}, {**WEB, "severity": "page"}, id="a label that the rule replaces"),
    ],
)
async def test_it_is_still_true_of(labels: Mapping[str, str], sample: Mapping[str, str]):
    assert await quality(labels, Prometheus(DOWN, ({"workload": "shop/db"}, sample))) is Quality.BAD


@pytest.mark.parametrize(
    ("labels", "sample"),
    [
        pytest.param(WEB, {**WEB, "workload": "shop/db"}, id="another workload"),
        pytest.param(WEB, {**WEB, "container": "web-2"}, id="another container"),
        pytest.param({"workload": "shop/web"}, WEB, id="one container, where the alert is of the workload"),
        pytest.param(WEB, {"container": "web-1"}, id="no workload"),
        pytest.param(LEAK, {**LEAK, "resource": "fds"}, id="another leak of the same container"),
    ],
)
async def test_it_is_no_longer_true_where_only_this_is_found(labels: Mapping[str, str], sample: Mapping[str, str]):
    assert await quality(labels, Prometheus(DOWN, (sample,))) is Quality.GOOD


async def test_without_a_measurement_after_the_step_it_says_nothing():
    assert await quality(WEB, Prometheus(DOWN, (), {names.CONTAINER_RUNNING: STEP_AT})) is Quality.NO_DATA
    assert await quality(WEB, Prometheus(DOWN, (), {})) is Quality.NO_DATA


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        pytest.param(MEASURED, Quality.GOOD, id="judged"),
        pytest.param({names.CONTAINER_RUNNING: 101.0}, Quality.NO_DATA, id="a detector that is gone"),
        pytest.param({**MEASURED, names.LEAK_VERDICT: 99.0}, Quality.NO_DATA, id="one that was not heard since"),
    ],
)
async def test_a_leak_is_over_only_when_the_detector_has_spoken(measured: Mapping[str, float], expected: Quality):
    """Its workload may well be measured meanwhile: the detector is a part of its own."""
    assert await quality(LEAK, Prometheus(LEAKING, (), measured)) is expected


async def test_a_workload_is_data_in_what_is_asked():
    prometheus = Prometheus(LEAKING, ())

    await quality({**LEAK, "workload": 'x"} or vector(1) #%s$workload'}, prometheus)

    [asked] = [each for each in prometheus.asked if each != LEAKING]
    assert asked == r'max(timestamp(homeostat_leak_verdict{workload="x\"} or vector(1) #%s$workload"}))'
