"""What the probes from outside saw last."""

from dataclasses import dataclass

from exporters.probing import ProbeKey, Prober
from exporters.sources import Sources
from homeostat import names
from homeostat.families import Family, Metric, gauge, labels

_OWN = (names.WORKLOAD, names.CONTAINER, names.PROBE)
_SUCCESS = gauge(names.PROBE_SUCCESS, "Whether the last check was good.", *_OWN)
_DURATION = gauge(names.PROBE_DURATION, "How long the last check took.", *_OWN)
_TIMESTAMP = gauge(names.PROBE_TIMESTAMP, "When the last check ended.", *_OWN)
METRICS: tuple[Metric, ...] = (_SUCCESS, _DURATION, _TIMESTAMP)


def make(sources: Sources) -> "ProbesCollector":
    return ProbesCollector(sources.prober)


@dataclass(frozen=True, slots=True)
class ProbesCollector:
    """The last result of every probe. Fails when probes stand still: an old result must not pass for a new one."""

    prober: Prober

    @property
    def name(self) -> str:
        return "probes"

    async def collect(self) -> list[Family]:
        success, duration, timestamp = _SUCCESS.family(), _DURATION.family(), _TIMESTAMP.family()
        for key, observation in self.prober.observations().items():
            if observation.result is None:
                continue
            rendered = _render(key)
            success.add(rendered, observation.result.ok)
            duration.add(rendered, observation.result.seconds)
            timestamp.add(rendered, observation.at)
        return [success, duration, timestamp]


def _render(key: ProbeKey) -> str:
    one_container = {names.CONTAINER: key.container} if key.container else {}
    return labels({names.WORKLOAD: key.workload, **one_container, names.PROBE: key.probe})
