"""What collectors read from: the long-lived parts of the exporter, put together in app.py."""

from dataclasses import dataclass

from prometheus_client import ProcessCollector

from exporters.catalog import Catalog
from exporters.cgroups import Cgroups
from exporters.containerlabels import LabelCache
from exporters.probing import Prober
from exporters.watch import Watcher
from homeostat.guardian_client import GuardianClient
from homeostat.settings import Settings


@dataclass(frozen=True, slots=True)
class Sources:
    """``watcher`` is None when Docker is switched off. ``own``: prometheus_client's ``process_*`` of the exporter."""

    settings: Settings
    version: str
    watcher: Watcher | None
    catalog: Catalog
    prober: Prober
    guardian: GuardianClient
    cgroups: Cgroups
    label_cache: LabelCache
    own: ProcessCollector
