"""The generated dashboards are current, complete, and ask only for what exists."""

import re
from datetime import timedelta

import promql_parser
import pytest
import yaml
from boards import (
    BOARDS,
    DATASOURCE,
    GENERATED,
    INTERVAL,
    RANGE,
    RATE_INTERVAL,
    ROOT,
    SERVERS_OWN,
    TARGETS,
    each_board,
    each_event,
    each_panel,
    each_target,
    measured,
    nodes,
    parse,
    recorded,
    selectors,
)

from exporters import health
from exporters.collectors import containers, processes
from exporters.leaks.assessment import Verdict
from grafana.__main__ import stale_files
from grafana.dashboards import DASHBOARDS, states
from grafana.lib.render import render
from grafana.lib.views import SCRAPE_S

PROVISIONING = ROOT / "grafana/provisioning"
COUNTERS = ("_total", "_bucket", "_count", "_sum")
#: Prometheus's own labels, and those of alerts.
ALWAYS = {"job", "instance"}
#: Range of its own -> why it is neither a rate nor one step.
OTHER_RANGES = {timedelta(minutes=10): "the floor of memory is the least of a time, whatever is shown"}


def test_the_generated_files_are_current():
    assert stale_files(GENERATED, {f"{board.uid}.json": render(board) for board in DASHBOARDS}) == []


def test_a_file_that_is_missing_changed_or_left_over_is_stale(tmp_path):
    (tmp_path / "same.json").write_text("1\n")
    (tmp_path / "changed.json").write_text("1\n")
    (tmp_path / "left-over.json").write_text("1\n")

    wanted = {"same.json": "1\n", "changed.json": "2\n", "missing.json": "3\n"}
    assert stale_files(tmp_path, wanted) == ["changed.json", "left-over.json", "missing.json"]


def test_uids_and_titles_are_unique():
    assert len({board.uid for board in DASHBOARDS}) == len({board.title for board in DASHBOARDS}) == len(DASHBOARDS)
    assert set(BOARDS) == {f"{board['uid']}.json" for board in BOARDS.values()}


@each_board
def test_a_dashboard_lets_people_choose_the_data_source_and_names_each_panel_once(board):
    variables = board["templating"]["list"]
    titles = [panel["title"] for panel in board["panels"] if panel["type"] != "row"]

    assert board["schemaVersion"] >= 39
    assert [(v["name"], v["type"], v["query"]) for v in variables[:1]] == [("datasource", "datasource", "prometheus")]
    assert all(variable["datasource"] == DATASOURCE for variable in variables[1:])
    assert len(set(titles)) == len(titles)
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


@each_board
def test_a_variable_asks_for_a_label_that_the_metric_has(board):
    for variable in board["templating"]["list"][1:]:
        metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]).groups()

        assert label in measured()[metric]


@each_board
def test_panels_lie_in_the_grid_and_not_on_each_other(board):
    places = [panel["gridPos"] for panel in board["panels"]]
    cells = [(x, y) for p in places for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])]

    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


@each_board
def test_repairs_deployments_and_chaos_are_drawn_over_every_dashboard(board):
    assert [event["name"] for event in board["annotations"]["list"]] == ["Repairs", "Deployments", "Chaos"]
    assert all(event["enable"] for event in board["annotations"]["list"])
    assert board["annotations"]["list"][2]["target"]["tags"] == ["chaos"]


@each_panel
def test_a_panel_says_what_it_shows_and_asks_the_chosen_data_source(panel):
    assert panel["description"].endswith(".")
    assert all(source == DATASOURCE for source in [panel["datasource"], *(t["datasource"] for t in panel["targets"])])
    if panel["type"] in {"timeseries", "state-timeline"}:
        assert all(target["legendFormat"] for target in panel["targets"])


@each_target
def test_an_expression_uses_only_metrics_that_exist(target):
    used = {path[-1].name for path in selectors(target["expr"])}

    assert used
    assert used <= measured().keys() | recorded() | SERVERS_OWN


@each_event
def test_an_event_uses_only_metrics_that_exist(event):
    assert {path[-1].name for path in selectors(event["expr"])} <= measured().keys() | SERVERS_OWN


@each_target
def test_an_expression_matches_only_labels_that_the_metric_has(target):
    declared = measured()
    for path in selectors(target["expr"]):
        name, matchers = path[-1].name, path[-1].matchers.matchers
        if name in declared:
            assert {matcher.name for matcher in matchers} <= {*declared[name], *ALWAYS}


@each_target
def test_a_legend_names_only_labels_that_the_expression_keeps(target):
    kept = {
        label
        for path in nodes(parse(target["expr"]))
        if isinstance(path[-1], promql_parser.AggregateExpr) and path[-1].modifier
        for label in path[-1].modifier.labels
    }

    assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= kept


@each_target
def test_a_counter_is_only_ever_a_rate_over_the_interval_that_fits_the_scrapes_or_a_sum_of_what_is_shown(target):
    for path in selectors(target["expr"]):
        if path[-1].name.endswith(COUNTERS):
            call, matrix = path[-3:-1]

            assert (call.func.name, matrix.range) in {
                ("rate", RATE_INTERVAL),
                ("increase", RATE_INTERVAL),
                ("increase", RANGE),
            }
            assert matrix.range != RANGE or target["instant"]


@each_target
def test_a_gauge_is_only_ever_looked_at_over_one_step(target):
    for path in nodes(parse(target["expr"])):
        if isinstance(path[-1], promql_parser.MatrixSelector) and path[-2].func.name not in {"rate", "increase"}:
            assert path[-2].func.name in {"min_over_time", "max_over_time"}
            assert path[-1].range == INTERVAL or path[-1].range in OTHER_RANGES


def test_ranges_of_their_own_are_used():
    used = {path[-1].range for *_, t in TARGETS for path in nodes(parse(t["expr"])) if hasattr(path[-1], "range")}

    assert set(OTHER_RANGES) <= used


@pytest.mark.parametrize(
    ("shown", "known"),
    [
        (states.RUN_STATES, {*containers.STATES, *processes.STATES}),
        (states.WORKLOAD_HEALTH, {state.value for state in health.State}),
        (states.LEAK_VERDICTS, {verdict.value for verdict in Verdict}),
    ],
)
def test_a_timeline_knows_every_state(shown, known):
    assert {state.text for state in shown} == known


def test_grafana_is_told_of_both_servers_and_of_the_folder_that_compose_mounts():
    sources = yaml.safe_load((PROVISIONING / "datasources/homeostat.yml").read_text())["datasources"]
    (provider,) = yaml.safe_load((PROVISIONING / "dashboards/homeostat.yml").read_text())["providers"]
    grafana = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["grafana"]

    assert {source["type"]: source["url"] for source in sources} == {
        "prometheus": "http://${HOMEOSTAT_PROMETHEUS}",
        "alertmanager": "http://${HOMEOSTAT_ALERTMANAGER}",
    }
    assert {"HOMEOSTAT_PROMETHEUS", "HOMEOSTAT_ALERTMANAGER"} <= grafana["environment"].keys()
    assert f"./grafana/generated:{provider['options']['path']}:ro" in grafana["volumes"]
    assert sources[0]["jsonData"]["timeInterval"] == f"{SCRAPE_S}s"
