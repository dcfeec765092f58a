"""The encoder against prometheus_client's, on the very same families."""

import time
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric as ClientMetric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from homeostat.encoder import render
from homeostat.families import Family, MetricType, counter, gauge, labels

_CONTAINERS = 100
_METRICS = 50


class _Ready(Collector):
    """Families that exist already: only the encoding is measured."""

    def __init__(self, families: list[ClientMetric]) -> None:
        self._families = families

    def collect(self) -> Iterable[ClientMetric]:
        return self._families


def families() -> list[Family]:
    """As a page of containers has them: two labels, floats and whole numbers; about 5,000 samples."""
    own = ({"workload": f"shop/s-{n}", "container": f"shop-s-{n}-1"} for n in range(_CONTAINERS))
    rendered = [labels(pairs) for pairs in own]
    declared = [
        counter(f"homeostat_bench_{n}_bytes_total", "Bytes.", "workload", "container")
        if n % 2
        else gauge(f"homeostat_bench_{n}_seconds", "Seconds.", "workload", "container")
        for n in range(_METRICS)
    ]
    return [
        metric.family(
            (own, 1_000_003 * n * row if metric.type is MetricType.COUNTER else 0.1234567 * n + row)
            for row, own in enumerate(rendered)
        )
        for n, metric in enumerate(declared)
    ]


def client_registry(ours: list[Family]) -> CollectorRegistry:
    """The same, as prometheus_client holds them. Raises AssertionError if its page says anything else than ours."""
    page = render(ours).decode()
    registry = CollectorRegistry()
    registry.register(_Ready(list(text_string_to_metric_families(page))))
    assert _values(generate_latest(registry).decode()) == _values(page)
    return registry


def us_per_sample(ours: list[Family], registry: CollectorRegistry) -> tuple[float, float]:
    """(ours, prometheus_client's), each over one page."""
    count = sum(len(family.samples) for family in ours)
    start = time.perf_counter()
    render(ours)
    between = time.perf_counter()
    generate_latest(registry)
    end = time.perf_counter()
    return (between - start) / count * 1e6, (end - between) / count * 1e6


def _values(page: str) -> set[tuple[str, tuple[tuple[str, str], ...], float]]:
    return {
        (sample.name, tuple(sorted(sample.labels.items())), sample.value)
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }
