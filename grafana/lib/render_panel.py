"""One panel as Grafana's JSON, by the kind of its view."""

from collections.abc import Mapping, Sequence
from typing import Any, assert_never

from grafanalib import core

from grafana.lib.dashboard import Heading, Panel, Place
from grafana.lib.thresholds import Thresholds
from grafana.lib.views import Column, Query, Stat, State, StateTimeline, Table, TimeSeries, least_step_s, queries

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


def render_heading(heading: Heading, place: Place, number: int) -> Mapping[str, Any]:
    """grafanalib's own leaves out the place."""
    return {
        "id": number,
        "type": "row",
        "title": heading.title,
        "collapsed": False,
        "panels": [],
        "gridPos": {"h": heading.height, "w": heading.width, "x": place.x, "y": place.y},
    }


def render_panel(panel: Panel, place: Place, number: int) -> Any:
    common = {
        "id": number,
        "title": panel.title,
        "description": panel.description,
        "dataSource": DATASOURCE,
        "editable": False,
        "gridPos": core.GridPos(h=panel.height, w=panel.width, x=place.x, y=place.y),
        "links": [{"title": link.title, "url": link.url, "targetBlank": True} for link in panel.links],
        "interval": f"{least_step_s(panel.view)}s",
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
    is_filled = view.has_bars or view.is_stacked
    return core.TimeSeries(
        **common,
        targets=_targets(view.queries),
        unit=panel.unit.value,
        drawStyle="bars" if view.has_bars else "line",
        fillOpacity=60 if is_filled else 10,
        stacking={"mode": "normal" if is_filled else "none", "group": "A"},
        showPoints="never",
        valueMin=0,
        legendCalcs=["lastNotNull", "max"],
        legendDisplayMode="table",
        tooltipMode="multi",
        tooltipSort="desc",
        thresholds=_steps(view.thresholds) if view.thresholds else [],
        thresholdsStyleMode="dashed" if view.thresholds else "off",
        overrides=[
            _override(name, {"color": {"mode": "fixed", "fixedColor": color.value}}) for name, color in view.colors
        ],
        extraJson={"options": {"legend": {"showLegend": True}}},
    )


def _stat(view: Stat, panel: Panel, common: dict[str, Any]) -> Any:
    return core.Stat(
        **common,
        # A range would show the last value long after its end.
        targets=_targets([view.query], instant=True),
        format=panel.unit.value,
        color={"mode": "thresholds"},
        thresholds=_steps(view.thresholds),
        noValue=view.empty,
        graphMode="none",
        reduceCalc="lastNotNull",
    )


def _table(view: Table, panel: Panel, common: dict[str, Any]) -> Any:
    targets = _targets(queries(view), instant=True, shape=core.TABLE_TARGET_FORMAT)
    numbers = {f"Value #{target.refId}": column for target, column in zip(targets, view.columns, strict=True)}
    headers = {key.label: key.header for key in view.keys}
    headers |= {column.label or number: column.header for number, column in numbers.items()}
    links = [
        _override(key.header, {"links": [{"title": "Open ${__value.raw}", "url": key.link}]})
        for key in view.keys
        if key.link
    ]
    return core.Table(
        **common,
        targets=targets,
        unit=panel.unit.value,
        overrides=[*links, *(_override(column.header, _shown(column)) for column in view.columns)],
        transformations=[
            {"id": "merge", "options": {}},
            {
                "id": "organize",
                "options": {
                    "excludeByName": {"Time": True}
                    | {number: True for number, column in numbers.items() if column.label},
                    "indexByName": {name: index for index, name in enumerate(headers)},
                    "renameByName": headers,
                },
            },
        ],
        sortBy=[core.TableSortByField(displayName=view.keys[0].header)],
    )


def _shown(column: Column) -> dict[str, Any]:
    properties: dict[str, Any] = {"unit": column.unit.value}
    if column.states:
        properties |= {"mappings": _mappings(column.states)}
    if column.thresholds:
        steps = {"mode": "absolute", "steps": _steps(column.thresholds)}
        properties |= {"thresholds": steps, "color": {"mode": "thresholds"}}
    if column.states or column.thresholds:
        properties |= {"custom.cellOptions": {"type": "color-text"}}
    return properties


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


def _steps(thresholds: Thresholds) -> list[dict[str, Any]]:
    first = {"color": thresholds.base.value, "value": None}
    return [first, *({"color": color.value, "value": start} for start, color in thresholds.steps)]


def _mappings(states: Sequence[State]) -> list[dict[str, Any]]:
    options = {
        str(state.number): {"text": state.text, "color": state.color.value, "index": index}
        for index, state in enumerate(states)
    }
    return [{"type": "value", "options": options}]


def _targets(
    asked: Sequence[Query], *, instant: bool = False, shape: str = core.TIME_SERIES_TARGET_FORMAT
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
        for index, query in enumerate(asked)
    ]
