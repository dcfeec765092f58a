"""Maintenance windows in Alertmanager's routes."""

import copy
from typing import Any

import yaml

from homeostat.rendering import ROOT
from homeostat.sections import MaintenanceWindow
from homeostat.windowroutes import mute_windows

SHOP = MaintenanceWindow(workloads=("shop/*",), start="01:00", end="02:00")
WEB = MaintenanceWindow(workloads=("shop/web",), start="03:00", end="04:00")
ALL = MaintenanceWindow(workloads=("*",), start="05:00", end="06:00")


def config(**route: Any) -> dict[str, Any]:
    return {"route": {"receiver": "people", **route}}


def muted(route: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(child["matchers"][0], child["mute_time_intervals"]) for child in route["routes"]]


def changed(windows: list[MaintenanceWindow], **route: Any) -> dict[str, Any]:
    made = config(**route)
    mute_windows(made, windows)
    return made


def test_without_windows_nothing_is_changed():
    shipped = yaml.safe_load((ROOT / "alertmanager/alertmanager.yml").read_text())
    same = copy.deepcopy(shipped)

    mute_windows(same, [])

    assert same == shipped


def test_a_window_past_midnight_is_two_and_the_second_is_a_day_later():
    night = MaintenanceWindow(
        workloads=("*",), start="22:00", end="02:00", weekdays=("sat", "sun"), timezone="Europe/Berlin"
    )

    [interval] = changed([night])["time_intervals"]

    assert interval["time_intervals"] == [
        {
            "times": [{"start_time": "22:00", "end_time": "24:00"}],
            "location": "Europe/Berlin",
            "weekdays": ["saturday", "sunday"],
        },
        {
            "times": [{"start_time": "00:00", "end_time": "02:00"}],
            "location": "Europe/Berlin",
            "weekdays": ["sunday", "monday"],
        },
    ]


def test_a_window_until_midnight_is_one():
    [interval] = changed([MaintenanceWindow(workloads=("*",), start="22:00", end="00:00")])["time_intervals"]

    assert interval["time_intervals"] == [{"times": [{"start_time": "22:00", "end_time": "24:00"}], "location": "UTC"}]


def test_what_is_named_exactly_comes_first_and_has_all_windows_that_mean_it():
    made = changed([SHOP, WEB, ALL])

    assert muted(made["route"]) == [
        ('workload=~"shop/web"', ["homeostat-maintenance-1", "homeostat-maintenance-2", "homeostat-maintenance-3"]),
        ('workload=~"shop/.+"', ["homeostat-maintenance-1", "homeostat-maintenance-3"]),
        ('workload=~".+"', ["homeostat-maintenance-3"]),
    ]


def test_workloads_of_one_window_are_one_route():
    both = MaintenanceWindow(workloads=("shop/web", "shop/db", "shop/web"), start="01:00", end="02:00")

    assert muted(changed([both])["route"]) == [('workload=~"shop/web|shop/db"', ["homeostat-maintenance-1"])]


def test_what_goes_to_the_responder_is_never_muted():
    responder = {"receiver": "responder", "matchers": ['remedy=~".+"'], "routes": [{"matchers": ["x=1"]}]}

    made = changed([ALL], routes=[copy.deepcopy(responder)])

    assert made["route"]["routes"][0] == responder


def test_routes_below_the_responders_that_go_to_people_are_muted():
    made = changed([ALL], routes=[{"receiver": "responder", "routes": [{"receiver": "people"}]}])

    [to_people] = made["route"]["routes"][0]["routes"]
    assert muted(to_people) == [('workload=~".+"', ["homeostat-maintenance-1"])]


def test_what_a_route_mutes_by_itself_stays_and_holds_for_the_new_ones():
    made = config(routes=[{"matchers": ["a=1"], "mute_time_intervals": ["night"], "active_time_intervals": ["work"]}])
    made["time_intervals"] = [{"name": "night", "time_intervals": []}]

    mute_windows(made, [ALL])

    [route, _] = made["route"]["routes"]
    [child] = route["routes"]
    assert (route["mute_time_intervals"], route["active_time_intervals"]) == (["night"], ["work"])
    assert child["mute_time_intervals"] == ["night", "homeostat-maintenance-1"]
    assert child["active_time_intervals"] == ["work"]
    assert [interval["name"] for interval in made["time_intervals"]] == ["night", "homeostat-maintenance-1"]


def test_a_routes_own_children_come_before_the_new_ones():
    made = changed([ALL], routes=[{"matchers": ["a=1"], "receiver": "tickets"}])

    [tickets, new] = made["route"]["routes"]
    assert (tickets["receiver"], new["matchers"]) == ("tickets", ['workload=~".+"', 'workload!~"(host|homeostat)/.+"'])
    assert muted(tickets) == [('workload=~".+"', ["homeostat-maintenance-1"])]
