"""What would be done about an alert, and why. Asks all that a recovery asks, and does nothing."""

from homeostat.settings import Settings
from responder.facts import FactFinder
from responder.ledger import Alert, new_episode
from responder.onlooker import Onlooker
from responder.planner import Act, Exhausted, Request, outlook, plan
from responder.services import Services


async def rehearse(alert: Alert, services: Services, settings: Settings) -> dict[str, object]:
    """``decision``: what would be done first. ``ladder``: each rung, should those before it not help."""
    now = services.clock.now()
    episode = new_episode(alert, 0, now)
    _, ladder, facts = await FactFinder(services, settings, Onlooker(services, settings)).gather(episode, ())
    request = Request(episode.workload, episode.remedy, ladder, ())
    return {
        "workload": episode.workload,
        "remedy": episode.remedy,
        "storm": services.brake.storm(settings.responder.storm, now),
        "decision": _words(plan(request, facts)),
        "ladder": [
            {
                "rung": each.index,
                "action": each.step.action,
                "tier": each.step.tier.value,
                "taken": each.is_taken,
                "why": each.why,
            }
            for each in outlook(request, facts)
        ],
    }


def _words(decision: object) -> str:
    match decision:
        case Act(index, step):
            return f"take rung {index}: {step.action}"
        case Exhausted(escalate):
            return "no step applies; people are called" if escalate else "only recorded"
        case _:
            return f"{getattr(decision, 'reason', '')}: {getattr(decision, 'detail', '')}"
