"""The table of dashboards. Adding one: a file here, a line in ``DASHBOARDS``, then ``make generate``."""

from grafana.dashboards.alerting import ALERTING
from grafana.dashboards.config import CONFIG
from grafana.dashboards.containers import CONTAINERS
from grafana.dashboards.dependencies import DEPENDENCIES
from grafana.dashboards.host import HOST
from grafana.dashboards.itself import ITSELF
from grafana.dashboards.leaks import LEAKS
from grafana.dashboards.overview import OVERVIEW
from grafana.dashboards.recoveries import RECOVERIES
from grafana.dashboards.workload import WORKLOAD

#: Where a person in trouble looks first comes first.
DASHBOARDS = (
    OVERVIEW,
    WORKLOAD,
    RECOVERIES,
    ALERTING,
    DEPENDENCIES,
    CONTAINERS,
    LEAKS,
    CONFIG,
    HOST,
    ITSELF,
)
