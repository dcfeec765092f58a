"""The generated dashboards, taken apart: for the tests beside this file."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import promql_parser
import pytest
import yaml
from prometheus_client import CollectorRegistry

import guardian.metrics
from exporters.collectors import COLLECTORS
from responder.metrics import Metrics

ROOT = Path(__file__).parents[3]
GENERATED = ROOT / "grafana/generated"
BOARDS = {file.name: json.loads(file.read_text()) for file in sorted(GENERATED.glob("*.json"))}
PANELS = [(board, panel) for board in BOARDS.values() for panel in board["panels"] if panel["type"] != "row"]
TARGETS = [(board, panel, target) for board, panel in PANELS for target in panel["targets"]]
EVENTS = [(board, event) for board in BOARDS.values() for event in board["annotations"]["list"] if "expr" in event]
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
#: Unlike any range that a dashboard would write itself, so that the parsed range tells which variable it was.
RATE_INTERVAL, INTERVAL, RANGE = timedelta(seconds=61), timedelta(seconds=17), timedelta(seconds=3607)
_VARIABLES = {"$__rate_interval": "61s", "$__interval": "17s", "$__range": "3607s", "$workload": "shop/web"}
_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}

#: Of the servers, not of homeostat. The live test asks a running Prometheus for each of them.
SERVERS_OWN = frozenset(
    {
        "ALERTS",
        "up",
        "scrape_duration_seconds",
        "process_cpu_seconds_total",
        "process_open_fds",
        "process_resident_memory_bytes",
        "prometheus_build_info",
        "prometheus_notifications_dropped_total",
        "prometheus_notifications_errors_total",
        "prometheus_notifications_sent_total",
        "prometheus_rule_evaluation_failures_total",
        "prometheus_rule_group_iterations_missed_total",
        "prometheus_rule_group_last_duration_seconds",
        "prometheus_tsdb_head_samples_appended_total",
        "prometheus_tsdb_head_series",
        "prometheus_tsdb_retention_limit_bytes",
        "prometheus_tsdb_storage_blocks_bytes",
        "prometheus_tsdb_wal_storage_size_bytes",
        "alertmanager_alerts",
        "alertmanager_build_info",
        "alertmanager_notification_latency_seconds_count",
        "alertmanager_notification_latency_seconds_sum",
        "alertmanager_notifications_failed_total",
        "alertmanager_notifications_total",
        "alertmanager_silences",
    }
)

each_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
each_panel = pytest.mark.parametrize(
    "panel", [panel for _, panel in PANELS], ids=[f"{board['uid']}-{panel['title']}" for board, panel in PANELS]
)
each_target = pytest.mark.parametrize(
    "target",
    [target for *_, target in TARGETS],
    ids=[f"{board['uid']}-{panel['title']}-{target['refId']}" for board, panel, target in TARGETS],
)
each_event = pytest.mark.parametrize(
    "event", [event for _, event in EVENTS], ids=[f"{board['uid']}-{event['name']}" for board, event in EVENTS]
)


def measured() -> dict[str, tuple[str, ...]]:
    """Every name that homeostat publishes, with its labels."""
    tables = [*(metric for module in COLLECTORS.values() for metric in module.METRICS), *guardian.metrics.METRICS]
    found = {
        metric.name + suffix: metric.labels
        for metric in tables
        for suffix in (_SUFFIXES["histogram"] if metric.type.value == "histogram" else ("",))
    }
    registry = CollectorRegistry()
    for collector in vars(Metrics(registry)).values():
        if hasattr(collector, "_labelnames"):
            for family in collector.describe():
                for suffix in _SUFFIXES.get(family.type, ("",)):
                    found[family.name + suffix] = tuple(collector._labelnames)
    return found


def recorded() -> set[str]:
    """The names that recording rules make."""
    files = (ROOT / "prometheus/rules/recording").glob("*.yml")
    groups = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    return {rule["record"] for group in groups for rule in group["rules"]}


def parse(expression: str) -> promql_parser.Expr:
    """With Grafana's variables filled in, as Prometheus would get it."""
    for name, value in _VARIABLES.items():
        expression = expression.replace(name, value)
    assert "$" not in expression.replace('"$1"', "")  # label_replace's own
    return promql_parser.parse(expression)


def nodes(expression: promql_parser.Expr, *above: promql_parser.Expr) -> Iterator[tuple[promql_parser.Expr, ...]]:
    """Every part of a parsed expression, after the parts that it is in."""
    yield (*above, expression)
    children = [getattr(expression, name, None) for name in ("expr", "lhs", "rhs", "param", "vector_selector")]
    for child in [*children, *(getattr(expression, "args", None) or ())]:
        if isinstance(child, promql_parser.Expr):
            yield from nodes(child, *above, expression)


def selectors(expression: str) -> list[tuple[promql_parser.Expr, ...]]:
    return [path for path in nodes(parse(expression)) if isinstance(path[-1], promql_parser.VectorSelector)]


def units(panel: dict) -> list[str]:
    """The panel's own and those of its columns."""
    overrides = panel["fieldConfig"].get("overrides", [])
    of_columns = [part["value"] for rule in overrides for part in rule["properties"] if part["id"] == "unit"]
    return [panel["fieldConfig"]["defaults"]["unit"], *of_columns]
