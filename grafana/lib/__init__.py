"""The facade: what dashboards are written with. Only ``render`` and ``render_panel`` know grafanalib."""

from grafana.lib.dashboard import Annotation, Dashboard, Heading, Panel, Variable, places
from grafana.lib.links import RUNBOOKS, Link, runbook, to_dashboard
from grafana.lib.style import Color, Unit
from grafana.lib.thresholds import Thresholds
from grafana.lib.views import (
    Column,
    Key,
    Query,
    Stat,
    State,
    StateTimeline,
    Table,
    TimeSeries,
    View,
    least_step_s,
    queries,
)

__all__ = [
    "RUNBOOKS",
    "Annotation",
    "Color",
    "Column",
    "Dashboard",
    "Heading",
    "Key",
    "Link",
    "Panel",
    "Query",
    "Stat",
    "State",
    "StateTimeline",
    "Table",
    "Thresholds",
    "TimeSeries",
    "Unit",
    "Variable",
    "View",
    "least_step_s",
    "places",
    "queries",
    "runbook",
    "to_dashboard",
]
