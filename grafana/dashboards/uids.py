"""The addresses of all dashboards: they link to each other."""

from enum import StrEnum

from grafana.lib import to_dashboard


class Uid(StrEnum):
    OVERVIEW = "homeostat-overview"
    WORKLOAD = "homeostat-workload"
    HOST = "homeostat-host"
    CONTAINERS = "homeostat-containers"
    LEAKS = "homeostat-leaks"
    CONFIG = "homeostat-config"
    RECOVERIES = "homeostat-recoveries"
    DEPENDENCIES = "homeostat-dependencies"
    ALERTING = "homeostat-alerting"
    ITSELF = "homeostat-itself"


#: Where the name of a workload leads.
TO_WORKLOAD = to_dashboard(Uid.WORKLOAD, "workload")
