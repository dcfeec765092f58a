"""A person's yes or no to a step that waits for it, checked and written down."""

from dataclasses import dataclass

import structlog

from responder.gates import Approval
from responder.history import approvals, pending
from responder.ledger import EntryKind
from responder.parts import Parts

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Word:
    """Of a person about one recovery. ``question``: the line of the ledger that was answered; None for whichever is
    asked now.
    """

    is_yes: bool
    by: str
    reason: str = ""
    question: int | None = None


class NotAsked(Exception):
    """That recovery does not wait for this word, or no longer."""


async def give_word(parts: Parts, number: int, word: Word) -> EntryKind:
    """What was written. Raises NotAsked in words for who answers, NoEpisode, StoreError."""
    episode = await parts.store.episode(number)
    entries, now = await parts.store.entries(number), parts.clock.now()
    asked = pending(entries)
    if episode.final is not None or asked is None:
        raise NotAsked(f"recovery {number} does not wait for a word of anybody")
    if word.question not in (None, asked.id):
        raise NotAsked(f"recovery {number} asks something else by now")
    rung = asked.data["rung"]
    if approvals(entries, now)[int(str(rung))] is Approval.EXPIRED:
        raise NotAsked(f"recovery {number}: too late, it has expired")
    kind = EntryKind.APPROVED if word.is_yes else EntryKind.REJECTED
    await parts.store.append(episode, kind, {"rung": rung, "by": word.by, "reason": word.reason}, now)
    log.info("approval.answered", recovery=number, word=kind.value, by=word.by)
    parts.intake.wake(episode.workload)
    await parts.reconciler.answered(episode, asked)
    return kind
