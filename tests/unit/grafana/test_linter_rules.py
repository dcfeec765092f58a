"""The rules of Grafana's dashboard-linter, each by its own name, on every dashboard.

https://github.com/grafana/dashboard-linter/blob/main/docs/index.md lists them. Where ours is stricter it says so.
"""

import re

import promql_parser
import pytest
from boards import (
    BOARDS,
    DATASOURCE,
    PANELS,
    RATE_INTERVAL,
    TARGETS,
    each_board,
    each_panel,
    each_target,
    nodes,
    parse,
    units,
)

#: Rule -> why it is not followed.
LEFT_OUT = {
    "template-job-rule": "homeostat names what is watched by `workload`; `job` says only which part told it",
    "template-instance-rule": "one homeostat watches one host; `instance` is the same for all",
    "target-job-rule": "without a variable `job` there is nothing to match; names of metrics are homeostat's own",
    "target-instance-rule": "queries aggregate `instance` away on purpose: a container that two exporters see is one",
}
RULES = (
    "template-datasource-rule",
    "template-job-rule",
    "template-instance-rule",
    "template-label-promql-rule",
    "template-on-time-change-reload-rule",
    "panel-datasource-rule",
    "panel-title-description-rule",
    "panel-units-rule",
    "panel-no-targets-rule",
    "target-logql-rule",
    "target-logql-auto-rule",
    "target-promql-rule",
    "target-rate-interval-rule",
    "target-job-rule",
    "target-instance-rule",
    "target-counter-agg-rule",
    "uneditable-dashboard",
)
#: Those of Grafana's names that are used here, from packages/grafana-data/src/valueFormats/categories.ts.
UNITS = {"none", "short", "s", "bytes", "percentunit", "binBps", "cps", "pps", "iops", "dateTimeFromNow"}


def variables(board):
    return [variable for variable in board["templating"]["list"] if variable["type"] == "query"]


def test_every_rule_is_tested_or_left_out_for_a_reason():
    tested = {
        name.removeprefix("test_").removesuffix("_holds").replace("_", "-")
        for name in globals()
        if name.endswith("_holds")
    }

    assert tested | LEFT_OUT.keys() == set(RULES)
    assert tested.isdisjoint(LEFT_OUT)
    assert len(RULES) == 17


@pytest.mark.parametrize("rule", LEFT_OUT)
def test_what_is_left_out_would_not_hold(rule):
    label = rule.split("-")[1]
    chosen = [v for board in BOARDS.values() for v in board["templating"]["list"] if v["name"] == label]
    matched = [t for *_, t in TARGETS if f'{label}=~"${label}"' in t["expr"]]

    assert chosen == []
    assert matched == []


@each_board
def test_template_datasource_rule_holds(board):
    (source,) = [variable for variable in board["templating"]["list"] if variable["type"] == "datasource"]

    assert (source["name"], source["label"]) == ("datasource", "Data source")


@each_board
def test_template_label_promql_rule_holds(board):
    for variable in variables(board):
        function, expression = re.fullmatch(r"(\w+)\((.+), \w+\)", variable["query"]).groups()

        assert function == "label_values"
        assert promql_parser.parse(expression)


@each_board
def test_template_on_time_change_reload_rule_holds(board):
    assert [variable["refresh"] for variable in variables(board)] == [2] * len(variables(board))


@each_panel
def test_panel_datasource_rule_holds(panel):
    assert panel["datasource"] == DATASOURCE


@each_panel
def test_panel_title_description_rule_holds(panel):
    assert panel["title"].strip()
    assert len(panel["description"]) > 10


@each_panel
def test_panel_units_rule_holds(panel):
    """Stricter: of panels with value mappings, and of every column of a table."""
    assert set(units(panel)) <= UNITS
    if panel["type"] == "table":
        headers = [
            name for step in panel["transformations"] for name in step["options"].get("renameByName", {}).values()
        ]
        with_unit = [
            rule["matcher"]["options"]
            for rule in panel["fieldConfig"]["overrides"]
            if any(part["id"] == "unit" for part in rule["properties"])
        ]
        assert len(with_unit) == len(panel["targets"])
        assert set(with_unit) <= set(headers)


@each_panel
def test_panel_no_targets_rule_holds(panel):
    assert panel["targets"]


@each_target
def test_target_logql_rule_holds(target):
    """There is no Loki: every query is PromQL."""
    assert target["datasource"]["type"] == "prometheus"


@each_target
def test_target_logql_auto_rule_holds(target):
    assert "$__auto" not in target["expr"]


@each_target
def test_target_promql_rule_holds(target):
    assert parse(target["expr"])


@each_target
def test_target_rate_interval_rule_holds(target):
    for path in nodes(parse(target["expr"])):
        if isinstance(path[-1], promql_parser.MatrixSelector) and path[-2].func.name in {"rate", "irate"}:
            assert path[-1].range == RATE_INTERVAL


@each_target
def test_target_counter_agg_rule_holds(target):
    for path in nodes(parse(target["expr"])):
        if isinstance(path[-1], promql_parser.VectorSelector) and path[-1].name.endswith("_total"):
            assert isinstance(path[-2], promql_parser.MatrixSelector)
            assert path[-3].func.name in {"rate", "irate", "increase"}


@each_board
def test_uneditable_dashboard_holds(board):
    assert board["editable"] is False


def test_there_is_something_to_check():
    assert len(BOARDS) == 10
    assert len(PANELS) > 150
