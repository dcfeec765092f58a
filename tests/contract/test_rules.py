"""The rules are valid, tested, documented, and use only metrics that exist."""

import re
import subprocess
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import promql_parser
import pytest
import yaml
from prometheus_client import CollectorRegistry

from exporters.collectors import COLLECTORS
from homeostat import names
from homeostat.families import MetricType
from homeostat.quantities import parse_duration
from responder.metrics import Metrics

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "prometheus"
RUNBOOKS = ROOT / "docs/runbooks"
RUNBOOK_URL = "https://github.com/homeostat/homeostat/blob/main/docs/runbooks/"
RULE_FILES = sorted(FOLDER.glob("rules/*/*.yml"))
TEST_FILES = sorted(FOLDER.glob("tests/*.test.yml"))
#: Prometheus's own, about scrapes and about what it sends to a long-term storage.
OF_PROMETHEUS = {
    "up",
    "prometheus_remote_storage_samples_failed_total",
    "prometheus_remote_storage_queue_highest_sent_timestamp_seconds",
    "prometheus_remote_storage_shards",
}
OF_COLLECTORS = {
    metric.name + suffix
    for module in COLLECTORS.values()
    for metric in module.METRICS
    for suffix in (("_bucket", "_sum", "_count") if metric.type is MetricType.HISTOGRAM else ("",))
}
OF_RESPONDER = {
    family.name + suffix
    for family in Metrics(CollectorRegistry()).registry.collect()
    for suffix in {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(family.type, ("",))
}
#: What applications tell of themselves, by the contract that they are given.
OF_APPLICATIONS = set(re.findall(r"app_\w+", (ROOT / "docs/application-metrics.md").read_text().split("\n## ")[1]))
KNOWN_METRICS = (
    OF_PROMETHEUS
    | OF_COLLECTORS
    | OF_RESPONDER
    | OF_APPLICATIONS
    | {value for value in vars(names).values() if isinstance(value, str) and value.startswith("homeostat_")}
)
#: Has no end to test: it always fires.
ENDLESS = {names.ALERT_DEAD_MAN}
SECTIONS = ["Meaning", "Impact", "Diagnosis", "Mitigation", "What homeostat does by itself", "How it was tested"]


def rules_in(files: list[Path]) -> list[dict]:
    return [rule for file in files for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]


RULES = rules_in(RULE_FILES)
ALERTS = [rule for rule in RULES if "alert" in rule]
RECORDED = [rule for rule in RULES if "record" in rule]
RECORDING_GROUPS = [
    group
    for file in RULE_FILES
    if file.parent.name == "recording"
    for group in yaml.safe_load(file.read_text())["groups"]
]

each_alert = pytest.mark.parametrize("alert", ALERTS, ids=lambda rule: rule["alert"])


def promtool(servers: dict[str, Path], *args: object) -> None:
    result = subprocess.run(
        [servers["promtool"], *map(str, args)], capture_output=True, text=True, check=False, timeout=60
    )

    assert result.returncode == 0, result.stdout + result.stderr


def metrics_in(expression: object) -> Iterator[str]:
    """Names of all metrics that a parsed expression selects."""
    if isinstance(expression, promql_parser.VectorSelector):
        yield expression.name or "(a selector without a metric name)"
    for attribute in ("expr", "lhs", "rhs", "param", "vector_selector"):
        child = getattr(expression, attribute, None)
        if isinstance(child, promql_parser.Expr):
            yield from metrics_in(child)
    for argument in getattr(expression, "args", None) or ():
        yield from metrics_in(argument)


@pytest.mark.servers
@pytest.mark.parametrize("file", RULE_FILES, ids=lambda file: file.name)
def test_a_rule_file_passes_the_linter(file, servers):
    promtool(servers, "check", "rules", "--lint=all", "--lint-fatal", file)


@pytest.mark.servers
@pytest.mark.parametrize("file", TEST_FILES, ids=lambda file: file.name)
def test_the_rules_of_a_file_behave(file, servers):
    promtool(servers, "test", "rules", file)


@pytest.mark.servers
def test_the_configuration_is_valid(servers):
    promtool(servers, "check", "config", "--lint=all", "--lint-fatal", FOLDER / "prometheus.yml")


def test_each_rule_file_has_a_test_file():
    assert sorted(file.stem for file in RULE_FILES) == [file.name.removesuffix(".test.yml") for file in TEST_FILES]


def test_alert_names_are_unique():
    assert len({rule["alert"] for rule in ALERTS}) == len(ALERTS)


@each_alert
def test_an_alert_says_what_people_need(alert):
    name, annotations = alert["alert"], alert["annotations"]

    assert alert["labels"]["severity"] in {"critical", "warning", "info", "none"}
    assert set(annotations) == {"summary", "description", "runbook_url"}
    assert "{{" not in annotations["summary"]
    assert annotations["runbook_url"] == f"{RUNBOOK_URL}{name}.md"
    headings = [line for line in (RUNBOOKS / f"{name}.md").read_text().splitlines() if line.startswith("#")]
    wanted = [f"# {name}", *(f"## {section}" for section in SECTIONS)]
    assert headings == wanted


@each_alert
def test_an_alert_says_why_it_waits_as_long_as_it_does(alert):
    (text,) = [file.read_text() for file in RULE_FILES if f"- alert: {alert['alert']}\n" in file.read_text()]
    body = text.split(f"- alert: {alert['alert']}\n")[1].split("- alert: ")[0]
    lines = [line.strip() for line in body.splitlines()]
    place = next(index for index, line in enumerate(lines) if line.startswith(("for:", "labels:")))

    assert lines[place - 1].startswith("#")
    assert lines[place].startswith("for:") or lines[place - 1].startswith("# No `for`")


@each_alert
def test_an_alert_is_tested_to_fire_to_be_silent_and_to_end(alert):
    groups = [group for file in TEST_FILES for group in yaml.safe_load(file.read_text())["tests"]]
    cases = [
        [case for case in group.get("alert_rule_test", []) if case["alertname"] == alert["alert"]] for group in groups
    ]

    phases = [[is_firing for is_firing, _ in groupby(bool(case["exp_alerts"]) for case in group)] for group in cases]

    assert ([True] if alert["alert"] in ENDLESS else [False, True, False]) in phases


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert") or rule.get("record"))
def test_a_rule_uses_only_metrics_that_exist(rule):
    used = set(metrics_in(promql_parser.parse(rule["expr"])))

    assert used <= KNOWN_METRICS | {rule["record"] for rule in RECORDED}
    assert used or rule.get("alert") in ENDLESS


@pytest.mark.parametrize("rule", RECORDED, ids=lambda rule: rule["record"])
def test_a_recording_rule_is_named_by_level_metric_and_operations_and_is_tested(rule):
    tests = [
        case["expr"]
        for file in TEST_FILES
        for group in yaml.safe_load(file.read_text())["tests"]
        for case in group.get("promql_expr_test", [])
    ]

    assert re.fullmatch(r"[a-z_]+:homeostat_[a-z_]+:[a-z0-9_]+", rule["record"])
    assert any(re.search(rf"(?<![\w:]){re.escape(rule['record'])}(?![\w:])", expression) for expression in tests)


def test_recording_is_cheap():
    intervals = {group["name"]: group["interval"] for group in RECORDING_GROUPS}

    assert intervals
    # Prometheus shows a sample for five minutes.
    assert all(15 <= parse_duration(interval) < 300 for interval in intervals.values())
    assert all("record" in rule for group in RECORDING_GROUPS for rule in group["rules"])


def test_each_collector_is_scraped_by_one_job():
    jobs = {job["job_name"]: job for job in yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]}
    fast, slow = jobs["homeostat-exporter"], jobs["homeostat-resources"]

    assert sorted(fast["params"]["collect[]"] + slow["params"]["collect[]"]) == sorted(COLLECTORS)
    assert fast["static_configs"] == slow["static_configs"]


def test_each_runbook_belongs_to_an_alert():
    # The responder posts some itself; no rule raises those. A missing dead man is told of on the dead man's own page.
    alerts = {rule["alert"] for rule in ALERTS} | {*names.OWN_ALERTS} - {names.ALERT_DEAD_MAN_MISSING}

    assert {file.stem for file in RUNBOOKS.glob("*.md")} == alerts
