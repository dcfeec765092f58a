"""Connections of databases, as the last checks of their probes saw them."""

from collections.abc import Mapping
from dataclasses import dataclass

from exporters.leakinputs.reading import Bound, Level, Reading, Resource, SeriesKey, level
from exporters.leaks.assessment import Sample
from exporters.probing import Observation, ProbeKey, Prober
from homeostat.probes.model import Measured, PostgresMeasured, RedisMeasured

_KINDS = ("postgres", "redis")


@dataclass(frozen=True, slots=True)
class Databases:
    """This asks no database. A connection counts for the workload whose probe saw it: the database's, as a rule."""

    prober: Prober

    async def read(self) -> list[Reading]:
        """Of those whose last check was good. Raises Temporary when probes stand still."""
        observations = self.prober.observations()
        chosen = [(key, observations[key]) for key in _one_each(observations)]
        return [
            Reading(
                SeriesKey(key.workload, key.container, Resource.CONNECTIONS),
                Sample(observation.at, found.value, found.limit),
                found.bound,
            )
            for key, observation in chosen
            if (found := connections(observation.result.measured if observation.result else None)) is not None
        ]


def _one_each(observations: Mapping[ProbeKey, Observation]) -> list[ProbeKey]:
    """Where probes of one workload go to several databases, the first by name, whatever it says now: a series must not
    change what it is about.
    """
    found: dict[tuple[str, str], ProbeKey] = {}
    for key in sorted(observations, key=lambda key: key.probe):
        if observations[key].spec.kind in _KINDS:
            found.setdefault((key.workload, key.container), key)
    return list(found.values())


def connections(measured: Measured | None) -> Level | None:
    """All there are, against what the server allows."""
    match measured:
        case PostgresMeasured():
            return level(sum(measured.connections.values()), measured.connections_max, Bound.SERVER)
        case RedisMeasured():
            return level(measured.clients, measured.clients_max, Bound.SERVER)
        case _:
            return None
