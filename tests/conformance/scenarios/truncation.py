"""max_alerts: the payload shows the first alerts only, and its status is theirs."""

from collections.abc import Sequence

from tests.conformance.judging import Verdict, acted_once, arose, first_of, unclaimed
from tests.conformance.observations import Delivery, Observations
from tests.conformance.routes import Route
from tests.conformance.scenario import Scenario
from tests.conformance.scene import Scene

# Alertmanager sorts a group by its labels, so the lowest number is the one that is shown.
_GROUP = ("hidden-1", "hidden-2", "hidden-3")


async def _play_hidden(scene: Scene) -> None:
    await scene.fire(*_GROUP)
    await scene.acted(*_GROUP)
    await scene.quiet()


def _judge_hidden(seen: Observations) -> Verdict:
    hides = any(each.truncated == len(_GROUP) - 1 for each in seen.deliveries)
    shown = {alert.workload for each in seen.deliveries for alert in each.alerts}
    return first_of(
        acted_once(seen, *_GROUP),
        unclaimed(seen, "hidden-1"),
        arose(hides and shown == {"hidden-1"}, "the group was not truncated to its first alert"),
    )


TRUNCATED_HIDDEN = Scenario(
    name="truncated-hidden",
    trap="With max_alerts, alerts past it are never shown; truncatedAlerts says only how many.",
    source="notify/webhook: truncateAlerts; alertmanager #3396. They are in /api/v2/alerts all the same",
    sends="three alerts of one group with max_alerts: 1",
    workloads=_GROUP,
    play=_play_hidden,
    judge=_judge_hidden,
    route=Route(max_alerts=1, group_wait="500ms", repeat_interval="2s"),
)


async def _play_resolved(scene: Scene) -> None:
    await scene.fire("truncated-2")
    await scene.acted("truncated-2")
    await scene.fire("truncated-1", mends=("truncated-1",))
    await scene.acted("truncated-1")
    await scene.end("truncated-1")
    await scene.delivered(_lie)
    scene.forget("truncated-1")  # sent again, its end would go on hiding the other one
    await scene.delivered(_shown_again)
    await scene.quiet()


def _lie(deliveries: Sequence[Delivery]) -> Delivery | None:
    """Says that the group is resolved while a hidden member fires."""
    return next((each for each in deliveries if each.status == "resolved" and each.truncated), None)


def _shown_again(deliveries: Sequence[Delivery]) -> bool:
    lie = _lie(deliveries)
    return lie is not None and any(each.at > lie.at and each.of("truncated-2") for each in deliveries)


def _judge_resolved(seen: Observations) -> Verdict:
    return first_of(
        acted_once(seen, "truncated-1", "truncated-2"),
        unclaimed(seen, "truncated-2"),
        arose(_lie(seen.deliveries), "no delivery said resolved and hid a member"),
        arose(_shown_again(seen.deliveries), "the hidden member was not shown again"),
    )


TRUNCATED_RESOLVED = Scenario(
    name="truncated-resolved",
    trap="Top-level status is computed after truncation: resolved, while hidden members still fire.",
    source="measured on 0.25.0 and 0.33.1: status resolved, truncatedAlerts > 0",
    sends="an alert, and one that hides it (max_alerts: 1); the one in front ends, the hidden one is shown again",
    workloads=("truncated-1", "truncated-2"),
    play=_play_resolved,
    judge=_judge_resolved,
    route=Route(max_alerts=1, repeat_interval="2s"),
)
