"""Labels of a container are written by whoever may start one: they say where to ask, and nothing else comes of them."""

import hostile_settings
import pytest
from effort import examples
from hypothesis import given
from properties import check_labels


@given(hostile_settings.label_sets)
@examples(500)
def test_any_labels(labels: dict[str, str]):
    check_labels(labels)


@given(hostile_settings.targets)
@examples(1000)
def test_any_target(labels: dict[str, str]):
    check_labels(labels)


@pytest.mark.parametrize("kind", ["http", "tcp", "redis"])
@pytest.mark.parametrize("host", ["", "db"])
def test_the_labels_that_are_varied_are_right_by_themselves(kind: str, host: str):
    scheme, path = ("http://" * bool(host), "/health") if kind == "http" else ("", "")

    workload = check_labels({"homeostat.enable": "true", f"homeostat.probe.{kind}": f"{scheme}{host}:80{path}"})

    assert workload is not None
    assert [probe.kind for probe in workload.probes] == [kind]


@pytest.mark.parametrize(
    "labels",
    [
        {f"homeostat.hook.h{n}": ":80/" for n in range(100_000)},
        {f"homeostat.hook.{n}": "?" for n in range(100_000)},
        {"homeostat.probe.http": ":80/" + "x" * 1_000_000},
        {"homeostat.probe.http": "http://" + "x" * 1_000_000},
        {"homeostat.probe.status": "200," * 250_000, "homeostat.probe.http": ":80/"},
        {"homeostat.memory_threshold": "0" * 1_000_000},
        {"homeostat." + "x" * 1_000_000: ""},
        {"homeostat.start_grace": "1s" * 500_000},
    ],
    ids=lambda labels: next(iter(labels))[:20],
)
def test_large_labels_take_no_time(labels: dict[str, str]):
    check_labels(labels)
