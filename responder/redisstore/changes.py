"""What each write means for the episodes it is about. Pure: episodes as they are, and a draft of what is to be written.

The rules are those of the SQLite store; tests/contract/test_store.py holds both to them.
"""

import dataclasses
from collections.abc import Mapping, Sequence

from responder.ledger import Accepted, Alert, EntryKind, Episode, Final
from responder.redisstore.draft import Draft


def accept(draft: Draft, alerts: Sequence[Alert], latest: Mapping[str, Episode], now: float) -> Accepted:
    """``latest``: the newest episode of each fingerprint that has one."""
    known = dict(latest)
    opened: list[Episode] = []
    resolved: list[Episode] = []
    repeated = 0
    for alert in alerts:
        last = known.get(alert.fingerprint)
        is_open = last is not None and last.closed_at is None
        if alert.is_firing and not is_open and not _is_stale(alert, last):
            known[alert.fingerprint] = draft.open(alert, now)
            opened.append(known[alert.fingerprint])
        elif last is not None and is_open and last.resolved_at is None and not alert.is_firing:
            after = known[alert.fingerprint] = _resolved(draft, last, now)
            draft.line(after, EntryKind.RESOLVED, {}, now)
            resolved.append(after)
        else:
            if last is not None and is_open and last.resolved_at is not None and alert.is_firing:
                known[alert.fingerprint] = _resolved(draft, last, None)
            repeated += 1
    return Accepted(tuple(opened), tuple(resolved), repeated)


def finish(draft: Draft, episode: Episode, final: Final, reason: str, now: float) -> Episode:
    """The first final state stands. An escalated episode stays open until its trouble ends."""
    if episode.final is not None:
        return episode
    closed_at = episode.closed_at
    if closed_at is None and final is not Final.ESCALATED:
        closed_at = float(now)
    after = dataclasses.replace(episode, final=final, reason=reason, finished_at=float(now), closed_at=closed_at)
    draft.put(episode, after)
    draft.line(after, EntryKind.FINAL, {"final": final.value, "reason": reason}, now)
    return after


def close(draft: Draft, episode: Episode, reason: str, now: float) -> Episode:
    """Said once."""
    if episode.closed_at is not None:
        return episode
    after = dataclasses.replace(episode, closed_at=float(now))
    draft.put(episode, after)
    draft.line(after, EntryKind.CLOSED, {"reason": reason}, now)
    return after


def deliver(draft: Draft, episodes: Sequence[Episode], now: float) -> None:
    """Said once of each."""
    for episode in {one.id: one for one in episodes}.values():
        if episode.delivered_at is None:
            after = dataclasses.replace(episode, delivered_at=float(now))
            draft.put(episode, after)
            draft.line(after, EntryKind.DELIVERED, {}, now)


def _resolved(draft: Draft, episode: Episode, at: float | None) -> Episode:
    after = dataclasses.replace(episode, resolved_at=None if at is None else float(at))
    draft.put(episode, after)
    return after


def _is_stale(alert: Alert, last: Episode | None) -> bool:
    """A firing that began before the last episode ended is that episode's, late: from an HA peer or a re-delivery."""
    return last is not None and last.closed_at is not None and alert.starts_at <= last.closed_at
