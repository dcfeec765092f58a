"""docs/metrics.md, from the tables in which metrics are declared.

``python -m cli.metricsdoc`` writes it; tests fail when it is not current, and when a live page says anything else.
"""

from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry

import guardian.metrics
from exporters.collectors import COLLECTORS
from homeostat.families import Metric, MetricType
from homeostat.rendering import ROOT
from responder.metrics import Metrics

PAGE = ROOT / "docs/metrics.md"

_INTRO = """<!-- Made by `make generate` from the tables in the files named below; edit those. -->
# Metrics

Base units, ratios from 0 to 1, times as seconds since the epoch. `workload` names what is watched (`project/service`,
`local/process`); series of one container or process name that, too. Image, ids and compose labels stand in
`homeostat_container_info` only. A series is absent when there is nothing to say: the kernel does not tell, or what it
is about does not exist now. Prometheus adds `job` and `instance`.

The exporter's `/metrics?collect[]=NAME` (repeated) serves only the collectors so named. Prometheus scrapes what repairs
rest on every 2 s and the rest every 15 s: see `prometheus/prometheus.yml`.
"""

_UNITS = ("seconds", "bytes", "ratio", "cores", "pages", "info")


def page() -> str:
    """The whole page."""
    parts = [_INTRO, "\n# The exporter, :9801\n"]
    for name, module in COLLECTORS.items():
        parts.append(_section(f"Collector `{name}`", f"exporters/collectors/{name}.py", module.METRICS))
    parts.append(_section("The responder, :9802", "responder/metrics.py", _of_responder(), level="#"))
    parts.append(_section("The guardian, :9803", "guardian/metrics.py", guardian.metrics.METRICS, level="#"))
    return "".join(parts)


def _section(title: str, source: str, metrics: Iterable[Metric], *, level: str = "##") -> str:
    rows = (f"| `{m.name}` | {m.type.value} | {unit(m)} | {_labels(m)} | {m.help} |" for m in metrics)
    head = "| metric | type | unit | labels | meaning |\n|---|---|---|---|---|\n"
    return f"\n{level} {title}\n\nSource: `{source}`\n\n{head}" + "\n".join(rows) + "\n"


def _labels(metric: Metric) -> str:
    return ", ".join(f"`{label}`" for label in metric.labels)


def unit(metric: Metric) -> str:
    """As the name ends; empty for plain counts, flags and identities."""
    name = metric.name.removesuffix("_total")
    if name.endswith("_timestamp_seconds"):
        return "seconds since the epoch"
    last = name.rpartition("_")[2]
    return last if last in _UNITS and last != "info" else ""


def _of_responder() -> list[Metric]:
    """prometheus_client keeps these; it does not tell label names but in the private attribute."""
    registry = CollectorRegistry()
    kept = vars(Metrics(registry)).values()
    return [
        Metric(_full_name(described.name, described.type), MetricType(described.type), described.documentation, labels)
        for collector in kept
        if hasattr(collector, "_labelnames")
        for described, labels in [(collector.describe()[0], tuple(collector._labelnames))]  # noqa: SLF001 - see above
    ]


def _full_name(name: str, type_: str) -> str:
    return f"{name}_total" if type_ == "counter" else name


def main(target: Path = PAGE) -> None:
    target.write_text(page())


if __name__ == "__main__":
    main()
