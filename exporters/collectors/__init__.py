"""The table of collectors. Adding one: a file here that measures one thing, and a line in ``COLLECTORS``."""

from collections.abc import Mapping
from typing import Protocol

from exporters.collectors import (
    clock,
    config,
    container_resources,
    containers,
    databases,
    exporter,
    health,
    host,
    leaks,
    probes,
    process_groups,
    process_resources,
    processes,
    workloads,
)
from exporters.sources import Sources
from homeostat.exposition import Collector
from homeostat.families import Metric


class CollectorModule(Protocol):
    """What a file of this folder offers: all the metrics that it can publish, and its collector."""

    METRICS: tuple[Metric, ...]

    def make(self, sources: Sources, /) -> Collector | None:
        """The collector, or None when it has nothing to measure here now."""
        ...


#: By name, in the order of the page.
COLLECTORS: Mapping[str, CollectorModule] = {
    "workloads": workloads,
    "containers": containers,
    "processes": processes,
    "probes": probes,
    "health": health,
    "config": config,
    "host": host,
    "clock": clock,
    "container_resources": container_resources,
    "process_resources": process_resources,
    "process_groups": process_groups,
    "databases": databases,
    "leaks": leaks,
    "exporter": exporter,
}


def active(sources: Sources) -> list[Collector]:
    """The collectors that apply now."""
    return [collector for module in COLLECTORS.values() if (collector := module.make(sources)) is not None]
