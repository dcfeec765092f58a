"""One recovery, from its episode to its one final state: facts, plan, step, verification, next rung or people."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

import structlog

from homeostat import names
from homeostat.alertmanager_api import AlertmanagerClient, equals
from homeostat.clock import Clock
from homeostat.errors import HomeostatError, NotFound, Temporary
from homeostat.probes import ProbeContext
from homeostat.prometheus_api import PrometheusClient
from homeostat.settings import Settings
from homeostat.steps import Step, Tier, Verification
from responder.engine import Status, StepEngine
from responder.evidence import ExpressionEvidence, ProbeEvidence, StateEvidence
from responder.gates import AlertView, Facts, Refusal, Then
from responder.history import parse_step, tried_rungs, unjudged_step, waiting_since
from responder.ledger import Entry, EntryKind, Episode, Final, Store
from responder.metrics import Metrics
from responder.planner import Act, Decision, Exhausted, Request, plan
from responder.targets import Resolver, Target
from responder.verify import Evidence, Judgement, Quality, Reading, Terms, Verdict, verify

log = structlog.get_logger()

#: How long an episode may wait for something that passes by itself before a person hears of it.
_PATIENCE_S = 900.0
#: How soon a waiting episode is looked at again.
_AGAIN_S = 5.0
#: How old a measurement may be to speak of now.
_FRESH_S = 15.0
#: Evidence without a step: it must be good soon (it is already, or the alert would not have ended), for the usual hold.
_QUIET = Verification(within=5.0)
#: As the gate of the same name says it, for ladders that have no step to refuse.
_ENDED = ("not_active", "rule_not_true")
#: Gates that wait for a server to answer; they pass by themselves, or a person has to hear of it.
_UNREADABLE = ("alertmanager_unreadable", "workload_unreadable", "rule_unreadable")
#: What the rule's evidence says of the trouble.
_STILL_TRUE = {Quality.GOOD: False, Quality.BAD: True, Quality.NO_DATA: None}
_OVER = Refusal("not_active", "Alertmanager no longer holds the alert", Then.WAIT)


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not finished: look again after ``delay_s`` or when something about the episode changes."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a recovery works with. ``settings`` is read anew for each decision."""

    store: Store
    engine: StepEngine
    resolver: Resolver
    alertmanager: AlertmanagerClient
    prometheus: PrometheusClient
    probes: ProbeContext
    metrics: Metrics
    clock: Clock


