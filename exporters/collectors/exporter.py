"""The exporter itself: version, and its own memory, CPU and file descriptors."""

import asyncio
import platform
from dataclasses import dataclass

from prometheus_client import ProcessCollector

from exporters.sources import Sources
from homeostat import names
from homeostat.exposition import METRICS as SCRAPE_METRICS
from homeostat.families import Family, Metric, MetricType, gauge, labels

_BUILD = gauge(names.BUILD_INFO, "What this process was built from.", "version", "python")


def _own(own: ProcessCollector) -> list[Family]:
    return [
        Metric(sample.name, MetricType(metric.type), metric.documentation).family([("", sample.value)])
        for metric in own.collect()
        for sample in metric.samples
    ]


#: What is known of prometheus_client's is what it tells of this process.
METRICS: tuple[Metric, ...] = (
    _BUILD,
    *SCRAPE_METRICS,
    *(family.metric for family in _own(ProcessCollector(registry=None))),
)


def make(sources: Sources) -> "ExporterCollector":
    return ExporterCollector(sources.version, sources.own)


@dataclass(frozen=True, slots=True)
class ExporterCollector:
    """``own``: prometheus_client's ``process_*``; on systems without /proc it tells nothing."""

    version: str
    own: ProcessCollector

    @property
    def name(self) -> str:
        return "exporter"

    async def collect(self) -> list[Family]:
        build = _BUILD.family()
        build.add(labels({"version": self.version, "python": platform.python_version()}), 1)
        return [build, *await asyncio.to_thread(_own, self.own)]
