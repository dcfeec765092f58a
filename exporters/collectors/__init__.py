"""The table of collectors. Adding one: a file here that measures one thing, and a line in ``COLLECTORS``."""

from collections.abc import Mapping
from typing import Protocol

from exporters.collectors import containers, exporter, probes, processes, workloads
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
    "exporter": exporter,
}


def active(sources: Sources) -> list[Collector]:
    """The collectors that apply now. Blocking: it looks for the guardian's socket."""
    return [collector for module in COLLECTORS.values() if (collector := module.make(sources)) is not None]
