"""What is looked at to believe a recovery: the workload's own probes, its state at the engine or guardian, and the
alert's expression as Prometheus has it (never as the alert says it).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from homeostat import names
from homeostat.configfiles.integrity import State
from homeostat.directory import resolve_probe
from homeostat.errors import HomeostatError, NotFound
from homeostat.probes import ProbeContext, run_probe
from homeostat.prometheus_api import PrometheusClient, Sample
from homeostat.settings import Settings
from homeostat.workloads import Kind, ProbeRole, ProbeSpec
from responder.conditions import about
from responder.ledger import Episode
from responder.targets import Resolver, Target
from responder.verify import Quality, Reading


@dataclass(frozen=True, slots=True)
class ProbeEvidence:
    """The workload's liveness probes, run from here. Resolved anew each time: a restart can change addresses.

    Readiness probes are left out: what they see may be a dependency's fault, which no step here mends, and a step that
    did its work would count as failed for it.
    """

    episode: Episode
    resolver: Resolver
    settings: Settings
    context: ProbeContext

    async def read(self) -> Sequence[Reading]:
        target = await self.resolver.resolve_or_problem(self.episode, self.settings)
        if isinstance(target, HomeostatError):
            return [Reading("workload", Quality.NO_DATA, str(target))]
        return await asyncio.gather(*(self._probe(spec) for spec in _targets(target)))

    async def _probe(self, spec: ProbeSpec | str) -> Reading:
        if isinstance(spec, str):
            return Reading(f"probe {spec}", Quality.NO_DATA, "its container has no address")
        result = await run_probe(spec, self.context)
        quality = _QUALITIES[result.ok]
        return Reading(f"probe {spec.name}", quality, result.reason or f"answered in {result.seconds * 1000:.0f} ms")


_QUALITIES = {True: Quality.GOOD, False: Quality.BAD, None: Quality.NO_DATA}


def _targets(target: Target) -> list[ProbeSpec | str]:
    """Each liveness probe at each of its places; a name alone when a place has no address."""
    found: dict[ProbeSpec | str, None] = {}
    for spec in target.workload.probes:
        if spec.role is not ProbeRole.LIVENESS:
            continue
        for container in target.containers or (None,):
            found[resolve_probe(spec, container) or spec.name] = None
    return list(found)


class StateEvidence:
    """Running, not restarting, and the same start for the whole hold: a crash loop looks good between two crashes."""

    def __init__(self, episode: Episode, resolver: Resolver, settings: Settings) -> None:
        self._episode = episode
        self._resolver = resolver
        self._settings = settings
        self._starts: Mapping[str, float | None] = {}

    async def read(self) -> Sequence[Reading]:
        try:
            target = await self._resolver.resolve(self._episode, self._settings)
            if target.workload.kind is Kind.FILE:
                return [await self._file(target)]
            states = await self._process(target) if target.process else _containers(target)
        except NotFound as err:
            return [Reading("state", Quality.BAD, str(err))]
        except HomeostatError as err:
            return [Reading("state", Quality.NO_DATA, str(err))]
        return [self._judge(name, state, start) for name, state, start in states]

    async def _file(self, target: Target) -> Reading:
        """As it is on disk now, whatever the exporter has seen of it."""
        _, _, name = target.workload.id.partition("/")
        found = await asyncio.to_thread(self._resolver.files().look, name)
        if found.state is not State.DAMAGED:
            return Reading(f"file {name}", Quality.GOOD, found.state)
        return Reading(f"file {name}", Quality.BAD, found.flaws[0].words)

    async def _process(self, target: Target) -> list[tuple[str, str, float | None]]:
        status = await self._resolver.guardian.process(target.process)
        return [(status.name, status.state, status.started_at)]

    def _judge(self, name: str, state: str, start: float | None) -> Reading:
        known = name in self._starts
        before, self._starts = self._starts.get(name), {**self._starts, name: start}
        if state != "running":
            return Reading(f"state {name}", Quality.BAD, state)
        if known and before != start:
            return Reading(f"state {name}", Quality.BAD, "was started again meanwhile")
        return Reading(f"state {name}", Quality.GOOD, state)


def _containers(target: Target) -> list[tuple[str, str, float | None]]:
    return [
        (c.name, "unhealthy" if c.status == "running" and c.health == "unhealthy" else c.status, c.started_at)
        for c in target.containers
    ]


#: When a workload was last measured. Its own series, not the scrape's: with its collector failing, an expression over
#: them gives nothing, too.
_NEWEST = (
    f"max(timestamp({names.CONTAINER_RUNNING}{{workload=$workload}})"
    f" or timestamp({names.PROCESS_RUNNING}{{workload=$workload}})"
    f" or timestamp({names.CONFIG_DAMAGED}{{workload=$workload}}))"
)
#: The same of rules about leaks. The detector is a part of its own: without its word a leak is not over.
_NEWEST_VERDICT = f"max(timestamp({names.LEAK_VERDICT}{{workload=$workload}}))"
_ABOUT_LEAKS = "homeostat_leak_"
#: Of one workload, labels of which each value is a trouble of its own. No other label is compared: one that changes
#: with what a step does (an id, an address, a version) would make a trouble that goes on look like the end of this one.
APART = (names.RESOURCE,)


@dataclass(frozen=True, slots=True)
class ExpressionEvidence:
    """The alerting rule's expression gives nothing for this workload, on samples taken after ``since``."""

    episode: Episode
    prometheus: PrometheusClient
    since: float

    async def read(self) -> Sequence[Reading]:
        source = f"rule {self.episode.alert}"
        try:
            expression = await self.prometheus.alert_expression(self.episode.labels)
            newest = _NEWEST_VERDICT if _ABOUT_LEAKS in expression else _NEWEST
            fresh, found = await asyncio.gather(
                self.prometheus.query(about(newest, self.episode.workload)),
                self.prometheus.query(expression),
            )
        except HomeostatError as err:
            return [Reading(source, Quality.NO_DATA, str(err))]
        if not fresh or fresh[0].value <= self.since:
            return [Reading(source, Quality.NO_DATA, "no measurement newer than the step yet")]
        ours = [sample for sample in found if _is_ours(sample, self.episode)]
        if ours:
            return [Reading(source, Quality.BAD, f"still true, value {ours[0].value:g}", lags=True)]
        return [Reading(source, Quality.GOOD, "no longer true")]


def _is_ours(sample: Sample, episode: Episode) -> bool:
    """What says nothing of a container is about all of them."""
    same = sample.labels.get(names.WORKLOAD) == episode.workload
    container = sample.labels.get(names.CONTAINER, "")
    return same and container in ("", episode.container) and not _is_another(sample, episode)


def _is_another(sample: Sample, episode: Episode) -> bool:
    both = (name for name in APART if name in sample.labels and name in episode.labels)
    return any(sample.labels[name] != episode.labels[name] for name in both)
