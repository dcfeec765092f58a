"""The table of dashboards. Adding one: a file here, a line in ``DASHBOARDS``, then ``make generate``."""

from grafana.dashboards.overview import OVERVIEW
from grafana.dashboards.workload import WORKLOAD

DASHBOARDS = (OVERVIEW, WORKLOAD)
