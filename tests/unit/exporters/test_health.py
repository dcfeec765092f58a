"""One word per workload: the table of what makes it, and what dependencies add."""

import pytest

from exporters.health import Check, Facts, Health, Instance, Reason, State, judge, with_dependencies
from homeostat.workloads import ProbeRole

GOOD = Check("http :80/", ProbeRole.LIVENESS, is_good=True)
BAD = Check("http :80/", ProbeRole.LIVENESS, is_good=False)
NEW = Check("http :80/", ProbeRole.LIVENESS, is_good=None)
READY = Check("http :80/ready", ProbeRole.READINESS, is_good=True)
UNREADY = Check("http :80/ready", ProbeRole.READINESS, is_good=False)
HEALTHY, UNCHECKED = Health(State.HEALTHY), Health(State.UNKNOWN, Reason.UNCHECKED)


def runs(name="web-1", *checks, **values):
    return Instance(name, **{"is_running": True} | values, checks=checks)


def judged(*instances, checks=()):
    return judge(Facts(are_labels_valid=True, instances=instances, checks=checks))


def unhealthy(reason, source="web-1"):
    return Health(State.UNHEALTHY, reason, source)


def degraded(reason, source="web-1"):
    return Health(State.DEGRADED, reason, source)


def unknown(reason, source="web-1"):
    return Health(State.UNKNOWN, reason, source)


@pytest.mark.parametrize(
    ("instance", "health"),
    [
        (runs(), UNCHECKED),
        (runs("web-1", GOOD), HEALTHY),
        (runs(docker="healthy"), HEALTHY),
        (runs("web-1", GOOD, READY, docker="healthy"), HEALTHY),
        (runs("web-1", GOOD, is_starting=True), HEALTHY),
        (runs("web-1", BAD), unhealthy(Reason.PROBE_FAILING, BAD.name)),
        (runs("web-1", BAD, docker="healthy"), unhealthy(Reason.PROBE_FAILING, BAD.name)),
        (runs("web-1", BAD, UNREADY), unhealthy(Reason.PROBE_FAILING, BAD.name)),
        (runs("web-1", UNREADY, NEW), degraded(Reason.NOT_READY, UNREADY.name)),
        (runs("web-1", GOOD, UNREADY), degraded(Reason.NOT_READY, UNREADY.name)),
        (runs("web-1", NEW), unknown(Reason.NOT_MEASURED, NEW.name)),
        (runs("web-1", GOOD, NEW), unknown(Reason.NOT_MEASURED, NEW.name)),
        (runs(docker="unhealthy"), unhealthy(Reason.DOCKER_UNHEALTHY)),
        (runs("web-1", GOOD, docker="unhealthy"), degraded(Reason.DOCKER_UNHEALTHY)),
        (runs("web-1", NEW, docker="unhealthy"), unhealthy(Reason.DOCKER_UNHEALTHY)),
        (runs(docker="starting"), unknown(Reason.STARTING)),
        (runs("web-1", BAD, is_starting=True), unknown(Reason.STARTING)),
        (runs(docker="unhealthy", is_starting=True), unknown(Reason.STARTING)),
        (runs(is_running=False), unhealthy(Reason.NOT_RUNNING)),
        (runs(is_running=False, is_stopped=None), unhealthy(Reason.NOT_RUNNING)),
        (runs(is_running=False, docker="healthy"), unhealthy(Reason.NOT_RUNNING)),
        (runs("web-1", GOOD, is_paused=True, docker="healthy"), unhealthy(Reason.PAUSED)),
        (runs(is_running=False, is_crash_looping=True), unhealthy(Reason.CRASH_LOOPING)),
        (runs(is_running=False, is_stopped=True), Health(State.UNKNOWN, Reason.STOPPED)),
    ],
)
def test_one_instance_makes_the_workload(instance, health):
    assert judged(instance) == health


