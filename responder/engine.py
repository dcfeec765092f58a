"""Take one step, once, and put it back. Never raises for a failed action: the outcome says what happened."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from homeostat.errors import HomeostatError, Temporary
from homeostat.steps import Step, Tier, as_data
from responder.actions import ACTIONS
from responder.actions.base import Applied, Memo, Skipped, Tools, Undoable
from responder.leases import Leased
from responder.ledger import Entry, EntryKind, Episode
from responder.targets import Target

#: What is seen of a workload just before a hard step: JSON-able, never raises.
Capture = Callable[[Target], Awaitable[Mapping[str, object]]]


class Status(StrEnum):
    """What became of a step."""

    APPLIED = "applied"
    SKIPPED = "skipped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"  # the responder ended between started and finished; what happened is unknown


@dataclass(frozen=True, slots=True)
class Outcome:
    """Written as the finished entry."""

    status: Status
    detail: str
    seconds: float


class StepEngine:
    """For steps under one lease. Writes ``started`` before it acts and ``finished`` after; a failure while acting is
    never retried.
    """

    def __init__(self, under: Leased, tools: Tools, capture: Capture) -> None:
        self._under = under
        self._tools = tools
        self._clock = tools.clock
        self._capture = capture

    async def take(self, episode: Episode, index: int, step: Step, target: Target) -> Outcome:
        """Run rung ``index``. Raises StoreError when ``started`` cannot be written, or the lease is no longer ours:
        then nothing was done.
        """
        memo = await self._prepare(step, target)
        if step.tier is Tier.HARD:
            seen = await self._capture(target)
            await self._under.append(episode, EntryKind.EVIDENCE, {"rung": index, **seen}, self._clock.now())
        data = {"rung": index, "action": step.action, "tier": step.tier.value, "step": as_data(step)}
        if isinstance(memo, Mapping):
            data["memo"] = dict(memo)
        started = await self._under.append(episode, EntryKind.STARTED, data, self._clock.now())
        self._under.check()  # the last moment before acting: a process may be stopped for minutes between two lines
        begin = self._clock.monotonic()
        status, detail, told = (*memo, None) if isinstance(memo, tuple) else await self._apply(step, target)
        outcome = Outcome(status, detail, round(self._clock.monotonic() - begin, 3))
        now = self._clock.now()
        if told is not None:
            await self._under.append(episode, EntryKind.EVIDENCE, {"rung": index, **told}, now)
        finished = {"rung": index, "action": step.action, "token": started.id, "status": status.value, "detail": detail}
        await self._under.append(
            episode, EntryKind.FINISHED, {**finished, "seconds": outcome.seconds, **_due(step, data, status, now)}, now
        )
        return outcome

    async def undo(self, episode: Episode, step: Step, started: Entry) -> str:
        """Put a step back. Raises HomeostatError when that failed: nothing is written then, and it may be tried again.

        Raises StoreError as :meth:`take`.
        """
        action = ACTIONS[step.action]
        memo = started.data["memo"]
        assert isinstance(action, Undoable)  # noqa: S101 - the memo is its own
        assert isinstance(memo, Mapping)  # noqa: S101 - as it was written
        self._under.check()
        try:
            async with asyncio.timeout(step.timeout):
                detail = await action.undo(step, memo, self._tools)
        except TimeoutError:
            raise Temporary(f"not put back within {step.timeout:g} s") from None
        await self.note_undone(episode, step, started, "undone", detail)
        return detail

    async def note_undone(self, episode: Episode, step: Step, started: Entry, status: str, detail: str) -> None:
        """What became of putting it back: from then on it is no longer tried."""
        data = {"action": step.action, "token": started.id, "status": status, "detail": detail}
        await self._under.append(episode, EntryKind.UNDONE, data, self._clock.now())

    async def _prepare(self, step: Step, target: Target) -> Memo | tuple[Status, str] | None:
        """How to put it back; or that it will not be taken at all, and why."""
        action = ACTIONS[step.action]
        if not isinstance(action, Undoable):
            return None
        try:
            async with asyncio.timeout(step.timeout):
                memo = await action.prepare(step, target, self._tools)
        except TimeoutError:
            return Status.SKIPPED, f"how it is now could not be told within {step.timeout:g} s"
        except HomeostatError as err:
            return Status.SKIPPED, f"how it is now cannot be told: {err}"
        except Exception as err:  # noqa: BLE001 - as in _apply
            return Status.SKIPPED, f"unexpected: {err!r}"
        return (Status.SKIPPED, memo.reason) if isinstance(memo, Skipped) else memo

    async def _apply(self, step: Step, target: Target) -> tuple[Status, str, Mapping[str, object] | None]:
        try:
            async with asyncio.timeout(step.timeout):
                result = await ACTIONS[step.action].apply(step, target, self._tools)
        except TimeoutError:
            return Status.FAILED, f"not done within {step.timeout:g} s", None
        except HomeostatError as err:
            return Status.FAILED, str(err), None
        except Exception as err:  # noqa: BLE001 - a defect in an action must end as an outcome, not as a dead worker
            return Status.FAILED, f"unexpected: {err!r}", None
        if isinstance(result, Applied):
            return Status.APPLIED, result.detail, result.evidence
        return Status.SKIPPED, result.reason, None


def _due(step: Step, started: Mapping[str, object], status: Status, now: float) -> dict[str, float]:
    """When an effect that lasts has to be put back. One that failed may have had an effect, too."""
    lasts_s = getattr(step, "lasts", None)
    return {"due_at": now + lasts_s} if lasts_s and "memo" in started and status is not Status.SKIPPED else {}
