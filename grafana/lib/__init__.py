"""The facade: what dashboards are written with. Only :mod:`grafana.lib.render` knows grafanalib."""

from grafana.lib.dashboard import Dashboard, Panel, Variable
from grafana.lib.render import render
from grafana.lib.views import Color, Column, Query, Stat, State, StateTimeline, Table, TimeSeries, Unit, View

__all__ = [
    "Color",
    "Column",
    "Dashboard",
    "Panel",
    "Query",
    "Stat",
    "State",
    "StateTimeline",
    "Table",
    "TimeSeries",
    "Unit",
    "Variable",
    "View",
    "render",
]