@pytest.mark.parametrize(
    ("second", "health"),
    [
        (runs("web-2", GOOD), HEALTHY),
        (runs("web-2", BAD), degraded(Reason.PROBE_FAILING, BAD.name)),
        (runs("web-2", is_running=False), degraded(Reason.NOT_RUNNING, "web-2")),
        (runs("web-2", is_running=False, is_stopped=True), HEALTHY),
        (runs("web-2", GOOD, is_paused=True), degraded(Reason.PAUSED, "web-2")),
        (runs("web-2", docker="starting"), unknown(Reason.STARTING, "web-2")),
        (runs("web-2", UNREADY), degraded(Reason.NOT_READY, UNREADY.name)),
    ],
)
def test_trouble_of_one_of_two_degrades(second, health):
    assert judged(runs("web-1", GOOD), second) == health


def test_trouble_of_all_is_the_workloads():
    assert judged(runs("web-1", BAD), runs("web-2", is_running=False)).state is State.UNHEALTHY


@pytest.mark.parametrize(
    ("instance", "check", "health"),
    [
        (runs(), GOOD, HEALTHY),
        (runs(), BAD, unhealthy(Reason.PROBE_FAILING, BAD.name)),
        (runs(), UNREADY, degraded(Reason.NOT_READY, UNREADY.name)),
        (runs(), NEW, unknown(Reason.NOT_MEASURED, NEW.name)),
        (runs(docker="healthy"), NEW, unknown(Reason.NOT_MEASURED, NEW.name)),
        (runs(docker="healthy"), GOOD, HEALTHY),
        (runs(docker="unhealthy"), GOOD, degraded(Reason.DOCKER_UNHEALTHY)),
        (runs(docker="starting"), BAD, unknown(Reason.STARTING)),
        (runs(is_starting=True), BAD, unknown(Reason.STARTING)),
        (runs(is_running=False), GOOD, unhealthy(Reason.NOT_RUNNING)),
    ],
)
def test_probes_of_the_whole_count_beside_the_instances(instance, check, health):
    assert judged(instance, checks=(check,)) == health


def test_what_is_not_there_is_unhealthy_and_what_cannot_be_seen_is_unknown():
    assert judged() == Health(State.UNHEALTHY, Reason.MISSING)
    assert judge(Facts(are_labels_valid=True, instances=None)) == Health(State.UNKNOWN, Reason.NOT_MEASURED)
    assert judge(Facts(are_labels_valid=False, instances=(runs(),))) == Health(State.UNKNOWN, Reason.LABELS_INVALID)


DOWN = unhealthy(Reason.NOT_RUNNING, "db-1")


@pytest.mark.parametrize(
    ("own", "depends_on", "web"),
    [
        ({"db": DOWN}, {"web": ["db"]}, degraded(Reason.DEPENDENCY, "db")),
        ({"db": DOWN}, {}, HEALTHY),
        ({"db": DOWN, "api": HEALTHY}, {"web": ["api"], "api": ["db"]}, degraded(Reason.DEPENDENCY, "db")),
        ({"db": DOWN, "api": HEALTHY}, {"web": ["api"], "api": ["db", "web"]}, degraded(Reason.DEPENDENCY, "db")),
        ({"db": degraded(Reason.NOT_READY, "x")}, {"web": ["db"]}, HEALTHY),
        ({"db": unknown(Reason.STARTING)}, {"web": ["db"]}, HEALTHY),
        ({}, {"web": ["db"]}, HEALTHY),
        ({}, {"web": ["web"]}, HEALTHY),
    ],
)
def test_an_unhealthy_dependency_degrades_however_far_it_is(own, depends_on, web):
    assert with_dependencies({"web": HEALTHY} | own, depends_on)["web"] == web


def test_its_own_trouble_is_told_before_that_of_a_dependency():
    found = with_dependencies({"web": unhealthy(Reason.PAUSED), "db": DOWN}, {"web": ["db"]})

    assert found == {"web": unhealthy(Reason.PAUSED), "db": DOWN}


def test_an_unchecked_workload_suffers_too():
    assert with_dependencies({"web": UNCHECKED, "db": DOWN}, {"web": ["db"]})["web"].reason is Reason.DEPENDENCY
