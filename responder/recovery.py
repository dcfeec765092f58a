"""One recovery, from its episode to its one final state: facts, plan, step, verification, next rung or people."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

import structlog

from homeostat.errors import HomeostatError
from homeostat.settings import Settings
from homeostat.steps import Step, Tier, Verification
from responder.engine import Capture, Status, StepEngine
from responder.escalate import Escalation
from responder.facts import FactFinder
from responder.gates import Facts, Question, Refusal, Then
from responder.history import parse_step, tried_rungs, undo_due, unjudged_step, unjudged_undo, waiting_since
from responder.leases import Leased
from responder.ledger import Entry, EntryKind, Episode, Final
from responder.onlooker import PATIENCE_S, Onlooker
from responder.planner import Act, Decision, Exhausted, Request, plan
from responder.services import Services
from responder.targets import Target
from responder.verify import Quality, Terms, Verdict

log = structlog.get_logger()

#: How soon a waiting episode is looked at again.
_AGAIN_S = 5.0
#: The same when all is done and only the end is waited for, which wakes it up: it may be days.
_USED_UP_AGAIN_S = 30.0
#: The same while many wait.
_STORM_AGAIN_S = 15.0
#: Evidence without a step: it must be good soon (it is already, or the alert would not have ended), for the usual hold.
_QUIET = Verification(within=5.0)
#: As the gate of the same name says it, for ladders that have no step to refuse.
_ENDED = ("not_active", "rule_not_true")
#: Gates that wait for something to answer or to be mended; if that does not happen, a person has to hear of it.
_IMPATIENT = ("alertmanager_unreadable", "workload_unreadable", "rule_unreadable", "condition_unreadable", "dependency")
_OVER = Refusal("not_active", "Alertmanager no longer holds the alert", Then.WAIT)


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not finished: look again after ``delay_s`` or when something about the episode changes."""

    delay_s: float


