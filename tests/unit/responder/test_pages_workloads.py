"""Prometheus's word on workloads, as the status page tells it."""

import math

import pytest

from homeostat.prometheus_api import Sample
from responder.pages.view import Tone
from responder.pages.workloads import Around, Health, workloads_view

ALONE = Around({}, {}, ())


def state(workload: str, word: str, value: float = 1.0) -> Sample:
    return Sample({"workload": workload, "state": word}, value)


def reason(workload: str, why: str, source: str = "") -> Sample:
    return Sample({"workload": workload, "reason": why, "source": source}, 1.0)


def test_what_is_not_well_comes_first_with_its_reason_in_words():
    health = Health(
        [
            state("shop/a", "healthy"),
            state("shop/b", "unknown"),
            state("shop/c", "degraded"),
            state("shop/d", "unhealthy"),
        ],
        [reason("shop/a", ""), reason("shop/b", "unchecked"), reason("shop/d", "probe_failing", "http :80/health")],
    )

    rows = workloads_view(health, ALONE).rows

    assert [(row.workload, row.state, row.tone, row.why) for row in rows] == [
        ("shop/d", "unhealthy", Tone.BAD, "its probe fails (http :80/health)"),
        ("shop/c", "degraded", Tone.BUSY, ""),
        ("shop/b", "unknown", Tone.UNKNOWN, "nothing checks it"),
        ("shop/a", "healthy", Tone.GOOD, ""),
    ]


def test_where_exporters_disagree_the_worst_counts():
    health = Health([state("shop/web", "unhealthy"), state("shop/web", "healthy")])

    assert [row.state for row in workloads_view(health, ALONE).rows] == ["unhealthy"]


@pytest.mark.parametrize(
    "sample",
    [
        state("shop/web", "healthy", 0.0),
        state("shop/web", "healthy", math.nan),
        state("shop/web", "splendid"),
        Sample({"workload": "shop/web"}, 1.0),
    ],
)
def test_what_says_nothing_is_not_known_and_never_healthy(sample: Sample):
    view = workloads_view(Health([sample]), Around({}, {}, ["shop/web"]))

    assert [(row.workload, row.state, row.tone) for row in view.rows] == [("shop/web", "not known", Tone.UNKNOWN)]


def test_without_prometheus_what_is_in_trouble_or_in_the_settings_is_named_all_the_same():
    around = Around({"shop/web": 7}, {"shop/db": ("hands off",)}, ["shop/db"])

    view = workloads_view(Health(problem="Prometheus does not answer"), around)

    assert [(row.workload, row.state, row.trouble, row.notes) for row in view.rows] == [
        ("shop/db", "not known", 0, ("hands off",)),
        ("shop/web", "not known", 7, ()),
    ]
    assert view.problem == "Prometheus does not answer"


def test_there_is_a_bound_and_those_that_are_well_are_left_out_first():
    health = Health([state(f"shop/w{n:03}", "healthy") for n in range(400)] + [state("shop/zzz", "unhealthy")])

    view = workloads_view(health, ALONE)

    assert (len(view.rows), view.left_out, view.rows[0].workload) == (300, 101, "shop/zzz")
