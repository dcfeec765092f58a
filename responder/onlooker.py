"""Looks at one episode's evidence: for a time after a step, or now."""

import asyncio

from homeostat.errors import HomeostatError, NotFound
from homeostat.settings import Settings
from homeostat.steps import Verification
from responder.conditions import Condition
from responder.evidence import ExpressionEvidence, ProbeEvidence, StateEvidence
from responder.leases import Leased
from responder.ledger import EntryKind, Episode
from responder.services import Services
from responder.targets import Target
from responder.verify import Evidence, Judgement, Quality, Reading, Terms, verify

#: How long an episode may wait for something that passes by itself before a person hears of it.
PATIENCE_S = 900.0
#: How old a measurement may be to speak of now.
_FRESH_S = 15.0


class Onlooker:
    """``settings`` are those of the moment."""

    def __init__(self, services: Services, settings: Settings) -> None:
        self._s = services
        self._settings = settings

    async def look(
        self,
        episode: Episode,
        target: Target | None,
        verification: Verification,
        terms: Terms,
        what: str,
        under: Leased,
    ) -> Judgement:
        """Until there is a judgement, which is written down as one of ``what``."""
        since = self._s.clock.now()
        evidence = self._evidence(episode, target, since, verification)
        judgement = await verify(evidence, terms, self._s.clock)
        data = {
            "action": what,
            "verdict": judgement.verdict.value,
            "reason": judgement.reason,
            "seconds": round(self._s.clock.now() - since, 3),
            "readings": [
                {"source": r.source, "quality": r.quality.value, "detail": r.detail} for r in judgement.readings
            ],
        }
        await under.append(episode, EntryKind.JUDGED, data, self._s.clock.now())
        return judgement

    async def rule_now(self, episode: Episode) -> Reading:
        """What the alert's rule says now, on a measurement that is fresh enough where nothing was done."""
        (reading,) = await ExpressionEvidence(episode, self._s.prometheus, self._s.clock.now() - _FRESH_S).read()
        return reading

    async def is_gone(self, episode: Episode) -> bool:
        """Whether its workload is no longer there."""
        return isinstance(await self._s.resolver.resolve_or_problem(episode, self._settings), NotFound)

    async def is_over(self, episode: Episode, gone_s: float) -> bool:
        """Whether the trouble of an escalated episode is over whose alert has been gone for ``gone_s``.

        All evidence is good, or the workload is no longer there, or its rule has not been true for so long.
        """
        found = await self._s.resolver.resolve_or_problem(episode, self._settings)
        if isinstance(found, NotFound):
            return True
        target = None if isinstance(found, HomeostatError) else found
        # A scrape interval back: the last sample is fresh enough when nothing was done.
        since = self._s.clock.now() - _FRESH_S
        looked = await asyncio.gather(*(one.read() for one in self._evidence(episode, target, since, Verification())))
        readings = [reading for group in looked for reading in group]
        if all(reading.quality is Quality.GOOD for reading in readings):
            return True
        return gone_s > PATIENCE_S and (await self.rule_now(episode)).quality is Quality.GOOD

    def _evidence(
        self, episode: Episode, target: Target | None, since: float, verification: Verification
    ) -> list[Evidence]:
        evidence: list[Evidence] = [
            StateEvidence(episode, self._s.resolver, self._settings),
            ExpressionEvidence(episode, self._s.prometheus, since),
        ]
        if target is None or target.workload.probes:
            evidence.append(ProbeEvidence(episode, self._s.resolver, self._settings, self._s.probes))
        if verification.promql is not None:
            evidence.append(Condition(verification.promql, episode.workload, self._s.prometheus))
        return evidence