class Recovery:
    """Drives one episode. Holds no state of its own: everything is in the ledger, so a crash loses nothing."""

    def __init__(self, services: Services, settings: Settings, under: Leased, capture: Capture) -> None:
        self._s = services
        self._settings = settings
        self._under = under
        self._engine = StepEngine(under, services.tools, capture)
        self._onlooker = Onlooker(services, settings)
        self._facts = FactFinder(services, settings, self._onlooker)
        self._escalation = Escalation(services.alertmanager)

    async def advance(self, episode: Episode) -> Episode | Deferred:
        """Work until the episode has its final state or has to wait. Raises StoreError; LostLease among them."""
        while True:
            entries = await self._under.entries(episode.id)
            result = await self._stage(episode, entries)
            if result is not None:
                return result

    async def _stage(self, episode: Episode, entries: Sequence[Entry]) -> Episode | Deferred | None:
        """What the ledger says comes next; None when there is more to do after it."""
        if started := unjudged_step(entries):
            return await self._judge(episode, entries, started)
        if started := undo_due(entries):
            return await self._undo(episode, entries, started)
        if undone := unjudged_undo(entries):
            return await self._judge_undo(episode, entries, undone)
        return await self._next(episode, entries)

    async def _next(self, episode: Episode, entries: Sequence[Entry]) -> Episode | Deferred | None:
        """One rung, one wait or the end."""
        if storm := self._s.brake.storm(self._settings.responder.storm, self._s.clock.now()):
            detail = f"{storm} workloads came into trouble within {self._settings.responder.storm.window:g} s"
            await self._note(episode, entries, EntryKind.WAITING, Refusal("storm", detail, Then.WAIT))
            return Deferred(_STORM_AGAIN_S)
        target, ladder, facts = await self._facts.gather(episode, entries)
        decision = plan(Request(episode.workload, episode.remedy, ladder, tried_rungs(entries)), facts)
        return await self._carry_out(episode, entries, target, facts, decision)

    async def _carry_out(
        self, episode: Episode, entries: Sequence[Entry], target: Target | None, facts: Facts, decision: Decision
    ) -> Episode | Deferred | None:
        match decision:
            case Act(index, step):
                assert target is not None  # noqa: S101 - the first gate refuses without one
                outcome = await self._engine.take(episode, index, step, target)
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
                return await self._refused(episode, entries, target, _OVER) if is_over else Deferred(_USED_UP_AGAIN_S)
            case _ as never:
                assert_never(never)

    async def _refused(
        self, episode: Episode, entries: Sequence[Entry], target: Target | None, refusal: Refusal
    ) -> Episode | Deferred:
        if refusal.then is Then.ESCALATE:
            await self._note(episode, entries, EntryKind.REFUSED, refusal)
            return await self._finish(episode, Final.ESCALATED, f"{refusal.reason}: {refusal.detail}")
        await self._note(episode, entries, EntryKind.WAITING, refusal)
        if refusal.question is not None:
            await self._ask_people(episode, entries, refusal.question)
        now = self._s.clock.now()
        waited_s = now - (waiting_since(entries, refusal.reason) or now)
        if refusal.reason in _ENDED:
            return await self._settle(episode, entries, target, waited_s)
        if refusal.reason in _IMPATIENT and waited_s > PATIENCE_S:
            return await self._finish(episode, Final.ESCALATED, f"{refusal.reason}: {refusal.detail}")
        return Deferred(_AGAIN_S)

    async def _ask_people(self, episode: Episode, entries: Sequence[Entry], question: Question) -> None:
        """Once in the ledger; Alertmanager is told again and again, as it forgets when it restarts."""
        now = self._s.clock.now()
        asked = next((e for e in entries if e.kind is EntryKind.PENDING and e.data["rung"] == question.rung), None)
        if asked is None:
            data = {"rung": question.rung, "action": question.action, "expires_at": now + question.within_s}
            asked = await self._under.append(episode, EntryKind.PENDING, data, now)
        try:
            await self._escalation.ask(episode, asked)
        except HomeostatError as err:
            log.warning("approval.undelivered", recovery=episode.id, error=str(err))

    async def _judge(self, episode: Episode, entries: Sequence[Entry], started: Entry) -> Episode | None:
        """A step that was taken and not judged yet, in this life or in an earlier one, is verified, never run again."""
        if not any(e.kind is EntryKind.FINISHED and e.data["token"] == started.id for e in entries):
            await self._note_interruption(episode, started)
        step = parse_step(started.data["step"])
        verdict, reason = await self._verify(episode, step, step.action)
        self._s.metrics.verdicts.labels(step.action, verdict.value).inc()
        match verdict:
            case Verdict.VERIFIED:
                return await self._finish(episode, Final.VERIFIED, f"{step.action}: {reason}")
            case Verdict.NOT_RECOVERED:
                return None
            case Verdict.INCONCLUSIVE:
                return await self._finish(episode, Final.ESCALATED, f"cannot tell whether it recovered: {reason}")
            case _ as never:
                assert_never(never)

    async def _note_interruption(self, episode: Episode, started: Entry) -> None:
        index, action, now = started.data["rung"], started.data["action"], self._s.clock.now()
        data = {"rung": index, "action": action, "token": started.id, "status": Status.INTERRUPTED.value}
        if lasts_s := getattr(parse_step(started.data["step"]), "lasts", None) if "memo" in started.data else None:
            data["due_at"] = now + lasts_s
        detail = "the responder ended while acting; what happened is judged by evidence"
        await self._under.append(episode, EntryKind.FINISHED, {**data, "detail": detail}, now)
        self._s.metrics.steps.labels(str(action), Status.INTERRUPTED.value).inc()

    async def _undo(self, episode: Episode, entries: Sequence[Entry], started: Entry) -> Episode | Deferred | None:
        """Put back what did not help; what cannot be put back now is tried again for a while, then a person's."""
        step = parse_step(started.data["step"])
        try:
            await self._engine.undo(episode, step, started)
        except HomeostatError as err:
            refusal = Refusal("undo_failed", f"{step.action} did not help and is not put back: {err}", Then.WAIT)
            await self._note(episode, entries, EntryKind.WAITING, refusal)
            now = self._s.clock.now()
            if now - (waiting_since(entries, refusal.reason) or now) <= PATIENCE_S:
                return Deferred(_AGAIN_S)
            await self._engine.note_undone(episode, step, started, "failed", str(err))
            return await self._finish(episode, Final.ESCALATED, refusal.detail)
        return None

    async def _judge_undo(self, episode: Episode, entries: Sequence[Entry], undone: Entry) -> Episode | None:
        """A step that was put back is looked at as one that was taken; it may be what helped."""
        started = next(entry for entry in entries if entry.id == undone.data["token"])
        step = parse_step(started.data["step"])
        verdict, reason = await self._verify(episode, step, f"undo {step.action}")
        if verdict is Verdict.VERIFIED:
            return await self._finish(episode, Final.ROLLED_BACK, f"{step.action} was put back: {reason}")
        return None

    async def _verify(self, episode: Episode, step: Step, what: str) -> tuple[Verdict, str]:
        target = await self._s.resolver.resolve_or_none(episode, self._settings)
        grace_s = target.workload.start_grace_s if target and step.tier is Tier.HARD else 0.0
        terms = Terms(step.verify.within + grace_s, step.verify.hold, lag_s=step.verify.lag)
        judgement = await self._onlooker.look(episode, target, step.verify, terms, what, self._under)
        return judgement.verdict, judgement.reason

    async def _settle(
        self, episode: Episode, entries: Sequence[Entry], target: Target | None, waited_s: float
    ) -> Episode | Deferred:
        """The alert has ended without us. That proves nothing: look, and only then call it over.

        Where no step was taken the rule has the last word: what its owner stopped or removed will never look well, and
        that its rule is measured and not true is all there is to see.
        """
        began = self._s.clock.now()
        if seen := self._s.quiet.seen(episode, began):
            return await self._finish(episode, Final.SELF_RESOLVED, f"the alert ended with others; {seen.reason}")
        terms = Terms(_QUIET.within, _QUIET.hold, patience_s=0.0)
        judgement = await self._onlooker.look(episode, target, _QUIET, terms, "none", self._under)
        if judgement.verdict is Verdict.VERIFIED:
            self._s.quiet.note(episode, began, judgement, self._s.clock.now())
            return await self._finish(episode, Final.SELF_RESOLVED, f"the alert ended; {judgement.reason}")
        if await self._onlooker.is_gone(episode):
            return await self._finish(episode, Final.SELF_RESOLVED, "the alert ended; its workload is no longer there")
        if waited_s <= PATIENCE_S:
            return Deferred(_AGAIN_S)
        if not tried_rungs(entries) and (await self._onlooker.rule_now(episode)).quality is Quality.GOOD:
            reason = f"its rule has not been true for {PATIENCE_S:g} s, though: {judgement.reason}"
            return await self._finish(episode, Final.SELF_RESOLVED, reason)
        reason = f"the alert ended, but the evidence does not say that it is well: {judgement.reason}"
        return await self._finish(episode, Final.ESCALATED, reason)

    async def _note(self, episode: Episode, entries: Sequence[Entry], kind: EntryKind, refusal: Refusal) -> None:
        """Write a refusal once, not every time it is met again."""
        if waiting_since(entries, refusal.reason) is not None:
            return
        self._s.metrics.refusals.labels(refusal.reason).inc()
        await self._under.append(
            episode, kind, {"reason": refusal.reason, "detail": refusal.detail}, self._s.clock.now()
        )

    async def _finish(self, episode: Episode, final: Final, reason: str) -> Episode:
        now = self._s.clock.now()
        done = await self._under.finish(episode, final, reason, now)
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
