"""People are reached by the receivers they already have: an alert of ours, posted back to Alertmanager.

Alertmanager forgets alerts when it restarts, so an open escalation is posted again with every reconciliation; posting
it twice is harmless (same labels, same alert).
"""

from collections.abc import Sequence

from homeostat import names
from homeostat.alertmanager_api import AlertmanagerClient, PostedAlert
from responder.ledger import Entry, EntryKind, Episode

#: Long enough to outlive a responder that is down over a weekend; the responder resolves it when the trouble ends.
_LASTS_S = 72 * 3600.0
_RUNBOOK = "https://github.com/homeostat/homeostat/blob/main/docs/runbooks/HomeostatEscalation.md"


class Escalation:
    """Posts and resolves the escalation of an episode. Raises Unreachable or Permanent."""

    def __init__(self, alertmanager: AlertmanagerClient) -> None:
        self._alertmanager = alertmanager

    async def post(self, episode: Episode, entries: Sequence[Entry], now: float) -> None:
        await self._alertmanager.post([_alert(episode, entries, now + _LASTS_S)])

    async def resolve(self, episode: Episode, now: float) -> None:
        await self._alertmanager.post([_alert(episode, (), now)])


def _alert(episode: Episode, entries: Sequence[Entry], ends_at: float) -> PostedAlert:
    labels = {
        "alertname": names.ALERT_ESCALATION,
        names.SEVERITY: "critical",
        "source_alert": episode.alert,
        "episode": str(episode.id),
    }
    optional = {names.WORKLOAD: episode.workload, names.CONTAINER: episode.container}
    labels |= {name: value for name, value in optional.items() if value}
    annotations = {
        "summary": "homeostat could not repair a workload.",
        "description": f"{episode.alert} of {episode.workload or '(no workload)'}: {episode.reason}",
        "transcript": "\n".join(transcript(entries)),
        "runbook_url": _RUNBOOK,
    }
    return PostedAlert(labels, annotations, episode.finished_at or episode.opened_at, ends_at)


def transcript(entries: Sequence[Entry]) -> list[str]:
    """The story of an episode, a line a step."""
    return [line for entry in entries if (line := _line(entry))]


def _line(entry: Entry) -> str:
    data = entry.data
    match entry.kind:
        case EntryKind.STARTED:
            return f"took step {data['action']}"
        case EntryKind.FINISHED:
            return f"step {data['action']}: {data['status']}: {data['detail']}"
        case EntryKind.JUDGED:
            return f"verification: {data['verdict']}: {data['reason']}"
        case EntryKind.REFUSED:
            return f"refused ({data['reason']}): {data['detail']}"
        case _:
            return ""
