"""Dashboards as Grafana's JSON. With ``render_panel`` the only importer of grafanalib; what all share stands here.

grafanalib is untyped, so all it makes is ``Any``; none of it leaves these two files. Where it is older than the
schema below, plain JSON says what Grafana expects now.
"""

import json
from collections.abc import Mapping
from typing import Any

from grafanalib import core

from grafana.lib.dashboard import Annotation, Dashboard, Heading, Variable, places
from grafana.lib.render_panel import DATASOURCE, render_heading, render_panel

#: Grafana 11.0's; newer ones migrate it themselves.
SCHEMA_VERSION = 39
#: All dashboards find each other by it.
TAG = "homeostat"
#: What people wrote into Grafana, as its own data source.
_GRAFANA = {"type": "grafana", "uid": "-- Grafana --"}

#: Level of the file -> names that Grafana's own model does not have.
_OUTDATED = {
    "": ("__inputs", "hideControls", "rows", "sharedCrosshair", "style", "timepicker"),
    "/panels": ("color", "columns", "editable", "error", "fontSize", "hideTimeOverride", "mappings"),
    "/panels/targets": ("metric", "query", "step", "target"),
    "/templating/list": ("useTags",),
    "/templating/list/current": ("tags",),
}


def render(dashboard: Dashboard) -> str:
    """The text of its file. The same dashboard gives the same bytes."""
    whole = core.Dashboard(
        uid=dashboard.uid,
        title=dashboard.title,
        description=dashboard.description,
        tags=[TAG],
        panels=[
            render_heading(part, place, number) if isinstance(part, Heading) else render_panel(part, place, number)
            for number, (part, place) in enumerate(zip(dashboard.parts, places(dashboard.parts), strict=True), start=1)
        ],
        templating=core.Templating([_datasource(), *map(_variable, dashboard.variables)]),
        annotations=core.Annotations([_annotation(annotation) for annotation in dashboard.annotations]),
        links=[core.DashboardLink(title="homeostat", tags=[TAG], asDropdown=True, keepTime=True)],
        editable=False,
        schemaVersion=SCHEMA_VERSION,
        graphTooltip=core.GRAPH_TOOLTIP_MODE_SHARED_CROSSHAIR,
        time=core.Time("now-1h", "now"),
        refresh="30s",
        timezone="browser",
    )
    text = json.dumps(whole.to_json_data(), default=lambda part: part.to_json_data())
    return f"{json.dumps(_said(json.loads(text)), sort_keys=True, indent=2)}\n"


def _said(part: Any, level: str = "") -> Any:  # JSON
    """Without what grafanalib only mentions to say nothing, and what it writes for versions before Grafana 10."""
    match part:
        case dict():
            left_out = _OUTDATED.get(level, ())
            return {
                key: _said(value, f"{level}/{key}")
                for key, value in part.items()
                # The first step of thresholds has no value: null stands for the lowest there is.
                if (value is not None or key == "value") and key not in left_out
            }
        case list():
            return [_said(value, level) for value in part]
        case _:
            return part


def _datasource() -> Any:  # grafanalib's
    return core.Template(
        name="datasource", label="Data source", type="datasource", query="prometheus", default="default"
    )


def _variable(variable: Variable) -> Mapping[str, Any]:
    template = core.Template(
        name=variable.name,
        label=variable.title,
        query=variable.query,
        dataSource=DATASOURCE,
        # A workload that is gone by now is found where the time that is shown has it.
        refresh=core.REFRESH_ON_TIME_RANGE_CHANGE,
        multi=variable.has_many,
        includeAll=variable.has_many,
        allValue=".+" if variable.has_many else None,
    )
    all_of_them = {"selected": True, "text": ["All"], "value": ["$__all"]}
    # Nothing chosen: Grafana takes the first that there is.
    return {**template.to_json_data(), "current": all_of_them if variable.has_many else {}}


def _annotation(annotation: Annotation) -> Mapping[str, Any]:
    common = {"name": annotation.name, "enable": True, "hide": False, "iconColor": annotation.color.value}
    if annotation.tag:
        target = {"type": "tags", "tags": [annotation.tag], "matchAny": False, "limit": 100}
        return common | {"datasource": _GRAFANA, "target": target}
    return common | {
        "datasource": DATASOURCE,
        "expr": annotation.expr,
        # Shorter steps would only ask more: four scrapes of the slow jobs are in one.
        "step": "1m",
        "titleFormat": annotation.title,
        "textFormat": annotation.text,
        "useValueForTime": False,
    }
