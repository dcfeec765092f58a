"""Dashboards as Grafana's JSON: the only importer of grafanalib, and the one place for what all dashboards share.

grafanalib is untyped, so all it makes is ``Any``; none of it leaves this file. Where it is older than the
schema below, ``extraJson`` says what Grafana expects now.
"""

import json
from collections.abc import Sequence
from typing import Any, assert_never

from grafanalib import core

from grafana.lib.dashboard import Dashboard, Panel, Place, Variable, places
from grafana.lib.views import Color, Query, Stat, State, StateTimeline, Table, TimeSeries

#: Grafana 11.0's; newer ones migrate it themselves.
SCHEMA_VERSION = 39
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


def render(dashboard: Dashboard) -> str:
    """The text of its file. The same dashboard gives the same bytes."""
    panels = zip(dashboard.panels, places(dashboard.panels), strict=True)
    whole = core.Dashboard(
        uid=dashboard.uid,
        title=dashboard.title,
        description=dashboard.description,
        tags=list(dashboard.tags),
        panels=[_panel(panel, place, number) for number, (panel, place) in enumerate(panels, start=1)],
        templating=core.Templating([_datasource(), *map(_variable, dashboard.variables)]),
        editable=False,
        schemaVersion=SCHEMA_VERSION,
        graphTooltip=core.GRAPH_TOOLTIP_MODE_SHARED_CROSSHAIR,
        time=core.Time("now-1h", "now"),
        refresh="30s",
        timezone="browser",
    )
    text = json.dumps(whole.to_json_data(), default=lambda part: part.to_json_data(), sort_keys=True, indent=2)
    return f"{text}\n"


def _datasource() -> Any:
    return core.Template(
        name="datasource", label="Data source", type="datasource", query="prometheus", default="default"
    )


def _variable(variable: Variable) -> Any:
    return core.Template(name=variable.name, label=variable.title, query=variable.query, dataSource=DATASOURCE)


def _panel(panel: Panel, place: Place, number: int) -> Any:
    common = {
        "id": number,
        "title": panel.title,
        "description": panel.description,
        "dataSource": DATASOURCE,
        "editable": False,
        "gridPos": core.GridPos(h=panel.height, w=panel.width, x=place.x, y=place.y),
        "maxDataPoints": None,  # as many as the panel has pixels
    }
    match panel.view:
        case TimeSeries() as view:
            return _time_series(view, panel, common)
        case Stat() as view:
            return _stat(view, panel, common)
        case Table() as view:
            return _table(view, panel, common)
        case StateTimeline() as view:
            return _state_timeline(view, panel, common)
        case _ as other:
            assert_never(other)


def _time_series(view: TimeSeries, panel: Panel, common: dict[str, Any]) -> Any:
    return core.TimeSeries(
        **common,
        targets=_targets(view.queries),
        unit=panel.unit.value,
        # $__rate_interval spans four scrapes or more: with steps of one scrape, one event would show as four bars.
        interval="1m" if view.has_bars else None,
        drawStyle="bars" if view.has_bars else "line",
        fillOpacity=60 if view.has_bars else 10,
        showPoints="never",
        valueMin=0,
        legendCalcs=["lastNotNull", "max"],
        legendDisplayMode="table",
        tooltipMode="multi",
        tooltipSort="desc",
        extraJson={"options": {"legend": {"showLegend": True}}},
    )


def _stat(view: Stat, panel: Panel, common: dict[str, Any]) -> Any:
    steps: list[dict[str, Any]] = [{"color": Color.GREEN.value, "value": None}]
    if view.red_from is not None:
        steps.append({"color": Color.RED.value, "value": view.red_from})
    return core.Stat(
        **common,
        # A range would show the last value long after its end.
        targets=_targets([view.query], instant=True),
        format=panel.unit.value,
        color={"mode": "thresholds"},
        thresholds=steps,
        noValue=view.empty,
        graphMode="none",
        reduceCalc="lastNotNull",
    )


def _table(view: Table, panel: Panel, common: dict[str, Any]) -> Any:
    targets = _targets([Query(column.expr) for column in view.columns], instant=True, shape=core.TABLE_TARGET_FORMAT)
    headers = {
        f"Value #{target.refId}": column.header for target, column in zip(targets, view.columns, strict=True)
    } | {view.row_label: view.row_header}
    link = {"title": "Open ${__value.raw}", "url": view.row_link}
    overrides = [_override(view.row_header, {"links": [link]})]
    for column in view.columns:
        properties: dict[str, Any] = {"unit": column.unit.value}
        if column.states:
            properties |= {"mappings": _mappings(column.states), "custom.cellOptions": {"type": "color-text"}}
        overrides.append(_override(column.header, properties))
    return core.Table(
        **common,
        targets=targets,
        unit=panel.unit.value,
        overrides=overrides,
        transformations=[
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {"excludeByName": {"Time": True}, "renameByName": headers}},
        ],
        sortBy=[core.TableSortByField(displayName=view.row_header)],
    )


def _override(header: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "matcher": {"id": "byName", "options": header},
        "properties": [{"id": key, "value": value} for key, value in properties.items()],
    }


def _state_timeline(view: StateTimeline, panel: Panel, common: dict[str, Any]) -> Any:
    return core.StateTimeline(
        **common,
        targets=_targets(view.queries),
        mappings=_mappings(view.states),
        showValue="never",
        extraJson={
            "fieldConfig": {"defaults": {"unit": panel.unit.value}},
            "options": {"legend": {"showLegend": True}},
        },
    )


def _mappings(states: Sequence[State]) -> list[dict[str, Any]]:
    options = {
        str(state.number): {"text": state.text, "color": state.color.value, "index": index}
        for index, state in enumerate(states)
    }
    return [{"type": "value", "options": options}]


def _targets(
    queries: Sequence[Query], *, instant: bool = False, shape: str = core.TIME_SERIES_TARGET_FORMAT
) -> list[Any]:
    return [
        core.Target(
            expr=query.expr,
            legendFormat=query.legend,
            refId=chr(ord("A") + index),
            instant=instant,
            format=shape,
            intervalFactor=1,
            datasource=DATASOURCE,
        )
        for index, query in enumerate(queries)
    ]
