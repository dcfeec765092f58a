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
_RUNBOOKS = "https://github.com/homeostat/homeostat/blob/main/docs/runbooks"


class Escalation:
    """Posts and resolves what people have to hear. Raises Unreachable or Permanent."""

    def __init__(self, alertmanager: AlertmanagerClient) -> None:
        self._alertmanager = alertmanager

    async def post(self, episodes: Sequence[tuple[Episode, Sequence[Entry]]], now: float) -> None:
        """Escalated episodes, in one call."""
        await self._alertmanager.post([_alert(episode, entries, now + _LASTS_S) for episode, entries in episodes])

    async def resolve(self, episode: Episode, now: float) -> None:
        await self._alertmanager.post([_alert(episode, (), now)])

    async def ask(self, episode: Episode, pending: Entry) -> None:
        """For an approval, until it expires."""
        await self._alertmanager.post([_question(episode, pending, float(str(pending.data["expires_at"])))])

    async def answered(self, episode: Episode, pending: Entry, now: float) -> None:
        """Nobody has to approve it any more."""
        await self._alertmanager.post([_question(episode, pending, now)])

    async def storm(self, workloads: int, since: float, until: float) -> None:
        """Nothing is done while so many are in trouble."""
        annotations = {
            "summary": "homeostat has stopped repairing: too many workloads are in trouble at once.",
            "description": f"{workloads} workloads came into trouble within a short time. One cause is likelier than "
            "many; homeostat repairs what is left once no more come.",
            "runbook_url": f"{_RUNBOOKS}/{names.ALERT_STORM}.md",
        }
        labels = {"alertname": names.ALERT_STORM, names.SEVERITY: "critical"}
        await self._alertmanager.post([PostedAlert(labels, annotations, since, until)])


def _question(episode: Episode, pending: Entry, ends_at: float) -> PostedAlert:
    labels = {
        "alertname": names.ALERT_APPROVAL,
        names.SEVERITY: "critical",
        names.WORKLOAD: episode.workload,
        "episode": str(episode.id),
        "rung": str(pending.data["rung"]),
    }
    command = f"homeostat approve {episode.id}"
    annotations = {
        "summary": "homeostat waits for a person to approve a repair.",
        "description": f"{episode.alert} of {episode.workload}: the step {pending.data['action']} needs a yes "
        f"({command}) or a no (homeostat reject {episode.id}).",
        "runbook_url": f"{_RUNBOOKS}/{names.ALERT_APPROVAL}.md",
    }
    return PostedAlert(labels, annotations, pending.at, ends_at)


def _alert(episode: Episode, entries: Sequence[Entry], ends_at: float) -> PostedAlert:
    labels = {
        "alertname": names.ALERT_ESCALATION,
        names.SEVERITY: "critical",
        "source_alert": episode.alert,
        "episode": str(episode.id),
    }
    told = (names.WORKLOAD, names.CONTAINER, names.RESOURCE)
    optional = {name: episode.labels.get(name, "") for name in told}
    labels |= {name: value for name, value in optional.items() if value}
    annotations = {
        "summary": "homeostat could not repair a workload.",
        "description": f"{episode.alert} of {episode.workload or '(no workload)'}: {episode.reason}",
        "transcript": "\n".join(transcript(entries)),
        "runbook_url": f"{_RUNBOOKS}/{names.ALERT_ESCALATION}.md",
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
        case EntryKind.EVIDENCE:
            return _causes(data.get("causes"))
        case EntryKind.UNDONE:
            return f"step {data['action']}: {data['status']}: {data['detail']}"
        case EntryKind.APPROVED | EntryKind.REJECTED:
            return f"{entry.kind.value} by {data['by']}"
        case EntryKind.REFUSED:
            return f"refused ({data['reason']}): {data['detail']}"
        case _:
            return ""


def _causes(found: object) -> str:
    if not isinstance(found, list):
        return ""
    causes = [str(each["cause"]) for each in found if isinstance(each, dict) and "cause" in each]
    return f"its log says: {', '.join(causes)}" if causes else ""
