"""The table of collectors. Adding one: a file here that measures one thing, and a line in ``COLLECTORS``."""

from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import ProcessCollector

from exporters.catalog import Catalog
from exporters.cgroups import Cgroups
from exporters.collectors.containers import ContainersCollector, LabelCache
from exporters.collectors.exporter import ExporterCollector
from exporters.collectors.probes import ProbesCollector
from exporters.collectors.processes import ProcessesCollector
from exporters.collectors.workloads import WorkloadsCollector
from exporters.probing import Prober
from exporters.watch import Watcher
from homeostat.exposition import Collector
from homeostat.guardian_client import GuardianClient
from homeostat.settings import Settings


@dataclass(frozen=True, slots=True)
class Sources:
    """What collectors read from. ``watcher`` is None when Docker is switched off."""

    settings: Settings
    version: str
    watcher: Watcher | None
    catalog: Catalog
    prober: Prober
    guardian: GuardianClient
    cgroups: Cgroups
    label_cache: LabelCache
    own: ProcessCollector


def _containers(sources: Sources) -> Collector | None:
    if sources.watcher is None or not sources.watcher.is_wanted:
        return None
    return ContainersCollector(sources.watcher, sources.cgroups, sources.label_cache)


def _processes(sources: Sources) -> Collector | None:
    is_wanted = bool(sources.settings.processes) or sources.guardian.socket.exists()
    return ProcessesCollector(sources.guardian) if is_wanted else None


#: One line per collector, in the order of the page. None: it has nothing to measure here.
COLLECTORS: tuple[Callable[[Sources], Collector | None], ...] = (
    lambda sources: WorkloadsCollector(sources.catalog),
    _containers,
    _processes,
    lambda sources: ProbesCollector(sources.prober),
    lambda sources: ExporterCollector(sources.version, sources.own),
)


def active(sources: Sources) -> list[Collector]:
    """The collectors that apply now. Blocking: it looks for the guardian's socket."""
    return [collector for make in COLLECTORS if (collector := make(sources)) is not None]
