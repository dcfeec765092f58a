"""What collectors read from: the long-lived parts of the exporter, put together in app.py."""

from dataclasses import dataclass

from prometheus_client import ProcessCollector

from exporters.catalog import Catalog
from exporters.configreaders import ConfigReaders
from exporters.configwatch import ConfigWatch
from exporters.containerlabels import LabelCache
from exporters.leakwatch import LeakWatch
from exporters.machine import Machine
from exporters.meter import Meter
from exporters.presence import Presence
from exporters.probing import Prober
from exporters.together import Together
from exporters.watch import Seen, Watcher
from homeostat.clock import Clock
from homeostat.guardian_client import ProcessStatus
from homeostat.settings import Settings


@dataclass(frozen=True, slots=True)
class Sources:
    """``watcher`` and ``look`` (all containers as of now) are None when Docker is switched off, ``config`` when no
    file is managed. ``supervised``: what the guardian tells of its processes. ``own``: prometheus_client's
    ``process_*`` of the exporter.
    """

    settings: Settings
    version: str
    clock: Clock
    watcher: Watcher | None
    look: Together[list[Seen]] | None
    catalog: Catalog
    prober: Prober
    guardian: Presence
    supervised: Together[list[ProcessStatus]]
    meter: Meter
    label_cache: LabelCache
    machine: Machine
    leaks: LeakWatch
    config: ConfigWatch | None
    config_readers: ConfigReaders | None
    own: ProcessCollector
