"""A scraped page against what the code declares and documents of it."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families

from cli import metricsdoc
from exporters.collectors import COLLECTORS
from homeostat.families import Metric, MetricType

DECLARED = {metric.name: metric for module in COLLECTORS.values() for metric in module.METRICS}
#: Label names that a histogram's samples have beside their own.
_BUCKET = {"le"}


def problems(page: str) -> list[str]:
    """What stands on a page of the text format and is not declared so, and what docs/metrics.md does not name."""
    found = []
    documented = metricsdoc.PAGE.read_text()
    for family in text_string_to_metric_families(page):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        metric = DECLARED.get(name)
        if metric is None:
            found.append(f"{name}: not declared")
            continue
        if f"`{name}`" not in documented:
            found.append(f"{name}: not in docs/metrics.md")
        if family.type != metric.type.value:
            found.append(f"{name}: is a {family.type}, declared as {metric.type.value}")
        found += _label_problems(metric, (set(sample.labels) for sample in family.samples))
    return found


def _label_problems(metric: Metric, label_sets: Iterable[set[str]]) -> list[str]:
    allowed = set(metric.labels) | (_BUCKET if metric.type is MetricType.HISTOGRAM else set())
    extra = {label for labels in label_sets for label in labels - allowed}
    return [f"{metric.name}: label {label} is not declared" for label in sorted(extra)]


def lint(page: str, promtool: Path | str) -> str:
    """What ``promtool check metrics`` has to say; empty when all is well."""
    done = subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else ""


def series(page: str, *, is_openmetrics: bool) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    """(name, labels) of every sample, as the format's own parser reads it."""
    parse = openmetrics_families if is_openmetrics else text_string_to_metric_families
    return {(sample.name, tuple(sorted(sample.labels.items()))) for family in parse(page) for sample in family.samples}
