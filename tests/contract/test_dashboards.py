"""The generated dashboards are current, complete, and ask only for metrics that exist."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import promql_parser
import pytest
import yaml
from prometheus_client import CollectorRegistry

from exporters.collectors import containers, processes
from grafana.__main__ import stale_files
from grafana.dashboards import DASHBOARDS
from grafana.dashboards.workload import STATES
from grafana.lib import render
from homeostat import names
from responder.metrics import Metrics

ROOT = Path(__file__).parents[2]
GENERATED = ROOT / "grafana/generated"
PROVISIONING = ROOT / "grafana/provisioning"
FILES = sorted(GENERATED.glob("*.json"))
BOARDS = {file.name: json.loads(file.read_text()) for file in FILES}
PANELS = [(board, panel) for board in BOARDS.values() for panel in board["panels"]]
EXPRESSIONS = [(panel["title"], target["expr"]) for _, panel in PANELS for target in panel["targets"]]
#: Unlike any range that a dashboard would write itself, so that the parsed range tells which variable it was.
RATE_INTERVAL, INTERVAL = timedelta(seconds=61), timedelta(seconds=17)
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}

each_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
each_panel = pytest.mark.parametrize(
    "panel", [p for _, p in PANELS], ids=[f"{b['uid']}-{p['title']}" for b, p in PANELS]
)
each_expression = pytest.mark.parametrize("expression", [e for _, e in EXPRESSIONS], ids=[t for t, _ in EXPRESSIONS])


def known_metrics() -> set[str]:
    registry = CollectorRegistry()
    Metrics(registry)
    of_responder = {
        family.name + suffix for family in registry.collect() for suffix in SUFFIXES.get(family.type, ("",))
    }
    return of_responder | {value for value in vars(names).values() if str(value).startswith("homeostat_")}


def parse(expression: str) -> promql_parser.Expr:
    """With Grafana's variables filled in, as Prometheus would get it."""
    filled = (
        expression.replace("$__rate_interval", "61s").replace("$__interval", "17s").replace("$workload", "shop/web")
    )

    assert "$" not in filled
    return promql_parser.parse(filled)


def nodes(expression: promql_parser.Expr, *above: promql_parser.Expr) -> Iterator[tuple[promql_parser.Expr, ...]]:
    """Every part of a parsed expression, after the parts that it is in."""
    yield (*above, expression)
    children = [getattr(expression, name, None) for name in ("expr", "lhs", "rhs", "param", "vector_selector")]
    for child in [*children, *(getattr(expression, "args", None) or ())]:
        if isinstance(child, promql_parser.Expr):
            yield from nodes(child, *above, expression)


def selectors(expression: str) -> list[tuple[promql_parser.Expr, ...]]:
    return [path for path in nodes(parse(expression)) if isinstance(path[-1], promql_parser.VectorSelector)]


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
def test_a_dashboard_is_read_only_and_lets_people_choose_the_data_source(board):
    variables = board["templating"]["list"]

    assert board["editable"] is False
    assert board["schemaVersion"] >= 39
    assert [(v["name"], v["type"], v["query"]) for v in variables[:1]] == [("datasource", "datasource", "prometheus")]
    assert all(variable["datasource"] == DATASOURCE for variable in variables[1:])
    assert len({panel["title"] for panel in board["panels"]}) == len(board["panels"])


@each_board
def test_a_variable_asks_for_a_metric_that_exists(board):
    queries = [variable["query"] for variable in board["templating"]["list"][1:]]

    assert {re.fullmatch(r"label_values\((\w+), \w+\)", query)[1] for query in queries} <= known_metrics()


@each_board
def test_panels_lie_in_the_grid_and_not_on_each_other(board):
    places = [panel["gridPos"] for panel in board["panels"]]
    cells = [(x, y) for p in places for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])]

    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


@each_panel
def test_a_panel_says_what_it_shows_and_asks_the_chosen_data_source(panel):
    defaults, overrides = panel["fieldConfig"]["defaults"], panel["fieldConfig"]["overrides"]
    units = [p["value"] for o in overrides for p in o["properties"] if p["id"] == "unit"]

    assert panel["title"]
    assert panel["description"].endswith(".")
    assert defaults["unit"]
    assert panel["targets"]
    assert [panel["datasource"], *(t["datasource"] for t in panel["targets"])].count(DATASOURCE) == len(
        panel["targets"]
    ) + 1
    if panel["type"] == "table":
        assert len(units) == len(panel["targets"])
    if panel["type"] == "timeseries":
        assert all(target["legendFormat"] for target in panel["targets"])


@each_expression
def test_an_expression_uses_only_metrics_that_exist(expression):
    used = {path[-1].name for path in selectors(expression)}

    assert used
    assert used <= known_metrics()


@each_expression
def test_a_counter_is_only_ever_a_rate_over_the_interval_that_fits_the_scrapes(expression):
    for path in selectors(expression):
        if path[-1].name.endswith(("_total", "_bucket", "_count", "_sum")):
            call, matrix = path[-3:-1]

            assert call.func.name in {"rate", "increase"}
            assert matrix.range == RATE_INTERVAL


@each_expression
def test_a_gauge_is_only_ever_looked_at_over_one_step(expression):
    for path in nodes(parse(expression)):
        if isinstance(path[-1], promql_parser.MatrixSelector) and path[-2].func.name not in {"rate", "increase"}:
            assert path[-2].func.name in {"min_over_time", "max_over_time"}
            assert path[-1].range == INTERVAL


def test_the_timeline_of_a_workload_knows_every_state():
    assert {state.text for state in STATES} == {*containers.STATES, *processes.STATES}


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
