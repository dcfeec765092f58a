"""What promtool does not look at: counters and ranges, who owns an alert, what its runbook can be relied on for."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import promql_parser
import pytest
import yaml

from exporters.collectors import COLLECTORS
from homeostat import names
from homeostat.ladders import DEFAULT_LADDERS
from homeostat.quantities import parse_duration

ROOT = Path(__file__).parents[2]
RUNBOOKS = ROOT / "docs/runbooks"
TABLE = (ROOT / "docs/alerting.md").read_text()
GROUPS = [
    (file.name, group)
    for file in sorted(ROOT.glob("prometheus/rules/*/*.yml"))
    for group in yaml.safe_load(file.read_text())["groups"]
]
RULES = [rule for _, group in GROUPS for rule in group["rules"]]
ALERTS = [rule for rule in RULES if "alert" in rule]
#: A range must have so many samples at least, or one that is missed is a gap (promql: rate needs two).
SAMPLES = 4
SCRAPE_S = {"homeostat-exporter": 2.0}
SLOWEST_S = 15.0
#: Functions that know what a counter is.
OF_COUNTERS = {"rate", "increase", "irate", "resets"}
#: Counters whose plain value is meant, and why.
PLAIN_COUNTERS = {
    ("WorkloadCrashLooping", "homeostat_container_restarts_total"): "Docker's own count ends the alert",
    ("RedisMemoryHigh", "homeostat_redis_evicted_keys_total"): "whether it has ever evicted anything",
    ("CapsUsedUp", "homeostat_refusals_total"): "the series begins with 1",
}
EXPRESSION = re.compile(r"```promql\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")

#: What docs/metrics.md says, which is checked against live pages (tests/integration/test_metrics_page.py).
EXPORTED = set(re.findall(r"^\| `(homeostat_\w+)`", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE))

each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert") or rule.get("record"))
each_alert = pytest.mark.parametrize("alert", ALERTS, ids=lambda rule: rule["alert"])
each_runbook = pytest.mark.parametrize("file", sorted(RUNBOOKS.glob("*.md")), ids=lambda file: file.stem)


@dataclass(frozen=True, slots=True)
class Selected:
    """A selector in an expression, the innermost function around it, and its range (zero: none)."""

    metric: str
    function: str
    range: timedelta


def selected(node: object, function: str = "", over: timedelta = timedelta(0)) -> Iterator[Selected]:
    match node:
        case promql_parser.VectorSelector():
            yield Selected(node.name or "", function, over)
        case promql_parser.MatrixSelector():
            yield Selected(node.vector_selector.name or "", function, node.range)
        case promql_parser.SubqueryExpr():
            yield from selected(node.expr, function)
        case promql_parser.Call():
            for argument in node.args:
                yield from selected(argument, node.func.name, over)
        case promql_parser.BinaryExpr():
            yield from selected(node.lhs, "", over)
            yield from selected(node.rhs, "", over)
        case promql_parser.AggregateExpr() | promql_parser.ParenExpr() | promql_parser.UnaryExpr():
            yield from selected(node.expr, "", over)


def fast_metrics() -> set[str]:
    """What the job that is scraped every 2 s tells."""
    config = yaml.safe_load((ROOT / "prometheus/prometheus.yml").read_text())
    (job,) = [job for job in config["scrape_configs"] if job["job_name"] == "homeostat-exporter"]
    assert parse_duration(job["scrape_interval"]) == SCRAPE_S["homeostat-exporter"]
    return {metric.name for name in job["params"]["collect[]"] for metric in COLLECTORS[name].METRICS}


FAST = fast_metrics()
RECORDED_EVERY_S = {
    rule["record"]: parse_duration(group["interval"])
    for _, group in GROUPS
    for rule in group["rules"]
    if "record" in rule
}


def sampled_every_s(metric: str) -> float:
    if metric in RECORDED_EVERY_S:
        return RECORDED_EVERY_S[metric]
    return SCRAPE_S["homeostat-exporter"] if re.sub("_(bucket|sum|count)$", "", metric) in FAST else SLOWEST_S


@each_rule
def test_a_counter_is_read_by_what_knows_counters(rule):
    plain = {
        found.metric
        for found in selected(promql_parser.parse(rule["expr"]))
        if found.metric.endswith(("_total", "_bucket", "_sum", "_count")) and found.function not in OF_COUNTERS
    }

    assert plain <= {metric for name, metric in PLAIN_COUNTERS if name == rule.get("alert")}


@each_rule
def test_what_knows_counters_reads_counters_only(rule):
    gauges = {
        found.metric
        for found in selected(promql_parser.parse(rule["expr"]))
        if found.function in {"rate", "increase", "irate"}
        and not found.metric.endswith(("_total", "_bucket", "_sum", "_count"))
    }

    assert gauges == set()


@each_rule
def test_a_range_has_samples_enough(rule):
    short = [
        found
        for found in selected(promql_parser.parse(rule["expr"]))
        if found.range and found.range.total_seconds() < SAMPLES * sampled_every_s(found.metric)
    ]

    assert short == []


def test_each_exception_is_in_use():
    used = {
        (rule["alert"], found.metric)
        for rule in ALERTS
        for found in selected(promql_parser.parse(rule["expr"]))
        if found.function not in OF_COUNTERS
    }

    assert PLAIN_COUNTERS.keys() <= used


@pytest.mark.parametrize(
    ("file", "group"), GROUPS, ids=lambda value: value if isinstance(value, str) else value["name"]
)
def test_a_group_says_how_often_it_is_evaluated(file, group):
    assert parse_duration(group["interval"]) >= SCRAPE_S["homeostat-exporter"]


def test_groups_and_expressions_are_there_once():
    group_names = [group["name"] for _, group in GROUPS]
    expressions = [str(promql_parser.parse(rule["expr"]).prettify()) for rule in RULES]

    assert len(set(group_names)) == len(group_names)
    assert len(set(expressions)) == len(expressions)


@each_alert
def test_an_alert_names_its_workload(alert):
    # By a label of its own, or by one that its expression leaves; what is recorded by workload has only that one.
    left = any(part in alert["expr"] for part in ("by (workload", '"workload"', "workload:homeostat_"))

    assert "workload" in alert["labels"] or left


@each_alert
def test_an_alert_has_an_owner_a_remedy_or_a_persons_action(alert):
    remedy = alert["labels"].get("remedy")
    runbook = (RUNBOOKS / f"{alert['alert']}.md").read_text()
    mitigation = runbook.split("## Mitigation\n")[1].split("\n## ")[0]

    assert remedy is None or remedy in DEFAULT_LADDERS
    assert len(mitigation.split()) >= 5


@each_alert
def test_only_the_dead_man_is_of_no_severity(alert):
    assert alert["labels"]["severity"] != "none" or alert["alert"] == names.ALERT_DEAD_MAN


@each_runbook
def test_a_runbooks_links_lead_somewhere(file):
    broken = [
        link for link in LINK.findall(file.read_text()) if "://" not in link and not (file.parent / link).exists()
    ]

    assert broken == []


@each_runbook
def test_a_runbooks_queries_work_when_pasted(file):
    for expression in expressions_of(file):
        promql_parser.parse(expression)


@each_runbook
def test_a_runbooks_queries_ask_for_what_there_is(file):
    asked = {
        found.metric
        for expression in expressions_of(file)
        for found in selected(promql_parser.parse(expression))
        if "homeostat_" in found.metric
    }

    assert {re.sub("_(bucket|sum|count)$", "", metric) for metric in asked} <= EXPORTED | RECORDED_EVERY_S.keys()


def expressions_of(file: Path) -> list[str]:
    """One per line; a line that begins with an operator or is indented goes on with the one before."""
    found: list[str] = []
    for block in EXPRESSION.findall(file.read_text()):
        for line in block.splitlines():
            text = re.sub(r"\s+#.*", "", line)
            if not text.strip():
                continue
            if found and (line[0] in " )" or re.match(r"(/|\*|-|\+|and|or|unless) ", line)):
                found[-1] += f"\n{text}"
            else:
                found.append(text)
    return found


def test_the_page_on_alerts_has_a_row_for_each():
    # What a failure shows under "left" has to be written into the table; under "right", taken out of it.
    rows = {
        f"| [{rule['alert']}](runbooks/{rule['alert']}.md) | {group['name']} | {rule['labels']['severity']} |"
        f" {rule['labels'].get('remedy', '')} | {rule['annotations']['summary']} |".replace("|  |", "| |")
        for _, group in GROUPS
        for rule in group["rules"]
        if "alert" in rule
    }

    assert rows == {line for line in TABLE.splitlines() if "](runbooks/" in line and line.startswith("|")}