class Recovery:
    """Drives one episode. Holds no state of its own: everything is in the ledger, so a crash loses nothing."""

    def __init__(self, services: Services, settings: Settings) -> None:
        self._s = services
        self._settings = settings

    async def advance(self, episode: Episode) -> Episode | Deferred:
        """Work until the episode has its final state or has to wait. Raises StoreError."""
        while True:
            entries = await self._s.store.entries(episode.id)
            result = await self._after_step(episode, entries) or await self._next(episode, entries)
            if result is not None:
                return result

    async def _next(self, episode: Episode, entries: Sequence[Entry]) -> Episode | Deferred | None:
        """One rung, one wait or the end; None when there is more to do."""
        target, facts, decision = await self._decide(episode, entries)
        match decision:
            case Act(index, step):
                assert target is not None  # noqa: S101 - the first gate refuses without one
                outcome = await self._s.engine.take(episode, index, step, target)
                self._s.metrics.steps.labels(step.action, outcome.status.value).inc()
                return None
            case Refusal():
                return await self._refused(episode, entries, target, decision)
            case Exhausted(escalate=True):
                tried = tried_rungs(entries)
                reason = "every step of its ladder was taken" if tried else f"no step helps against {episode.remedy}"
                return await self._finish(episode, Final.ESCALATED, reason)
            case Exhausted():
                is_over = facts.alert.state is None and not facts.alert.problem
                return await self._refused(episode, entries, target, _OVER) if is_over else Deferred(_AGAIN_S)
            case _ as never:
                assert_never(never)

    async def _refused(
        self, episode: Episode, entries: Sequence[Entry], target: Target | None, refusal: Refusal
    ) -> Episode | Deferred:
        if refusal.then is Then.ESCALATE:
            await self._note(episode, entries, EntryKind.REFUSED, refusal)
            return await self._finish(episode, Final.ESCALATED, f"{refusal.reason}: {refusal.detail}")
        await self._note(episode, entries, EntryKind.WAITING, refusal)
        return await self._wait(episode, entries, target, refusal)

    async def _decide(self, episode: Episode, entries: Sequence[Entry]) -> tuple[Target | None, Facts, Decision]:
        found, alert, rule = await asyncio.gather(
            self._s.resolver.resolve_or_problem(episode, self._settings),
            self._view(episode),
            self._rule_now(episode),
        )
        target = None if isinstance(found, HomeostatError) else found
        responder = self._settings.responder
        now = self._s.clock.now()
        longest_s = max((cap.window for cap in responder.caps), default=0.0)
        facts = Facts(
            workload=target.workload if target else None,
            workload_problem=str(found) if isinstance(found, HomeostatError) else "",
            alert=alert,
            hard_steps=tuple(await self._s.store.hard_steps(episode.workload, now - longest_s)),
            caps=responder.caps,
            dry_run=responder.dry_run,
            now=now,
            is_unreadable=isinstance(found, Temporary),
            still_true=_STILL_TRUE[rule.quality],
            rule_detail=rule.detail,
        )
        ladder = self._settings.ladder(episode.remedy, target.workload.ladders if target else {})
        request = Request(episode.workload, episode.remedy, ladder, tried_rungs(entries))
        return target, facts, plan(request, facts)

    async def _view(self, episode: Episode) -> AlertView:
        try:
            held = await self._s.alertmanager.held(
                equals("alertname", episode.alert), equals(names.WORKLOAD, episode.workload)
            )
        except HomeostatError as err:
            return AlertView(None, "", str(err))
        ours = next((alert for alert in held if alert.fingerprint == episode.fingerprint), None)
        return AlertView(ours.state, ours.muted_by, "") if ours else AlertView(None, "", "")

    async def _after_step(self, episode: Episode, entries: Sequence[Entry]) -> Episode | None:
        """A step that was taken and not judged yet, in this life or in an earlier one, is verified, never run again."""
        started = unjudged_step(entries)
        if started is None:
            return None
        if not any(e.kind is EntryKind.FINISHED and e.data["token"] == started.id for e in entries):
            await self._note_interruption(episode, started)
        found = await self._s.resolver.resolve_or_problem(episode, self._settings)
        target = None if isinstance(found, HomeostatError) else found
        return await self._verify_step(episode, parse_step(started.data["step"]), target)

    async def _note_interruption(self, episode: Episode, started: Entry) -> None:
        index, action = started.data["rung"], started.data["action"]
        data = {"rung": index, "action": action, "token": started.id, "status": Status.INTERRUPTED.value}
        detail = "the responder ended while acting; what happened is judged by evidence"
        await self._s.store.append(episode, EntryKind.FINISHED, {**data, "detail": detail}, self._s.clock.now())
        self._s.metrics.steps.labels(str(action), Status.INTERRUPTED.value).inc()

    async def _verify_step(self, episode: Episode, step: Step, target: Target | None) -> Episode | None:
        grace_s = target.workload.start_grace_s if target and step.tier is Tier.HARD else 0.0
        terms = Terms(step.verify.within + grace_s, step.verify.hold)
        judgement = await self._look(episode, target, terms, step.action)
        self._s.metrics.verdicts.labels(step.action, judgement.verdict.value).inc()
        match judgement.verdict:
            case Verdict.VERIFIED:
                return await self._finish(episode, Final.VERIFIED, f"{step.action}: {judgement.reason}")
            case Verdict.NOT_RECOVERED:
                return None
            case Verdict.INCONCLUSIVE:
                return await self._finish(
                    episode, Final.ESCALATED, f"cannot tell whether it recovered: {judgement.reason}"
                )
            case _ as never:
                assert_never(never)

    async def _wait(
        self, episode: Episode, entries: Sequence[Entry], target: Target | None, refusal: Refusal
    ) -> Episode | Deferred:
        now = self._s.clock.now()
        waited_s = now - (waiting_since(entries, refusal.reason) or now)
        if refusal.reason in _ENDED:
            return await self._settle(episode, entries, target, waited_s)
        if refusal.reason in _UNREADABLE and waited_s > _PATIENCE_S:
            return await self._finish(episode, Final.ESCALATED, f"{refusal.reason}: {refusal.detail}")
        return Deferred(_AGAIN_S)

    async def _settle(
        self, episode: Episode, entries: Sequence[Entry], target: Target | None, waited_s: float
    ) -> Episode | Deferred:
        """The alert has ended without us. That proves nothing: look, and only then call it over.

        Where no step was taken the rule has the last word: what its owner stopped or removed will never look well, and
        that its rule is measured and not true is all there is to see.
        """
        judgement = await self._look(episode, target, Terms(_QUIET.within, _QUIET.hold, patience_s=0.0), "none")
        if judgement.verdict is Verdict.VERIFIED:
            return await self._finish(episode, Final.SELF_RESOLVED, f"the alert ended; {judgement.reason}")
        if await self._is_gone(episode):
            return await self._finish(episode, Final.SELF_RESOLVED, "the alert ended; its workload is no longer there")
        if waited_s <= _PATIENCE_S:
            return Deferred(_AGAIN_S)
        if not tried_rungs(entries) and (await self._rule_now(episode)).quality is Quality.GOOD:
            reason = f"its rule has not been true for {_PATIENCE_S:g} s, though: {judgement.reason}"
            return await self._finish(episode, Final.SELF_RESOLVED, reason)
        reason = f"the alert ended, but the evidence does not say that it is well: {judgement.reason}"
        return await self._finish(episode, Final.ESCALATED, reason)

    async def _is_gone(self, episode: Episode) -> bool:
        return isinstance(await self._s.resolver.resolve_or_problem(episode, self._settings), NotFound)

    async def _look(self, episode: Episode, target: Target | None, terms: Terms, action: str) -> Judgement:
        since = self._s.clock.now()
        judgement = await verify(self._evidence(episode, target, since), terms, self._s.clock)
        data = {
            "action": action,
            "verdict": judgement.verdict.value,
            "reason": judgement.reason,
            "seconds": round(self._s.clock.now() - since, 3),
            "readings": [
                {"source": r.source, "quality": r.quality.value, "detail": r.detail} for r in judgement.readings
            ],
        }
        await self._s.store.append(episode, EntryKind.JUDGED, data, self._s.clock.now())
        return judgement

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
        looked = await asyncio.gather(*(one.read() for one in self._evidence(episode, target, since)))
        readings = [reading for group in looked for reading in group]
        if all(reading.quality is Quality.GOOD for reading in readings):
            return True
        return gone_s > _PATIENCE_S and (await self._rule_now(episode)).quality is Quality.GOOD

    async def _rule_now(self, episode: Episode) -> Reading:
        """What the alert's rule says now, on a measurement that is fresh enough where nothing was done."""
        (reading,) = await ExpressionEvidence(episode, self._s.prometheus, self._s.clock.now() - _FRESH_S).read()
        return reading

    def _evidence(self, episode: Episode, target: Target | None, since: float) -> list[Evidence]:
        evidence: list[Evidence] = [
            StateEvidence(episode, self._s.resolver, self._settings),
            ExpressionEvidence(episode, self._s.prometheus, since),
        ]
        if target is None or target.workload.probes:
            evidence.append(ProbeEvidence(episode, self._s.resolver, self._settings, self._s.probes))
        return evidence

    async def _note(self, episode: Episode, entries: Sequence[Entry], kind: EntryKind, refusal: Refusal) -> None:
        """Write a refusal once, not every time it is met again."""
        if waiting_since(entries, refusal.reason) is not None:
            return
        self._s.metrics.refusals.labels(refusal.reason).inc()
        await self._s.store.append(
            episode, kind, {"reason": refusal.reason, "detail": refusal.detail}, self._s.clock.now()
        )

    async def _finish(self, episode: Episode, final: Final, reason: str) -> Episode:
        now = self._s.clock.now()
        done = await self._s.store.finish(episode, final, reason, now)
        self._s.metrics.recoveries.labels(final.value).inc()
        self._s.metrics.duration.labels(final.value).observe(now - episode.opened_at)
        say = log.error if final is Final.ESCALATED else log.info
        say(
            "recovery.ended",
            recovery=episode.id,
            workload=episode.workload,
            alert=episode.alert,
            final=final.value,
            reason=reason,
            seconds=round(now - episode.opened_at, 3),
        )
        return done
