"""What stands on the page about leaks: one series for what is well, a forecast for what grows."""

import dataclasses

import pytest
from fakes.leaking import START, WEB
from fakes.pages import lint
from prometheus_client.parser import text_string_to_metric_families

from exporters.collectors.leaks import METRICS, SLOPES, families
from exporters.leakinputs import Bound, Resource, SeriesKey
from exporters.leaks import reasons
from exporters.leaks.assessment import Assessment, Verdict
from exporters.leakseries import Row
from exporters.leakwatch import Snapshot
from homeostat.encoder import render

WELL = Row(WEB, Assessment(Verdict.HEALTHY, limit=512e6), 1e8, Bound.CGROUP, START, None)
LEAK = Row(
    WEB,
    Assessment(
        Verdict.LEAK,
        slope=1500.0,
        slope_low=1400.0,
        slope_high=1700.0,
        confidence=0.9,
        exhaustion=START + 7200,
        exhaustion_cautious=START + 6000,
        onset=START - 3600,
        limit=512e6,
        reasons=(reasons.STEADY_GROWTH, reasons.GROWS_SINCE_START),
    ),
    3e8,
    Bound.CGROUP,
    START,
    START + 3000,
)


def page(*rows, **values):
    return render(families(Snapshot(START, rows=rows, **values))).decode()


def samples(*rows, **values):
    """[(name without the prefix, labels but workload and container, value)] of what is about a series."""
    return sorted(
        (
            sample.name.removeprefix("homeostat_leak_"),
            *(value for name, value in sample.labels.items() if name not in ("workload", "container")),
            sample.value,
        )
        for family in text_string_to_metric_families(page(*rows, **values))
        for sample in family.samples
        if sample.labels
    )


@pytest.mark.parametrize("verdict", [Verdict.INSUFFICIENT_DATA, Verdict.HEALTHY, Verdict.WARMING])
def test_what_does_not_grow_costs_one_series(verdict):
    row = dataclasses.replace(WELL, assessment=Assessment(verdict, limit=512e6, reasons=(reasons.STEPS,)))

    assert samples(row) == [("verdict", "memory", verdict.value, 1)]


@pytest.mark.parametrize("verdict", [Verdict.SUSPECT, Verdict.LEAK, Verdict.EXHAUSTING])
def test_what_grows_comes_with_its_forecast(verdict):
    row = dataclasses.replace(LEAK, assessment=dataclasses.replace(LEAK.assessment, verdict=verdict))

    assert samples(row) == [
        ("bound_info", "memory", "cgroup", 1),
        ("confidence_ratio", "memory", 0.9),
        ("exhaustion_timestamp_seconds", "memory", "cautious", START + 6000),
        ("exhaustion_timestamp_seconds", "memory", "median", START + 7200),
        ("memory_slope_bytes_per_second", "high", 1700),
        ("memory_slope_bytes_per_second", "low", 1400),
        ("memory_slope_bytes_per_second", "median", 1500),
        ("onset_timestamp_seconds", "memory", START - 3600),
        ("reason_info", "memory", "grows_since_start", 1),
        ("reason_info", "memory", "steady_growth", 1),
        ("restart_timestamp_seconds", "memory", START + 3000),
        ("verdict", "memory", verdict.value, 1),
    ]


@pytest.mark.parametrize("resource", Resource)
def test_each_resource_has_a_family_of_its_own_for_slopes(resource):
    row = dataclasses.replace(LEAK, key=SeriesKey("shop/web", "shop-web-1", resource))
    told = {sample.name for family in text_string_to_metric_families(page(row)) for sample in family.samples}

    assert {metric.name for metric in SLOPES.values()} & told == {SLOPES[resource].name}


def test_a_forecast_that_there_is_not_is_left_out():
    unknown = dataclasses.replace(LEAK.assessment, exhaustion=None, exhaustion_cautious=None, onset=None)
    names = {name for name, *_ in samples(dataclasses.replace(LEAK, assessment=unknown, restart_at=None))}

    assert not names & {"exhaustion_timestamp_seconds", "onset_timestamp_seconds", "restart_timestamp_seconds"}


def test_the_whole_is_told_of_without_labels():
    text = page(WELL, left_out=7, set_aside=1, took_s=0.25)

    for line in (
        f"homeostat_leak_last_sample_timestamp_seconds {START}",
        "homeostat_leak_series 1",
        "homeostat_leak_series_left_out 7",
        "homeostat_leak_state_set_aside_total 1",
        "homeostat_leak_round_duration_seconds 0.25",
    ):
        assert line in text.splitlines()


def test_names_of_others_stay_data():
    nasty = 'a"} 1\nhomeostat_up 2\\'
    row = dataclasses.replace(LEAK, key=SeriesKey(nasty, nasty, Resource.MEMORY))
    found = [sample for family in text_string_to_metric_families(page(row)) for sample in family.samples]

    assert {sample.labels["workload"] for sample in found if sample.labels} == {nasty}
    assert not [sample for sample in found if sample.name == "homeostat_up"]


def test_every_metric_that_is_declared_can_be_told():
    rows = [dataclasses.replace(LEAK, key=SeriesKey("shop/web", "web", resource)) for resource in Resource]
    families_ = text_string_to_metric_families(page(*rows))
    found = {sample.name for family in families_ for sample in family.samples}

    assert found == {metric.name for metric in METRICS}


def test_promtool_finds_nothing_wrong(servers):
    rows = [dataclasses.replace(LEAK, key=SeriesKey("shop/web", "web", resource)) for resource in Resource]

    assert lint(page(*rows), servers["promtool"]) == ""
