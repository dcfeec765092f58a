"""Collects what gates and planner ask for, all at once, just before a rung."""

import asyncio
from collections.abc import Mapping, Sequence

from homeostat import names
from homeostat.alertmanager_api import equals
from homeostat.errors import HomeostatError, Temporary
from homeostat.ladders import Ladder
from homeostat.maintenance import current
from homeostat.settings import Settings
from homeostat.workloads import FILES
from responder import holds
from responder.conditions import Condition
from responder.dependencies import blamed, edges_of
from responder.gates import AlertView, Facts, Limits
from responder.history import approvals
from responder.ledger import Entry, Episode, Hold
from responder.onlooker import Onlooker
from responder.services import Services
from responder.targets import Target
from responder.verify import Quality

#: What the rule's evidence says of the trouble.
_STILL_TRUE = {Quality.GOOD: False, Quality.BAD: True, Quality.NO_DATA: None}
#: A damaged configuration file, too: who starts while it is so reads what is wrong.
_TROUBLED = f'{names.WORKLOAD_HEALTH}{{state="unhealthy"}} == 1 or {names.CONFIG_DAMAGED} == 1'


class FactFinder:
    """For the episodes of one decision: settings are those of the moment."""

    def __init__(self, services: Services, settings: Settings, onlooker: Onlooker) -> None:
        self._s = services
        self._settings = settings
        self._onlooker = onlooker

    async def gather(self, episode: Episode, entries: Sequence[Entry]) -> tuple[Target | None, Ladder | None, Facts]:
        """Raises StoreError."""
        found, alert, rule, blame, held = await asyncio.gather(
            self._s.resolver.resolve_or_problem(episode, self._settings),
            self._view(episode),
            self._onlooker.rule_now(episode),
            self._blame(episode),
            self._holds(),
        )
        target = None if isinstance(found, HomeostatError) else found
        ladder = self._settings.ladder(episode.remedy, target.workload.ladders if target else {})
        responder, now = self._settings.responder, self._s.clock.now()
        longest_s = max([responder.cooldown, *(cap.window for cap in responder.caps)])
        facts = Facts(
            workload=target.workload if target else None,
            workload_problem=str(found) if isinstance(found, HomeostatError) else "",
            alert=alert,
            limits=Limits(responder.caps, responder.cooldown, responder.dry_run),
            now=now,
            episode_id=episode.id,
            is_unreadable=isinstance(found, Temporary),
            still_true=_STILL_TRUE[rule.quality],
            rule_detail=rule.detail,
            steps=tuple(await self._s.store.steps(now - longest_s)),
            hold=holds.hold_on(episode.workload, held, now),
            maintenance=current(responder.maintenance, episode.workload, now),
            blamed=blame,
            conditions=await self._conditions(episode, ladder),
            approvals=approvals(entries, now),
        )
        return target, ladder, facts

    async def _view(self, episode: Episode) -> AlertView:
        try:
            held = await self._s.alertmanager.held(
                equals("alertname", episode.alert), equals(names.WORKLOAD, episode.workload)
            )
        except HomeostatError as err:
            return AlertView(None, "", str(err))
        ours = next((alert for alert in held if alert.fingerprint == episode.fingerprint), None)
        return AlertView(ours.state, ours.muted_by, "") if ours else AlertView(None, "", "")

    async def _holds(self) -> list[Hold]:
        in_file = await asyncio.to_thread(holds.from_file, holds.file_of(self._settings))
        return [*in_file, *await self._s.store.holds()]

    async def _blame(self, episode: Episode) -> tuple[str, ...]:
        """Nobody, while Prometheus does not answer: then the rule is unreadable, too."""
        try:
            needs, troubled = await asyncio.gather(
                self._s.prometheus.query(names.WORKLOAD_DEPENDENCY_INFO), self._s.prometheus.query(_TROUBLED)
            )
        except HomeostatError:
            return ()
        pairs = [(s.labels.get(names.WORKLOAD, ""), s.labels.get("dependency", "")) for s in needs]
        pairs += [
            (reader, f"{FILES}/{name}")
            for name, spec in self._settings.config_files.items()
            for reader in spec.workloads
        ]
        return blamed(episode.workload, edges_of(pairs), {s.labels.get(names.WORKLOAD, "") for s in troubled})

    async def _conditions(self, episode: Episode, ladder: Ladder | None) -> Mapping[int, bool | str]:
        wanted = {index: step.when for index, step in enumerate(ladder.steps if ladder else ()) if step.when}
        prometheus = self._s.prometheus
        results = await asyncio.gather(
            *(Condition(when, episode.workload, prometheus).is_true() for when in wanted.values())
        )
        return dict(zip(wanted, results, strict=True))
