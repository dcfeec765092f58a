"""Figures against what is promised of them."""

from collections.abc import Sequence
from statistics import median

from rich.table import Table

from benchmarks.exporter.measure import Figures
from benchmarks.exporter.subject import Cost
from benchmarks.report import Bar, conclude, percentile

#: Growth is linear when the dearest size costs no more a unit than this times the cheapest (of the two largest).
_LINEAR = 1.5


def report(figures: Figures, *, as_json: bool) -> None:
    """Print, and exit 1 when a bar is not met."""
    conclude(_table(figures), _bars(figures), _details(figures), as_json=as_json)


def _bars(figures: Figures) -> dict[str, Bar]:
    latencies = [second for cost in figures.container_costs for second in cost.latencies_s]
    bars = {
        "container_cpu_ms": Bar(_ms_per_container(figures), 0.3),
        "scrape_p99_ms": Bar(percentile(latencies, 0.99) * 1e3, 50.0),
        "rss_mb": Bar(figures.rss_mb, 60.0),
        "series_per_container": Bar(figures.series_per_container, 60.0),
        "host_us_per_sample_against_node_exporter": Bar(_us(figures.host) / _us(figures.node_exporter), 1.0),
        "encoder_share_of_prometheus_client": Bar(_encoder_share(figures), 1 / 8),
    }
    if figures.rss_growth_mb is not None:
        bars["rss_growth_mb"] = Bar(figures.rss_growth_mb, 2.0)
    for name, growth in (("containers", figures.growth_containers), ("processes", figures.growth_processes)):
        if growth:
            bars[f"growth_{name}_last_step_against_first"] = Bar(_bend(growth), _LINEAR)
    return bars


def _ms_per_container(figures: Figures) -> float:
    """All that the exporter uses while it is scraped twice a second, by scrapes and containers."""
    return median(cost.cpu_per_scrape_s for cost in figures.container_costs) / figures.containers * 1e3


def _us(costs: Sequence[Cost]) -> float:
    return median(_each_us(costs))


def _encoder_share(figures: Figures) -> float:
    return median(ours / theirs for ours, theirs in figures.encoder_us)


def _bend(growth: Sequence[tuple[int, float]]) -> float:
    """Cost of one more unit in the last step over that in the first: 1 is a straight line."""
    (n1, c1), (n2, c2), (n3, c3) = growth
    return ((c3 - c2) / (n3 - n2)) / ((c2 - c1) / (n2 - n1))


def _table(figures: Figures) -> Table:
    table = Table("what", "figure")
    p99 = max(cost.p99_s for cost in figures.container_costs) * 1e3
    crowd = f"{figures.containers} {figures.kind}"
    table.add_row(f"{crowd}: CPU per container and scrape", f"{_ms_per_container(figures):.3f} ms")
    empty = median(cost.cpu_per_scrape_s for cost in figures.baseline_costs) * 1e3
    table.add_row("  of that, a scrape without containers", f"{empty / figures.containers:.3f} ms")
    table.add_row("  slowest p99 of the repetitions", f"{p99:.1f} ms")
    table.add_row("  samples on the page", str(figures.container_costs[-1].samples))
    for name, costs in (("host", figures.host), ("node_exporter", figures.node_exporter)):
        table.add_row(f"{name}: CPU per sample", f"{_us(costs):.1f} us of {costs[-1].samples} samples")
    for name, index in (("ours", 0), ("prometheus_client", 1)):
        table.add_row(f"encoder: {name}", f"{median(pair[index] for pair in figures.encoder_us):.2f} us a sample")
    for name, growth in (("containers", figures.growth_containers), ("processes", figures.growth_processes)):
        for count, cpu_s in growth:
            table.add_row(f"{count} {name}", f"{cpu_s * 1e3:.1f} ms a scrape, {cpu_s / count * 1e6:.0f} us each")
    return table


def _details(figures: Figures) -> dict[str, object]:
    return {
        "crowd": figures.kind,
        "containers_cpu_ms_per_scrape": [cost.cpu_per_scrape_s * 1e3 for cost in figures.container_costs],
        "no_containers_cpu_ms_per_scrape": [cost.cpu_per_scrape_s * 1e3 for cost in figures.baseline_costs],
        "host_cpu_us_per_sample": _each_us(figures.host),
        "node_exporter_cpu_us_per_sample": _each_us(figures.node_exporter),
        "encoder_us_per_sample": figures.encoder_us,
        "growth_containers": figures.growth_containers,
        "growth_processes": figures.growth_processes,
    }


def _each_us(costs: Sequence[Cost]) -> list[float]:
    return [cost.cpu_per_scrape_s / cost.samples * 1e6 for cost in costs]
