"""Two Alertmanagers in a cluster: they fail open, and rather send twice than never."""

from collections.abc import Sequence

from tests.conformance.alertmanager import PEER_TIMEOUT_S
from tests.conformance.judging import Verdict, acted_once, arose, first_of, unclaimed
from tests.conformance.observations import Delivery, Observations
from tests.conformance.routes import Route
from tests.conformance.scenario import Scenario, Stage
from tests.conformance.scene import QUIET_S, Scene

_SLOW_S = 2 * PEER_TIMEOUT_S


async def _play_twice(scene: Scene) -> None:
    scene.wire.answer_after_s = _SLOW_S
    await scene.fire("twice-lasting", "twice-mended", mends=("twice-mended",))
    await scene.acted("twice-lasting", "twice-mended")
    await scene.quiet(PEER_TIMEOUT_S + QUIET_S)


def _judge_twice(seen: Observations) -> Verdict:
    senders = [{each.sender for each in seen.deliveries_of(name)} for name in ("twice-lasting", "twice-mended")]
    return first_of(
        acted_once(seen, "twice-lasting", "twice-mended"),
        unclaimed(seen, "twice-lasting"),
        arose(all(len(names) > 1 for names in senders), "not both peers delivered it"),
    )


TWO_PEERS = Scenario(
    name="two-peers",
    trap="A peer waits peer-timeout for the one before it; when the answer is slower, both deliver the same alert.",
    source="notify/wait_stage; alertmanager #4108, #3865; measured: 2 deliveries of each of 5 alerts",
    sends=f"two alerts to both peers; answers arrive {_SLOW_S:g} s late, peer-timeout is {PEER_TIMEOUT_S:g} s",
    workloads=("twice-lasting", "twice-mended"),
    play=_play_twice,
    judge=_judge_twice,
    stage=Stage.PAIR,
    route=Route(group_by=("workload",)),
)

#: By the peer that hears of their end.
_FIRST = ("first-lasting", "first-mended")
_SECOND = ("second-lasting", "second-mended")
_ENDS = (*_FIRST, *_SECOND)


async def _play_late(scene: Scene) -> None:
    await scene.fire(*_ENDS, mends=("first-mended", "second-mended"))
    await scene.acted(*_ENDS)
    await scene.quiet(2.0)
    for workloads, peer in zip((_FIRST, _SECOND), scene.site.alertmanagers, strict=True):
        await scene.resolve(*workloads, at=peer)
    await scene.delivered(lambda all_: all(_fires_after_resolved(all_, name) for name in _ENDS))
    await scene.quiet()


def _fires_after_resolved(deliveries: Sequence[Delivery], workload: str) -> bool:
    """From another peer than the one that said resolved."""
    seen = Observations(deliveries)
    ended = seen.deliveries_of(workload, firing=False)
    fired = seen.deliveries_of(workload, firing=True)
    return any(each.at > ended[0].at and each.sender != ended[0].sender for each in fired if ended)


def _judge_late(seen: Observations) -> Verdict:
    late = all(_fires_after_resolved(seen.deliveries, name) for name in _ENDS)
    return first_of(
        acted_once(seen, *_ENDS),
        unclaimed(seen, "first-lasting"),
        unclaimed(seen, "second-lasting"),
        arose(late, "no firing came from the other peer after the resolved"),
    )


OTHER_PEER_LATE = Scenario(
    name="other-peer-late",
    trap="One peer says resolved, and the other one, which has not heard of it, says firing after that.",
    source="alertmanager #2447, #1755",
    sends="four alerts to both peers; then each ends at one peer only; of two the trouble lasts",
    workloads=_ENDS,
    play=_play_late,
    judge=_judge_late,
    stage=Stage.PAIR,
    route=Route(group_by=("workload",)),
)
