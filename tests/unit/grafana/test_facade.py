"""What dashboards are written with, and what it becomes in Grafana's JSON."""

import json

import pytest

from grafana.lib import (
    Annotation,
    Color,
    Column,
    Dashboard,
    Heading,
    Key,
    Panel,
    Query,
    Stat,
    State,
    StateTimeline,
    Table,
    Thresholds,
    TimeSeries,
    Unit,
    Variable,
    least_step_s,
    places,
    to_dashboard,
)
from grafana.lib.dashboard import Place
from grafana.lib.render import render

LINES = TimeSeries((Query("up", "{{job}}"),))


def panel(view=LINES, width=12, height=8):
    return Panel("Title", "What it shows.", Unit.BYTES, view, width=width, height=height)


def rendered(view=LINES, **more):
    return json.loads(render(Dashboard("u", "t", "d", (panel(view),), **more)))


def shown(view):
    (found,) = rendered(view)["panels"]
    return found


def overrides(found):
    return {
        rule["matcher"]["options"]: {part["id"]: part["value"] for part in rule["properties"]}
        for rule in found["fieldConfig"]["overrides"]
    }


def test_parts_lie_left_to_right_and_a_heading_starts_a_new_row():
    parts = [panel(width=4, height=4), panel(width=8, height=6), Heading("More"), panel(), panel(), panel()]

    assert list(places(parts)) == [
        Place(0, 0),
        Place(4, 0),
        Place(0, 6),
        Place(0, 7),
        Place(12, 7),
        Place(0, 15),
    ]


def test_a_heading_becomes_an_open_row_without_a_panel():
    board = json.loads(render(Dashboard("u", "t", "d", (Heading("More"), panel()))))

    row, below = board["panels"]
    assert (row["type"], row["title"], row["collapsed"], row["panels"]) == ("row", "More", False, [])
    assert row["gridPos"] == {"h": 1, "w": 24, "x": 0, "y": 0}
    assert below["gridPos"]["y"] == 1


@pytest.mark.parametrize(
    ("value", "color"), [(0, Color.GREEN), (0.79, Color.GREEN), (0.8, Color.ORANGE), (0.9, Color.RED), (5, Color.RED)]
)
def test_a_threshold_colors_from_its_value_on(value, color):
    assert Thresholds(steps=((0.8, Color.ORANGE), (0.9, Color.RED))).color(value) is color


def test_the_first_threshold_has_no_value():
    steps = shown(Stat(Query("up"), "none", Thresholds(Color.BLUE, ((2, Color.RED),))))["fieldConfig"]["defaults"]

    assert steps["thresholds"]["steps"] == [{"color": "blue", "value": None}, {"color": "red", "value": 2}]


@pytest.mark.parametrize(
    ("view", "seconds"),
    [
        (LINES, 15),
        (TimeSeries((Query("up"),), has_bars=True), 60),
        (StateTimeline((Query("up"),), ()), 5),
        (Stat(Query("up"), "none"), 15),
    ],
)
def test_no_step_is_shorter_than_what_its_view_can_show(view, seconds):
    assert least_step_s(view) == seconds
    assert shown(view)["interval"] == f"{seconds}s"


def test_bars_and_areas_stand_on_each_other_and_lines_do_not():
    def mode(view):
        return shown(view)["fieldConfig"]["defaults"]["custom"]["stacking"]["mode"]

    assert (
        mode(TimeSeries((Query("up"),), has_bars=True)) == mode(TimeSeries((Query("up"),), is_stacked=True)) == "normal"
    )
    assert mode(LINES) == "none"


def test_thresholds_of_lines_are_drawn_only_where_there_are_some():
    def style(view):
        return shown(view)["fieldConfig"]["defaults"]["custom"]["thresholdsStyle"]["mode"]

    assert style(TimeSeries((Query("up"),), thresholds=Thresholds(steps=((1, Color.RED),)))) == "dashed"
    assert style(LINES) == "off"


def test_a_column_of_a_label_shows_the_label_and_hides_the_number():
    table = Table((Key("job", "Part"),), (Column("Up", "up", Unit.COUNT), Column("Version", "info", label="version")))

    merge, organize = shown(table)["transformations"]
    assert merge["id"] == "merge"
    assert organize["options"]["renameByName"] == {"job": "Part", "Value #A": "Up", "version": "Version"}
    assert organize["options"]["excludeByName"] == {"Time": True, "Value #B": True}
    assert list(organize["options"]["indexByName"]) == ["Value #A", "job", "version"]  # sorted by name in the file
    assert organize["options"]["indexByName"] == {"job": 0, "Value #A": 1, "version": 2}


def test_a_table_asks_for_now_and_links_its_keys():
    found = shown(Table((Key("job", "Part", to_dashboard("there", "name")),), (Column("Up", "up", Unit.COUNT),)))

    assert [(target["instant"], target["format"]) for target in found["targets"]] == [(True, "table")]
    assert overrides(found)["Part"]["links"] == [
        {"title": "Open ${__value.raw}", "url": "/d/there?var-name=${__value.raw}&${__url_time_range}"}
    ]


def test_a_column_is_colored_by_its_states_or_its_thresholds_or_not_at_all():
    states = (State(1, "yes", Color.GREEN),)
    found = overrides(
        shown(
            Table(
                (Key("job", "Part"),),
                (
                    Column("State", "a", states=states),
                    Column("Level", "b", thresholds=Thresholds(steps=((1, Color.RED),))),
                    Column("Plain", "c"),
                ),
            )
        )
    )

    assert found["State"]["mappings"][0]["options"] == {"1": {"color": "green", "index": 0, "text": "yes"}}
    assert found["Level"]["thresholds"]["steps"][1] == {"color": "red", "value": 1}
    assert set(found["Plain"]) == {"unit"}


def test_a_variable_of_many_starts_with_all_of_them():
    _, many = rendered(variables=(Variable("a", "A", "label_values(up, job)", has_many=True),))["templating"]["list"]
    _, one = rendered(variables=(Variable("a", "A", "label_values(up, job)"),))["templating"]["list"]

    assert (many["multi"], many["includeAll"], many["allValue"]) == (True, True, ".+")
    assert many["current"]["value"] == ["$__all"]
    assert (one["multi"], one["includeAll"], one["current"]) == (False, False, {})


def test_an_event_comes_from_prometheus_or_from_what_people_told_grafana():
    events = (Annotation("A", Color.RED, expr="up", title="{{job}}"), Annotation("B", Color.BLUE, tag="chaos"))

    asked, told = rendered(annotations=events)["annotations"]["list"]
    assert (asked["datasource"]["type"], asked["expr"], asked["titleFormat"]) == ("prometheus", "up", "{{job}}")
    assert told["datasource"] == {"type": "grafana", "uid": "-- Grafana --"}
    assert told["target"]["tags"] == ["chaos"]


def test_nothing_in_the_file_is_null_but_the_first_threshold():
    def nulls(part, path=""):
        if isinstance(part, dict):
            return [found for key, value in part.items() for found in nulls(value, f"{path}/{key}")]
        if isinstance(part, list):
            return [found for value in part for found in nulls(value, path)]
        return [path] if part is None else []

    assert set(nulls(shown(Stat(Query("up"), "none")))) == {"/fieldConfig/defaults/thresholds/steps/value"}
