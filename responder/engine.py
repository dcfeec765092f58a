"""Take one step, once. Never raises for a failed action: the outcome says what happened."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum

from homeostat.clock import Clock
from homeostat.errors import HomeostatError
from homeostat.steps import Step, as_data
from responder.actions import ACTIONS
from responder.actions.base import Applied, Tools
from responder.ledger import EntryKind, Episode, Store
from responder.targets import Target


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
    """Writes ``started`` before it acts and ``finished`` after; a failure while acting is never retried."""

    def __init__(self, store: Store, tools: Tools, clock: Clock) -> None:
        self._store = store
        self._tools = tools
        self._clock = clock

    async def take(self, episode: Episode, index: int, step: Step, target: Target) -> Outcome:
        """Run rung ``index``. Raises StoreError when ``started`` cannot be written: then nothing was done."""
        data = {"rung": index, "action": step.action, "tier": step.tier.value, "step": as_data(step)}
        started = await self._store.append(episode, EntryKind.STARTED, data, self._clock.now())
        begin = self._clock.monotonic()
        status, detail = await self._apply(step, target)
        outcome = Outcome(status, detail, round(self._clock.monotonic() - begin, 3))
        finished = {"rung": index, "action": step.action, "token": started.id, "status": status.value, "detail": detail}
        await self._store.append(
            episode, EntryKind.FINISHED, {**finished, "seconds": outcome.seconds}, self._clock.now()
        )
        return outcome

    async def _apply(self, step: Step, target: Target) -> tuple[Status, str]:
        try:
            async with asyncio.timeout(step.timeout):
                result = await ACTIONS[step.action].apply(step, target, self._tools)
        except TimeoutError:
            return Status.FAILED, f"not done within {step.timeout:g} s"
        except HomeostatError as err:
            return Status.FAILED, str(err)
        except Exception as err:  # noqa: BLE001 - a defect in an action must end as an outcome, not as a dead worker
            return Status.FAILED, f"unexpected: {err!r}"
        if isinstance(result, Applied):
            return Status.APPLIED, result.detail
        return Status.SKIPPED, result.reason
