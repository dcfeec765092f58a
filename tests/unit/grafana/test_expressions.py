"""What the expressions of dashboards say of series that are known, evaluated by promtool."""

import subprocess

import pytest
import yaml

from grafana.dashboards.config import integrity
from grafana.dashboards.events import events
from grafana.dashboards.overview import BUDGET_LEFT_NOW, IN_TROUBLE, memory_of_limit
from grafana.dashboards.recoveries import VERIFIED_SHARE, mean
from grafana.dashboards.states import RUN_STATES, state_number
from grafana.dashboards.steps import alerts, under_way, worst
from homeostat import names

pytestmark = pytest.mark.servers

REPAIRS, DEPLOYMENTS = (event.expr for event in events()[:2])
INFO = 'homeostat_container_info{workload="shop/web", container="web", image="shop:1", id="%s"}'


def filled(expression, *, interval="1m", range_="10m"):
    return expression.replace("$__interval", interval).replace("$__range", range_).replace("$__rate_interval", "1m")


@pytest.fixture
def evaluate(servers, tmp_path):
    """``evaluate(expression, at, series, expected)``: series and expected by their names; samples every 15 s."""

    def check(expression, at, series, expected):
        test = {
            "interval": "15s",
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "promql_expr_test": [
                {
                    "expr": expression,
                    "eval_time": at,
                    "exp_samples": [{"labels": labels, "value": value} for labels, value in expected.items()],
                }
            ],
        }
        file = tmp_path / "test.yml"
        file.write_text(yaml.safe_dump({"rule_files": [], "evaluation_interval": "15s", "tests": [test]}))
        done = subprocess.run(
            [servers["promtool"], "test", "rules", str(file)], capture_output=True, text=True, timeout=30, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return check


def test_a_container_of_another_id_is_a_deployment(evaluate):
    evaluate(
        filled(DEPLOYMENTS),
        "5m",
        {INFO % "a": "1x16 _x30", INFO % "b": "_x17 1x30"},
        {'{workload="shop/web", image="shop:1"}': 1},
    )


def test_the_same_container_is_no_deployment(evaluate):
    evaluate(filled(DEPLOYMENTS), "5m", {INFO % "a": "1x40"}, {})


def test_the_first_measurement_is_no_deployment(evaluate):
    evaluate(filled(DEPLOYMENTS), "30s", {INFO % "a": "1x40"}, {})


def test_a_deployment_is_told_for_one_step_only(evaluate):
    evaluate(filled(DEPLOYMENTS), "8m", {INFO % "a": "1x16 _x30", INFO % "b": "_x17 1x30"}, {})


@pytest.mark.parametrize(("remedy", "expected"), [("down", 1), ("record", None), ("", None)])
def test_an_alert_is_a_repair_when_the_responder_acts_on_it(evaluate, remedy, expected):
    name = '{alertname="WorkloadDown", workload="shop/web"}'
    labels = f'alertstate="firing", alertname="WorkloadDown", workload="shop/web", remedy="{remedy}"'

    evaluate(filled(REPAIRS), "1m", {f"ALERTS{{{labels}}}": "1x10"}, {name: expected} if expected else {})


def test_what_was_over_before_the_end_of_a_step_is_still_its_worst(evaluate):
    evaluate(filled(worst("m")), "2m", {"m": "0 0 0 0 0 1 0 0 0"}, {"{}": 1})


def test_the_lowest_counts_where_low_is_worse(evaluate):
    evaluate(filled(worst("m", is_low_worse=True)), "2m", {"m": "1 1 1 1 1 0 1 1 1"}, {"{}": 0})


def test_a_step_that_no_scrape_falls_into_shows_the_last_one(evaluate):
    evaluate(filled(worst("m"), interval="5s"), "100s", {"m": "0 0 0 0 0 0 3 _ _"}, {"m": 3})


def test_firing_counts_more_than_pending_and_the_alert_that_always_fires_is_left_out(evaluate):
    evaluate(
        filled(alerts("alertname")),
        "1m",
        {
            'ALERTS{alertstate="pending", alertname="A"}': "1 1 1 _ _",
            'ALERTS{alertstate="firing", alertname="A"}': "_ _ _ 1 1",
            'ALERTS{alertstate="pending", alertname="B"}': "1x10",
            f'ALERTS{{alertstate="firing", alertname="{names.ALERT_DEAD_MAN}"}}': "1x10",
        },
        {'{alertname="A"}': 2, '{alertname="B"}': 1},
    )


def test_several_recoveries_of_a_workload_are_one_bar(evaluate):
    series = {'homeostat_recovery_active{workload="shop/web"}': "0 3 0 0"}

    evaluate(filled(under_way("workload")), "45s", series, {'{workload="shop/web"}': 1})


def test_the_worst_state_of_a_step_is_told(evaluate):
    expression = state_number(names.CONTAINER_STATE, "state", RUN_STATES, "container", is_over_time=True)
    numbers = {state.text: state.number for state in RUN_STATES}

    evaluate(
        filled(expression),
        "2m",
        {
            f'{names.CONTAINER_STATE}{{container="web", state="running"}}': "1 1 1 1 1 _ _ 1 1",
            f'{names.CONTAINER_STATE}{{container="web", state="exited"}}': "_ _ _ _ _ 1 1 _ _",
        },
        {'{container="web"}': numbers["exited"]},
    )


@pytest.mark.parametrize(("damaged", "changed", "number"), [(0, 0, 1), (0, 1, 2), (1, 0, 3), (1, 1, 3)])
def test_a_file_is_good_changed_or_damaged(evaluate, damaged, changed, number):
    evaluate(
        integrity(names.CONFIG_DAMAGED, names.CONFIG_DRIFTED),
        "1m",
        {
            f'{names.CONFIG_DAMAGED}{{workload="file/a", file="a"}}': f"{damaged}x10",
            f'{names.CONFIG_DRIFTED}{{workload="file/a", file="a"}}': f"{changed}x10",
        },
        {'{file="a"}': number},
    )


def test_only_workloads_that_are_to_be_repaired_are_in_trouble(evaluate):
    evaluate(
        IN_TROUBLE,
        "1m",
        {
            f'{names.CONTAINER_RUNNING}{{workload="a", container="a"}}': "0x10",
            f'{names.CONTAINER_RUNNING}{{workload="b", container="b"}}': "0x10",
            f'{names.CONTAINER_RUNNING}{{workload="c", container="c"}}': "1x10",
            f'{names.WORKLOAD_ENABLED}{{workload="a"}}': "1x10",
            f'{names.WORKLOAD_ENABLED}{{workload="b"}}': "0x10",
            f'{names.WORKLOAD_ENABLED}{{workload="c"}}': "1x10",
        },
        {"{}": 1},
    )


def test_memory_is_that_of_the_fullest_instance_and_a_limit_of_0_is_none(evaluate):
    evaluate(
        memory_of_limit(),
        "1m",
        {
            f'{names.CONTAINER_MEMORY_ANON}{{workload="a", container="a-1"}}': "10x10",
            f'{names.CONTAINER_MEMORY_LIMIT}{{workload="a", container="a-1"}}': "100x10",
            f'{names.CONTAINER_MEMORY_ANON}{{workload="a", container="a-2"}}': "50x10",
            f'{names.CONTAINER_MEMORY_LIMIT}{{workload="a", container="a-2"}}': "100x10",
            f'{names.CONTAINER_MEMORY_ANON}{{workload="b", container="b-1"}}': "10x10",
            f'{names.CONTAINER_MEMORY_LIMIT}{{workload="b", container="b-1"}}': "0x10",
        },
        {'{workload="a"}': 0.5},
    )


def test_recoveries_that_ended_by_themselves_are_no_success_and_no_failure(evaluate):
    evaluate(
        filled(VERIFIED_SHARE),
        "10m",
        {
            'homeostat_recoveries_total{final="verified"}': "0x20 3x40",
            'homeostat_recoveries_total{final="escalated"}': "0x20 1x40",
            'homeostat_recoveries_total{final="self_resolved"}': "0x20 50x40",
        },
        {"{}": 0.75},
    )


def test_without_a_recovery_there_is_no_mean(evaluate):
    series = {f'homeostat_recovery_duration_seconds_{part}{{final="verified"}}': "0x40" for part in ("sum", "count")}

    evaluate(filled(mean("$__range")), "10m", series, {})


@pytest.mark.parametrize(("available", "left"), [(1, 1), (0.999, 0.5), (0.998, 0), (0.994, -2)])
def test_what_is_left_of_a_budget_is_what_the_objective_allows_less_what_failed(evaluate, available, left):
    evaluate(
        f"round({BUDGET_LEFT_NOW}, 0.001)",
        "1m",
        {
            'workload:homeostat_availability:avg30d{workload="a"}': f"{available}x10",
            'workload:homeostat_availability:avg30d{workload="b"}': "1x10",
            f'{names.WORKLOAD_OBJECTIVE}{{workload="a"}}': "0.998x10",
        },
        {'{workload="a"}': left},
    )
