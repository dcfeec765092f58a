"""Read-only JSON of what the ledger holds, newest first."""

from collections.abc import Sequence

from homeostat import names
from homeostat.clock import rfc3339
from responder.ledger import Entry, EntryKind, Episode, Hold


def episode_json(episode: Episode) -> dict[str, object]:
    """One episode; times in RFC 3339, None where not yet."""
    return {
        "id": episode.id,
        "fingerprint": episode.fingerprint,
        "alert": episode.alert,
        "workload": episode.workload,
        "container": episode.container,
        "resource": episode.labels.get(names.RESOURCE, ""),
        "remedy": episode.remedy,
        "starts_at": rfc3339(episode.starts_at),
        "opened_at": rfc3339(episode.opened_at),
        "final": episode.final.value if episode.final else None,
        "reason": episode.reason,
        "finished_at": _time(episode.finished_at),
        "resolved_at": _time(episode.resolved_at),
        "closed_at": _time(episode.closed_at),
        "escalation_delivered_at": _time(episode.delivered_at),
    }


def recovery_json(episode: Episode, entries: Sequence[Entry], *, with_evidence: bool = True) -> dict[str, object]:
    """The episode with the whole of its record; without what was seen before hard steps, which may be large."""
    lines = [
        {"id": e.id, "at": rfc3339(e.at), "kind": e.kind.value, **e.data}
        for e in entries
        if with_evidence or e.kind is not EntryKind.EVIDENCE
    ]
    return {**episode_json(episode), "entries": lines}


def hold_json(hold: Hold) -> dict[str, object]:
    """One operator's hold."""
    return {
        "pattern": hold.pattern,
        "reason": hold.reason,
        "by": hold.by,
        "at": rfc3339(hold.at),
        "until": _time(hold.until),
    }


def _time(epoch_s: float | None) -> str | None:
    return None if epoch_s is None else rfc3339(epoch_s)
