"""The exporter itself: version, and its own memory, CPU and file descriptors."""

import asyncio
import platform
from dataclasses import dataclass

from prometheus_client import ProcessCollector

from homeostat import names
from homeostat.exposition import Family, MetricType, gauge, labels


@dataclass(frozen=True, slots=True)
class ExporterCollector:
    """``own``: prometheus_client's ``process_*``; on systems without /proc it tells nothing."""

    version: str
    own: ProcessCollector

    @property
    def name(self) -> str:
        return "exporter"

    async def collect(self) -> list[Family]:
        build = gauge(names.BUILD_INFO, "What this process was built from.")
        build.add(labels({"version": self.version, "python": platform.python_version()}), 1)
        return [
            build,
            *(
                Family(sample.name, MetricType(metric.type), metric.documentation, [("", sample.value)])
                for metric in await asyncio.to_thread(self.own.collect)
                for sample in metric.samples
            ),
        ]
